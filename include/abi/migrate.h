/* SPDX-License-Identifier: MIT */
/*
 * Migration to another host: who may pass a guest on to whom.
 *
 * The guest's owner makes a migration key, CLOISTER_MIGRATION_KEY random
 * bytes, and names it where the guest is measured, on its kernel's command
 * line: CLOISTER_MIGRATION_OPTION and the key's name in lowercase hex, which is
 * SHA-256 over CLOISTER_MIGRATION_NAME (padded with zeros to 16 bytes), the
 * key, and 32 zeros.
 *
 * He seals it (secret.h; in the object CLOISTER_SEALED_OWNER, a measurement of
 * zeros, and the key) to each host that may have the guest: its TPM gives it
 * to Xen alone, and only while the host's PCRs are what the owner has verified.
 * The sealed keys are his list of hosts.  Who has the key is on the list: both
 * the host that releases a guest and the one that receives it prove it so.
 *
 * What a target offers: a challenge, and as proof SHA-256 over
 * CLOISTER_MIGRATION_OFFER (padded to 16), the migration key, and SHA-256 of
 * struct cloister_offer.
 *
 * What a source releases: the instance key by AES-256-GCM, in the layout of
 * struct cloister_record_key (record.h); key: SHA-256(CLOISTER_MIGRATION_LABEL
 * padded to 16, migration key, .salt); nonce: zeros; additional data: struct
 * cloister_release.
 */
#ifndef CLOISTER_ABI_MIGRATE_H
#define CLOISTER_ABI_MIGRATE_H

#include <stdint.h>

#define CLOISTER_MIGRATION_KEY      32
#define CLOISTER_MIGRATION_OPTION   "cloister.migrate="
#define CLOISTER_MIGRATION_NAME     "migrate id"
#define CLOISTER_MIGRATION_OFFER    "migrate offer"
#define CLOISTER_MIGRATION_LABEL    "migrate"
#define CLOISTER_CHALLENGE          32

struct cloister_offer {
    uint8_t  challenge[CLOISTER_CHALLENGE];
    uint8_t  record[32];        /* SHA-256 of the image's record */
};

struct cloister_release {
    uint8_t  uuid[16];          /* as in the image's record ... */
    uint8_t  instance[16];
    uint64_t nonce;             /* ... up to here */
    uint8_t  challenge[CLOISTER_CHALLENGE];     /* the target's */
};

#endif /* CLOISTER_ABI_MIGRATE_H */
