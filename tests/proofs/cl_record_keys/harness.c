/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_record_keys().
 *
 * Sources: record/record.c
 */
#include <cloister/record.h>

#define PROOFS_GCM
#include "platform.h"

void harness(void)
{
    struct cl_record *r;

    proofs_any();
    cl_record_keys(r);
}
