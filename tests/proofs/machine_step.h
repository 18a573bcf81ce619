/* SPDX-License-Identifier: BSD-2-Clause */
/* The rest of machine.h: one step, and what it must have done. */

/* ---- The cipher, which is not proved here --------------------------------- */

/* What it was last called with, and how often; what it is to say. */
static struct cipher
{
    unsigned int seals, opens;
    const struct cl_gcm_key *key;
    uint64_t nonce, epoch, gfn, version;
    uint8_t tag[CL_TAG_SIZE];
    _Bool forged;
} cipher;

static uint64_t le64(const uint8_t *p)
{
    return p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
           (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static void note(const struct cl_gcm_key *k, const uint8_t *nonce,
                 const uint8_t *aad, size_t aadlen, size_t len)
{
    assert(aadlen == 24 && len == CL_PAGE_SIZE);
    assert(!nonce[0] && !nonce[1] && !nonce[2] && !nonce[3]);
    cipher.key = k;
    cipher.nonce = le64(nonce + 4);
    cipher.epoch = le64(aad);
    cipher.gfn = le64(aad + 8);
    cipher.version = le64(aad + 16);
}

void cl_gcm_seal(const struct cl_gcm_key *k,
                 const uint8_t nonce[CL_GCM_NONCE_LEN],
                 const void *aad, size_t aadlen,
                 const void *in, void *out, size_t len,
                 uint8_t tag[CL_GCM_TAG_LEN])
{
    assert(in == mem && out == mem);
    note(k, nonce, aad, aadlen, len);
    cipher.seals++;
    memcpy(tag, cipher.tag, CL_TAG_SIZE);
}

int cl_gcm_open(const struct cl_gcm_key *k,
                const uint8_t nonce[CL_GCM_NONCE_LEN],
                const void *aad, size_t aadlen,
                const void *in, void *out, size_t len,
                const uint8_t tag[CL_GCM_TAG_LEN])
{
    assert(in == mem && out == mem);
    note(k, nonce, aad, aadlen, len);
    cipher.opens++;
    memcpy(cipher.tag, tag, CL_TAG_SIZE);

    return cipher.forged ? -EBADMSG : 0;
}

int cl_gcm_init(struct cl_gcm_key *k, const uint8_t raw[CL_GCM_KEY_LEN])
{
    (void)k, (void)raw;

    return cipher.forged ? -EOPNOTSUPP : 0;
}

/* ---- Between the world and what the verbs see ----------------------------- */

static void point(void)
{
    unsigned int i;

    for ( i = 0; i < 4; i++ )
    {
        key[i].counter = w.slot[i].counter;
        key[i].epoch = w.slot[i].epoch;
    }
    for ( i = 0; i < 2; i++ )
    {
        w.vm[i].key = w.slot[i].known ? &key[i] : NULL;
        w.vm[i].from = w.slot[i + 2].known ? &key[i + 2] : NULL;
        w.view[i].v.key = w.view[i].viewer ? &key[1] : &key[0];
    }
    keys.epoch = w.epoch;
    vm = w.vm[0];
    page = w.page[0];
    view = w.view[0].v;
}

static void look(void)
{
    unsigned int i;

    for ( i = 0; i < 4; i++ )
    {
        w.slot[i].counter = key[i].counter;
        w.slot[i].epoch = key[i].epoch;
    }
    w.epoch = keys.epoch;
    w.vm[0] = vm;
    w.page[0] = page;
    w.view[0].v = view;
}

/* A version of the first VM's key is used, by a view or for a page at rest. */
static void give(uint64_t version)
{
    struct slot *s = &w.slot[0];

    assert(s->gen && !s->adopted && version == s->counter);
    assert(version > s->used && version < CL_DIRTY);
    s->used = version;
    if ( is_witness(version, s->gen) )
    {
        assert(!w.given);
        w.given = 1;
    }
}

static void record(uint64_t version, uint64_t gen)
{
    assert(gen == w.slot[0].gen);
    w.made[0] = gen;
    if ( is_witness(version, gen) )
    {
        assert(w.given && !w.recorded);
        w.recorded = 1;
    }
}

/* ---- What holds of every step ---------------------------------------------- */

static _Bool same_tag(const uint8_t *a, const uint8_t *b)
{
    unsigned int i;

    for ( i = 0; i < CL_TAG_SIZE; i++ )
        if ( a[i] != b[i] )
            return 0;

    return 1;
}

static _Bool same_page(const struct cl_page *a, const struct cl_page *b)
{
    return a->version == b->version && a->gfn == b->gfn &&
           a->owner == b->owner && a->state == b->state &&
           a->shares == b->shares && same_tag(a->tag, b->tag);
}

static _Bool same_counts(unsigned int v)
{
    unsigned int s;

    for ( s = 0; s < CL_PAGE_STATES; s++ )
        if ( w.vm[v].pages[s] != was.vm[v].pages[s] )
            return 0;

    return w.vm[v].id == was.vm[v].id;
}

static _Bool same_slot(unsigned int i)
{
    return w.slot[i].counter == was.slot[i].counter &&
           w.slot[i].epoch == was.slot[i].epoch;
}

/* Only what is the first VM's, and only by its owner; an error changes nothing. */
static void check_owner(enum verb what, int rc)
{
    const struct cl_page *now = &w.page[0], *before = &was.page[0];

    assert(same_page(now, before) || before->owner == w.vm[0].id ||
           (what == ASSIGN && !before->owner && now->owner == w.vm[0].id));
    assert(!rc || (same_page(now, before) && same_counts(0)));
    assert(same_page(&w.page[1], &was.page[1]) && same_counts(1));
    assert(w.vm[0].sealed == was.vm[0].sealed);
}

static void check_keys(void)
{
    assert(same_slot(1) && same_slot(2) && same_slot(3));
    assert(w.slot[0].counter >= was.slot[0].counter);
}

/*
 * Any state.  By itself CBMC takes what is static to be zero: so each of it is
 * given a value of which nothing is known.
 */
static void any_world(void)
{
    struct world any_w;
    struct cipher any_cipher;
    struct witness any_witness;
    struct { uint8_t first, last; } any;

    w = any_w;
    cipher = any_cipher;
    cipher.seals = cipher.opens = 0;
    witness = any_witness;
    mem[0] = any.first;
    mem[CL_PAGE_SIZE - 1] = any.last;
    point();
}

/* One in which the invariants hold, and a verb of the first VM's is next. */
static void assume_valid(void)
{
    __CPROVER_assume(valid(&w));
    __CPROVER_assume(w.vm[0].pages[1] < UINT32_MAX &&
                     w.vm[1].pages[1] < UINT32_MAX);
    __CPROVER_assume(w.epoch < UINT64_MAX && w.gens < UINT64_MAX);
}

static void assert_valid(void)
{
    unsigned int s;

    assert(w.vm[0].pages[1] <= UINT32_MAX);
    for ( s = 2; s < CL_PAGE_STATES; s++ )
        __CPROVER_assume(w.vm[0].pages[s] <= UINT32_MAX);
    assert(valid(&w));
}
