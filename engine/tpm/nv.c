/* SPDX-License-Identifier: BSD-2-Clause */
/* NV counters (TPM 2.0 Library, Part 3, 31); see cloister/tpm2.h. */
#include <errno.h>
#include <string.h>

#include "marshal.h"

/* Part 2, 13.4, TPMA_NV */
#define NV_POLICYWRITE 0x00000008u
#define NV_COUNTER 0x00000010u
#define NV_AUTHREAD 0x00040000u
#define NV_NO_DA 0x02000000u
#define NV_WRITTEN 0x20000000u

#define COUNTER (NV_POLICYWRITE | NV_COUNTER | NV_AUTHREAD | NV_NO_DA)

size_t cl_tpm2_nv_define_counter_cmd(uint8_t *buf, size_t cap, uint32_t index,
                                     const uint8_t policy[CL_TPM2_DIGEST])
{
    struct cl_tpm2_writer w =
        cl_tpm2_begin(buf, cap, CC_NV_DEFINE_SPACE, true);
    size_t mark;

    cl_tpm2_put32(&w, CL_TPM2_RH_OWNER);
    cl_tpm2_put_auth(&w, RS_PW);
    cl_tpm2_put_2b(&w, NULL, 0);
    mark = cl_tpm2_open_2b(&w);
    cl_tpm2_put32(&w, index);
    cl_tpm2_put16(&w, ALG_SHA256);
    cl_tpm2_put32(&w, COUNTER);
    cl_tpm2_put_2b(&w, policy, CL_TPM2_DIGEST);
    cl_tpm2_put16(&w, sizeof(uint64_t));
    cl_tpm2_close_2b(&w, mark);

    return cl_tpm2_end(&w);
}

size_t cl_tpm2_nv_increment_cmd(uint8_t *buf, size_t cap, uint32_t index,
                                uint32_t session)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_NV_INCREMENT, true);

    cl_tpm2_put32(&w, index);
    cl_tpm2_put32(&w, index);
    cl_tpm2_put_auth(&w, session);

    return cl_tpm2_end(&w);
}

size_t cl_tpm2_nv_public_cmd(uint8_t *buf, size_t cap, uint32_t index)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_NV_READ_PUBLIC, false);

    cl_tpm2_put32(&w, index);

    return cl_tpm2_end(&w);
}

/* Part 2, 13.5, TPMS_NV_PUBLIC: every field but the index is compared. */
static bool is_counter(struct cl_tpm2_slice pub,
                       const uint8_t policy[CL_TPM2_DIGEST])
{
    struct cl_tpm2_reader r = {.p = pub.p, .left = pub.len};
    struct cl_tpm2_slice digest;
    bool same;

    cl_tpm2_get32(&r);
    same = cl_tpm2_get16(&r) == ALG_SHA256;
    same &= cl_tpm2_get32(&r) == (COUNTER | NV_WRITTEN);
    digest = cl_tpm2_get_2b(&r);
    same &= digest.len == CL_TPM2_DIGEST &&
            !memcmp(digest.p, policy, CL_TPM2_DIGEST);
    same &= cl_tpm2_get16(&r) == sizeof(uint64_t);

    return same && !cl_tpm2_close(&r);
}

int cl_tpm2_nv_counter_rsp(const uint8_t *rsp, size_t len,
                           const uint8_t policy[CL_TPM2_DIGEST])
{
    struct cl_tpm2_reader r;
    struct cl_tpm2_slice pub;
    int rc = cl_tpm2_open(&r, rsp, len, false, NULL);

    if ( rc )
        return rc;
    pub = cl_tpm2_get_2b(&r);
    cl_tpm2_get_2b(&r); /* the name, a hash of the same */
    rc = cl_tpm2_close(&r);

    return rc ? rc : is_counter(pub, policy) ? 0 : -EBADMSG;
}

size_t cl_tpm2_nv_read_cmd(uint8_t *buf, size_t cap, uint32_t index)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_NV_READ, true);

    cl_tpm2_put32(&w, index);
    cl_tpm2_put32(&w, index);
    cl_tpm2_put_auth(&w, RS_PW);
    cl_tpm2_put16(&w, sizeof(uint64_t));
    cl_tpm2_put16(&w, 0);

    return cl_tpm2_end(&w);
}

int cl_tpm2_nv_read_rsp(const uint8_t *rsp, size_t len, uint64_t *value)
{
    struct cl_tpm2_reader r;
    uint64_t v;
    int rc = cl_tpm2_open(&r, rsp, len, true, NULL);

    *value = 0;
    if ( rc )
        return rc;
    if ( cl_tpm2_get16(&r) != sizeof(v) )
        return -EBADMSG;
    v = (uint64_t)cl_tpm2_get32(&r) << 32;
    v |= cl_tpm2_get32(&r);
    rc = cl_tpm2_close(&r);
    *value = rc ? 0 : v;

    return rc;
}
