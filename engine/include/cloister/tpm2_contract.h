/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contracts of tpm2.h, which includes it for proofs: each function is declared
 * once more, with what is proved of it in tests/proofs.
 */
#ifndef CLOISTER_TPM2_CONTRACT_H
#define CLOISTER_TPM2_CONTRACT_H

#include <errno.h>

#include <cloister/contract.h>

/* ---- Responses: bytes of which nothing is known ----------------------- */

#define CL_RSP_MAX 128u         /* of a proof */
#define CL_RSP_BE32(p, at)                                                \
    ((uint32_t)(p)[at] << 24 | (uint32_t)(p)[(at) + 1] << 16 |            \
     (uint32_t)(p)[(at) + 2] << 8 | (p)[(at) + 3])

/* Whole in the response (behind its header), or empty. */
#define CL_RSP_SLICE(s, rsp, n)                                           \
    ((s).p ? __CPROVER_same_object((s).p, rsp) &&                         \
             (size_t)((s).p - (rsp)) >= CL_TPM_HEADER_SIZE &&             \
             (size_t)((s).p - (rsp)) <= (n) &&                            \
             (s).len <= (n) - (size_t)((s).p - (rsp))                     \
           : !(s).len)
#define CL_RSP_NONE(s) (!(s).p && !(s).len)

/*
 * Any bytes; success only for a success of the TPM that says its own length
 * and has `least` bytes at least.
 */
#define CL_RSP_UP_TO(rsp, n, max, least)                                  \
    CL_REQUIRES((n) <= (max) && CL_BYTES(rsp, n))                         \
    CL_ENSURES(CL_RESULT == 0 || CL_RESULT == -EAGAIN ||                  \
               CL_RESULT == -ENOTCONN || CL_RESULT == -EIO ||             \
               CL_RESULT == -EBADMSG)                                     \
    CL_ENSURES(CL_RESULT || ((n) >= (least) &&                            \
                             CL_RSP_BE32(rsp, 2) == (n) &&                \
                             !CL_RSP_BE32(rsp, 6)))                       \
    CL_ENSURES(CL_RESULT == 0 || CL_RESULT == -EBADMSG ||                 \
               ((n) == CL_TPM_HEADER_SIZE && CL_RSP_BE32(rsp, 6)))
#define CL_RSP(rsp, n, least) CL_RSP_UP_TO(rsp, n, CL_RSP_MAX, least)

int cl_tpm2_check_header(const uint8_t *rsp, size_t len, uint16_t tag)
    CL_RSP_UP_TO(rsp, len, CL_TPM_BUF_SIZE, CL_TPM_HEADER_SIZE)
    CL_ASSIGNS()
    CL_ENSURES(CL_RESULT || (rsp[0] << 8 | rsp[1]) == tag);

int cl_tpm2_empty_rsp(const uint8_t *rsp, size_t len, bool sessions)
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + (sessions ? 4 : 0))
    CL_ASSIGNS()
    CL_ENSURES(CL_RESULT || (sessions ? !CL_RSP_BE32(rsp, 10)
                                      : len == CL_TPM_HEADER_SIZE));

/* The digest is the end of the response; zeros with any error. */
int cl_tpm2_pcr_read_rsp(const uint8_t *rsp, size_t len,
                         uint8_t out[CL_TPM2_DIGEST])
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + 49)
    CL_REQUIRES(CL_BYTES(out, CL_TPM2_DIGEST))
    CL_ASSIGNS(CL_WHOLE(out))
    CL_ENSURES(CL_ANY(out, CL_TPM2_DIGEST) ==
               (CL_RESULT ? 0 : CL_ANY(rsp + len - CL_TPM2_DIGEST,
                                       CL_TPM2_DIGEST)));

int cl_tpm2_read_clock_rsp(const uint8_t *rsp, size_t len, uint32_t *resets,
                           uint32_t *restarts)
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + 25)
    CL_REQUIRES(CL_OBJECT(resets) && CL_OBJECT(restarts))
    CL_ASSIGNS(*resets, *restarts)
    CL_ENSURES(CL_RESULT || len == CL_TPM_HEADER_SIZE + 25)
    CL_ENSURES(*resets == (CL_RESULT ? 0 : CL_RSP_BE32(rsp, 26)))
    CL_ENSURES(*restarts == (CL_RESULT ? 0 : CL_RSP_BE32(rsp, 30)));

int cl_tpm2_start_policy_rsp(const uint8_t *rsp, size_t len,
                             uint32_t *session)
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + 6)
    CL_REQUIRES(CL_OBJECT(session))
    CL_ASSIGNS(*session)
    CL_ENSURES(*session == (CL_RESULT ? 0 : CL_RSP_BE32(rsp, 10)));

int cl_tpm2_policy_digest_rsp(const uint8_t *rsp, size_t len,
                              uint8_t out[CL_TPM2_DIGEST])
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + 2 + CL_TPM2_DIGEST)
    CL_REQUIRES(CL_BYTES(out, CL_TPM2_DIGEST))
    CL_ASSIGNS(CL_WHOLE(out))
    CL_ENSURES(CL_RESULT || len == CL_TPM_HEADER_SIZE + 2 + CL_TPM2_DIGEST)
    CL_ENSURES(CL_ANY(out, CL_TPM2_DIGEST) ==
               (CL_RESULT ? 0 : CL_ANY(rsp + 12, CL_TPM2_DIGEST)));

