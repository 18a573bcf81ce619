/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_record_size(), for any numbers.
 *
 * Sources: record/record.c
 */
#include <cloister/record.h>

#define PROOFS_GCM
#include "platform.h"

void harness(void)
{
    uint32_t hvm, log, pages;

    proofs_any();
    cl_record_size(hvm, log, pages);
}
