/* SPDX-License-Identifier: MIT */
/*
 * The sealed record: what stands in a saved image for all state of a
 * protected guest that is not in its pages, and what vouches for its pages.
 *
 * It travels as the only record of the HVM context but for header and end
 * mark (type CLOISTER_HVM_CODE, instance 0):
 *
 *   struct cloister_record         in the clear, authenticated
 *   key area                       .keys bytes, authenticated
 *   struct cloister_record_state   encrypted from here on ...
 *   HVM records                    .hvm bytes, as Xen itself writes them
 *   launch log                     .log bytes (evidence.h)
 *   struct cloister_record_page    .pages of them, in any order
 *   tag                            CLOISTER_RECORD_TAG bytes
 *
 * Cipher: AES-256-GCM with the saved instance's key; nonce: 1 as 4 bytes,
 * then .nonce (8 bytes); additional data: all that comes before the
 * ciphertext.  Little-endian, fixed width, naturally aligned, no padding.
 * docs/formats.md has the offsets.
 */
#ifndef CLOISTER_ABI_RECORD_H
#define CLOISTER_ABI_RECORD_H

#include <stdint.h>

/*
 * First number free after Xen's own (CPU_MSR is 20), and the next that Xen
 * would give out: to be reserved there.  A Xen without Cloister does not know
 * it and refuses the image.
 */
#define CLOISTER_HVM_CODE           21

/*
 * Instance of the entry of that type among the HVM records inside a sealed
 * one: the guest's network card, struct cl_siom_saved (cloister/siom.h).
 */
#define CLOISTER_HVM_CARD           1

#define CLOISTER_RECORD_SIGNATURE   "CLOISTER"
#define CLOISTER_RECORD_REVISION    2
#define CLOISTER_RECORD_NONCE       1   /* views have 0 there */
#define CLOISTER_RECORD_TAG         16
#define CLOISTER_RECORD_PARAMS      64

struct cloister_record {
    uint8_t  signature[8];      /* CLOISTER_RECORD_SIGNATURE, no NUL */
    uint32_t revision;
    uint32_t length;            /* of the record with this header, bytes */
    uint8_t  uuid[16];          /* the domain's handle */
    uint8_t  instance[16];      /* one for each time a guest is started or
                                   restored; with .nonce, of this image */
    uint8_t  host[16];          /* whose key wraps the instance's key */
    uint64_t nonce;             /* a number of the instance key's counter */
    uint32_t keys;              /* sizeof(struct cloister_record_key) */
    uint32_t reserved;          /* 0 */
};

/*
 * The key area.  It has one entry: the instance key under the host's.
 * Keys that a TPM has wrapped are to follow it.
 */
struct cloister_record_key {
    uint8_t  salt[32];
    uint8_t  key[32];           /* encrypted */
    uint8_t  tag[16];
};

struct cloister_record_state {
    uint64_t epoch;             /* of the key, as in the pages' AAD */
    uint64_t base;              /* versions of pages count from here */
    uint32_t pages;
    uint32_t hvm;               /* bytes */
    uint32_t vcpus;             /* that the guest may have */
    uint32_t policy;            /* flags; none yet: 0 */
    uint8_t  measurement[32];   /* of the launch */
    uint32_t log;               /* bytes */
    uint8_t  reserved[28];      /* 0 */
    uint8_t  cpu[32];           /* SHA-256 of the CPU policy; all 0: none */
    uint64_t params[CLOISTER_RECORD_PARAMS];    /* HVM parameters, by index;
                                   those that a restore sets anew: 0 */
};

struct cloister_record_page {
    uint32_t gfn;
    uint32_t version;           /* minus .base */
    uint8_t  tag[16];           /* of the page's view: docs/formats.md */
};

#endif /* CLOISTER_ABI_RECORD_H */
