/* SPDX-License-Identifier: BSD-2-Clause */
/* Sealing to a TPM far away, without one of one's own. */
#ifndef CLOISTER_TOOLS_SEALTO_H
#define CLOISTER_TOOLS_SEALTO_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <tss2/tss2_tpm2_types.h>

#include <abi/hypercall.h>
#include <abi/secret.h>

/* A secret, and who may have it. */
struct sealto
{
    const TPMT_PUBLIC *storage; /* the TPM's storage key */
    uint32_t mask;              /* these PCRs of the host ... */
    uint8_t pcrs[32];           /* ... have this digest */
    uint8_t measurement[32];    /* of the guest */
    const uint8_t *secret;
    size_t size;    /* 1 to CLOISTER_SECRET_MAX */
    EVP_PKEY *sign; /* Ed25519, or NULL */
    bool owner;     /* it is a migration key: for the host, and no guest */
};

/*
 * Makes the blob (abi/secret.h) and returns its size; 0: complained.  What
 * would open it is wiped.
 */
size_t sealto(const struct sealto *s, uint8_t blob[CLOISTER_SECRET_BLOB]);

/* The signature over a public area by an owner's key. */
bool sealto_verify(EVP_PKEY *owner, const uint8_t *public, size_t public_size,
                   const uint8_t *sig, size_t sig_size);

#endif /* CLOISTER_TOOLS_SEALTO_H */
