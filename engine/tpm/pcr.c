/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCRs, quotes and resets (TPM 2.0 Library, Part 3, 18, 22 and 29); see
 * cloister/tpm2.h.
 */
#include <string.h>

#include "marshal.h"

int cl_tpm2_empty_rsp(const uint8_t *rsp, size_t len, bool sessions)
{
    struct cl_tpm2_reader r;
    int rc = cl_tpm2_open(&r, rsp, len, sessions, NULL);

    return rc ? rc : cl_tpm2_close(&r);
}

/* TPML_DIGEST_VALUES with one entry. */
size_t cl_tpm2_pcr_extend_cmd(uint8_t *buf, size_t cap, unsigned int pcr,
                              const uint8_t digest[CL_TPM2_DIGEST])
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_PCR_EXTEND, true);

    cl_tpm2_put32(&w, pcr);
    cl_tpm2_put_auth(&w, RS_PW);
    cl_tpm2_put32(&w, 1);
    cl_tpm2_put16(&w, ALG_SHA256);
    cl_tpm2_put(&w, digest, CL_TPM2_DIGEST);

    return cl_tpm2_end(&w);
}

size_t cl_tpm2_pcr_reset_cmd(uint8_t *buf, size_t cap, unsigned int pcr)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_PCR_RESET, true);

    cl_tpm2_put32(&w, pcr);
    cl_tpm2_put_auth(&w, RS_PW);

    return cl_tpm2_end(&w);
}

size_t cl_tpm2_pcr_read_cmd(uint8_t *buf, size_t cap, unsigned int pcr)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_PCR_READ, false);

    cl_tpm2_put_pcrs(&w, 1u << pcr);

    return cl_tpm2_end(&w);
}

/* pcrUpdateCounter:4, TPML_PCR_SELECTION, TPML_DIGEST with one digest. */
int cl_tpm2_pcr_read_rsp(const uint8_t *rsp, size_t len,
                         uint8_t out[CL_TPM2_DIGEST])
{
    struct cl_tpm2_reader r;
    struct cl_tpm2_slice value;
    int rc = cl_tpm2_open(&r, rsp, len, false, NULL);

    memset(out, 0, CL_TPM2_DIGEST);
    if ( rc )
        return rc;

    cl_tpm2_get32(&r);
    if ( cl_tpm2_get32(&r) != 1 || cl_tpm2_get16(&r) != ALG_SHA256 )
        return -EBADMSG;
    cl_tpm2_get(&r, cl_tpm2_get8(&r));
    if ( cl_tpm2_get32(&r) != 1 )
        return -EBADMSG;
    value = cl_tpm2_get_2b(&r);
    rc = cl_tpm2_close(&r);
    if ( rc || value.len != CL_TPM2_DIGEST )
        return -EBADMSG;

    memcpy(out, value.p, CL_TPM2_DIGEST);

    return 0;
}

size_t cl_tpm2_quote_cmd(uint8_t *buf, size_t cap, uint32_t key,
                         uint32_t session, struct cl_tpm2_slice data,
                         uint32_t mask)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_QUOTE, true);

    cl_tpm2_put32(&w, key);
    cl_tpm2_put_auth(&w, session);
    cl_tpm2_put_2b(&w, data.p, data.len);
    cl_tpm2_put16(&w, ALG_NULL);
    cl_tpm2_put_pcrs(&w, mask);

    return cl_tpm2_end(&w);
}

int cl_tpm2_quote_rsp(const uint8_t *rsp, size_t len,
                      struct cl_tpm2_slice *attest,
                      struct cl_tpm2_slice *signature)
{
    struct cl_tpm2_reader r;
    int rc = cl_tpm2_open(&r, rsp, len, true, NULL);

    *attest = cl_tpm2_get_2b(&r);
    *signature = cl_tpm2_get(&r, r.left);
    rc = rc ? rc : cl_tpm2_close(&r);
    if ( !rc && attest->len && signature->len )
        return 0;

    *attest = *signature = (struct cl_tpm2_slice){NULL, 0};

    return rc ? rc : -EBADMSG;
}

size_t cl_tpm2_read_clock_cmd(uint8_t *buf, size_t cap)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_READ_CLOCK, false);

    return cl_tpm2_end(&w);
}

/* Part 2, 10.11.1 and 10.11.6: time:8 clock:8 resetCount:4 restartCount:4 safe:1 */
int cl_tpm2_read_clock_rsp(const uint8_t *rsp, size_t len, uint32_t *resets,
                           uint32_t *restarts)
{
    struct cl_tpm2_reader r;
    int rc = cl_tpm2_open(&r, rsp, len, false, NULL);

    cl_tpm2_get(&r, 16);
    *resets = cl_tpm2_get32(&r);
    *restarts = cl_tpm2_get32(&r);
    if ( cl_tpm2_get8(&r) > 1 )
        r.failed = true;
    rc = rc ? rc : cl_tpm2_close(&r);
    if ( rc )
        *resets = *restarts = 0;

    return rc;
}
