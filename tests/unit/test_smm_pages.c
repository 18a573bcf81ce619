/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page state machine: every verb in every state, with the right and the
 * wrong owner, asserting the error code and, where it fails, that nothing at
 * all has changed.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cloister/smm.h>

#include "test.h"

enum verb {
    ASSIGN, BIND, SEAL, UNSEAL, SHARE, UNSHARE, LEAVE, FREE, EXPECT, OPEN,
    REST, VERBS
};

/* Everything a verb could touch. */
struct world {
    struct cl_key key, from;
    struct cl_vm vm;
    struct cl_page p;
    uint8_t mem[CL_PAGE_SIZE];
};

#define ME      7
#define OTHER   8
#define GFN     5
#define VERSION 9

static struct cl_key slots[3];
static struct cl_key_table keys = { .slot = slots, .slots = 3 };

/* Two keys, once: for each world a copy. */
static void make_keys(struct world *w)
{
    uint8_t raw[CL_KEY_SIZE];

    if ( !slots[0].epoch )
    {
        memset(raw, 1, sizeof(raw));
        cl_key_install(&keys, raw);
        memset(raw, 2, sizeof(raw));
        cl_key_adopt(&keys, raw, 77);
    }
    w->key = slots[0];
    w->key.counter = 100;
    w->from = slots[1];
}

/* What the page holds: 0xa5, or that, encrypted. */
static void fill(struct world *w)
{
    struct cl_view v = {
        .key = w->p.state == CL_PAGE_INCOMING ? &w->from : &w->key,
        .version = VERSION,
        .gfn = GFN,
    };

    memset(w->mem, 0xa5, sizeof(w->mem));
    if ( w->p.state != CL_PAGE_INCOMING && w->p.state != CL_PAGE_RESTING )
        return;
    v.epoch = w->p.state == CL_PAGE_RESTING ? 0 : v.key->epoch;
    cl_view_run(&v, w->mem, w->mem);
    memcpy(w->p.tag, v.tag, sizeof(v.tag));
}

static void make(struct world *w, enum cl_page_state s, uint16_t owner,
                 bool sealed)
{
    memset(w, 0, sizeof(*w));
    w->vm.id = ME;
    w->vm.sealed = sealed;
    make_keys(w);
    w->vm.key = &w->key;
    w->vm.from = &w->from;
    fill(w);
    if ( s == CL_PAGE_FREE )
        return;

    w->p.state = (uint8_t)s;
    w->p.owner = owner;
    w->p.gfn = s == CL_PAGE_LEAVING ? CL_GFN_NONE : GFN;
    w->p.shares = s == CL_PAGE_SHARED ? 1 : 0;
    w->p.version = VERSION;
    w->p.tag[3] = 1;
    w->vm.pages[s] = 1;
    fill(w);
}

static int call(struct world *w, enum verb v)
{
    static const uint8_t tag[CL_TAG_SIZE] = { 3 };

    switch ( v )
    {
    case ASSIGN:    return cl_page_assign(&w->vm, &w->p);
    case BIND:      return cl_page_bind(&w->vm, &w->p, 5);
    case SEAL:      return cl_page_seal(&w->vm, &w->p, 5);
    case UNSEAL:    return cl_page_unseal(&w->vm, &w->p);
    case SHARE:     return cl_page_share(&w->vm, &w->p);
    case UNSHARE:   return cl_page_unshare(&w->vm, &w->p);
    case LEAVE:     return cl_page_leave(&w->vm, &w->p);
    case FREE:      return cl_page_free(&w->vm, &w->p, w->mem);
    case EXPECT:    return cl_page_expect(&w->vm, &w->p, GFN, 4, tag);
    case OPEN:      return cl_page_open(&w->vm, &w->p, w->mem);
    case REST:      return cl_page_rest(&w->vm, &w->p, w->mem);
    case VERBS:     break;
    }
    abort();
}

