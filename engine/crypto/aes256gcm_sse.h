/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What aes256gcm_sse.c and aes256gcm_sse_key.c share: 128-bit vectors without
 * <immintrin.h>, and multiplication in GF(2^128).
 *
 * Implementation notes
 *
 * Everything that handles a vector carries CL_SSE (or CL_SSE_INLINE), since
 * the rest of the translation unit may be compiled with -mno-sse. No vector
 * crosses a function boundary that is not inlined.
 *
 * GHASH (SP 800-38D, 6.4) numbers bits from the left. Blocks are therefore
 * byte-reversed on loading, and what is then bit i from the left of a 128-bit
 * integer is the coefficient of x^i. A carry-less product of two such integers
 * comes out one bit too low; H is multiplied by x once, at initialisation, to
 * make up for it. With P = x^128 + x^127 + x^126 + x^121 + 1 (the polynomial
 * of 6.3, reflected) the operation on integers is
 *
 *     mul(a, b) = a * b * x^-128 mod P
 *
 * x^-128 being what a Montgomery reduction from the low end leaves: adding
 * low * P, low the lowest 64 bits, clears these as P ends in 1, and two such
 * folds clear 128. As x^64 divides P - x^128 - 1, a fold is one 64x64-bit
 * carry-less product by POLY and one exchange of halves.
 *
 * `h[32 - i]` holds (H*x)^i in the sense of mul(), so that a block times h[31]
 * is the block times H in the sense of the standard.
 */
#ifndef CL_AES256GCM_SSE_H
#define CL_AES256GCM_SSE_H

#include <stddef.h>
#include <stdint.h>

#define CL_SSE        __attribute__((target("aes,pclmul,sse4.1")))
#define CL_SSE_INLINE static inline CL_SSE __attribute__((__always_inline__))

typedef long long vec __attribute__((vector_size(16), may_alias));
typedef long long vec_u __attribute__((vector_size(16), may_alias,
                                       aligned(1)));
typedef unsigned int vec_w __attribute__((vector_size(16), may_alias));
typedef char vec_b __attribute__((vector_size(16), may_alias));

/* x^63 + x^62 + x^57, see above */
#define POLY ((long long)0xc200000000000000ULL)

/* Carry-less product of one half each: bit 0 of sel for a, bit 4 for b. */
#define CLMUL(a, b, sel) ((vec)__builtin_ia32_pclmulqdq128(a, b, sel))

/* The sum of products over GF(2)[x]: lo + mid * x^64 + hi * x^128 */
struct product
{
    vec lo, mid, hi;
};

CL_SSE_INLINE vec exchange_halves(vec v)
{
    return __builtin_shufflevector(v, v, 1, 0);
}

CL_SSE_INLINE vec reverse_bytes(vec v)
{
    const vec_b mask = { 15, 14, 13, 12, 11, 10, 9, 8,
                         7, 6, 5, 4, 3, 2, 1, 0 };

    return (vec)__builtin_ia32_pshufb128((vec_b)v, mask);
}

/*
 * Keep values where they are. Left to themselves compilers reorder the
 * additions of many products, run out of registers and spill the products to
 * the stack. (A build with MemorySanitizer defines it as nothing: there an asm
 * is a use of its operands.)
 */
#ifndef SETTLE
#define SETTLE(...) __asm__ ( "" : __VA_ARGS__ )
#endif

/*
 * Add a * b to p by Karatsuba's rule, but leave it to reduce() to add lo and
 * hi to mid; bx is b with both halves replaced by their sum.
 */
CL_SSE_INLINE void add_product(struct product *p, vec a, vec b, vec bx)
{
    p->lo ^= CLMUL(a, b, 0x00);
    p->hi ^= CLMUL(a, b, 0x11);
    p->mid ^= CLMUL(a ^ exchange_halves(a), bx, 0x00);
    SETTLE("+x" (p->lo), "+x" (p->mid), "+x" (p->hi));
}

CL_SSE_INLINE vec fold(vec low, vec high)
{
    const vec poly = { POLY, 0 };

    return high ^ exchange_halves(low) ^ CLMUL(low, poly, 0x00);
}

CL_SSE_INLINE vec reduce(const struct product *p)
{
    return fold(fold(p->lo, p->mid ^ p->lo ^ p->hi), p->hi);
}

/*
 * Zero XMM0-15. Last thing in every function that is entered from outside:
 * the registers would otherwise hold keys until they are used again.
 */
CL_SSE_INLINE void wipe_registers(void)
{
#define ZERO(n) "pxor %%xmm" #n ", %%xmm" #n "\n\t"
    __asm__ __volatile__ (
        ZERO(0) ZERO(1) ZERO(2) ZERO(3) ZERO(4) ZERO(5) ZERO(6) ZERO(7)
        ZERO(8) ZERO(9) ZERO(10) ZERO(11) ZERO(12) ZERO(13) ZERO(14) ZERO(15)
        : : : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
              "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
              "xmm15", "memory" );
#undef ZERO
}

#endif /* CL_AES256GCM_SSE_H */
