/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page state machine (machine.h): ciphertext in place, of a page that came
 * with a saved image and of one of a VM that rests.
 *
 * The cipher says what it likes.  What counts is what it is asked, with which
 * key, and that a page which it refuses stays what it was: closed to all.
 *
 * Slow
 * Sources: smm/pages.c smm/view.c
 * Flags: --unwind 17
 */
#include "../machine.h"

struct arguments
{
    uint64_t gfn, version;
    uint8_t tag[CL_TAG_SIZE];
};

static int verb(enum verb what, const struct arguments *a)
{
    switch ( what )
    {
    case EXPECT:
        return cl_page_expect(&vm, &page, a->gfn, a->version, a->tag);
    case OPEN:
        return cl_page_open(&vm, &page, mem);
    default:
        return cl_page_rest(&vm, &page, mem);
    }
}

static void check_expect(const struct arguments *a)
{
    const struct cl_page *p = &w.page[0];

    assert(was.page[0].state == CL_PAGE_BUILDING &&
           p->state == CL_PAGE_INCOMING && p->gfn == a->gfn &&
           p->version == a->version && same_tag(p->tag, a->tag));
    assert(!cipher.seals && !cipher.opens);
}

/* With the saved VM's key what came with it, with the VM's own what rests. */
static void check_open(int rc)
{
    const struct cl_page *p = &was.page[0];
    _Bool rests = p->state == CL_PAGE_RESTING;

    assert(!cipher.seals && cipher.opens <= 1);
    assert(rc || cipher.opens);
    if ( !cipher.opens )
        return;

    assert(rests || p->state == CL_PAGE_INCOMING);
    assert(cipher.key == (rests ? &key[0].gcm : &key[2].gcm));
    assert(cipher.nonce == p->version && cipher.version == p->version);
    assert(cipher.gfn == p->gfn && same_tag(cipher.tag, p->tag));
    assert(cipher.epoch == (rests ? 0 : w.slot[2].epoch));
    assert(rests ? w.slot[0].gen && w.slot[0].known
                 : w.slot[2].gen && w.slot[2].known);
    assert(rc == (cipher.forged ? -EBADMSG : 0));
    assert(rc || (w.page[0].state == CL_PAGE_PRIVATE && !w.page[0].version));
}

/* A view of no epoch of the page at its place, with a version of its own. */
static void check_rest(int rc)
{
    const struct cl_page *p = &w.page[0];

    assert(!cipher.opens && cipher.seals == !rc);
    if ( rc )
        return;

    assert(was.page[0].state == CL_PAGE_PRIVATE && w.vm[0].sealed);
    assert(cipher.key == &key[0].gcm && w.slot[0].known && !cipher.epoch);
    assert(cipher.nonce == p->version && cipher.version == p->version &&
           cipher.gfn == p->gfn && same_tag(cipher.tag, p->tag));
    assert(p->state == CL_PAGE_RESTING && p->gfn == was.page[0].gfn);
}

/* What was encrypted with the witness is opened for the first time. */
static void note_open(void)
{
    if ( was.page[0].state != CL_PAGE_RESTING || !in_page(&was, 0) )
        return;

    assert(w.given && !w.opened);
    w.opened = 1;
}

static void check(enum verb what, int rc, const struct arguments *a)
{
    if ( what == EXPECT && !rc )
        check_expect(a);
    if ( what == OPEN )
        check_open(rc);
    if ( what == REST )
        check_rest(rc);

    check_keys();
    assert(w.slot[0].epoch == was.slot[0].epoch);
    assert(w.slot[0].counter == was.slot[0].counter + (what == REST && !rc));
}

void harness(void);
void harness(void)
{
    struct arguments a;
    enum verb what;
    int rc;

    any_world();
    __CPROVER_assume(what >= EXPECT && what <= REST);
    assume_valid();
    was = w;

    rc = verb(what, &a);
    look();
    check_owner(what, rc);
    check(what, rc, &a);

    if ( what == REST && !rc )
    {
        give(w.page[0].version);
        w.made[0] = w.slot[0].gen;
    }
    if ( what == OPEN && !rc )
        note_open();
    assert_valid();
}