/* clang-format off */
#define FR CL_PAGE_FREE
#define BU CL_PAGE_BUILDING
#define PR CL_PAGE_PRIVATE
#define SH CL_PAGE_SHARED
#define LE CL_PAGE_LEAVING
#define IN CL_PAGE_INCOMING
#define RE CL_PAGE_RESTING

/* What each verb does to a page of this VM; < 0: refused with that error. */
static const struct {
    int open[CL_PAGE_STATES];       /* VM not sealed */
    int sealed[CL_PAGE_STATES];
} expected[VERBS] = {
    /*             free     building  private  shared   leaving
                   incoming resting */
    [ASSIGN]  = { { BU,     -EBUSY,  -EBUSY,  -EBUSY,  -EBUSY,
                    -EBUSY, -EBUSY },
                  { BU,     -EBUSY,  -EBUSY,  -EBUSY,  -EBUSY,
                    -EBUSY, -EBUSY } },
    [BIND]    = { { -EPERM, BU,      -EINVAL, -EINVAL, -EINVAL,
                    -EINVAL, -EINVAL },
                  { -EPERM, PR,      -EINVAL, -EINVAL, -EINVAL,
                    -EINVAL, -EINVAL } },
    [SEAL]    = { { -EPERM, PR,      -EEXIST, -EEXIST, -EINVAL,
                    -EEXIST, -EEXIST },
                  { -EPERM, PR,      -EEXIST, -EEXIST, -EINVAL,
                    -EEXIST, -EEXIST } },
    [UNSEAL]  = { { -EPERM, -EINVAL, BU,      BU,      -EINVAL,
                    -EINVAL, -EINVAL },
                  { -EPERM, -EINVAL, -EINVAL, -EINVAL, -EINVAL,
                    -EINVAL, -EINVAL } },
    [SHARE]   = { { -EPERM, BU,      SH,      SH,      -EINVAL,
                    -EINVAL, -EINVAL },
                  { -EPERM, BU,      SH,      SH,      -EINVAL,
                    -EINVAL, -EINVAL } },
    [UNSHARE] = { { -EPERM, -EINVAL, -EINVAL, PR,      -EINVAL,
                    -EINVAL, -EINVAL },
                  { -EPERM, -EINVAL, -EINVAL, PR,      -EINVAL,
                    -EINVAL, -EINVAL } },
    [LEAVE]   = { { -EPERM, LE,      LE,      LE,      -EINVAL, LE, LE },
                  { -EPERM, LE,      LE,      LE,      -EINVAL, LE, LE } },
    [FREE]    = { { -EPERM, FR,      FR,      FR,      FR, FR, FR },
                  { -EPERM, FR,      FR,      FR,      FR, FR, FR } },
    [EXPECT]  = { { -EPERM, IN,      -EINVAL, -EINVAL, -EINVAL,
                    -EINVAL, -EINVAL },
                  { -EPERM, IN,      -EINVAL, -EINVAL, -EINVAL,
                    -EINVAL, -EINVAL } },
    [OPEN]    = { { -EPERM, -EINVAL, -EINVAL, -EINVAL, -EINVAL, PR, PR },
                  { -EPERM, -EINVAL, -EINVAL, -EINVAL, -EINVAL, PR, PR } },
    [REST]    = { { -EPERM, -EINVAL, -EINVAL, -EINVAL, -EINVAL,
                    -EINVAL, -EINVAL },
                  { -EPERM, -EINVAL, RE,      -EINVAL, -EINVAL,
                    -EINVAL, -EINVAL } },
};
/* clang-format on */

/* Counts must say what the page says. */
static bool counts_right(const struct world *w)
{
    unsigned int s;

    for ( s = 0; s < CL_PAGE_STATES; s++ )
        if ( w->vm.pages[s] != (s != FR && s == w->p.state) )
            return false;

    return true;
}

