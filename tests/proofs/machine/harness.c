/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page state machine: whatever the verbs, in whatever order, with whatever
 * arguments, between two VMs of which each has a page of its own or the same.
 *
 * An inductive step: from any state in which the invariants hold, any one
 * verb leads to a state in which they hold.  The states in which everything
 * is free fulfil them.  So they hold after any sequence.
 *
 *   owner     a page has one owner; only a verb of its owner changes it
 *   private   private implies that no grant is active
 *   nonce     a version that is given out is new: higher than all before
 *   tag       a page's tag is that of the newest view that has been recorded
 *             for it, and never goes back; of an older one never
 *   scrubbed  a page that is freed is all zero
 *   counts    a VM counts its pages by state
 *
 * Sources: smm/pages.c smm/view.c
 * Flags: --unwind 9
 */
#include <assert.h>
#include <errno.h>

#include <cloister/smm.h>

unsigned int cl_any;

/* Not proved here. */
void cl_gcm_seal_jobs(enum cl_gcm_impl impl, const struct cl_gcm_job *jobs,
                      unsigned int n, const struct cl_gcm_job *next, size_t len)
{
    (void)impl, (void)jobs, (void)n, (void)next, (void)len;
}

enum verb { ASSIGN, BIND, SEAL, UNSEAL, SHARE, UNSHARE, LEAVE, FREE, BEGIN,
            END, VERBS };

/* What is, but for the pages' own bytes and the keys proper. */
struct world
{
    struct cl_vm vm[2];
    struct cl_page page[2];
    uint64_t counter[2], epoch[2];  /* of the keys */
    struct cl_view view;        /* under way, of page `viewed` of VM `viewer` */
    unsigned int viewer, viewed;
    _Bool busy;                 /* there is one */
};

static struct world w, was;
static struct cl_key key[2];
static uint8_t mem[CL_PAGE_SIZE];

/* How many pages of VM v are in this state: some of two, the rest elsewhere. */
static uint64_t here(const struct world *x, unsigned int v, unsigned int s)
{
    return (x->page[0].owner == x->vm[v].id && x->page[0].state == s) +
           (x->page[1].owner == x->vm[v].id && x->page[1].state == s);
}

static _Bool vm_valid(const struct world *x, unsigned int v)
{
    const struct cl_vm *vm = &x->vm[v];
    unsigned int s;

    if ( !vm->id || vm->pages[CL_PAGE_FREE] ||
         x->counter[v] == UINT64_MAX - 1 )
        return 0;
    for ( s = 1; s < CL_PAGE_STATES; s++ )
        if ( vm->pages[s] < here(x, v, s) || vm->pages[s] > UINT32_MAX )
            return 0;

    return 1;
}

/* A recorded version was given out by the key of the page's owner. */
static _Bool page_valid(const struct world *x, const struct cl_page *page)
{
    return CL_PAGE_VALID(page) &&
           (page->owner == 0 || page->owner == x->vm[0].id ||
            page->owner == x->vm[1].id) &&
           (page->owner != x->vm[0].id ||
            (page->version & ~CL_DIRTY) <= x->counter[0]) &&
           (page->owner != x->vm[1].id || (page->version & ~CL_DIRTY) <= x->counter[1]);
}

/* Of a view under way: its page is held, so that it cannot become free. */
static _Bool view_valid(const struct world *x)
{
    uint16_t owner = x->viewed ? x->page[1].owner : x->page[0].owner;

    return !x->busy ||
           (x->view.version > 0 && x->view.gfn != CL_GFN_NONE && owner &&
            x->view.version <= (x->viewer ? x->counter[1] : x->counter[0]) &&
            owner == (x->viewer ? x->vm[1].id : x->vm[0].id));
}

static _Bool valid(const struct world *x)
{
    return x->viewer < 2 && x->viewed < 2 && x->vm[0].id != x->vm[1].id &&
           vm_valid(x, 0) && vm_valid(x, 1) && page_valid(x, &x->page[0]) &&
           page_valid(x, &x->page[1]) && view_valid(x);
}

static void point(void)
{
    unsigned int v;

    for ( v = 0; v < 2; v++ )
    {
        w.vm[v].key = &key[v];
        key[v].counter = w.counter[v];
        key[v].epoch = w.epoch[v];
    }
    w.view.key = w.viewer ? &key[1] : &key[0];
}

