/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AES-256-GCM with AES-NI and PCLMULQDQ: sealing and opening.
 * See <cloister/gcm.h> for the interface, aes256gcm_sse.h for the arithmetic.
 *
 * Implementation notes
 *
 * With a 96-bit nonce, J0 is nonce || 1 and the text starts at nonce || 2
 * (SP 800-38D, 7.1).  Whole groups of 16 blocks are bulk, aes256gcm_bulk.h,
 * by the widest vectors that the caller allows.  Here is the rest, in legacy
 * SSE encodings and up to 8 blocks at a time; what is left of the text is
 * hashed with the lengths in its last step.
 *
 * Nothing secret may be spilled to the stack outside struct run; test_gcm.c
 * looks for that in the stack of each call.
 */
#include <errno.h>
#include <string.h>

#include <cloister/wipe.h>

#include "aes256gcm_run.h"
#include "aes256gcm_one.h"

#define BULK cl_gcm_bulk_sse
#define TARGET CL_SSE
#define LOAD_INSN "movdqu"
#define LEAVE

#include "aes256gcm_bulk.h"

/* What is not bulk finds its key stream beyond its text. */
#define STREAM(r) ((r)->text + WIDE_LEN / BLOCK / 2)

typedef uint64_t u64_u __attribute__((may_alias, aligned(1)));
typedef uint32_t u32_u __attribute__((may_alias, aligned(1)));

/* The n bytes at p, up to 8; each is loaded once, as others may change it. */
static uint64_t load_word(const uint8_t *p, size_t n)
{
    uint64_t word = 0;

    if ( n >= 8 )
        return *(const volatile u64_u *)p;
    while ( n-- )
        word = word << 8 | ((const volatile uint8_t *)p)[n];

    return word;
}

/* A block of n bytes, up to 16, and zeroes */
CL_SSE_INLINE vec load_bytes(const uint8_t *p, size_t n)
{
    return (vec){ (long long)load_word(p, n),
                  n > 8 ? (long long)load_word(p + 8, n - 8) : 0 };
}

/* AES of one block: the mask of the tag. */
CL_SSE_INLINE vec encrypt_block(const struct cl_gcm_key *k, vec b)
{
    const vec *rk = (const vec *)k->rk;
    unsigned int i;

    b ^= rk[0];
    for ( i = 1; i < 14; i++ )
        b = __builtin_ia32_aesenc128(b, rk[i]);

    return __builtin_ia32_aesenclast128(b, rk[14]);
}

/* The next eight blocks of key stream. */
static CL_SSE void stream_few(const struct cl_gcm_key *k, struct run *r)
{
    vec b[FEW], rk;
    unsigned int i;

    start(b, r, spread(k->rk[0]));
    for ( i = 1; i < 14; i++ )
        round_all(k, b, i);

    rk = spread(k->rk[14]);
#define LAST(n) STREAM(r)[n] = AESENCLAST(b[n], rk);
    EACH(LAST)
#undef LAST
}

/* Hash the first n blocks of r->text, n from 1 to FEW + 1. */
static CL_SSE void hash_few(const struct cl_gcm_key *k, struct run *r,
                            unsigned int n)
{
    const vec *h = (const vec *)k->h + POWERS - n;
    const vec *hx = (const vec *)k->hx + POWERS - n;
    struct product p = { { 0 }, { 0 }, { 0 } };
    vec x = r->hash;
    unsigned int i;

    for ( i = 0; i < n; i++ )
    {
        x ^= reverse_bytes(r->text[i]);
        add_product(&p, x, h[i], hx[i]);
        x = (vec){ 0 };
    }

    r->hash = reduce(&p);
}

/* Additional data, SP 800-38D, 7.1 step 5 */
static CL_SSE void absorb(const struct cl_gcm_key *k, struct run *r,
                          const uint8_t *aad, size_t len)
{
    r->hash = (vec){ 0 };

    while ( len )
    {
        unsigned int n;

        for ( n = 0; len >= BLOCK && n < FEW; n++, aad += BLOCK, len -= BLOCK )
            r->text[n] = load_text(aad);
        if ( len && n < FEW )
        {
            r->text[n++] = load_bytes(aad, len);
            len = 0;
        }
        hash_few(k, r, n);
    }
}

/* XOR the next block with the key stream in slot i. */
CL_SSE_INLINE void apply_block(struct run *r, unsigned int i)
{
    vec from = load_text(r->in), to = from ^ STREAM(r)[i];

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
    vec *text = &r->text[i], *stream = &STREAM(r)[i];

    *text = load_bytes(r->in, n);
    *stream ^= *text;
    memcpy(r->out, stream, n);
    memset((uint8_t *)stream + n, 0, BLOCK - n);

    if ( r->seal )
        *text = *stream;

    r->left = 0;
}

/* Up to eight blocks of text.  Returns how many there were. */
static CL_SSE unsigned int apply_few(const struct cl_gcm_key *k, struct run *r)
{
    unsigned int n;

    stream_few(k, r);
    for ( n = 0; r->left >= BLOCK && n < FEW; n++ )
        apply_block(r, n);
    if ( r->left && n < FEW )
        apply_bytes(r, n++, r->left);

    return n;
}

/* What is left of the text, and the lengths with its last blocks. */
static CL_SSE void finish(const struct cl_gcm_key *k, struct run *r,
                          vec lengths)
{
    unsigned int n = 0;

    while ( r->left )
    {
        n = apply_few(k, r);
        if ( r->left )
            hash_few(k, r, n);
    }
    r->text[n] = reverse_bytes(lengths);
    hash_few(k, r, n + 1);
}

