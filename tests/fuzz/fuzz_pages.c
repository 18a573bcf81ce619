/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page state machine, driven by the input and watched by a model of its
 * own: two VMs, a few pages with real memory, views that are really encrypted,
 * some of them under way.
 *
 * After each step:
 *
 *   owner     a page has one owner, and only that one's verbs work on it
 *   private   a private page has no grant, a shared one has; a view is given
 *             of these two only, and of no VM that is not sealed
 *   nonce     no version of a key is given out twice
 *   tag       the tag on record opens the newest view that was recorded, to
 *             what the page held, and no older one, nor one by another key
 *   keys      of a key that was erased nothing is left, and a view that was
 *             begun with it is not recorded
 *   scrubbed  a page that is freed is all zero
 *   counts    a VM counts its pages by state
 *
 * Sources: smm/pages.c smm/view.c smm/batch.c smm/keys.c smm/table.c
 * Sources: crypto/aes256gcm_sse.c crypto/aes256gcm_sse_key.c
 * Sources: crypto/aes256gcm_avx.c crypto/aes256gcm_vaes256.c
 * Sources: crypto/aes256gcm_vaes512.c
 * Runs: 20000
 */
#include <errno.h>
#include <stdbool.h>

#include <cloister/smm.h>

#include "../fuzz/input.h"

#define VMS 2
#define PAGES 3
#define VIEWS 4

static struct cl_vm vm[VMS];
static struct cl_page *page[PAGES];
static uint8_t mem[PAGES][CL_PAGE_SIZE];
static struct cl_key slots[VMS];
static struct cl_key_table keys;
static struct cl_ppt table;
static struct cl_ppt_slot root[2];
static _Alignas(64) uint8_t leaf[2][CL_PAGE_SIZE];

/* A view under way, or of the past: what it was made of, what it became. */
static struct pending
{
    bool busy, run, done;
    unsigned int vm, page;
    struct cl_view v;
    uint8_t src[CL_PAGE_SIZE], dst[CL_PAGE_SIZE];
} views[VIEWS];

/* The model */
static struct
{
    unsigned int owner; /* VM + 1 */
    enum cl_page_state state;
    uint64_t gfn;
    unsigned int shares;
    uint64_t epoch; /* of the key of the view on record */
} model[PAGES];
static uint64_t last_version[VMS];
static bool sealed[VMS];

/* ---- What must hold --------------------------------------------------- */

static void check_page(unsigned int p)
{
    const struct cl_page *e = page[p];

    MUST(e->state == model[p].state);
    MUST(e->owner == (model[p].owner ? vm[model[p].owner - 1].id : 0));
    if ( e->state == CL_PAGE_FREE )
    {
        MUST(!e->version && !e->gfn && !e->shares);
        return;
    }
    MUST(e->shares == model[p].shares);
    MUST(e->gfn == model[p].gfn);
    MUST(e->state != CL_PAGE_PRIVATE || !e->shares);
    MUST(e->state != CL_PAGE_SHARED || e->shares);
    if ( model[p].epoch == slots[model[p].owner - 1].epoch )
        MUST(e->version <= last_version[model[p].owner - 1]);
}

static void check_counts(void)
{
    uint64_t count[VMS][CL_PAGE_STATES] = { { 0 } };
    unsigned int p, v, s;

    for ( p = 0; p < PAGES; p++ )
        if ( model[p].owner )
            count[model[p].owner - 1][model[p].state]++;
    for ( v = 0; v < VMS; v++ )
        for ( s = 0; s < CL_PAGE_STATES; s++ )
            MUST(vm[v].pages[s] == count[v][s]);
}

static int open_view(const struct pending *w, const uint8_t *tag)
{
    uint8_t nonce[12] = { 0 }, aad[24], out[CL_PAGE_SIZE];
    int rc;

    memcpy(nonce + 4, &w->v.version, 8);
    memcpy(aad, &w->v.epoch, 8);
    memcpy(aad + 8, &w->v.gfn, 8);
    memcpy(aad + 16, &w->v.version, 8);
    rc = cl_gcm_open(&w->v.key->gcm, nonce, aad, sizeof(aad), w->dst, out,
                     CL_PAGE_SIZE, tag);
    MUST(rc || !memcmp(out, w->src, CL_PAGE_SIZE));

    return rc;
}

