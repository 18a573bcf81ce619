/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_record_begin(), for any numbers and a buffer of any size.
 *
 * Sources: record/record.c
 */
#include <cloister/record.h>

#define PROOFS_GCM
#include "platform.h"

void harness(void)
{
    struct cl_record *r;
    void *buf;
    size_t size;
    uint32_t hvm, log, pages;
    uint64_t base;

    proofs_any();
    cl_record_begin(r, buf, size, hvm, log, pages, base);
}
