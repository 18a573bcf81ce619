/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every harness has, and a stub for what CBMC does not digest: the
 * cipher.  It asks for memory that is there.
 */
#ifndef PROOFS_PLATFORM_H
#define PROOFS_PLATFORM_H

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <cloister/contract.h>
#include <cloister/gcm.h>

unsigned int cl_any;

void harness(void);

/* CBMC takes what is static to be zero: any value, of which nothing is known. */
static inline void proofs_any(void)
{
    unsigned int any;

    cl_any = any;
}

static inline void proofs_may_read(const void *p, size_t len)
{
    assert(!len || __CPROVER_r_ok(p, len));
}

#ifdef PROOFS_GCM
struct cl_gcm_call cl_gcm_call;

static void proofs_cipher(const struct cl_gcm_key *k, const uint8_t *nonce,
                          struct cl_gcm_call call)
{
    proofs_may_read(k, sizeof(*k));
    proofs_may_read(nonce, CL_GCM_NONCE_LEN);
    proofs_may_read(call.aad, call.aadlen);
    proofs_may_read(call.in, call.len);
    assert(call.len <= CL_GCM_MAX_LEN);
    cl_gcm_call = call;
}

/* What it would write is asked for only: nothing in a proof reads it. */
void cl_gcm_seal(const struct cl_gcm_key *k, const uint8_t nonce[],
                 const void *aad, size_t aadlen, const void *in, void *out,
                 size_t len, uint8_t tag[])
{
    proofs_cipher(k, nonce, (struct cl_gcm_call){
        .aad = aad, .aadlen = aadlen, .in = in, .out = out, .len = len,
        .tag = tag});
    assert(__CPROVER_w_ok(out, len) && __CPROVER_w_ok(tag, CL_GCM_TAG_LEN));
}
#endif

#endif /* PROOFS_PLATFORM_H */
