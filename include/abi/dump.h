/* SPDX-License-Identifier: MIT */
/*
 * The owner's dump: what makes the core of a protected guest, which xl
 * dump-core writes as ciphertext, one that its owner can read, and nobody else.
 *
 * The owner names his key where the guest is measured, on its kernel's command
 * line: CLOISTER_DUMP_OPTION and the SHA-256 of the modulus (big-endian, 256
 * bytes) of an RSA key with 2048 bits and exponent 65537, in lowercase hex.
 *
 * Behind the core stand a sealed record (record.h), which no Xen restores, and
 * this, little-endian:
 */
#ifndef CLOISTER_ABI_DUMP_H
#define CLOISTER_ABI_DUMP_H

#include <stdint.h>

#define CLOISTER_DUMP_OPTION    "cloister.dump="
#define CLOISTER_DUMP_SIGNATURE "CLOISTDP"
#define CLOISTER_DUMP_REVISION  1
#define CLOISTER_DUMP_RSA       256

struct cloister_dump_tail {
    uint8_t  wrapped[CLOISTER_DUMP_RSA];    /* the instance key, RSA-OAEP with
                                               SHA-256, no label */
    uint32_t record;            /* bytes of the record */
    uint32_t revision;
    uint8_t  signature[8];      /* CLOISTER_DUMP_SIGNATURE, no NUL */
};

#endif /* CLOISTER_ABI_DUMP_H */
