/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_record_seal(): the length is that of what was added.
 *
 * Sources: record/record.c
 */
#include <cloister/record.h>

#define PROOFS_GCM
#include "platform.h"

void harness(void)
{
    struct cl_record *r;
    const struct cl_key *key;
    const struct cloister_record *head;
    const struct cloister_record_state *state;

    proofs_any();
    cl_record_seal(r, key, head, state);
}