static bool case_right(enum verb v, enum cl_page_state s, bool sealed)
{
    static struct world w, before;
    int want = sealed ? expected[v].sealed[s] : expected[v].open[s], rc;

    make(&w, s, ME, sealed);
    before = w;
    rc = call(&w, v);

    if ( want < 0 )
        return rc == want && !memcmp(&w, &before, sizeof(w));

    return !rc && w.p.state == want && counts_right(&w);
}

TEST(every_verb_in_every_state)
{
    unsigned int v, s, sealed;

    for ( v = 0; v < VERBS; v++ )
        for ( s = 0; s < CL_PAGE_STATES; s++ )
            for ( sealed = 0; sealed < 2; sealed++ )
                if ( !case_right(v, s, sealed) )
                {
                    printf("verb %u state %u sealed %u\n", v, s, sealed);
                    CHECK(!"as expected");
                }
}

TEST(nobody_moves_another_vms_page)
{
    struct world w, before;
    unsigned int v, s;

    for ( v = 0; v < VERBS; v++ )
        for ( s = FR + 1; s < CL_PAGE_STATES; s++ )
        {
            make(&w, s, OTHER, true);
            before = w;
            CHECK(call(&w, v) == (v == ASSIGN ? -EBUSY : -EPERM));
            CHECK(!memcmp(&w, &before, sizeof(w)));
        }
}

TEST(free_wipes_the_page_and_the_entry)
{
    static const struct cl_page none;
    struct world w;
    unsigned int i;

    make(&w, PR, ME, true);
    CHECK(!cl_page_free(&w.vm, &w.p, w.mem));
    for ( i = 0; i < sizeof(w.mem); i++ )
        CHECK(!w.mem[i]);
    CHECK(!memcmp(&w.p, &none, sizeof(none)));
}

TEST(refused_free_leaves_the_memory)
{
    struct world w;

    make(&w, PR, OTHER, true);
    CHECK(cl_page_free(&w.vm, &w.p, w.mem) == -EPERM);
    CHECK(w.mem[0] == 0xa5 && w.mem[CL_PAGE_SIZE - 1] == 0xa5);
}

TEST(new_owner_inherits_nothing)
{
    struct world w;

    make(&w, FR, ME, false);
    memset(w.p.tag, 0xff, sizeof(w.p.tag));     /* as if left over */
    w.p.version = 4;
    w.p.shares = 2;
    CHECK(!cl_page_assign(&w.vm, &w.p));
    CHECK(!w.p.version && !w.p.shares && !w.p.tag[0]);
    CHECK(w.p.owner == ME && w.p.gfn == CL_GFN_NONE);
}

TEST(leaving_forgets_the_view)
{
    struct world w;

    make(&w, PR, ME, true);
    CHECK(!cl_page_leave(&w.vm, &w.p));
    CHECK(!w.p.version && !w.p.tag[3] && w.p.gfn == CL_GFN_NONE);
}

TEST(gfn_too_large)
{
    struct world w, before;

    make(&w, BU, ME, false);
    before = w;
    CHECK(cl_page_bind(&w.vm, &w.p, CL_GFN_NONE) == -ERANGE);
    CHECK(cl_page_seal(&w.vm, &w.p, 1ull << 40) == -ERANGE);
    CHECK(!memcmp(&w, &before, sizeof(w)));
    CHECK(!cl_page_bind(&w.vm, &w.p, CL_GFN_NONE - 1));
}

TEST(shares_are_counted)
{
    struct world w, before;
    unsigned int i;

    make(&w, PR, ME, true);
    for ( i = 0; i < CL_SHARES_MAX; i++ )
        CHECK(!cl_page_share(&w.vm, &w.p) && w.p.state == SH);
    before = w;
    CHECK(cl_page_share(&w.vm, &w.p) == -ENOSPC);
    CHECK(!memcmp(&w, &before, sizeof(w)));

    for ( i = 0; i < CL_SHARES_MAX; i++ )
    {
        CHECK(w.p.state == SH);
        CHECK(!cl_page_unshare(&w.vm, &w.p));
    }
    CHECK(w.p.state == PR && counts_right(&w));
}

