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

enum verb { ASSIGN, BIND, SEAL, UNSEAL, SHARE, UNSHARE, LEAVE, FREE, VERBS };

/* Everything a verb could touch. */
struct world {
    struct cl_vm vm;
    struct cl_page p;
    uint8_t mem[CL_PAGE_SIZE];
};

#define ME      7
#define OTHER   8

static void make(struct world *w, enum cl_page_state s, uint16_t owner,
                 bool sealed)
{
    memset(w, 0, sizeof(*w));
    w->vm.id = ME;
    w->vm.sealed = sealed;
    memset(w->mem, 0xa5, sizeof(w->mem));
    if ( s == CL_PAGE_FREE )
        return;

    w->p.state = (uint8_t)s;
    w->p.owner = owner;
    w->p.gfn = s == CL_PAGE_LEAVING ? CL_GFN_NONE : 5;
    w->p.shares = s == CL_PAGE_SHARED ? 1 : 0;
    w->p.version = 9;
    w->p.tag[3] = 1;
    w->vm.pages[s] = 1;
}

static int call(struct world *w, enum verb v)
{
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

/* What each verb does to a page of this VM; < 0: refused with that error. */
static const struct {
    int open[CL_PAGE_STATES];       /* VM not sealed */
    int sealed[CL_PAGE_STATES];
} expected[VERBS] = {
    /*             free     building  private  shared   leaving */
    [ASSIGN]  = { { BU,     -EBUSY,  -EBUSY,  -EBUSY,  -EBUSY },
                  { BU,     -EBUSY,  -EBUSY,  -EBUSY,  -EBUSY } },
    [BIND]    = { { -EPERM, BU,      -EINVAL, -EINVAL, -EINVAL },
                  { -EPERM, PR,      -EINVAL, -EINVAL, -EINVAL } },
    [SEAL]    = { { -EPERM, PR,      -EEXIST, -EEXIST, -EINVAL },
                  { -EPERM, PR,      -EEXIST, -EEXIST, -EINVAL } },
    [UNSEAL]  = { { -EPERM, -EINVAL, BU,      BU,      -EINVAL },
                  { -EPERM, -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
    [SHARE]   = { { -EPERM, BU,      SH,      SH,      -EINVAL },
                  { -EPERM, BU,      SH,      SH,      -EINVAL } },
    [UNSHARE] = { { -EPERM, -EINVAL, -EINVAL, PR,      -EINVAL },
                  { -EPERM, -EINVAL, -EINVAL, PR,      -EINVAL } },
    [LEAVE]   = { { -EPERM, LE,      LE,      LE,      -EINVAL },
                  { -EPERM, LE,      LE,      LE,      -EINVAL } },
    [FREE]    = { { -EPERM, FR,      FR,      FR,      FR },
                  { -EPERM, FR,      FR,      FR,      FR } },
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
    struct world w, before;
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
        if ( (p->state == PR || p->state == SH) && p->gfn == CL_GFN_NONE )
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
    }
}

TEST(invariants_hold_in_any_order)
{
    static struct model m;
    unsigned int i;

    srandom(1);
    memset(&m, 0, sizeof(m));
    m.vm[0].id = ME;
    m.vm[1].id = OTHER;
    for ( i = 0; i < 200000; i++ )
    {
        random_step(&m);
        if ( !(random() % 1000) )
            m.vm[0].sealed = !m.vm[0].sealed;
        CHECK(invariants(&m));
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