/* Of all views of the past only that of the version on record opens. */
static void check_tags(void)
{
    unsigned int i;

    for ( i = 0; i < VIEWS; i++ )
    {
        const struct pending *w = &views[i];
        const struct cl_page *e = page[w->page];

        if ( w->done && e->version && e->owner == vm[w->vm].id &&
             w->v.key->epoch == w->v.epoch )
            MUST((open_view(w, e->tag) == 0) ==
                 (e->version == w->v.version &&
                  model[w->page].epoch == w->v.epoch));
    }
}

static void check(void)
{
    unsigned int p;

    for ( p = 0; p < PAGES; p++ )
        check_page(p);
    check_counts();
    check_tags();
}

/* ---- Steps ------------------------------------------------------------ */

static bool closed(unsigned int p)
{
    return model[p].state == CL_PAGE_PRIVATE ||
           model[p].state == CL_PAGE_SHARED;
}

static enum cl_page_state closed_state(unsigned int p)
{
    return model[p].shares ? CL_PAGE_SHARED : CL_PAGE_PRIVATE;
}

static void assign(unsigned int v, unsigned int p)
{
    int rc = cl_page_assign(&vm[v], page[p]);

    MUST(rc == (model[p].owner ? -EBUSY : 0));
    if ( rc )
        return;
    memset(mem[p], 0x5a, CL_PAGE_SIZE);
    model[p].owner = v + 1;
    model[p].state = CL_PAGE_BUILDING;
    model[p].gfn = CL_GFN_NONE;
    model[p].shares = 0;
}

static void place(unsigned int v, unsigned int p, uint64_t gfn, bool seal)
{
    bool mine = model[p].owner == v + 1;
    int rc = seal ? cl_page_seal(&vm[v], page[p], gfn)
                  : cl_page_bind(&vm[v], page[p], gfn);

    MUST(!rc == (mine && model[p].state == CL_PAGE_BUILDING &&
                 gfn < CL_GFN_NONE));
    if ( rc )
        return;
    model[p].gfn = gfn;
    if ( seal || sealed[v] )
        model[p].state = closed_state(p);
}

static void unseal(unsigned int v, unsigned int p)
{
    int rc = cl_page_unseal(&vm[v], page[p]);

    MUST(!rc == (model[p].owner == v + 1 && !sealed[v] && closed(p)));
    if ( !rc )
        model[p].state = CL_PAGE_BUILDING;
}

static void share(unsigned int v, unsigned int p, bool on)
{
    bool mine = model[p].owner == v + 1;
    int rc = on ? cl_page_share(&vm[v], page[p])
                : cl_page_unshare(&vm[v], page[p]);

    if ( on )
        MUST(!rc == (mine && model[p].state != CL_PAGE_LEAVING &&
                     model[p].shares < CL_SHARES_MAX));
    else
        MUST(!rc == (mine && model[p].shares));
    if ( rc )
        return;
    model[p].shares += on ? 1 : -1;
    if ( closed(p) )
        model[p].state = closed_state(p);
}

static void leave(unsigned int v, unsigned int p)
{
    int rc = cl_page_leave(&vm[v], page[p]);

    MUST(!rc == (model[p].owner == v + 1 &&
                 model[p].state != CL_PAGE_LEAVING));
    if ( rc )
        return;
    model[p].state = CL_PAGE_LEAVING;
    model[p].gfn = CL_GFN_NONE;
}

/* Who waits for a view holds the page: the platform does not free it. */
static bool held(unsigned int p)
{
    unsigned int i;

    for ( i = 0; i < VIEWS; i++ )
        if ( views[i].busy && views[i].page == p )
            return true;

    return false;
}

static void release(unsigned int v, unsigned int p)
{
    unsigned int i;
    int rc;

    if ( held(p) )
        return;
    rc = cl_page_free(&vm[v], page[p], mem[p]);
    MUST(rc == (model[p].owner == v + 1 ? 0 : -EPERM));
    if ( rc )
        return;
    for ( i = 0; i < CL_PAGE_SIZE; i++ )
        MUST(!mem[p][i]);
    memset(&model[p], 0, sizeof(model[p]));
    for ( i = 0; i < VIEWS; i++ )
        if ( views[i].page == p )
            views[i].done = false;
}

