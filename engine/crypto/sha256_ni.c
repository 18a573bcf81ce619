/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256's compression with the SHA extensions; see <cloister/sha256.h>. */
#include <stddef.h>
#include <stdint.h>

#include <cloister/sha256.h>

#define SHA_NI __attribute__((target("sha,sse4.1")))

#define BLOCK  64u

/* Sums are modulo 2^32; the instructions' intrinsics have signed words. */
typedef unsigned int vec_d __attribute__((vector_size(16), may_alias));
typedef unsigned int vec_du
    __attribute__((vector_size(16), may_alias, aligned(1)));
typedef int vec_i __attribute__((vector_size(16), may_alias));
typedef char vec_c __attribute__((vector_size(16), may_alias));
typedef long long vec_q __attribute__((vector_size(16), may_alias));

/* FIPS 180-4, 4.2.2 */
static const vec_d round_constants[16] = {
#define K(a, b, c, d) { a, b, c, d }
    K(0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5),
    K(0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5),
    K(0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3),
    K(0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174),
    K(0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc),
    K(0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da),
    K(0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7),
    K(0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967),
    K(0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13),
    K(0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85),
    K(0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3),
    K(0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070),
    K(0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5),
    K(0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3),
    K(0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208),
    K(0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2),
#undef K
};

/*
 * Four rounds, and the words of the schedule four groups on (6.2.2): a, b are
 * the working variables as SHA256RNDS2 has them, ABEF and CDGH.  Unrolled, so
 * that the schedule stays in registers.
 */
#define ROUNDS(i)                                                             \
    do {                                                                      \
        vec_d wk_ = w[(i) % 4] + round_constants[i];                          \
                                                                              \
        b = (vec_d)__builtin_ia32_sha256rnds2((vec_i)b, (vec_i)a,             \
                                              (vec_i)wk_);                    \
        if ( (i) < 12 )                                                       \
            w[(i) % 4] = (vec_d)__builtin_ia32_sha256msg2(                    \
                (vec_i)((vec_d)__builtin_ia32_sha256msg1(                     \
                            (vec_i)w[(i) % 4], (vec_i)w[((i) + 1) % 4]) +     \
                        __builtin_shufflevector(w[((i) + 2) % 4],             \
                                                w[((i) + 3) % 4], 1, 2, 3,    \
                                                4)),                          \
                (vec_i)w[((i) + 3) % 4]);                                     \
        wk_ = __builtin_shufflevector(wk_, wk_, 2, 3, 0, 0);                  \
        a = (vec_d)__builtin_ia32_sha256rnds2((vec_i)a, (vec_i)b,             \
                                              (vec_i)wk_);                    \
    } while ( 0 )

SHA_NI void cl_sha256_ni(uint32_t state[8], const void *data, size_t blocks)
{
    static const vec_c swap_words = { 3,  2,  1, 0, 7,  6,  5,  4,
                                      11, 10, 9, 8, 15, 14, 13, 12 };
    vec_du *s = (vec_du *)state;
    const vec_d abcd = s[0], efgh = s[1];
    vec_d a = __builtin_shufflevector(abcd, efgh, 5, 4, 1, 0);
    vec_d b = __builtin_shufflevector(abcd, efgh, 7, 6, 3, 2);
    const uint8_t *p = data;

    for ( ; blocks; blocks--, p += BLOCK )
    {
        const vec_d a0 = a, b0 = b;
        vec_d w[4];
        unsigned int i;

        for ( i = 0; i < 4; i++ )
            w[i] = (vec_d)__builtin_ia32_pshufb128(
                (vec_c)((const vec_du *)p)[i], swap_words);

        ROUNDS(0);
        ROUNDS(1);
        ROUNDS(2);
        ROUNDS(3);
        ROUNDS(4);
        ROUNDS(5);
        ROUNDS(6);
        ROUNDS(7);
        ROUNDS(8);
        ROUNDS(9);
        ROUNDS(10);
        ROUNDS(11);
        ROUNDS(12);
        ROUNDS(13);
        ROUNDS(14);
        ROUNDS(15);

        a += a0;
        b += b0;
    }

    s[0] = __builtin_shufflevector(a, b, 3, 2, 7, 6);
    s[1] = __builtin_shufflevector(a, b, 1, 0, 5, 4);
}
