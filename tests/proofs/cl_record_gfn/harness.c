/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_record_gfn(), for any entries.
 *
 * Sources: record/record.c
 */
#include <cloister/record.h>

#define PROOFS_GCM
#include "platform.h"

void harness(void)
{
    const struct cl_record_body *b;
    uint32_t i;

    proofs_any();
    cl_record_gfn(b, i);
}
