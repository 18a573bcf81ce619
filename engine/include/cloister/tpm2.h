/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TPM 2.0 commands and responses as bytes (TPM 2.0 Library, Part 3), those
 * that keys, measurements and quotes need.  They know nothing of a transport;
 * cloister/tpm.h has one, and says what _cmd and _rsp functions return: a
 * length or 0; 0, -EAGAIN, -ENOTCONN, -EIO (see cl_tpm2_rc()) or -EBADMSG.
 *
 * The hash is SHA-256 throughout.  Authorizations are an empty password or a
 * policy session: no command here has an HMAC or an encrypted parameter, since
 * the only way to the TPM's registers at the locality in use is the caller's.
 * Whoever uses other localities can still flush objects and sessions, and load
 * others under the same handles, between two commands: a sequence whose
 * meaning hangs on a handle must keep the locality (cl_tpm_hold()).
 *
 * Nothing that a response says is believed before it fits: slices point into
 * the response, and are whole or empty.  On any error outputs are zeroed.
 */
#ifndef CLOISTER_TPM2_H
#define CLOISTER_TPM2_H

#include <cloister/tpm.h>

#define CL_TPM2_DIGEST 32u

/* Enough for every command here with data of up to CL_TPM2_DATA_MAX. */
#define CL_TPM2_CMD_MAX 1536u
#define CL_TPM2_DATA_MAX 128u /* MAX_SYM_DATA of the TPMs in use */

/* Part 2, 7.4, permanent handles */
#define CL_TPM2_RH_OWNER 0x40000001u
#define CL_TPM2_RH_NULL 0x40000007u
#define CL_TPM2_RS_PW 0x40000009u /* no session: an empty password */
#define CL_TPM2_RH_ENDORSEMENT 0x4000000Bu

/* Bytes inside a buffer of the caller's; not NULL unless len is 0. */
struct cl_tpm2_slice
{
    const uint8_t *p;
    size_t len;
};

/* Response header: its tag must be `tag` if it is a success. */
int cl_tpm2_check_header(const uint8_t *rsp, size_t len, uint16_t tag);

/* The response to a command that returns nothing. */
int cl_tpm2_empty_rsp(const uint8_t *rsp, size_t len, bool sessions);

/* ---- PCRs, Part 3, 22; pcr is 0 to 23, a mask has bit N for PCR N ------- */

size_t cl_tpm2_pcr_extend_cmd(uint8_t *buf, size_t cap, unsigned int pcr,
                              const uint8_t digest[CL_TPM2_DIGEST]);
size_t cl_tpm2_pcr_reset_cmd(uint8_t *buf, size_t cap, unsigned int pcr);

/* Both answer with cl_tpm2_empty_rsp(..., true). */

size_t cl_tpm2_pcr_read_cmd(uint8_t *buf, size_t cap, unsigned int pcr);
int cl_tpm2_pcr_read_rsp(const uint8_t *rsp, size_t len,
                         uint8_t out[CL_TPM2_DIGEST]);

/* ---- Resets, Part 3, 29 -------------------------------------------------- */

/*
 * TPM2_ReadClock: how often the TPM was reset (its PCRs began anew) in its
 * life, and since the last time restarted or resumed (some of them did).
 */
size_t cl_tpm2_read_clock_cmd(uint8_t *buf, size_t cap);
int cl_tpm2_read_clock_rsp(const uint8_t *rsp, size_t len, uint32_t *resets,
                           uint32_t *restarts);

/* ---- Sessions and policies, Part 3, 11 and 23 -------------------------- */

/* nonce: 16 bytes at least; any will do, as no HMAC is computed. */
size_t cl_tpm2_start_policy_cmd(uint8_t *buf, size_t cap, bool trial,
                                const uint8_t nonce[16]);
int cl_tpm2_start_policy_rsp(const uint8_t *rsp, size_t len,
                             uint32_t *session);

/* These answer with cl_tpm2_empty_rsp(..., false). */
size_t cl_tpm2_policy_locality_cmd(uint8_t *buf, size_t cap, uint32_t session,
                                   unsigned int locality);