TEST(granted_when_sealed_is_shared)
{
    struct world w;

    make(&w, BU, ME, false);
    CHECK(!cl_page_share(&w.vm, &w.p) && w.p.state == BU);
    CHECK(!cl_page_seal(&w.vm, &w.p, 5) && w.p.state == SH);
    CHECK(!cl_page_unseal(&w.vm, &w.p) && w.p.state == BU);
    CHECK(w.p.shares == 1);
    CHECK(!cl_page_unshare(&w.vm, &w.p) && !w.p.shares);
    CHECK(cl_page_unshare(&w.vm, &w.p) == -EINVAL);

    make(&w, BU, ME, true);
    CHECK(!cl_page_share(&w.vm, &w.p));
    CHECK(!cl_page_bind(&w.vm, &w.p, 5) && w.p.state == SH);
}

TEST(grant_may_outlive_the_memory_map)
{
    struct world w;

    make(&w, SH, ME, true);
    CHECK(!cl_page_leave(&w.vm, &w.p));
    CHECK(w.p.state == LE && w.p.shares == 1);
    CHECK(!cl_page_unshare(&w.vm, &w.p));
    CHECK(w.p.state == LE && !w.p.shares);
}

/* ---- Many pages, two VMs, any order ----------------------------------- */

#define PAGES 16

struct model {
    struct cl_vm vm[2];
    struct cl_page p[PAGES];
    uint8_t mem[PAGES][CL_PAGE_SIZE];
};

static bool invariants(const struct model *m)
{
    uint64_t count[2][CL_PAGE_STATES] = {};
    unsigned int i, s;

    for ( i = 0; i < PAGES; i++ )
    {
        const struct cl_page *p = &m->p[i];

        if ( p->state == FR )
        {
            /* freed implies wiped */
            if ( p->owner || m->mem[i][0] || m->mem[i][CL_PAGE_SIZE - 1] )
                return false;
            continue;
        }
        if ( p->owner != ME && p->owner != OTHER )
            return false;
        if ( (p->state == PR && p->shares) || (p->state == SH && !p->shares) )
            return false;
        if ( p->state != BU && p->state != LE && p->gfn == CL_GFN_NONE )
            return false;
        if ( p->state == LE && p->gfn != CL_GFN_NONE )
            return false;
        count[p->owner - ME][p->state]++;
    }
    for ( s = 0; s < CL_PAGE_STATES; s++ )
        if ( m->vm[0].pages[s] != count[0][s] ||
             m->vm[1].pages[s] != count[1][s] )
            return false;

    return true;
}

static void random_step(struct model *m)
{
    struct cl_vm *vm = &m->vm[random() & 1];
    unsigned int i = (unsigned int)random() % PAGES;
    uint64_t gfn = (uint64_t)random() % 100;

    switch ( random() % VERBS )
    {
    case ASSIGN:
        if ( !cl_page_assign(vm, &m->p[i]) )
            memset(m->mem[i], 0x5a, CL_PAGE_SIZE);  /* the guest writes */
        break;
    case BIND:      cl_page_bind(vm, &m->p[i], gfn); break;
    case SEAL:      cl_page_seal(vm, &m->p[i], gfn); break;
    case UNSEAL:    cl_page_unseal(vm, &m->p[i]); break;
    case SHARE:     cl_page_share(vm, &m->p[i]); break;
    case UNSHARE:   cl_page_unshare(vm, &m->p[i]); break;
    case LEAVE:     cl_page_leave(vm, &m->p[i]); break;
    case FREE:      cl_page_free(vm, &m->p[i], m->mem[i]); break;
    case EXPECT:
        cl_page_expect(vm, &m->p[i], gfn, 1, m->mem[i]);
        break;
    case OPEN:
        /* Incoming is nothing that anyone sealed here, resting is. */
        if ( cl_page_open(vm, &m->p[i], m->mem[i]) == -EBADMSG &&
             m->p[i].state == RE )
            abort();
        break;
    case REST:      cl_page_rest(vm, &m->p[i], m->mem[i]); break;
    }
}

