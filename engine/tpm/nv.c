/* SPDX-License-Identifier: BSD-2-Clause */
/* NV counters (TPM 2.0 Library, Part 3, 31); see cloister/tpm2.h. */
#include "marshal.h"

#define CC_NV_DEFINE_SPACE 0x12Au
#define CC_NV_INCREMENT 0x134u
#define CC_NV_READ 0x14Eu

/* Part 2, 13.4, TPMA_NV */
#define NV_POLICYWRITE 0x00000008u
#define NV_COUNTER 0x00000010u
#define NV_AUTHREAD 0x00040000u
#define NV_NO_DA 0x02000000u

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
    cl_tpm2_put32(&w, NV_POLICYWRITE | NV_COUNTER | NV_AUTHREAD | NV_NO_DA);
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
