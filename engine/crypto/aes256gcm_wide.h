/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For aes256gcm_bulk.h: what VAES with 256 and with 512 bits share, and what
 * gcc and clang call their instructions.
 */
#ifdef __clang__
#define BUILTIN_512(op) __builtin_ia32_##op##512
#define BUILTIN_256(op) __builtin_ia32_##op##256
#define BYTES_512
#define BYTES_256
#define WIDEN(v, block)                                                 \
    (v) = (V){ (block)[0], (block)[1] }
#define SPREAD_512(v) __builtin_shufflevector(v, v, 0, 1, 0, 1, 0, 1, 0, 1)
#define SPREAD_256(v) __builtin_shufflevector(v, v, 0, 1, 0, 1)
#else
#define BUILTIN_512(op) BUILTIN_512_##op
#define BUILTIN_256(op) BUILTIN_256_##op
#define BUILTIN_512_aesenc __builtin_ia32_vaesenc_v64qi
#define BUILTIN_512_aesenclast __builtin_ia32_vaesenclast_v64qi
#define BUILTIN_512_pclmulqdq __builtin_ia32_vpclmulqdq_v8di
#define BUILTIN_256_aesenc __builtin_ia32_vaesenc_v32qi
#define BUILTIN_256_aesenclast __builtin_ia32_vaesenclast_v32qi
#define BUILTIN_256_pclmulqdq __builtin_ia32_vpclmulqdq_v4di
#define BYTES_512 (V_b)
#define BYTES_256 (V_b)
/* gcc makes a detour of the vectors above, by way of the stack. */
#define WIDEN(v, block)                                                 \
    __asm__ ( "vmovdqa %1, %x0" : "=x" (v) : "x" (block) )
#define SPREAD_512(v)                                                   \
    ((V)__builtin_ia32_broadcasti32x4_512((vec_i)(v), (V_i){ 0 }, -1))
#define SPREAD_256(v) ((V)__builtin_ia32_vbroadcastsi256(v))
#endif

#define GROUP 32U

typedef int vec_i __attribute__((vector_size(16), may_alias));
typedef int V_i __attribute__((vector_size(64), may_alias));

/* The sum of two lanes */
#define SUM_256(v)                                                      \
    ((vec)(__builtin_shufflevector(v, v, 0, 1) ^                        \
           __builtin_shufflevector(v, v, 2, 3)))

/*
 * Counter blocks, and round 0: the number in each lane, the lowest first, is
 * added to the block with its bytes reversed, as only 32 bits of it count.
 */
#define start(b, r, rk)                                                 \
    do {                                                                \
        const vec_w batch_ = { BATCH };                                 \
        const V c_ = spread(&(r)->before), rk_ = (rk);                  \
                                                                        \
        (r)->before = (vec)((vec_w)(r)->before + batch_);               \
        START_EACH(b, c_, rk_)                                          \
    } while ( 0 )

#define START(b, c, rk, i)                                              \
    (b)[i] = REVERSE_V((V)((V_w)(c) + (V_w)NUMBERS(LANES * (i)))) ^ (rk);
