/* SPDX-License-Identifier: MIT */
/*
 * A secret for a guest, on its way there.  Its owner makes it for one TPM, one
 * state of the host, and one launch measurement; whoever carries it cannot
 * read or change it.
 *
 * The blob: header, then four parts without gaps (TPM 2.0 Library, Part 2,
 * without the sizes of their TPM2B): public area, duplicate and encrypted seed
 * of a sealed object for the TPM's storage key (Part 1, "Duplication"; outer
 * wrapper only), and the owner's signature, which may be empty.  The object's
 * policy is PolicyLocality(2), then PolicyPCR(.mask).  In it: struct
 * cloister_sealed and the secret.
 *
 * The signature: Ed25519, over CLOISTER_SECRET_CONTEXT (with its terminating
 * zero) and the public area, which holds a hash of what is in the object.
 *
 * All little-endian but what is the TPM's.
 */
#ifndef CLOISTER_ABI_SECRET_H
#define CLOISTER_ABI_SECRET_H

#include <stdint.h>

#define CLOISTER_SECRET_SIGNATURE   "CLOISTSB"
#define CLOISTER_SECRET_REVISION    1
#define CLOISTER_SECRET_CONTEXT     "Cloister secret 1"

enum {
    CLOISTER_SECRET_public,
    CLOISTER_SECRET_duplicate,
    CLOISTER_SECRET_seed,
    CLOISTER_SECRET_signature,
    CLOISTER_SECRET_PARTS
};

struct cloister_secret_blob {
    uint8_t  signature[8];      /* CLOISTER_SECRET_SIGNATURE, no NUL */
    uint32_t revision;
    uint32_t length;            /* with this header, bytes */
    uint32_t mask;              /* PCRs of the policy, bit N for PCR N */
    uint16_t part[CLOISTER_SECRET_PARTS];       /* bytes of each */
};

/* 40 bytes, then the secret: 1 to CLOISTER_SECRET_MAX bytes. */
struct cloister_sealed {
    uint8_t  signature[4];      /* CLOISTER_SEALED_SIGNATURE, no NUL */
    uint32_t revision;          /* CLOISTER_SECRET_REVISION */
    uint8_t  measurement[32];   /* of the guest that may have it */
};

#define CLOISTER_SEALED_SIGNATURE   "CLsd"
#define CLOISTER_SEALED_OWNER       "CLow"  /* a migration key: migrate.h */

#endif /* CLOISTER_ABI_SECRET_H */
