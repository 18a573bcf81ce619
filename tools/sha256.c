/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine's SHA-256, by OpenSSL. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <assert.h>

#include <openssl/sha.h>

#include <cloister/sha256.h>

static_assert(sizeof(SHA256_CTX) <= sizeof(struct cl_sha256), "room");

void cl_sha256_init(struct cl_sha256 *s)
{
    SHA256_Init((SHA256_CTX *)s->opaque);
}

void cl_sha256_update(struct cl_sha256 *s, const void *data, size_t len)
{
    SHA256_Update((SHA256_CTX *)s->opaque, data, len);
}

void cl_sha256_final(struct cl_sha256 *s, uint8_t digest[CL_SHA256_SIZE])
{
    SHA256_Final(digest, (SHA256_CTX *)s->opaque);
}
