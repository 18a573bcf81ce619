/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bulk of AES-256-GCM for one kind of vector unit.  To be included once
 * in a file that defines
 *
 *     BULK         name of the function, as in aes256gcm_run.h
 *     TARGET       instructions that it may use
 *     LANES        blocks in a vector: 1, 2 or 4
 *     GROUP        blocks that share one reduction of the hash: 16 or 32
 *     VECS         vectors that are encrypted side by side: 4 or 8
 *     EACH(f)      f(0) f(1) ... f(VECS - 1)
 *     AESENC, AESENCLAST, CLMUL_V, LOAD_INSN, LEAVE
 *     SUM(v)       of the lanes of v; WIDEN(v, block), a block in lane 0
 *
 * Implementation notes
 *
 * The text is hashed in groups of blocks.  Each batch is encrypted while
 * what was encrypted before is hashed: AES and carry-less multiplication
 * hardly get in each other's way, and neither has to wait for the other's
 * latency.  The products of a group are summed and reduced once; a step of
 * the hash goes with each round but a few, which leaves room for the
 * reduction.  What is to be hashed is in r->text, a copy that nobody else can
 * write.
 *
 * Lanes are independent until a group's hash is reduced; then they are
 * added up.  That works because k->h has a power of its own for each block.
 *
 * Nothing secret may be spilled to the stack outside struct run; test_gcm.c
 * looks for that in the stack of each call.
 */

#define INLINE static inline TARGET __attribute__((__always_inline__))

typedef long long V __attribute__((vector_size(16 * LANES), may_alias));
typedef long long V_u __attribute__((vector_size(16 * LANES), may_alias,
                                     aligned(1)));
typedef unsigned int V_w __attribute__((vector_size(16 * LANES), may_alias));
typedef char V_b __attribute__((vector_size(16 * LANES), may_alias));

/*
 * Vectors side by side make a batch.  A group is one batch or two, and a unit
 * of text.
 */
#define BATCH (LANES * VECS)
#define BATCHES (GROUP / BATCH)
#define UNIT_LEN (BLOCK * GROUP)

/* Bytes of the block that starts at byte n, reversed */
#define BACK(n)                                                         \
    (n) + 15, (n) + 14, (n) + 13, (n) + 12, (n) + 11, (n) + 10, (n) + 9, \
    (n) + 8, (n) + 7, (n) + 6, (n) + 5, (n) + 4, (n) + 3, (n) + 2, (n) + 1, n

/* Sums of products over GF(2)[x], for each lane; see struct product. */
struct products
{
    V lo, mid, hi;
};

/* A block in each lane */
INLINE V spread(const void *block)
{
    const vec v = *(const vec_u *)block;

    return SPREAD(v);
}

INLINE V load_text(const void *p)
{
    V v;

    __asm__ __volatile__ ( LOAD_INSN " %1, %0" : "=v" (v)
                           : "m" (*(const V_u *)p) );

    return v;
}

/* A block in lane 0, zero in the others */
INLINE V widen(vec block)
{
    V v;

    WIDEN(v, block);

    return v;
}

INLINE V swap_halves(V v)
{
    return SWAP(v);
}

/* One round for all vectors. */
INLINE void round_all(const struct cl_gcm_key *k, V *b, unsigned int nr)
{
    V rk = spread(k->rk[nr]);

#define ROUND(i) b[i] = AESENC(b[i], rk);
    EACH(ROUND)
#undef ROUND
}

/*
 * Vector nr of r->text, times its powers of H, added to p, in the first step
 * of a group together with the hash so far.
 */
INLINE void hash_vec(const struct cl_gcm_key *k, const struct run *r,
                     struct products *p, V hash, unsigned int nr)
{
    const unsigned int power = POWERS - GROUP + nr * LANES;
    const V h = *(const V_u *)k->h[power], hx = *(const V_u *)k->hx[power];
    V x = REVERSE_V(((const V *)r->text)[nr]);

