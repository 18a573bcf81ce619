/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AES-256-GCM with AES-NI and PCLMULQDQ: sealing and opening.
 * See <cloister/gcm.h> for the interface, aes256gcm_sse.h for the arithmetic.
 *
 * Implementation notes
 *
 * With a 96-bit nonce, J0 is nonce || 1 and the text starts at nonce || 2
 * (SP 800-38D, 7.1). The key stream is thus one run of counter blocks, the
 * first of which masks the tag. It is made in groups of 8 blocks. What GHASH
 * takes in is laid out along it:
 *
 *     key stream   J0        2   3   4  ...  n+1
 *     GHASH input  last AAD  c1  c2  c3 ...  cn   lengths
 *
 * so that both come in the same groups of 8. The slot of J0 has the last
 * block of the additional data (or zero if there is none), plus the hash of
 * those before it.
 *
 * Each group is encrypted while the one before is hashed: AES and carry-less
 * multiplication have units of their own and neither has to wait. The group
 * to be hashed is kept in `text` below, a copy that nobody else can write.
 *
 * Nothing secret may be spilled to the stack outside struct run; test_gcm.c
 * looks for that in the stack of each call.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <cloister/gcm.h>
#include <cloister/wipe.h>

#include "aes256gcm_sse.h"

#define BLOCK 16U
#define GROUP 8U

#define EACH8(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7)

typedef uint64_t u64_u __attribute__((may_alias, aligned(1)));
typedef uint32_t u32_u __attribute__((may_alias, aligned(1)));

/* The state of one call; on its stack, erased at its end. */
struct run
{
    vec text[GROUP + 1];   /* GHASH input not yet hashed; 1 for the lengths */
    vec stream[GROUP];     /* key stream of a group that is not full */
    vec mask;              /* AES(J0) */
    vec before;            /* counter block before the next, bytes reversed */
    vec hash;              /* GHASH so far, bytes reversed */
    const uint8_t *in;
    uint8_t *out;
    size_t left;           /* of in and out */
    bool seal;             /* or open */
};

/*
 * A load that happens exactly once: asm, since a compiler may repeat a plain
 * one, and a volatile one would have to be aligned.
 */
CL_SSE_INLINE vec load_once(const void *p)
{
    vec v;

    __asm__ __volatile__ ( "movdqu %1, %0" : "=x" (v)
                           : "m" (*(const vec_u *)p) );

    return v;
}

/* Copy n bytes that others may change; each is loaded once. */
static void copy_once(void *to, const void *from, size_t n)
{
    const volatile uint8_t *src = from;
    uint8_t *dst = to;

    while ( n-- )
        *dst++ = *src++;
}

/*
 * Eight counter blocks, and round 0. The group's first counter is 1 modulo 8:
 * the first seven differ from the block before them in three bits only.
 */
CL_SSE_INLINE void start8(vec *b, struct run *r, const vec *rk)
{
    const vec_w eight = { 8, 0, 0, 0 };
    vec before = reverse_bytes(r->before) ^ rk[0];

#define START(i) b[i] = before ^ (vec){ 0, (i + 1LL) << 56 };
    EACH8(START)
#undef START
    r->before = (vec)((vec_w)r->before + eight);
    b[7] = reverse_bytes(r->before) ^ rk[0];
}

CL_SSE_INLINE void round8(vec *b, vec rk)
{
#define ROUND(i) b[i] = __builtin_ia32_aesenc128(b[i], rk);
    EACH8(ROUND)
#undef ROUND
}

CL_SSE_INLINE void last_round8(vec *b, vec rk)
{
#define ROUND(i) b[i] = __builtin_ia32_aesenclast128(b[i], rk);
    EACH8(ROUND)
#undef ROUND
}

/* The key stream of the first group */
static CL_SSE void stream8(const vec *rk, struct run *r)
{
    vec b[GROUP];
    unsigned int i;

    start8(b, r, rk);
    for ( i = 1; i < 14; i++ )
        round8(b, rk[i]);
    last_round8(b, rk[14]);
#define STORE(i) r->stream[i] = b[i];
    EACH8(STORE)
#undef STORE
}

