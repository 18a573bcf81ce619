/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_record_page(), for any entries.
 *
 * Sources: record/record.c
 * Slow
 */
#include <cloister/record.h>

#define PROOFS_GCM
#include "platform.h"

void harness(void)
{
    const struct cl_record_body *b;
    uint32_t i;
    struct cl_record_page *p;

    proofs_any();
    cl_record_page(b, i, p);
}
