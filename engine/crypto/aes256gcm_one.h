/* SPDX-License-Identifier: BSD-2-Clause */
/* For aes256gcm_bulk.h: vectors of one block, eight side by side. */

#define LANES 1
#define GROUP 16U
#define VECS 8
#define EACH(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7)

#define AESENC(b, k) ((V)__builtin_ia32_aesenc128(b, k))
#define AESENCLAST(b, k) ((V)__builtin_ia32_aesenclast128(b, k))
#define CLMUL_V(a, b, sel) ((V)__builtin_ia32_pclmulqdq128(a, b, sel))

#define SPREAD(v) (v)
#define SWAP(v) __builtin_shufflevector(v, v, 1, 0)
#define REVERSE_V(v) ((V)__builtin_shufflevector((V_b)(v), (V_b)(v), BACK(0)))
#define SUM(v) (v)
#define WIDEN(v, block) (v) = (block)

/*
 * Eight counter blocks, and round 0.  The counter before them is 1 modulo 8:
 * all but the last two differ in three bits only from the block at which it
 * would be 0, and these two from the next such block.
 */
#define start(b, r, rk)                                                 \
    do {                                                                \
        const vec_w one = { 1 }, seven = { 7 }, eight = { 8 };          \
        vec z_ = (vec)((vec_w)(r)->before - one);                       \
        vec n_ = (vec)((vec_w)(r)->before + seven);                     \
                                                                        \
        (r)->before = (vec)((vec_w)(r)->before + eight);                \
        z_ = reverse_bytes(z_) ^ (rk);                                  \
        n_ = reverse_bytes(n_) ^ (rk);                                  \
        (b)[0] = z_ ^ (vec){ 0, 2LL << 56 };                            \
        (b)[1] = z_ ^ (vec){ 0, 3LL << 56 };                            \
        (b)[2] = z_ ^ (vec){ 0, 4LL << 56 };                            \
        (b)[3] = z_ ^ (vec){ 0, 5LL << 56 };                            \
        (b)[4] = z_ ^ (vec){ 0, 6LL << 56 };                            \
        (b)[5] = z_ ^ (vec){ 0, 7LL << 56 };                            \
        (b)[6] = n_;                                                    \
        (b)[7] = n_ ^ (vec){ 0, 1LL << 56 };                            \
    } while ( 0 )