/* digest: what the PCRs must be; empty: what they are now. */
size_t cl_tpm2_policy_pcr_cmd(uint8_t *buf, size_t cap, uint32_t session,
                              uint32_t mask, struct cl_tpm2_slice digest);

size_t cl_tpm2_policy_digest_cmd(uint8_t *buf, size_t cap, uint32_t session);
int cl_tpm2_policy_digest_rsp(const uint8_t *rsp, size_t len,
                              uint8_t out[CL_TPM2_DIGEST]);

/* Of an object or a session; answers with cl_tpm2_empty_rsp(..., false). */
size_t cl_tpm2_flush_cmd(uint8_t *buf, size_t cap, uint32_t handle);

/* ---- Objects, Part 3, 12, 13 and 24 ------------------------------------ */

/*
 * A storage key under a hierarchy whose password is empty: the ECC P-256
 * template L-2 of the TCG EK Credential Profile, which is the usual storage
 * root key.  It is the same each time until the TPM is cleared.
 */
size_t cl_tpm2_create_primary_cmd(uint8_t *buf, size_t cap,
                                  uint32_t hierarchy);
int cl_tpm2_create_primary_rsp(const uint8_t *rsp, size_t len,
                               uint32_t *handle);

/*
 * A P-256 key of the endorsement hierarchy that signs (ECDSA) only what the
 * TPM has made, and only for who meets the policy; the same each time.
 * Answers with cl_tpm2_create_primary_rsp().
 */
size_t cl_tpm2_create_signer_cmd(uint8_t *buf, size_t cap,
                                 const uint8_t policy[CL_TPM2_DIGEST]);

/*
 * Seals data (at most CL_TPM2_DATA_MAX bytes) under a storage key: it never
 * leaves this TPM and this parent, and is given away to whoever meets the
 * policy only.  info and the PCRs in mask become part of the creation data,
 * which cl_tpm2_creation_parse() refuses when mask was 0.
 */
struct cl_tpm2_seal
{
    uint32_t parent;
    uint8_t policy[CL_TPM2_DIGEST];
    struct cl_tpm2_slice data, info;
    uint32_t mask;
};

/* What TPM2_Create returns; slices of the response. */
struct cl_tpm2_created
{
    struct cl_tpm2_slice private, public;
    struct cl_tpm2_slice creation; /* TPMS_CREATION_DATA                   */
    struct cl_tpm2_slice hash;     /* of it                                */
    struct cl_tpm2_slice ticket;   /* TPMT_TK_CREATION, its size included  */
};

size_t cl_tpm2_seal_cmd(uint8_t *buf, size_t cap,
                        const struct cl_tpm2_seal *seal);
int cl_tpm2_seal_rsp(const uint8_t *rsp, size_t len,
                     struct cl_tpm2_created *out);

size_t cl_tpm2_load_cmd(uint8_t *buf, size_t cap, uint32_t parent,
                        struct cl_tpm2_slice private,
                        struct cl_tpm2_slice public);
int cl_tpm2_load_rsp(const uint8_t *rsp, size_t len, uint32_t *handle);

/*
 * Unseals with a policy session that has met the policy.  out has cap bytes;
 * more than that is -EBADMSG.
 */
size_t cl_tpm2_unseal_cmd(uint8_t *buf, size_t cap, uint32_t item,
                          uint32_t session);
int cl_tpm2_unseal_rsp(const uint8_t *rsp, size_t len, uint8_t *out,
                       size_t cap, size_t *got);

/*
 * TPM2_CertifyCreation without a signing key: succeeds if this TPM has created
 * the loaded object, and the creation data has this hash.
 */
size_t cl_tpm2_check_creation_cmd(uint8_t *buf, size_t cap, uint32_t object,
                                  struct cl_tpm2_slice hash,
                                  struct cl_tpm2_slice ticket);
int cl_tpm2_check_creation_rsp(const uint8_t *rsp, size_t len);

/* Creation data, Part 2, 15.1. */
struct cl_tpm2_creation
{
    uint32_t mask;                   /* of the SHA-256 bank               */
    struct cl_tpm2_slice pcr_digest; /* over them                         */
    uint8_t locality;                /* TPMA_LOCALITY: bit N for N < 5    */
    struct cl_tpm2_slice info;
};

