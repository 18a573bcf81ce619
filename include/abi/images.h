/* SPDX-License-Identifier: MIT */
/*
 * The list of saved images that may still be restored, as dom0 keeps it in a
 * file so that they outlive the host's restart.
 *
 * It is of no use to dom0 but for that.  It is encrypted and authenticated
 * under the host key (hostkey.h), and it is worth something only as long as
 * the TPM's counter stands where it stood when the list was given out: before
 * any image of a list that was given out is restored, or its guest goes on,
 * Xen moves the counter on, and that list, with all that were given out until
 * then, is void.
 *
 * Header, then .count entries.  Cipher: AES-256-GCM; key: SHA-256(16 bytes
 * "images", the host's wrapping key, .salt); nonce: zero; additional data: the
 * header up to .tag; what is encrypted: the entries.  Little-endian, fixed
 * width, naturally aligned, no padding.
 */
#ifndef CLOISTER_ABI_IMAGES_H
#define CLOISTER_ABI_IMAGES_H

#include <stdint.h>

#define CLOISTER_IMAGES_SIGNATURE   "CLOISTIM"
#define CLOISTER_IMAGES_REVISION    1
#define CLOISTER_IMAGES_MOST        1024

struct cloister_images_list {
    uint8_t  signature[8];      /* CLOISTER_IMAGES_SIGNATURE, no NUL */
    uint32_t revision;
    uint32_t length;            /* with this header, bytes */
    uint8_t  host[16];          /* names the host key */
    uint64_t counter;           /* the TPM's */
    uint32_t count;
    uint32_t reserved;          /* 0 */
    uint8_t  salt[32];
    uint8_t  tag[16];
};

struct cloister_images_entry {
    uint8_t  instance[16];      /* as in the image's record */
    uint64_t nonce;
};

#endif /* CLOISTER_ABI_IMAGES_H */