/* The key stream of the next group, to b, while the 8 of r->text are hashed */
CL_SSE_INLINE void stream8_hash8(const struct cl_gcm_key *k, struct run *r,
                                 vec *b)
{
    const vec *rk = (const vec *)k->rk;
    const vec *h = (const vec *)k->h, *hx = (const vec *)k->hx;
    struct product p = { { 0 }, { 0 }, { 0 } };
    vec x = r->hash;

    start8(b, r, rk);
#define STEP(i)                         \
    x ^= reverse_bytes(r->text[i]);     \
    round8(b, rk[(i) + 1]);             \
    add_product(&p, x, h[i], hx[i]);    \
    x = (vec){ 0 };
    EACH8(STEP)
#undef STEP
    round8(b, rk[9]);
    p.mid ^= p.lo ^ p.hi;
    round8(b, rk[10]);
    p.mid = fold(p.lo, p.mid);
    round8(b, rk[11]);
    round8(b, rk[12]);
    r->hash = fold(p.mid, p.hi);
    round8(b, rk[13]);
    last_round8(b, rk[14]);
}

/* Hash the first n blocks of r->text, n from 1 to 8. */
static CL_SSE void hash(const struct cl_gcm_key *k, struct run *r,
                        const vec *text, unsigned int n)
{
    const vec *h = (const vec *)k->h + GROUP - n;
    const vec *hx = (const vec *)k->hx + GROUP - n;
    struct product p = { { 0 }, { 0 }, { 0 } };
    vec x = r->hash;
    unsigned int i;

    for ( i = 0; i < n; i++ )
    {
        x ^= reverse_bytes(text[i]);
        add_product(&p, x, h[i], hx[i]);
        x = (vec){ 0 };
    }

    r->hash = reduce(&p);
}

/* XOR a full group from r->in with the key stream in b. */
CL_SSE_INLINE void apply8(struct run *r, const vec *b)
{
    const vec_u *in = (const vec_u *)r->in;
    vec_u *out = (vec_u *)r->out;

    if ( r->seal )
    {
#define APPLY(i) out[i] = r->text[i] = load_once(in + (i)) ^ b[i];
        EACH8(APPLY)
#undef APPLY
    }
    else
    {
#define APPLY(i) r->text[i] = load_once(in + (i)); out[i] = r->text[i] ^ b[i];
        EACH8(APPLY)
#undef APPLY
    }

    r->in += GROUP * BLOCK;
    r->out += GROUP * BLOCK;
    r->left -= GROUP * BLOCK;
}

/* XOR the next block with the key stream in slot i. */
CL_SSE_INLINE void apply_block(struct run *r, unsigned int i)
{
    vec from = load_once(r->in), to = from ^ r->stream[i];

    *(vec_u *)r->out = to;
    r->text[i] = r->seal ? to : from;
    r->in += BLOCK;
    r->out += BLOCK;
    r->left -= BLOCK;
}

/*
 * The same with the last n bytes, n < 16. What there is of the key stream
 * beyond them must neither go out nor into the hash.
 */
static CL_SSE void apply_bytes(struct run *r, unsigned int i, size_t n)
{
    r->text[i] = (vec){ 0 };
    copy_once(&r->text[i], r->in, n);
    r->stream[i] ^= r->text[i];
    memcpy(r->out, &r->stream[i], n);
    memset((uint8_t *)&r->stream[i] + n, 0, BLOCK - n);

    if ( r->seal )
        r->text[i] = r->stream[i];

    r->left = 0;
}

/* What is left, from slot i on, within the group. Returns the next slot. */
static CL_SSE unsigned int apply(struct run *r, unsigned int i)
{
    for ( ; r->left >= BLOCK && i < GROUP; i++ )
        apply_block(r, i);
    if ( r->left && i < GROUP )
        apply_bytes(r, i++, r->left);

    return i;
}

/* All groups but the first. Returns the number of slots used in the last. */
static CL_SSE unsigned int bulk(const struct cl_gcm_key *k, struct run *r)
{
    vec b[GROUP];

    do {
        stream8_hash8(k, r, b);
        if ( r->left < GROUP * BLOCK )
        {
#define STORE(i) r->stream[i] = b[i];
            EACH8(STORE)
#undef STORE
            return apply(r, 0);
        }
        apply8(r, b);
    } while ( r->left );

    return GROUP;
}