    if ( nr == 0 )
    {
        p->lo = p->mid = p->hi = (V){ 0 };
        x ^= hash;
    }
    p->lo ^= CLMUL_V(x, h, 0x00);
    p->hi ^= CLMUL_V(x, h, 0x11);
    p->mid ^= CLMUL_V(x ^ swap_halves(x), hx, 0x00);
    SETTLE("+v" (p->lo), "+v" (p->mid), "+v" (p->hi));
}

INLINE V reduce_group(const struct products *p)
{
    const struct product sum = { .lo = SUM(p->lo), .mid = SUM(p->mid),
                                 .hi = SUM(p->hi) };

    return widen(reduce(&sum));
}

INLINE void apply_all(struct run *r, const V *b, unsigned int batch)
{
    V *text = (V *)r->text + batch * VECS;
    V_u *out = (V_u *)r->out;

    if ( r->seal )
    {
#define APPLY(i)                                                        \
        text[i] = load_text(r->in + 16 * LANES * (i)) ^ b[i];           \
        out[i] = text[i];
        EACH(APPLY)
#undef APPLY
    }
    else
    {
#define APPLY(i)                                                        \
        text[i] = load_text(r->in + 16 * LANES * (i));                  \
        out[i] = text[i] ^ b[i];
        EACH(APPLY)
#undef APPLY
    }

    r->in += BATCH * BLOCK;
    r->out += BATCH * BLOCK;
    r->left -= BATCH * BLOCK;
}

INLINE void prefetch_next(struct run *r)
{
    unsigned int i;

    for ( i = 0; i < BATCH * BLOCK; i += 64 )
    {
        __builtin_prefetch(r->next_in + i);
        __builtin_prefetch(r->next_out + i);
    }
    r->next_in += BATCH * BLOCK;
    r->next_out += BATCH * BLOCK;
}

/*
 * One batch encrypted; what was in its place before hashed into p, unless
 * that is NULL, and with the last batch of a group into *hash.
 */
INLINE void batch(const struct cl_gcm_key *k, struct run *r,
                  struct products *p, V *hash, unsigned int nr)
{
    V b[VECS], rk;

#define HASH(i)                                                         \
    if ( p && (i) < VECS )                                              \
        hash_vec(k, r, p, *hash, nr * VECS + (i));

    if ( r->next_in )
        prefetch_next(r);
    start(b, r, spread(k->rk[0]));
    HASH(0)
    round_all(k, b, 1);
    HASH(1)
    round_all(k, b, 2);
    round_all(k, b, 3);
    HASH(2)
    round_all(k, b, 4);
    HASH(3)
    round_all(k, b, 5);
    round_all(k, b, 6);
    HASH(4)
    round_all(k, b, 7);
    HASH(5)
    round_all(k, b, 8);
    round_all(k, b, 9);
    HASH(6)
    round_all(k, b, 10);
    HASH(7)
    round_all(k, b, 11);
    if ( p && nr == BATCHES - 1 )
        *hash = reduce_group(p);
    round_all(k, b, 12);
    round_all(k, b, 13);
#undef HASH

    rk = spread(k->rk[14]);
#define LAST(i) b[i] = AESENCLAST(b[i], rk);
    EACH(LAST)
#undef LAST
    apply_all(r, b, nr);
}

/* What is in r->text, with nothing to be encrypted. */
INLINE void hash_batch(const struct cl_gcm_key *k, const struct run *r,
                       struct products *p, V hash, unsigned int nr)
{
#define HASH(i) hash_vec(k, r, p, hash, nr * VECS + (i));
    EACH(HASH)
#undef HASH
}

TARGET void BULK(const struct cl_gcm_key *k, struct run *r)
{
    V hash = widen(r->hash);
    struct products p;

    batch(k, r, NULL, NULL, 0);
    if ( BATCHES > 1 )
        batch(k, r, NULL, NULL, 1);

    while ( r->left >= UNIT_LEN )
    {
        batch(k, r, &p, &hash, 0);
        if ( BATCHES > 1 )
            batch(k, r, &p, &hash, 1);
    }

    hash_batch(k, r, &p, hash, 0);
    if ( BATCHES > 1 )
        hash_batch(k, r, &p, hash, 1);
    hash = reduce_group(&p);
    r->hash = SUM(hash);

    LEAVE
}