TEST(invariants_hold_in_any_order)
{
    static struct model m;
    static struct world w;
    unsigned int i;

    srandom(1);
    memset(&m, 0, sizeof(m));
    m.vm[0].id = ME;
    m.vm[1].id = OTHER;
    make_keys(&w);
    for ( i = 0; i < 2; i++ )
    {
        m.vm[i].key = &w.key;
        m.vm[i].from = &w.from;
    }
    for ( i = 0; i < 200000; i++ )
    {
        random_step(&m);
        if ( !(random() % 1000) )
            m.vm[0].sealed = !m.vm[0].sealed;
        CHECK(invariants(&m));
    }
}

/* ---- Ciphertext in place ------------------------------------------------ */

TEST(a_page_that_rested_is_what_it_was)
{
    struct world w;
    unsigned int i;

    make(&w, PR, ME, true);
    CHECK(!cl_page_rest(&w.vm, &w.p, w.mem) && w.p.state == RE);
    CHECK(w.mem[0] != 0xa5 || w.mem[1] != 0xa5);
    CHECK(w.p.version == 101 && w.key.counter == 101);
    CHECK(!cl_page_open(&w.vm, &w.p, w.mem) && w.p.state == PR);
    for ( i = 0; i < sizeof(w.mem); i++ )
        CHECK(w.mem[i] == 0xa5);
    CHECK(!w.p.version && !w.p.tag[0]);
}

/* A save that came to nothing renews the key of a guest that rests. */
TEST(a_page_at_rest_outlives_a_renewed_key)
{
    struct world w;

    make(&w, PR, ME, true);
    CHECK(!cl_page_rest(&w.vm, &w.p, w.mem));
    cl_vm_renew(&keys, &w.vm);
    CHECK(!cl_page_open(&w.vm, &w.p, w.mem) && w.p.state == PR);
    CHECK(w.mem[0] == 0xa5 && w.mem[4095] == 0xa5);
}

/* Opens what `make` made, after one change. */
TEST(nothing_but_the_same_page_opens)
{
    struct world w;
    unsigned int i, s;

    for ( s = IN; s <= RE; s++ )
        for ( i = 0; i < 7; i++ )
        {
            make(&w, s, ME, true);
            switch ( i )
            {
            case 0: w.mem[4095] ^= 1; break;
            case 1: w.p.tag[15] ^= 128; break;
            case 2: w.p.gfn++; break;
            case 3: w.p.version++; break;
            case 4: w.from.epoch++; w.p.version += s == RE; break;
            case 5: w.vm.key = &w.from; w.vm.from = &w.key; break;
            case 6: break;
            }
            CHECK(cl_page_open(&w.vm, &w.p, w.mem) == (i < 6 ? -EBADMSG : 0));
            CHECK(w.p.state == (i < 6 ? s : PR));
            CHECK(w.mem[0] == (i < 6 ? 0 : 0xa5));
        }
}

TEST(without_a_key_nothing_opens_or_rests)
{
    struct world w;

    make(&w, IN, ME, true);
    w.vm.from = NULL;
    CHECK(cl_page_open(&w.vm, &w.p, w.mem) == -EINVAL && w.p.state == IN);
    make(&w, RE, ME, true);
    w.key.epoch = 0;
    CHECK(cl_page_open(&w.vm, &w.p, w.mem) == -EINVAL && w.p.state == RE);
    make(&w, PR, ME, true);
    w.vm.key = NULL;
    CHECK(cl_page_rest(&w.vm, &w.p, w.mem) == -EINVAL && w.p.state == PR);
    make(&w, PR, ME, true);
    w.vm.key = &w.from;     /* a saved VM's: never to encrypt with */
    CHECK(cl_page_rest(&w.vm, &w.p, w.mem) == -EOVERFLOW && w.p.state == PR);
}

