/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TPM 2.0 marshaling (TPM 2.0 Library, Part 1, "Marshaling"; structures in
 * Part 2): integers are big-endian, a TPM2B is a 16-bit length and bytes.
 *
 * Writers and readers remember that something did not fit, so that only the
 * end has to ask: a writer that has failed writes nothing, a reader that has
 * failed gives zeros and empty slices.
 */
#ifndef CLOISTER_TPM_MARSHAL_H
#define CLOISTER_TPM_MARSHAL_H

#include <cloister/tpm2.h>

/* Part 2, 6.9, TPM_ST */
#define ST_NO_SESSIONS 0x8001u
#define ST_SESSIONS 0x8002u

/* Part 2, 6.5.2, TPM_CC */
#define CC_NV_DEFINE_SPACE 0x12Au
#define CC_CREATE_PRIMARY 0x131u
#define CC_NV_INCREMENT 0x134u
#define CC_PCR_RESET 0x13Du
#define CC_STARTUP 0x144u
#define CC_CERTIFY_CREATION 0x14Au
#define CC_DUPLICATE 0x14Bu
#define CC_NV_READ 0x14Eu
#define CC_CREATE 0x153u
#define CC_IMPORT 0x156u
#define CC_LOAD 0x157u
#define CC_QUOTE 0x158u
#define CC_UNSEAL 0x15Eu
#define CC_FLUSH_CONTEXT 0x165u
#define CC_LOAD_EXTERNAL 0x167u
#define CC_NV_READ_PUBLIC 0x169u
#define CC_POLICY_LOCALITY 0x16Fu
#define CC_RSA_ENCRYPT 0x174u
#define CC_START_AUTH_SESSION 0x176u
#define CC_GET_RANDOM 0x17Bu
#define CC_PCR_READ 0x17Eu
#define CC_POLICY_PCR 0x17Fu
#define CC_READ_CLOCK 0x181u
#define CC_PCR_EXTEND 0x182u
#define CC_POLICY_GET_DIGEST 0x189u

/* Part 2, 6.3, TPM_ALG, and 6.4, TPM_ECC_CURVE */
#define ALG_RSA 0x0001u
#define ALG_AES 0x0006u
#define ALG_KEYEDHASH 0x0008u
#define ALG_SHA256 0x000Bu
#define ALG_NULL 0x0010u
#define ALG_OAEP 0x0017u
#define ALG_ECDSA 0x0018u
#define ALG_ECC 0x0023u
#define ALG_CFB 0x0043u
#define ECC_NIST_P256 0x0003u

/* Part 2, 8.3, TPMA_OBJECT */
#define OBJ_FIXED_TPM 0x00000002u
#define OBJ_FIXED_PARENT 0x00000010u
#define OBJ_SENSITIVE_DATA_ORIGIN 0x00000020u
#define OBJ_USER_WITH_AUTH 0x00000040u
#define OBJ_NO_DA 0x00000400u
#define OBJ_RESTRICTED 0x00010000u
#define OBJ_DECRYPT 0x00020000u
#define OBJ_SIGN 0x00040000u

/* Part 2, 7.4, permanent handles */
#define RS_PW CL_TPM2_RS_PW

struct cl_tpm2_writer
{
    uint8_t *buf;
    size_t cap, len;
    bool failed;
};

void cl_tpm2_put8(struct cl_tpm2_writer *w, uint8_t v);
void cl_tpm2_put16(struct cl_tpm2_writer *w, uint16_t v);
void cl_tpm2_put32(struct cl_tpm2_writer *w, uint32_t v);
void cl_tpm2_put(struct cl_tpm2_writer *w, const void *p, size_t len);
void cl_tpm2_put_2b(struct cl_tpm2_writer *w, const void *p, size_t len);

/* A TPM2B of what is written in between: room for its size, then the size. */
size_t cl_tpm2_open_2b(struct cl_tpm2_writer *w);
void cl_tpm2_close_2b(struct cl_tpm2_writer *w, size_t mark);

/* TPML_PCR_SELECTION: PCRs 0 to 23 of the SHA-256 bank; 0: an empty list. */
void cl_tpm2_put_pcrs(struct cl_tpm2_writer *w, uint32_t mask);

/* A command: the header, its handles next. */
struct cl_tpm2_writer cl_tpm2_begin(uint8_t *buf, size_t cap, uint32_t cc,
                                    bool sessions);

/* Authorization area with one session; RS_PW: an empty password. */
void cl_tpm2_put_auth(struct cl_tpm2_writer *w, uint32_t session);

/* Length of the command; 0 if it did not fit, and what was written is wiped. */
size_t cl_tpm2_end(struct cl_tpm2_writer *w);

struct cl_tpm2_reader
{
    const uint8_t *p;
    size_t left;
    bool failed;
};

uint8_t cl_tpm2_get8(struct cl_tpm2_reader *r);
uint16_t cl_tpm2_get16(struct cl_tpm2_reader *r);
uint32_t cl_tpm2_get32(struct cl_tpm2_reader *r);
struct cl_tpm2_slice cl_tpm2_get(struct cl_tpm2_reader *r, size_t len);
struct cl_tpm2_slice cl_tpm2_get_2b(struct cl_tpm2_reader *r);

/*
 * Opens a response of which nothing is known.  handle: the response has one,
 * which is read; NULL: none.  With sessions *r ends with the parameters.
 * Returns as cloister/tpm.h says of all responses.
 */
int cl_tpm2_open(struct cl_tpm2_reader *r, const uint8_t *rsp, size_t len,
                 bool sessions, uint32_t *handle);

/* 0 if all has been read and nothing was missing, else -EBADMSG. */
int cl_tpm2_close(const struct cl_tpm2_reader *r);

#endif /* CLOISTER_TPM_MARSHAL_H */
