/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contracts of tpm.h, which includes it for proofs: each function is declared
 * once more, with what is proved of it in tests/proofs.
 *
 * The transport calls its platform through pointers, for which CBMC knows no
 * contract: fuzz_tis drives it.
 */
#ifndef CLOISTER_TPM_CONTRACT_H
#define CLOISTER_TPM_CONTRACT_H

#include <cloister/contract.h>

/* ---- Transport -------------------------------------------------------- */

#define CL_TPM_VALID(t)                                                   \
    ((t)->state <= CL_TPM_RELEASE && (t)->failed_in <= CL_TPM_RELEASE &&  \
     (t)->locality <= 2 && (t)->budget <= CL_TPM_POLL_BURST &&            \
     (t)->len <= CL_TPM_BUF_SIZE && (t)->off <= (t)->len &&               \
     (t)->rsp_len <= CL_TPM_BUF_SIZE)

int cl_tpm_init(struct cl_tpm *t, const struct cl_tpm_platform *p,
                unsigned int locality)
    CL_REQUIRES(CL_OBJECT(t) && CL_OBJECT(p))
    CL_ASSIGNS(*t)
    CL_ENSURES(CL_RESULT == (locality > 2 ? -EINVAL : 0))
    CL_ENSURES(CL_RESULT || (CL_TPM_VALID(t) && t->state == CL_TPM_IDLE &&
                             t->p == p && t->locality == locality &&
                             t->result == -ENODATA))
    CL_ENSURES(!CL_RESULT || (CL_SAME(t->rsp_len) && CL_SAME(t->buf[0])));

void cl_tpm_wipe(struct cl_tpm *t)
    CL_REQUIRES(CL_OBJECT(t))
    CL_ASSIGNS(t->buf, t->rsp_len)
    CL_ENSURES(!t->rsp_len && !CL_ANY(t->buf, CL_TPM_BUF_SIZE));

/* ---- Commands: bytes of which nothing is known ------------------------ */

uint32_t cl_tpm2_rc(const uint8_t *rsp, size_t len)
    CL_REQUIRES(len <= CL_TPM_BUF_SIZE && CL_BYTES(rsp, len))
    CL_ASSIGNS()
    CL_ENSURES(len >= CL_TPM_HEADER_SIZE || CL_RESULT == CL_TPM2_RC_NONE);

uint64_t cl_tpm2_duration_us(const uint8_t *cmd, size_t len)
    CL_REQUIRES(len <= CL_TPM_BUF_SIZE && CL_BYTES(cmd, len))
    CL_ASSIGNS()
    CL_ENSURES(CL_RESULT > 0 && CL_RESULT <= 60000000u);

size_t cl_tpm2_startup_cmd(uint8_t *buf, size_t cap)
    CL_REQUIRES(cap <= 64 && CL_BYTES(buf, cap))
    CL_ASSIGNS(cap >= CL_TPM2_STARTUP_SIZE: CL_WHOLE(buf))
    CL_ENSURES(CL_RESULT ==
               (cap < CL_TPM2_STARTUP_SIZE ? 0 : CL_TPM2_STARTUP_SIZE));

int cl_tpm2_startup_rsp(const uint8_t *rsp, size_t len)
    CL_REQUIRES(len <= CL_TPM_BUF_SIZE && CL_BYTES(rsp, len))
    CL_ASSIGNS()
    CL_ENSURES(CL_RESULT == 0 || CL_RESULT == -EAGAIN ||
               CL_RESULT == -EIO || CL_RESULT == -EBADMSG)
    CL_ENSURES(len >= CL_TPM_HEADER_SIZE || CL_RESULT == -EBADMSG);

size_t cl_tpm2_getrandom_cmd(uint8_t *buf, size_t cap, uint16_t bytes)
    CL_REQUIRES(cap <= 64 && CL_BYTES(buf, cap))
    CL_ASSIGNS(cap >= CL_TPM2_GETRANDOM_SIZE: CL_WHOLE(buf))
    CL_ENSURES(CL_RESULT ==
               (cap < CL_TPM2_GETRANDOM_SIZE ? 0 : CL_TPM2_GETRANDOM_SIZE))
    CL_ENSURES(!CL_RESULT || (buf[10] == bytes >> 8 &&
                              buf[11] == (bytes & 0xff)));

int cl_tpm2_getrandom_rsp(const uint8_t *rsp, size_t len, uint8_t *out,
                          size_t want, size_t *got)
    CL_REQUIRES(len <= 128 && CL_BYTES(rsp, len))
    CL_REQUIRES(want > 0 && want <= 64 && CL_BYTES(out, want))
    CL_REQUIRES(CL_OBJECT(got))
    CL_ASSIGNS(CL_WHOLE(out), *got)
    CL_ENSURES(CL_RESULT == 0 || CL_RESULT == -EAGAIN ||
               CL_RESULT == -ENOTCONN || CL_RESULT == -EIO ||
               CL_RESULT == -EBADMSG)
    CL_ENSURES(CL_RESULT ? *got == 0 : *got > 0 && *got <= want &&
                                           *got <= len - 12)
    CL_ENSURES(!CL_RESULT || (CL_SAME(out[0]) && CL_SAME(out[want - 1])));

#endif /* CLOISTER_TPM_CONTRACT_H */