/* Nor whatever it is asked for the time of. */
TEST(a_saved_vms_key_never_encrypts)
{
    struct world w;
    unsigned int i;

    make(&w, PR, ME, true);
    w.vm.key = &w.from;
    for ( i = 0; i < 3; i++ )
    {
        cl_vm_still(&w.vm, i & 1);
        cl_vm_track(&w.vm, i & 1);
        cl_vm_clean(&w.vm);
        CHECK(w.from.counter == UINT64_MAX);
        CHECK(cl_page_rest(&w.vm, &w.p, w.mem) == -EOVERFLOW);
    }
    CHECK(w.p.state == PR);
    w.key.counter = CL_DIRTY - 1;
    w.vm.key = &w.key;
    cl_vm_clean(&w.vm);
    CHECK(w.key.counter == CL_DIRTY - 1 && w.vm.cleaned == CL_DIRTY - 1);
    CHECK(cl_page_rest(&w.vm, &w.p, w.mem) == -EOVERFLOW);
}

TEST(an_erased_key_is_not_renewed)
{
    uint64_t epoch = keys.epoch;
    struct world w;

    make(&w, PR, ME, true);
    w.key.epoch = 0;
    cl_vm_renew(&keys, &w.vm);
    CHECK(!w.key.epoch && keys.epoch >= epoch);
    CHECK(cl_page_rest(&w.vm, &w.p, w.mem) == -EINVAL && w.p.state == PR);
}

TEST(granted_pages_are_not_incoming)
{
    struct world w;

    make(&w, BU, ME, false);
    CHECK(!cl_page_share(&w.vm, &w.p));
    CHECK(call(&w, EXPECT) == -EBUSY && w.p.state == BU);
    CHECK(!cl_page_unshare(&w.vm, &w.p));
    CHECK(cl_page_expect(&w.vm, &w.p, CL_GFN_NONE, 1, w.mem) == -ERANGE);
    CHECK(!call(&w, EXPECT) && w.p.state == IN && w.p.tag[0] == 3);
}

/* ---- What a record may vouch for ----------------------------------------- */

/* Takes a view; true if a record may use it. */
static bool view(struct world *w)
{
    static uint8_t out[CL_PAGE_SIZE];
    struct cl_view v;

    if ( cl_view_begin(&w->vm, &w->p, &v) )
        return false;
    cl_view_run(&v, w->mem, out);

    return !cl_view_end(&w->vm, &w->p, &v) &&
           cl_page_recordable(&w->vm, &w->p);
}

TEST(views_of_a_running_vm_are_for_looking_at)
{
    struct world w;

    make(&w, PR, ME, true);
    CHECK(!view(&w));
    cl_vm_still(&w.vm, true);
    CHECK(!cl_page_recordable(&w.vm, &w.p));    /* older than the stop */
    CHECK(view(&w));
    cl_vm_still(&w.vm, true);                   /* still, still */
    CHECK(cl_page_recordable(&w.vm, &w.p));
    cl_vm_still(&w.vm, false);
    CHECK(!cl_page_recordable(&w.vm, &w.p) && !view(&w));
    cl_vm_still(&w.vm, true);
    CHECK(!cl_page_recordable(&w.vm, &w.p) && view(&w));
}

TEST(a_write_makes_a_tracked_view_worthless)
{
    struct world w;

    make(&w, PR, ME, true);
    CHECK(!view(&w));
    cl_vm_track(&w.vm, true);
    CHECK(!cl_page_recordable(&w.vm, &w.p) && view(&w));
    cl_page_dirty(&w.vm, &w.p);
    CHECK(!cl_page_recordable(&w.vm, &w.p));
    CHECK(!view(&w));               /* it may be written to unseen */
    cl_vm_clean(&w.vm);
    CHECK(!cl_page_recordable(&w.vm, &w.p) && view(&w));
    cl_page_dirty(&w.vm, &w.p);
    cl_vm_still(&w.vm, true);       /* now it may not, whatever it was */
    CHECK(!cl_page_recordable(&w.vm, &w.p) && view(&w));
    cl_vm_track(&w.vm, false);
    CHECK(cl_page_recordable(&w.vm, &w.p));
    cl_vm_still(&w.vm, false);
    CHECK(!cl_page_recordable(&w.vm, &w.p));
}

