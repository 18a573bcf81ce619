/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AES-256-GCM with AES-NI and PCLMULQDQ: the key. See <cloister/gcm.h>.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <cloister/gcm.h>
#include <cloister/wipe.h>

#include "aes256gcm_sse.h"

/* CPUID leaf 1, ECX */
#define ECX_PCLMULQDQ (1U << 1)
#define ECX_SSSE3     (1U << 9)
#define ECX_SSE4_1    (1U << 19)
#define ECX_AESNI     (1U << 25)
#define ECX_NEEDED    (ECX_PCLMULQDQ | ECX_SSSE3 | ECX_SSE4_1 | ECX_AESNI)

#define ECX_AVX       (1U << 28)

/* CPUID leaf 7, subleaf 0 */
#define EBX_AVX2        (1U << 5)
#define EBX_AVX512F     (1U << 16)
#define EBX_AVX512BW    (1U << 30)
#define EBX_AVX512VL    (1U << 31)
#define EBX_AVX512      (EBX_AVX512F | EBX_AVX512BW | EBX_AVX512VL)
#define ECX_VAES        (1U << 9)
#define ECX_VPCLMULQDQ  (1U << 10)
#define ECX_WIDE        (ECX_VAES | ECX_VPCLMULQDQ)

struct cpuid
{
    uint32_t eax, ebx, ecx, edx;
};

static struct cpuid cpuid(uint32_t leaf)
{
    struct cpuid c = { .eax = leaf };

    __asm__ __volatile__ ( "cpuid" : "+a" (c.eax), "=b" (c.ebx),
                           "+c" (c.ecx), "=d" (c.edx) );

    return c;
}

static bool has(uint64_t set, uint64_t bits)
{
    return (set & bits) == bits;
}

enum cl_gcm_impl cl_gcm_best(uint64_t xcr0)
{
    const struct cpuid one = cpuid(1);
    struct cpuid seven = { 0 };

    if ( !has(one.ecx, ECX_NEEDED | ECX_AVX) || !has(xcr0, CL_GCM_XCR0_AVX) )
        return CL_GCM_SSE;

    if ( cpuid(0).eax >= 7 )
        seven = cpuid(7);
    if ( !has(seven.ecx, ECX_WIDE) || !has(seven.ebx, EBX_AVX2) )
        return CL_GCM_AVX;

    return has(seven.ebx, EBX_AVX512) && has(xcr0, CL_GCM_XCR0_AVX512)
               ? CL_GCM_VAES512
               : CL_GCM_VAES256;
}

/* Shift left by n 32-bit words: word i of the result is word i - n. */
#define SHIFT_WORDS(v, n) ((vec)__builtin_shufflevector(           \
    (vec_w)(v), (vec_w){ 0 }, (n) > 0 ? 4 : 0, (n) > 1 ? 4 : 1 - (n), \
    2 - (n), 3 - (n)))

/*
 * One step of FIPS 197, 5.2, for four words: rk[i] from rk[i - 2] and from the
 * last word of rk[i - 1], which goes through SubWord, and through RotWord and
 * Rcon every other time. AESENCLAST is SubWord: on four equal columns its
 * ShiftRows does nothing.
 */
CL_SSE_INLINE vec next_round_key(vec before, vec last, bool rot,
                                 unsigned int rcon)
{
    const vec_b straight = { 12, 13, 14, 15, 12, 13, 14, 15,
                             12, 13, 14, 15, 12, 13, 14, 15 };
    const vec_b rotated = { 13, 14, 15, 12, 13, 14, 15, 12,
                            13, 14, 15, 12, 13, 14, 15, 12 };
    const vec_w add = { rcon, rcon, rcon, rcon };
    vec_b w = __builtin_ia32_pshufb128((vec_b)last, rot ? rotated : straight);

    before ^= SHIFT_WORDS(before, 1);
    before ^= SHIFT_WORDS(before, 2);

    return before ^ (vec)__builtin_ia32_aesenclast128((vec)w, (vec)add);
}

static CL_SSE void expand_key(vec *rk, const uint8_t *key)
{
    unsigned int i;

    rk[0] = *(const vec_u *)key;
    rk[1] = *(const vec_u *)(key + 16);

    for ( i = 2; i < 15; i += 2 )
    {
        rk[i] = next_round_key(rk[i - 2], rk[i - 1], true, 1U << (i / 2 - 1));
        if ( i < 14 )
            rk[i + 1] = next_round_key(rk[i - 1], rk[i], false, 0);
    }
}

/* H = AES(0), SP 800-38D, 7.1 step 1 */
CL_SSE_INLINE vec hash_subkey(const vec *rk)
{
    vec b = rk[0];
    unsigned int i;

    for ( i = 1; i < 14; i++ )
        b = __builtin_ia32_aesenc128(b, rk[i]);

    return __builtin_ia32_aesenclast128(b, rk[14]);
}

/* h * x mod P, with neither a branch nor a table index on the secret */
CL_SSE_INLINE vec times_x(vec h)
{
    uint64_t lo = (uint64_t)h[0], hi = (uint64_t)h[1];
    uint64_t carry = 0 - (hi >> 63);
    vec r = { (long long)((lo << 1) ^ (carry & 1)),
              (long long)((hi << 1 | lo >> 63) ^ (carry & POLY)) };

    return r;
}

static CL_SSE void expand_hash_key(vec *h, vec *hx, const vec *rk)
{
    vec h1 = times_x(reverse_bytes(hash_subkey(rk)));
    vec h1x = h1 ^ exchange_halves(h1), hi = h1;
    unsigned int i;

    for ( i = 32; i-- > 0; )
    {
        struct product p = { { 0 }, { 0 }, { 0 } };

        h[i] = hi;
        hx[i] = hi ^ exchange_halves(hi);
        add_product(&p, hi, h1, h1x);
        hi = reduce(&p);
    }
}

static CL_SSE void expand(struct cl_gcm_key *k, const uint8_t *key)
{
    expand_key((vec *)k->rk, key);
    expand_hash_key((vec *)k->h, (vec *)k->hx, (const vec *)k->rk);
    wipe_registers();
}

int cl_gcm_init_on(struct cl_gcm_key *k, const uint8_t key[CL_GCM_KEY_LEN],
                   uint32_t ecx)
{
    if ( !has(ecx, ECX_NEEDED) )
    {
        cl_gcm_wipe(k);
        return -EOPNOTSUPP;
    }

    expand(k, key);

    return 0;
}

int cl_gcm_init(struct cl_gcm_key *k, const uint8_t key[CL_GCM_KEY_LEN])
{
    return cl_gcm_init_on(k, key, cpuid(1).ecx);
}

void cl_gcm_wipe(struct cl_gcm_key *k)
{
    cl_wipe(k, sizeof(*k));
}