/* Additional data, SP 800-38D, 7.1 step 5; its last block stays in slot 0. */
static CL_SSE void absorb(const struct cl_gcm_key *k, struct run *r,
                          const uint8_t *aad, size_t len)
{
    r->hash = (vec){ 0 };

    while ( len > BLOCK )
    {
        size_t i, n = (len - 1) / BLOCK;

        if ( n > GROUP )
            n = GROUP;
        for ( i = 0; i < n; i++, aad += BLOCK, len -= BLOCK )
            r->text[i] = load_once(aad);
        hash(k, r, r->text, n);
    }

    r->text[0] = (vec){ 0 };
    if ( len == BLOCK )
        r->text[0] = load_once(aad);
    else
        copy_once(r->text, aad, len);
    r->text[0] ^= reverse_bytes(r->hash);
    r->hash = (vec){ 0 };
}

/* The counter block before J0 (SP 800-38D, 7.1 step 2), bytes reversed */
CL_SSE_INLINE vec before_j0(const uint8_t *nonce)
{
    uint64_t first = *(const volatile u64_u *)nonce;
    uint64_t last = *(const volatile u32_u *)(nonce + 8);

    return (vec){ (long long)__builtin_bswap64(last),
                  (long long)__builtin_bswap64(first) };
}

/* Key stream and hash over everything; then r->hash is the tag. */
static CL_SSE void run(const struct cl_gcm_key *k, struct run *r,
                       const uint8_t *nonce, const void *aad, size_t aadlen)
{
    vec lengths = { (long long)(r->left * 8), (long long)(aadlen * 8) };
    unsigned int slots;

    r->before = before_j0(nonce);
    absorb(k, r, aad, aadlen);

    stream8((const vec *)k->rk, r);
    r->mask = r->stream[0];
    slots = apply(r, 1);
    if ( r->left )
        slots = bulk(k, r);

    r->text[slots] = reverse_bytes(lengths);
    if ( slots == GROUP )
    {
        hash(k, r, r->text, GROUP);
        hash(k, r, r->text + GROUP, 1);
    }
    else
        hash(k, r, r->text, slots + 1);

    r->hash = reverse_bytes(r->hash) ^ r->mask;
}

/* Zero if the tag in r is the one given; neither branch nor table. */
static CL_SSE uint64_t tag_differs(const struct run *r, const uint8_t *tag)
{
    vec d = r->hash ^ load_once(tag);
    uint64_t differs = (uint64_t)(d[0] | d[1]);

    /* Now, or d might wait on the stack: it is as good as the right tag. */
    __asm__ __volatile__ ( "" : "+r" (differs) );

    return differs;
}

CL_SSE void cl_gcm_seal(const struct cl_gcm_key *k,
                        const uint8_t nonce[CL_GCM_NONCE_LEN],
                        const void *aad, size_t aadlen,
                        const void *in, void *out, size_t len,
                        uint8_t tag[CL_GCM_TAG_LEN])
{
    struct run r;

    r.in = in;
    r.out = out;
    r.left = len;
    r.seal = true;
    run(k, &r, nonce, aad, aadlen);
    *(vec_u *)tag = r.hash;

    cl_wipe(&r, sizeof(r));
    wipe_registers();
}

CL_SSE int cl_gcm_open(const struct cl_gcm_key *k,
                       const uint8_t nonce[CL_GCM_NONCE_LEN],
                       const void *aad, size_t aadlen,
                       const void *in, void *out, size_t len,
                       const uint8_t tag[CL_GCM_TAG_LEN])
{
    struct run r;
    uint64_t differs;

    r.in = in;
    r.out = out;
    r.left = len;
    r.seal = false;
    run(k, &r, nonce, aad, aadlen);
    differs = tag_differs(&r, tag);

    cl_wipe(&r, sizeof(r));
    wipe_registers();
    if ( !differs )
        return 0;

    if ( len )
        memset(out, 0, len);

    return -EBADMSG;
}
