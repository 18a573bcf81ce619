/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page state machine (machine.h): who owns a page and who may use it, and
 * views.
 *
 * Sources: smm/pages.c smm/view.c
 * Flags: --unwind 17
 */
#include "../machine.h"

/* Of the first VM on the first page: which are the first is not said. */
static int verb(enum verb what, uint64_t gfn)
{
    switch ( what )
    {
    case ASSIGN:
        return cl_page_assign(&vm, &page);
    case BIND:
        return cl_page_bind(&vm, &page, gfn);
    case SEAL:
        return cl_page_seal(&vm, &page, gfn);
    case UNSEAL:
        return cl_page_unseal(&vm, &page);
    case SHARE:
        return cl_page_share(&vm, &page);
    case UNSHARE:
        return cl_page_unshare(&vm, &page);
    case LEAVE:
        return cl_page_leave(&vm, &page);
    case FREE:
        return cl_page_free(&vm, &page, mem);
    case BEGIN:
        return cl_view_begin(&vm, &page, &view);
    default:
        return cl_view_end(&vm, &page, &view);
    }
}

/* The platform's part: who waits for a view holds the page. */
static _Bool allowed(enum verb what)
{
    const struct pending *a = &w.view[0], *b = &w.view[1];

    switch ( what )
    {
    case FREE:
        return !(a->busy && a->viewed == 0) && !(b->busy && b->viewed == 0);
    case BEGIN:
        return !a->busy;
    case END:
        return a->busy && a->viewed == 0 && a->viewer == 0;
    default:
        return 1;
    }
}

/* A change of the tag is a newer view of this page, or it is forgotten. */
static void check_tag(enum verb what)
{
    const struct cl_page *now = &w.page[0], *before = &was.page[0];
    const struct cl_view *v = &w.view[0].v;

    if ( now->version != before->version && now->version )
        assert(what == END && now->version == v->version &&
               now->version > (before->version & ~CL_DIRTY) &&
               now->gfn == v->gfn &&
               same_tag(now->tag, v->tag));
    if ( now->version == before->version && now->version )
        assert(same_tag(now->tag, before->tag));
}

static void check_nonce(enum verb what, int rc)
{
    check_keys();
    assert(w.slot[0].epoch == was.slot[0].epoch);
    assert(w.slot[0].counter == was.slot[0].counter + (what == BEGIN && !rc));
    assert(!cipher.seals && !cipher.opens);
}

static void note_begin(void)
{
    struct pending *a = &w.view[0];

    give(a->v.version);
    assert(a->v.key == &key[0]);
    a->busy = 1;
    a->viewer = 0;
    a->viewed = 0;
    a->made = w.slot[0].gen;
}

void harness(void);
void harness(void)
{
    enum verb what;
    uint64_t gfn;
    int rc;

    any_world();
    __CPROVER_assume(what >= ASSIGN && what <= END && allowed(what));
    assume_valid();
    was = w;

    rc = verb(what, gfn);
    look();
    check_owner(what, rc);
    check_tag(what);
    check_nonce(what, rc);

    if ( what == BEGIN && !rc )
        note_begin();
    if ( what == END )
    {
        if ( w.page[0].version != was.page[0].version )
            record(w.view[0].v.version, w.view[0].made);
        w.view[0].busy = 0;
    }
    if ( what == FREE && !rc )
        assert(!mem[0] && !mem[CL_PAGE_SIZE - 1] &&
               !w.page[0].owner && !w.page[0].version);
    assert_valid();
}