TEST(views_before_the_stop_hold_if_tracked)
{
    struct world w;

    make(&w, PR, ME, true);
    cl_vm_track(&w.vm, true);
    CHECK(view(&w));
    cl_vm_still(&w.vm, true);
    CHECK(cl_page_recordable(&w.vm, &w.p));
    cl_vm_clean(&w.vm);
    CHECK(cl_page_recordable(&w.vm, &w.p));
}

/* Its entry is writable, or in the CPU's log, since the write before the stop. */
TEST(a_dirty_page_is_unseen_after_the_stop)
{
    struct world w;

    make(&w, PR, ME, true);
    cl_vm_track(&w.vm, true);
    cl_page_dirty(&w.vm, &w.p);
    cl_vm_still(&w.vm, true);
    CHECK(view(&w));
    cl_vm_still(&w.vm, false);      /* and a write that nobody tells of */
    cl_vm_still(&w.vm, true);
    CHECK(!cl_page_recordable(&w.vm, &w.p) && view(&w));

    cl_vm_still(&w.vm, false);
    cl_vm_track(&w.vm, true);
    cl_page_dirty(&w.vm, &w.p);
    cl_vm_still(&w.vm, true);
    CHECK(view(&w));
    cl_vm_renew(&keys, &w.vm);    /* saved, and resumed */
    cl_vm_still(&w.vm, false);
    CHECK(!view(&w));
    cl_vm_still(&w.vm, true);
    CHECK(!cl_page_recordable(&w.vm, &w.p));
}

TEST(a_write_during_the_view_wins)
{
    static uint8_t out[CL_PAGE_SIZE];
    struct world w;
    struct cl_view v;

    make(&w, PR, ME, true);
    cl_vm_track(&w.vm, true);
    CHECK(!cl_view_begin(&w.vm, &w.p, &v));
    cl_view_run(&v, w.mem, out);
    cl_page_dirty(&w.vm, &w.p);
    cl_vm_clean(&w.vm);
    cl_vm_still(&w.vm, true);
    CHECK(!cl_view_end(&w.vm, &w.p, &v));
    CHECK(!cl_page_recordable(&w.vm, &w.p) && view(&w));
}

/* It was dirty as the view began: a write behind the cipher's back is unseen. */
TEST(a_view_begun_while_dirty_is_unseen)
{
    static uint8_t out[CL_PAGE_SIZE];
    unsigned int stop;
    struct world w;
    struct cl_view v;

    for ( stop = 0; stop < 2; stop++ )
    {
        make(&w, PR, ME, true);
        cl_vm_track(&w.vm, true);
        cl_page_dirty(&w.vm, &w.p);
        CHECK(!cl_view_begin(&w.vm, &w.p, &v));
        cl_view_run(&v, w.mem, out);
        if ( stop )
            cl_vm_still(&w.vm, true);
        else
            cl_vm_clean(&w.vm);
        CHECK(!cl_view_end(&w.vm, &w.p, &v));
        CHECK(!cl_page_recordable(&w.vm, &w.p) && view(&w));
    }
}

