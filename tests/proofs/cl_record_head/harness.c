/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_record_head(), for any bytes.
 *
 * Sources: record/record.c
 * Slow
 */
#include <cloister/record.h>

#define PROOFS_GCM
#include "platform.h"

void harness(void)
{
    const void *buf;
    size_t len;
    struct cloister_record *head;
    struct cloister_record_key *keys;

    proofs_any();
    cl_record_head(buf, len, head, keys);
}