/* J0 (SP 800-38D, 7.1 step 2), bytes reversed */
CL_SSE_INLINE vec make_j0(const uint8_t *nonce)
{
    uint64_t first = *(const volatile u64_u *)nonce;
    uint64_t last = *(const volatile u32_u *)(nonce + 8);

    return (vec){ (long long)(__builtin_bswap64(last) | 1),
                  (long long)__builtin_bswap64(first) };
}

/* Whole units, wide ones first; whoever has VAES has AVX. */
static void bulk(enum cl_gcm_impl impl, const struct cl_gcm_key *k,
                 struct run *r)
{
    if ( impl == CL_GCM_VAES512 && r->left >= WIDE_LEN )
        cl_gcm_bulk_vaes512(k, r);
    else if ( impl == CL_GCM_VAES256 && r->left >= WIDE_LEN )
        cl_gcm_bulk_vaes256(k, r);
    if ( r->left < NARROW_LEN )
        return;

    if ( impl >= CL_GCM_AVX )
        cl_gcm_bulk_avx(k, r);
    else
        cl_gcm_bulk_sse(k, r);
}

/* Key stream and hash over everything; then r->hash is the tag. */
static CL_SSE void run(enum cl_gcm_impl impl, const struct cl_gcm_key *k,
                       struct run *r, const uint8_t *nonce, const void *aad,
                       size_t aadlen)
{
    vec lengths = { (long long)(r->left * 8), (long long)(aadlen * 8) };

    r->before = make_j0(nonce);
    r->mask = reverse_bytes(r->before);
    absorb(k, r, aad, aadlen);

    bulk(impl, k, r);
    /* Now, as the hash of the lengths has to wait for that of the text. */
    r->mask = encrypt_block(k, r->mask);
    finish(k, r, lengths);

    r->hash = reverse_bytes(r->hash) ^ r->mask;
}

/* Zero if the tag in r is the one given; neither branch nor table. */
static CL_SSE uint64_t tag_differs(const struct run *r, const uint8_t *tag)
{
    vec d = r->hash ^ load_text(tag);
    uint64_t differs = (uint64_t)(d[0] | d[1]);

    /* Now, or d might wait on the stack: it is as good as the right tag. */
    SETTLE("+r" (differs));

    return differs;
}

/* cl_wipe(), without the string instruction that it is inside Xen. */
CL_SSE_INLINE void wipe_secret(struct run *r)
{
#define WIPE(i) STREAM(r)[i] = (vec){ 0 };
    EACH(WIPE)
#undef WIPE
    r->mask = r->before = r->hash = (vec){ 0 };
    __asm__ __volatile__ ( "" : : "r" (r) : "memory" );
}

/* Key, nonce, additional data and text of a job; the tag is in r. */
static CL_SSE void run_job(enum cl_gcm_impl impl, struct run *r,
                           const struct cl_gcm_job *j,
                           const struct cl_gcm_job *next, size_t len,
                           bool seal)
{
    r->in = j->in;
    r->out = j->out;
    r->left = len;
    r->seal = seal;
    r->next_in = next ? next->in : NULL;
    r->next_out = next ? next->out : NULL;
    run(impl, j->key, r, j->nonce, j->aad, j->aadlen);
}

CL_SSE void cl_gcm_seal_jobs(enum cl_gcm_impl impl,
                             const struct cl_gcm_job *jobs, unsigned int n,
                             const struct cl_gcm_job *next, size_t len)
{
    struct run r;
    unsigned int i;

    for ( i = 0; i < n; i++ )
    {
        run_job(impl, &r, &jobs[i], i + 1 < n ? &jobs[i + 1] : next, len,
                true);
        *(vec_u *)jobs[i].tag = r.hash;
    }

    wipe_secret(&r);
    wipe_registers();
}

CL_SSE int cl_gcm_open_job(enum cl_gcm_impl impl, const struct cl_gcm_job *job,
                           size_t len)
{
    struct run r;
    uint64_t differs;

    run_job(impl, &r, job, NULL, len, false);
    differs = tag_differs(&r, job->tag);

    wipe_secret(&r);
    wipe_registers();
    if ( !differs )
        return 0;

    if ( len )
        memset(job->out, 0, len);

    return -EBADMSG;
}

void cl_gcm_seal(const struct cl_gcm_key *k,
                 const uint8_t nonce[CL_GCM_NONCE_LEN],
                 const void *aad, size_t aadlen,
                 const void *in, void *out, size_t len,
                 uint8_t tag[CL_GCM_TAG_LEN])
{
    const struct cl_gcm_job job = {
        .key = k, .nonce = nonce, .aad = aad, .aadlen = aadlen,
        .in = in, .out = out, .tag = tag,
    };

    cl_gcm_seal_jobs(CL_GCM_SSE, &job, 1, NULL, len);
}

int cl_gcm_open(const struct cl_gcm_key *k,
                const uint8_t nonce[CL_GCM_NONCE_LEN],
                const void *aad, size_t aadlen,
                const void *in, void *out, size_t len,
                const uint8_t tag[CL_GCM_TAG_LEN])
{
    /* The tag of a job that is opened is only read. */
    const struct cl_gcm_job job = {
        .key = k, .nonce = nonce, .aad = aad, .aadlen = aadlen,
        .in = in, .out = out, .tag = (uint8_t *)(uintptr_t)tag,
    };

    return cl_gcm_open_job(CL_GCM_SSE, &job, len);
}