/* Of a VM that runs a dump has the last views; a record has none of them. */
TEST(a_dump_has_dirty_pages_too)
{
    struct world w;
    unsigned int was_still;

    for ( was_still = 0; was_still < 2; was_still++ )
    {
        make(&w, PR, ME, true);
        cl_vm_still(&w.vm, was_still);
        cl_page_dirty(&w.vm, &w.p);
        cl_vm_still(&w.vm, false);
        CHECK(!view(&w) && w.p.version && !(w.p.version & CL_DIRTY));
        cl_vm_still(&w.vm, true);
        CHECK(!cl_page_recordable(&w.vm, &w.p) && view(&w));
    }
    make(&w, PR, ME, true);
    cl_page_dirty(&w.vm, &w.p);
    CHECK(!view(&w) && w.p.version && !(w.p.version & CL_DIRTY));
    cl_vm_track(&w.vm, true);
    CHECK(!cl_page_recordable(&w.vm, &w.p) && view(&w));
}

TEST(a_renewed_key_vouches_for_nothing_old)
{
    struct world w;
    uint64_t epoch;

    make(&w, PR, ME, true);
    cl_vm_still(&w.vm, true);
    CHECK(view(&w));
    epoch = w.key.epoch;
    cl_vm_renew(&keys, &w.vm);
    CHECK(w.key.epoch != epoch && w.key.epoch == keys.epoch);
    CHECK(!cl_page_recordable(&w.vm, &w.p) && view(&w));
}

TEST(other_states_have_no_view_to_record)
{
    struct world w;
    unsigned int s;

    for ( s = FR; s < CL_PAGE_STATES; s++ )
    {
        make(&w, s, ME, true);
        w.vm.since = 1;
        CHECK(cl_page_recordable(&w.vm, &w.p) == (s == PR || s == SH));
        cl_page_dirty(&w.vm, &w.p);
        CHECK(w.p.version == (s == PR || s == SH ? CL_DIRTY | 100
                                                 : s == FR ? 0 : VERSION));
    }
}

/* ---- Table ------------------------------------------------------------ */

#define FRAMES 1000

static struct cl_ppt_slot root[(FRAMES + CL_LEAF_PAGES - 1) / CL_LEAF_PAGES];
static struct cl_ppt table = { .root = root, .frames = FRAMES };

TEST(table_holds_and_drops)
{
    void *spare = NULL, *leaf;

    CHECK(sizeof(struct cl_page) == 32);
    CHECK(cl_ppt_root_slots(FRAMES) == sizeof(root) / sizeof(root[0]));
    CHECK(!cl_ppt_find(&table, 5));
    CHECK(cl_ppt_hold(&table, 5, 1, &spare) == -ENOMEM);

    leaf = spare = calloc(1, CL_PAGE_SIZE);
    CHECK(!cl_ppt_hold(&table, 5, 3, &spare) && !spare);
    CHECK(!cl_ppt_hold(&table, 100, 1, &spare));
    CHECK(cl_ppt_find(&table, 5) + 1 == cl_ppt_find(&table, 6));
    CHECK(!cl_ppt_find(&table, 128));

    CHECK(!cl_ppt_drop(&table, 5, 3));
    CHECK(cl_ppt_drop(&table, 100, 1) == leaf);
    CHECK(!cl_ppt_find(&table, 5));
    free(leaf);
}

TEST(table_refuses_what_is_outside)
{
    uint8_t mem[1];
    void *spare = mem;

    CHECK(cl_ppt_hold(&table, FRAMES, 1, &spare) == -EINVAL);
    CHECK(cl_ppt_hold(&table, FRAMES - 1, 2, &spare) == -EINVAL);
    CHECK(cl_ppt_hold(&table, 127, 2, &spare) == -EINVAL);
    CHECK(cl_ppt_hold(&table, 0, 0, &spare) == -EINVAL);
    CHECK(cl_ppt_hold(&table, 0, 129, &spare) == -EINVAL);
    CHECK(cl_ppt_hold(&table, UINT64_MAX, 1, &spare) == -EINVAL);
    CHECK(spare == mem);
    CHECK(!cl_ppt_find(&table, FRAMES) && !cl_ppt_find(&table, UINT64_MAX));
    CHECK(!cl_ppt_drop(&table, 0, 1) && !cl_ppt_drop(&table, FRAMES, 1));
}