/* 0, or -EBADMSG: malformed, or another bank. */
int cl_tpm2_creation_parse(struct cl_tpm2_slice creation,
                           struct cl_tpm2_creation *out);

/*
 * TPM2_Import of an object without inner wrapper that was made for this
 * parent; returns its private part, for TPM2_Load.
 */
size_t cl_tpm2_import_cmd(uint8_t *buf, size_t cap, uint32_t parent,
                          struct cl_tpm2_slice public,
                          struct cl_tpm2_slice duplicate,
                          struct cl_tpm2_slice seed);
int cl_tpm2_import_rsp(const uint8_t *rsp, size_t len,
                       struct cl_tpm2_slice *private);

/*
 * TPM2_Duplicate to a loaded new parent, without inner wrapper; the policy
 * session has met TPM2_PolicyCommandCode and what else the policy asks.  Xen
 * only imports: owners wrap for it without a TPM (tools/sealto.c).
 */
size_t cl_tpm2_duplicate_cmd(uint8_t *buf, size_t cap, uint32_t object,
                             uint32_t new_parent, uint32_t session);
int cl_tpm2_duplicate_rsp(const uint8_t *rsp, size_t len,
                          struct cl_tpm2_slice *duplicate,
                          struct cl_tpm2_slice *seed);

/* ---- Somebody's RSA key, Part 3, 12.3 and 14.2 -------------------------- */

#define CL_TPM2_RSA 256u /* bytes of a modulus with 2048 bits */

/* The public key with this modulus (big-endian) and exponent 65537. */
size_t cl_tpm2_load_rsa_cmd(uint8_t *buf, size_t cap,
                            const uint8_t modulus[CL_TPM2_RSA]);
int cl_tpm2_load_rsa_rsp(const uint8_t *rsp, size_t len, uint32_t *handle);

/* OAEP with SHA-256 and no label: at most 190 bytes. */
size_t cl_tpm2_rsa_encrypt_cmd(uint8_t *buf, size_t cap, uint32_t handle,
                               struct cl_tpm2_slice message);
int cl_tpm2_rsa_encrypt_rsp(const uint8_t *rsp, size_t len,
                            uint8_t out[CL_TPM2_RSA]);

/* ---- NV counter, Part 3, 31 --------------------------------------------- */

/*
 * Defines a counter that can be read by anyone and incremented under a policy
 * only (authorized by an owner with an empty password).
 */
size_t cl_tpm2_nv_define_counter_cmd(uint8_t *buf, size_t cap, uint32_t index,
                                     const uint8_t policy[CL_TPM2_DIGEST]);

/* Both answer with cl_tpm2_empty_rsp(..., true). */
size_t cl_tpm2_nv_increment_cmd(uint8_t *buf, size_t cap, uint32_t index,
                                uint32_t session);

/*
 * TPM2_NV_ReadPublic: -EBADMSG also if the index is not a counter as
 * cl_tpm2_nv_define_counter_cmd() makes it, with this policy, that has been
 * incremented since.
 */
size_t cl_tpm2_nv_public_cmd(uint8_t *buf, size_t cap, uint32_t index);
int cl_tpm2_nv_counter_rsp(const uint8_t *rsp, size_t len,
                           const uint8_t policy[CL_TPM2_DIGEST]);

size_t cl_tpm2_nv_read_cmd(uint8_t *buf, size_t cap, uint32_t index);
int cl_tpm2_nv_read_rsp(const uint8_t *rsp, size_t len, uint64_t *value);

/* ---- Quote, Part 3, 18.4 ------------------------------------------------ */

/* With the key's own signing scheme; session: a policy's, or RS_PW. */
size_t cl_tpm2_quote_cmd(uint8_t *buf, size_t cap, uint32_t key,
                         uint32_t session, struct cl_tpm2_slice data,
                         uint32_t mask);
int cl_tpm2_quote_rsp(const uint8_t *rsp, size_t len,
                      struct cl_tpm2_slice *attest,
                      struct cl_tpm2_slice *signature);

#ifdef __CPROVER
#include <cloister/tpm2_contract.h>
#endif

#endif /* CLOISTER_TPM2_H */
