/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256's compression with the SHA extensions, against OpenSSL's. */
#include <cpuid.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define OPENSSL_API_COMPAT 10100 /* the low-level interface */
#include <openssl/sha.h>

#include <cloister/sha256.h>

#include "test.h"

#define BLOCK      64u
#define MAX_BLOCKS 130u /* two pages and a little */

static uint8_t data[MAX_BLOCKS * BLOCK + 16];

/* From the same state, any state, to the same state; data at any address. */
static bool same(unsigned int blocks, unsigned int offset)
{
    uint32_t state[8];
    SHA256_CTX c;
    size_t i;

    for ( i = 0; i < sizeof(data); i++ )
        data[i] = (uint8_t)rand();
    SHA256_Init(&c);
    for ( i = 0; i < 8; i++ )
        state[i] = c.h[i] ^= (uint32_t)rand();

    SHA256_Update(&c, data + offset, blocks * BLOCK);
    cl_sha256_ni(state, data + offset, blocks);

    return !memcmp(state, c.h, sizeof(state));
}

static bool cpu_has_sha(void)
{
    unsigned int eax, ebx, ecx, edx;

    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && ebx & bit_SHA;
}

TEST(sha256_ni_like_openssl)
{
    unsigned int blocks;

    if ( !cpu_has_sha() )
    {
        printf("# this CPU has no SHA extensions\n");
        return;
    }

    srand(1);
    for ( blocks = 0; blocks <= MAX_BLOCKS; blocks++ )
        CHECK(same(blocks, blocks % 16));
}

/* FIPS 180-2, B.1: "abc" */
TEST(sha256_ni_published)
{
    static const uint32_t want[8] = { 0xba7816bf, 0x8f01cfea, 0x414140de,
                                      0x5dae2223, 0xb00361a3, 0x96177a9c,
                                      0xb410ff61, 0xf20015ad };
    uint32_t state[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    static const uint8_t block[BLOCK] = { 'a', 'b', 'c', 0x80, [63] = 24 };

    if ( !cpu_has_sha() )
        return;

    cl_sha256_ni(state, block, 1);
    CHECK(!memcmp(state, want, sizeof(want)));
}