static _Bool same_page(const struct cl_page *a, const struct cl_page *b)
{
    return a->version == b->version && a->gfn == b->gfn &&
           a->owner == b->owner && a->state == b->state &&
           a->shares == b->shares && a->tag[cl_any % CL_TAG_SIZE] ==
                                         b->tag[cl_any % CL_TAG_SIZE];
}

/* Of the first VM on the first page: which are the first is not said. */
static int verb(enum verb what, uint64_t gfn)
{
    struct cl_vm *vm = &w.vm[0];
    struct cl_page *page = &w.page[0];

    switch ( what )
    {
    case ASSIGN:
        return cl_page_assign(vm, page);
    case BIND:
        return cl_page_bind(vm, page, gfn);
    case SEAL:
        return cl_page_seal(vm, page, gfn);
    case UNSEAL:
        return cl_page_unseal(vm, page);
    case SHARE:
        return cl_page_share(vm, page);
    case UNSHARE:
        return cl_page_unshare(vm, page);
    case LEAVE:
        return cl_page_leave(vm, page);
    case FREE:
        return cl_page_free(vm, page, mem);
    case BEGIN:
        return cl_view_begin(vm, page, &w.view);
    default:
        return cl_view_end(vm, page, &w.view);
    }
}

/* The platform's part: who waits for a view holds the page. */
static _Bool allowed(enum verb what)
{
    switch ( what )
    {
    case FREE:
        return !w.busy || w.viewed != 0;
    case BEGIN:
        return !w.busy;
    case END:
        return w.busy && w.viewed == 0 && w.viewer == 0;
    default:
        return 1;
    }
}

static void check_page(enum verb what, int rc)
{
    const struct cl_page *now = &w.page[0], *before = &was.page[0];

    /* owner */
    assert(rc || before->owner == w.vm[0].id ||
           (what == ASSIGN && !before->owner && now->owner == w.vm[0].id) ||
           what == END);
    assert(!rc || same_page(now, before));
    assert(same_page(&w.page[1], &was.page[1]));

    /* tag: a change of it is a newer view of this page, or it is forgotten */
    if ( now->version != before->version && now->version )
        assert(what == END && now->version == w.view.version &&
               now->version > (before->version & ~CL_DIRTY) &&
               now->gfn == w.view.gfn &&
               now->tag[cl_any % CL_TAG_SIZE] ==
                   w.view.tag[cl_any % CL_TAG_SIZE]);
    if ( now->version == before->version && now->version )
        assert(now->tag[cl_any % CL_TAG_SIZE] ==
               before->tag[cl_any % CL_TAG_SIZE] ||
               (what == END && now->version == w.view.version));

    /* scrubbed */
    if ( what == FREE && !rc )
        assert(!mem[cl_any % CL_PAGE_SIZE] && !now->owner && !now->version);
}

static void check_nonce(enum verb what, int rc)
{
    assert(w.counter[1] == was.counter[1]);
    assert(w.counter[0] == was.counter[0] + (what == BEGIN && !rc));
    if ( what == BEGIN && !rc )
        assert(w.view.version == w.counter[0]);
}

void harness(void);
void harness(void)
{
    struct world any;
    enum verb what;
    uint64_t gfn;
    int rc;

    w = any;
    point();
    __CPROVER_assume(what >= ASSIGN && what < VERBS);
    __CPROVER_assume(valid(&w) && allowed(what));
    __CPROVER_assume(w.vm[0].pages[1] < UINT32_MAX &&
                     w.vm[1].pages[1] < UINT32_MAX);
    was = w;

    rc = verb(what, gfn);
    w.counter[0] = key[0].counter;
    w.counter[1] = key[1].counter;

    if ( what == BEGIN && !rc )
    {
        w.busy = 1;
        w.viewer = 0;
        w.viewed = 0;
    }
    check_page(what, rc);
    check_nonce(what, rc);
    if ( what == END )
        w.busy = 0;
    __CPROVER_assume(w.counter[0] < UINT64_MAX - 1 &&
                     w.counter[1] < UINT64_MAX - 1);
    assert(w.vm[0].pages[1] <= UINT32_MAX);
    __CPROVER_assume(w.vm[0].pages[2] <= UINT32_MAX &&
                     w.vm[0].pages[3] <= UINT32_MAX &&
                     w.vm[0].pages[4] <= UINT32_MAX);
    assert(valid(&w));
}
