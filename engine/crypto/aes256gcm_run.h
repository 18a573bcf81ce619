/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One call of the page cipher, and who works on it.
 *
 *     text      |  unit  |  unit  | ... |  unit  |  less  |
 *               `------- cl_gcm_bulk_*() -------' `------' aes256gcm_sse.c
 *
 * aes256gcm_sse.c does all that is not bulk: additional data, the tag, what
 * is left after the last whole unit.  For the bulk there is one function for
 * each kind of vector unit; all of them are aes256gcm_bulk.h, compiled for it.
 */
#ifndef CL_AES256GCM_RUN_H
#define CL_AES256GCM_RUN_H

#include <stdbool.h>

#include <cloister/gcm.h>

#include "aes256gcm_sse.h"

#define BLOCK 16U
#define POWERS 32U  /* of H that a key has */
#define FEW 8U      /* blocks at a time of what is not bulk */

/* A unit of bulk, in bytes: for one block in a vector, and for more */
#define NARROW_LEN 256U
#define WIDE_LEN 512U

/* The state of one call; on its stack, what is secret erased at its end. */
struct run
{
    vec text[WIDE_LEN / BLOCK]; /* GHASH input not yet hashed, not secret; of
                               what is not bulk, FEW of key stream from the
                               middle on */
    vec mask;               /* AES(J0) */
    vec before;             /* counter block before the next, bytes reversed;
                               in cl_gcm_bulk_*() its counter is 1 modulo 16 */
    vec hash;               /* GHASH so far, bytes reversed */
    const uint8_t *in;
    uint8_t *out;
    size_t left;            /* of in and out */
    const uint8_t *next_in; /* to be prefetched, in step with in and out; */
    const uint8_t *next_out; /* or NULL */
    bool seal;              /* or open */
} __attribute__((aligned(64)));

/*
 * Whole units, as many as there are and at least one: encrypts or decrypts
 * them and adds them to the hash.  No register is left with a secret but
 * XMM0-15; the upper halves of YMM and ZMM are zero if they were used.
 */
void cl_gcm_bulk_sse(const struct cl_gcm_key *k, struct run *r);
void cl_gcm_bulk_avx(const struct cl_gcm_key *k, struct run *r);
void cl_gcm_bulk_vaes256(const struct cl_gcm_key *k, struct run *r);
void cl_gcm_bulk_vaes512(const struct cl_gcm_key *k, struct run *r);

#endif /* CL_AES256GCM_RUN_H */
