/* SPDX-License-Identifier: MIT */
/*
 * The host key's blob: what dom0 keeps in a file so that the next boot has the
 * same host key.  It is of no use to dom0: the TPM gives the secret in it away
 * at locality 2 only, and while the PCRs are what they were when it was made.
 * Nor can dom0 replace it: Xen takes only what the TPM itself says was created
 * at locality 2, with these PCRs.
 *
 * Header, then four parts without gaps, as the TPM made them (TPM 2.0 Library,
 * Part 2, without the sizes of their TPM2B): private, public, creation data,
 * creation ticket (TPMT_TK_CREATION).  The header is little-endian.
 */
#ifndef CLOISTER_ABI_HOSTKEY_H
#define CLOISTER_ABI_HOSTKEY_H

#include <stdint.h>

#define CLOISTER_HOSTKEY_SIGNATURE  "CLOISTHK"
#define CLOISTER_HOSTKEY_REVISION   1
#define CLOISTER_HOSTKEY_PARTS      4

struct cloister_hostkey_blob {
    uint8_t  signature[8];      /* CLOISTER_HOSTKEY_SIGNATURE, no NUL */
    uint32_t revision;
    uint32_t length;            /* with this header, bytes */
    uint16_t part[CLOISTER_HOSTKEY_PARTS];      /* bytes of each */
};

#endif /* CLOISTER_ABI_HOSTKEY_H */
