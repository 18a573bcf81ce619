/* SPDX-License-Identifier: BSD-2-Clause */
/* What a TPM has signed (TPM 2.0 Library, Part 2, 10.12 and 11.3). */
#ifndef CLOISTER_TOOLS_SIGNED_H
#define CLOISTER_TOOLS_SIGNED_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <tss2/tss2_tpm2_types.h>

#include "evlog.h"
#include "tpmkey.h"

/* A P-256 public key from a PEM file.  Complains and returns NULL. */
EVP_PKEY *signed_read_key(const char *path);

/* The whole is a TPM's statement of this type (TPM2_ST_ATTEST_*). */
bool signed_parse(const struct evlog *msg, TPMI_ST_ATTEST type,
                  TPMS_ATTEST *out);

/* The signature (a whole TPMT_SIGNATURE) is ECDSA by the key, with SHA-256. */
bool signed_by(const struct evlog *msg, const struct evlog *sig,
               EVP_PKEY *key);

/*
 * The key that it says it is from is such a key of the endorsement hierarchy,
 * with this point.  The signature tells nothing of the kind of the key: dom0
 * can have keys of all kinds in the TPM.
 */
bool signed_as(const TPMS_ATTEST *attest, enum tpmkey which, EVP_PKEY *key);

/* Its qualifying data are these. */
bool signed_data_is(const TPMS_ATTEST *attest, const uint8_t *data,
                    size_t size);

/* It is a quote over exactly these PCRs, SHA-256 bank, with these values. */
bool signed_pcrs_are(const TPMS_ATTEST *attest, uint32_t mask);
bool signed_values_are(const TPMS_ATTEST *attest, const uint8_t *values,
                       size_t size);

#endif /* CLOISTER_TOOLS_SIGNED_H */
