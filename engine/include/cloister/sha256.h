/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256 (FIPS 180-4), which the platform has: Xen's own inside Xen,
 * OpenSSL's in the tools and tests; and its compression with the SHA
 * extensions, which Xen has not.
 */
#ifndef CLOISTER_SHA256_H
#define CLOISTER_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define CL_SHA256_SIZE 32u

/* A hash in progress; plain data, which may be copied.  The platform's. */
struct cl_sha256
{
    uint64_t opaque[16];
};

void cl_sha256_init(struct cl_sha256 *s);
void cl_sha256_update(struct cl_sha256 *s, const void *data, size_t len);
void cl_sha256_final(struct cl_sha256 *s, uint8_t digest[CL_SHA256_SIZE]);

/*
 * Runs the state (H0 to H7; 6.2.2) over 64-byte blocks at data, which need not
 * be aligned.  The CPU must have SHA, SSSE3 and SSE4.1.  Leaves working variables in XMM registers, whose owner must
 * have saved them.
 */
void cl_sha256_ni(uint32_t state[8], const void *data, size_t blocks);

#endif /* CLOISTER_SHA256_H */
