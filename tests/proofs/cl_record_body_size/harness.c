/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_record_body_size().
 *
 * Sources: record/record.c
 */
#include <cloister/record.h>

#define PROOFS_GCM
#include "platform.h"

void harness(void)
{
    size_t len;

    proofs_any();
    cl_record_body_size(len);
}
