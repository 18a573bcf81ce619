/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The three keys that a host's TPM derives for Cloister, all P-256.
 *
 *   attestation  dom0 quotes and certifies with it
 *   storage      what is sealed for the TPM is sealed to it
 *   report       the hypervisor quotes with it: its policy is locality 2
 */
#ifndef CLOISTER_TOOLS_TPMKEY_H
#define CLOISTER_TOOLS_TPMKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <tss2/tss2_tpm2_types.h>

enum tpmkey
{
    TPMKEY_attestation,
    TPMKEY_storage,
    TPMKEY_report,
};

#define TPM_NAME_SIZE 34u /* the hash's number, and SHA-256 */

/*
 * The hierarchy that it is derived in (TPM2_RH_*).  TPM2_Clear draws the
 * owner's seed anew, and with it the storage key; that of the endorsement
 * hierarchy stays (Part 3, 24.6).
 */
uint32_t tpmkey_hierarchy(enum tpmkey which);

/* What the key is derived from; its point is empty. */
void tpmkey_template(enum tpmkey which, TPM2B_PUBLIC *out);

/* The whole is a TPM2B_PUBLIC, and as a TPM would write it. */
bool tpmkey_parse(const uint8_t *bytes, size_t size, TPM2B_PUBLIC *out);

/* The public area is that of such a key, whatever its point. */
bool tpmkey_is(enum tpmkey which, const TPMT_PUBLIC *public);

/* PolicyLocality(2), and then PolicyPCR, on top of a digest (Part 3, 23). */
void policy_locality(uint8_t digest[32]);
void policy_pcr(uint8_t digest[32], uint32_t mask, const uint8_t pcrs[32]);

/* Part 1, "Names".  false: it does not fit. */
bool tpmkey_name(const TPMT_PUBLIC *public, uint8_t out[TPM_NAME_SIZE]);

/*
 * Is that the qualified name (Part 1, "Qualified Name") of a key right below
 * the hierarchy (TPM2_RH_*)?
 */
bool tpmkey_is_primary(const TPM2B_NAME *qualified, uint32_t hierarchy,
                       const TPMT_PUBLIC *public);

/*
 * For OpenSSL, and back, with coordinates of 32 bytes each; to be freed.
 * NULL, false: no.
 */
EVP_PKEY *tpmkey_pkey(const TPMS_ECC_POINT *point);
bool tpmkey_point(EVP_PKEY *key, TPMS_ECC_POINT *out);

/* Leaves out the coordinates' leading zeros, as some TPMs do. */
void tpmkey_shorten(TPMS_ECC_POINT *point);

/* The key as PEM; to be freed.  Complains and returns NULL. */
char *tpmkey_pem(const TPMS_ECC_POINT *point);

#endif /* CLOISTER_TOOLS_TPMKEY_H */
