/* SPDX-License-Identifier: BSD-2-Clause */
/* Policy sessions (TPM 2.0 Library, Part 3, 11 and 23); cloister/tpm2.h. */
#include <string.h>

#include "marshal.h"

/* Part 2, 6.11, TPM_SE */
#define SE_POLICY 0x01u
#define SE_TRIAL 0x03u

/* Neither salted nor bound, no parameter encryption. */
size_t cl_tpm2_start_policy_cmd(uint8_t *buf, size_t cap, bool trial,
                                const uint8_t nonce[16])
{
    struct cl_tpm2_writer w =
        cl_tpm2_begin(buf, cap, CC_START_AUTH_SESSION, false);

    cl_tpm2_put32(&w, CL_TPM2_RH_NULL);
    cl_tpm2_put32(&w, CL_TPM2_RH_NULL);
    cl_tpm2_put_2b(&w, nonce, 16);
    cl_tpm2_put_2b(&w, NULL, 0);
    cl_tpm2_put8(&w, trial ? SE_TRIAL : SE_POLICY);
    cl_tpm2_put16(&w, ALG_NULL);
    cl_tpm2_put16(&w, ALG_SHA256);

    return cl_tpm2_end(&w);
}

int cl_tpm2_start_policy_rsp(const uint8_t *rsp, size_t len, uint32_t *session)
{
    struct cl_tpm2_reader r;
    uint32_t handle = 0;
    int rc = cl_tpm2_open(&r, rsp, len, false, &handle);

    cl_tpm2_get_2b(&r);
    rc = rc ? rc : cl_tpm2_close(&r);
    *session = rc ? 0 : handle;

    return rc;
}

size_t cl_tpm2_policy_locality_cmd(uint8_t *buf, size_t cap, uint32_t session,
                                   unsigned int locality)
{
    struct cl_tpm2_writer w =
        cl_tpm2_begin(buf, cap, CC_POLICY_LOCALITY, false);

    cl_tpm2_put32(&w, session);
    cl_tpm2_put8(&w, (uint8_t)(1u << locality));

    return cl_tpm2_end(&w);
}

size_t cl_tpm2_policy_pcr_cmd(uint8_t *buf, size_t cap, uint32_t session,
                              uint32_t mask, struct cl_tpm2_slice digest)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_POLICY_PCR, false);

    cl_tpm2_put32(&w, session);
    cl_tpm2_put_2b(&w, digest.p, digest.len);
    cl_tpm2_put_pcrs(&w, mask);

    return cl_tpm2_end(&w);
}

size_t cl_tpm2_policy_digest_cmd(uint8_t *buf, size_t cap, uint32_t session)
{
    struct cl_tpm2_writer w =
        cl_tpm2_begin(buf, cap, CC_POLICY_GET_DIGEST, false);

    cl_tpm2_put32(&w, session);

    return cl_tpm2_end(&w);
}

int cl_tpm2_policy_digest_rsp(const uint8_t *rsp, size_t len,
                              uint8_t out[CL_TPM2_DIGEST])
{
    struct cl_tpm2_reader r;
    struct cl_tpm2_slice value;
    int rc = cl_tpm2_open(&r, rsp, len, false, NULL);

    value = cl_tpm2_get_2b(&r);
    memset(out, 0, CL_TPM2_DIGEST);
    if ( !rc && (cl_tpm2_close(&r) || value.len != CL_TPM2_DIGEST) )
        rc = -EBADMSG;
    if ( !rc )
        memcpy(out, value.p, CL_TPM2_DIGEST);

    return rc;
}

size_t cl_tpm2_flush_cmd(uint8_t *buf, size_t cap, uint32_t handle)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_FLUSH_CONTEXT, false);

    cl_tpm2_put32(&w, handle);

    return cl_tpm2_end(&w);
}