/* ---- Objects ---------------------------------------------------------- */

int cl_tpm2_create_primary_rsp(const uint8_t *rsp, size_t len,
                               uint32_t *handle)
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + 8)
    CL_REQUIRES(CL_OBJECT(handle))
    CL_ASSIGNS(*handle)
    CL_ENSURES(*handle == (CL_RESULT ? 0 : CL_RSP_BE32(rsp, 10)));

int cl_tpm2_load_rsp(const uint8_t *rsp, size_t len, uint32_t *handle)
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + 10)
    CL_REQUIRES(CL_OBJECT(handle))
    CL_ASSIGNS(*handle)
    CL_ENSURES(*handle == (CL_RESULT ? 0 : CL_RSP_BE32(rsp, 10)));

int cl_tpm2_load_rsa_rsp(const uint8_t *rsp, size_t len, uint32_t *handle)
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + 4)
    CL_REQUIRES(CL_OBJECT(handle))
    CL_ASSIGNS(*handle)
    CL_ENSURES(*handle == (CL_RESULT ? 0 : CL_RSP_BE32(rsp, 10)));

/* The secret and zeros behind it; zeros alone with any error. */
int cl_tpm2_unseal_rsp(const uint8_t *rsp, size_t len, uint8_t *out,
                       size_t cap, size_t *got)
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + 6)
    CL_REQUIRES(cap > 0 && cap <= 64 && CL_BYTES(out, cap) && CL_OBJECT(got))
    CL_ASSIGNS(CL_WHOLE(out), *got)
    CL_ENSURES(*got <= cap && (!CL_RESULT || !*got))
    CL_ENSURES(CL_RESULT || *got <= len - CL_TPM_HEADER_SIZE - 6)
    CL_ENSURES(cl_any % cap < *got
               ? CL_ANY(out, cap) == rsp[16 + cl_any % cap]
               : !CL_ANY(out, cap));

int cl_tpm2_check_creation_rsp(const uint8_t *rsp, size_t len)
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + 8)
    CL_ASSIGNS()
    CL_ENSURES(CL_RESULT || (CL_RSP_BE32(rsp, 10) >= 4 &&
                             CL_RSP_BE32(rsp, 10) <= len - 14));

int cl_tpm2_import_rsp(const uint8_t *rsp, size_t len,
                       struct cl_tpm2_slice *private)
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + 6)
    CL_REQUIRES(CL_OBJECT(private))
    CL_ASSIGNS(*private)
    CL_ENSURES(CL_RSP_SLICE(*private, rsp, len))
    CL_ENSURES(!CL_RESULT || CL_RSP_NONE(*private));

int cl_tpm2_duplicate_rsp(const uint8_t *rsp, size_t len,
                          struct cl_tpm2_slice *duplicate,
                          struct cl_tpm2_slice *seed)
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + 10)
    CL_REQUIRES(CL_OBJECT(duplicate) && CL_OBJECT(seed))
    CL_ASSIGNS(*duplicate, *seed)
    CL_ENSURES(CL_RSP_SLICE(*duplicate, rsp, len) &&
               CL_RSP_SLICE(*seed, rsp, len))
    CL_ENSURES(!CL_RESULT || (CL_RSP_NONE(*duplicate) &&
                              CL_RSP_NONE(*seed)));

/* ---- NV counter, quote ------------------------------------------------ */

/* The attributes are those of such a counter, and the policy is this. */
int cl_tpm2_nv_counter_rsp(const uint8_t *rsp, size_t len,
                           const uint8_t policy[CL_TPM2_DIGEST])
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + 4 + 14 + CL_TPM2_DIGEST)
    CL_REQUIRES(CL_BYTES(policy, CL_TPM2_DIGEST))
    CL_ASSIGNS()
    CL_ENSURES(CL_RESULT || CL_ANY(rsp + 24, CL_TPM2_DIGEST) ==
                            CL_ANY(policy, CL_TPM2_DIGEST))
    CL_ENSURES(CL_RESULT || CL_RSP_BE32(rsp, 18) == 0x22040018u);

int cl_tpm2_nv_read_rsp(const uint8_t *rsp, size_t len, uint64_t *value)
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + 14)
    CL_REQUIRES(CL_OBJECT(value))
    CL_ASSIGNS(*value)
    CL_ENSURES(*value == (CL_RESULT ? 0 :
                          (uint64_t)CL_RSP_BE32(rsp, 16) << 32 |
                          CL_RSP_BE32(rsp, 20)));

int cl_tpm2_quote_rsp(const uint8_t *rsp, size_t len,
                      struct cl_tpm2_slice *attest,
                      struct cl_tpm2_slice *signature)
    CL_RSP(rsp, len, CL_TPM_HEADER_SIZE + 8)
    CL_REQUIRES(CL_OBJECT(attest) && CL_OBJECT(signature))
    CL_ASSIGNS(*attest, *signature)
    CL_ENSURES(CL_RSP_SLICE(*attest, rsp, len) &&
               CL_RSP_SLICE(*signature, rsp, len))
    CL_ENSURES(CL_RESULT || (attest->len && signature->len))
    CL_ENSURES(!CL_RESULT || (CL_RSP_NONE(*attest) &&
                              CL_RSP_NONE(*signature)));

#endif /* CLOISTER_TPM2_CONTRACT_H */
