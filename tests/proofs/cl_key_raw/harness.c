/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_key_raw(): the key, and nothing else is written.
 *
 * Slow
 * Sources: smm/keys.c
 * Flags: --unwind 17
 */
#include <errno.h>

#include <cloister/smm.h>

#include "../cipher.h"

void harness(void);
void harness(void)
{
    const struct cl_key *k;
    uint8_t *out;

    any_cipher();
    cl_key_raw(k, out);
}
