/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page cipher, which is not proved: it says what it likes, and writes to
 * what it may write to.
 */
#ifndef CLOISTER_PROOFS_CIPHER_H
#define CLOISTER_PROOFS_CIPHER_H

#include <errno.h>

#include <cloister/gcm.h>

/* Static, so that CBMC would take it to be 0: the harness sets it. */
unsigned int cl_any;

static _Bool cipher_refuses;

static void any_cipher(void)
{
    _Bool refuses;
    unsigned int any;

    cipher_refuses = refuses;
    cl_any = any;
}

void cl_gcm_seal(const struct cl_gcm_key *k,
                 const uint8_t nonce[CL_GCM_NONCE_LEN],
                 const void *aad, size_t aadlen,
                 const void *in, void *out, size_t len,
                 uint8_t tag[CL_GCM_TAG_LEN])
{
    uint8_t text, auth;

    (void)k, (void)nonce, (void)aad, (void)aadlen, (void)in, (void)len;
    *(uint8_t *)out = text;
    tag[0] = auth;
}

int cl_gcm_open(const struct cl_gcm_key *k,
                const uint8_t nonce[CL_GCM_NONCE_LEN],
                const void *aad, size_t aadlen,
                const void *in, void *out, size_t len,
                const uint8_t tag[CL_GCM_TAG_LEN])
{
    uint8_t text;

    (void)k, (void)nonce, (void)aad, (void)aadlen, (void)in, (void)len,
        (void)tag;
    *(uint8_t *)out = cipher_refuses ? 0 : text;

    return cipher_refuses ? -EBADMSG : 0;
}

int cl_gcm_init(struct cl_gcm_key *k, const uint8_t key[CL_GCM_KEY_LEN])
{
    (void)key;
    k->rk[0][0] = 0;

    return cipher_refuses ? -EOPNOTSUPP : 0;
}

#endif /* CLOISTER_PROOFS_CIPHER_H */