static void begin(unsigned int v, unsigned int p, unsigned int i)
{
    struct pending *w = &views[i];
    struct cl_view view;
    int rc = cl_view_begin(&vm[v], page[p], &view);

    MUST(!rc == (model[p].owner == v + 1 && closed(p) && sealed[v] &&
                 slots[v].epoch != 0));
    if ( rc )
        return;
    MUST(view.version == last_version[v] + 1);
    last_version[v] = view.version;
    if ( w->busy )
        return; /* given up: the version is used all the same */
    w->v = view;
    w->vm = v;
    w->page = p;
    w->busy = true;
    w->done = false;
    memcpy(w->src, mem[p], CL_PAGE_SIZE);
    w->run = i & 1;
    if ( w->run )
        cl_view_run(&w->v, w->src, w->dst);
}

/* Now, if not when it was begun: the key may be gone. */
static void run(struct pending *w)
{
    if ( !w->run )
        cl_view_run_jobs(CL_GCM_SSE,
                         &(struct cl_view_job){ &w->v, w->src, w->dst }, 1);
}

static void end(unsigned int i)
{
    struct pending *w = &views[i];
    struct cl_page *e = page[w->page];
    uint64_t before = e->version;
    int rc;

    if ( !w->busy )
        return;
    run(w);
    rc = cl_view_end(&vm[w->vm], e, &w->v);
    w->busy = false;
    MUST(rc == (w->v.epoch == slots[w->vm].epoch ? 0 : -ENOENT));
    MUST(e->version == before ||
         (!rc && e->version == w->v.version && e->version > before));
    w->done = e->version != before;
    if ( w->done )
        model[w->page].epoch = w->v.epoch;
}

static void erase_key(unsigned int v)
{
    static const struct cl_key none;

    cl_key_erase(&keys, v);
    MUST(!memcmp(&slots[v], &none, sizeof(none)));
}

static void new_key(unsigned int v, struct input *in)
{
    uint8_t random[CL_KEY_SIZE], i;
    int slot;

    if ( v && !slots[0].epoch )
        return; /* the first that is free is taken */
    erase_key(v);
    take(in, random, sizeof(random));
    random[0] ^= (uint8_t)(keys.epoch + 1);
    slot = cl_key_install(&keys, random);
    MUST(slot == (int)v);
    for ( i = 0; i < CL_KEY_SIZE; i++ )
        MUST(!random[i]);
    last_version[v] = 0;
}

static void step(struct input *in)
{
    uint8_t what = take8(in), where = take8(in);
    unsigned int v = where & 1, p = (where >> 1) % PAGES, i = where >> 6;

    switch ( what % 14 )
    {
    case 0: assign(v, p); break;
    case 1: place(v, p, take8(in) ? take8(in) : take32(in), false); break;
    case 2: place(v, p, take8(in) ? take8(in) : take32(in), true); break;
    case 3: unseal(v, p); break;
    case 4: share(v, p, true); break;
    case 5: share(v, p, false); break;
    case 6: leave(v, p); break;
    case 7: release(v, p); break;
    case 8: begin(v, p, i); break;
    case 9: end(i); break;
    case 10: mem[p][where] = what; break;
    case 11: vm[v].sealed = sealed[v] = true; break;
    case 12: erase_key(v); break;
    case 13: new_key(v, in); break;
    }
    check();
}

static void reset(struct input *in)
{
    void *spare = leaf[0];
    unsigned int i;

    memset(vm, 0, sizeof(vm));
    memset(views, 0, sizeof(views));
    memset(model, 0, sizeof(model));
    memset(slots, 0, sizeof(slots));
    memset(leaf, 0, sizeof(leaf));
    memset(root, 0, sizeof(root));
    keys = (struct cl_key_table){ .slot = slots, .slots = VMS };
    table = (struct cl_ppt){ .root = root, .frames = 200 };
    for ( i = 0; i < VMS; i++ )
    {
        sealed[i] = false;
        vm[i].id = (uint16_t)(i + 1);
        vm[i].key = &slots[i];
        new_key(i, in);
    }
    MUST(!cl_ppt_hold(&table, 100, PAGES, &spare));
    for ( i = 0; i < PAGES; i++ )
        page[i] = cl_ppt_find(&table, 100 + i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    unsigned int steps;

    reset(&in);
    for ( steps = 0; in.left && steps < 400; steps++ )
        step(&in);

    return 0;
}
