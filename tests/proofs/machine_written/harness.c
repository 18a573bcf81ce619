/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page state machine (machine.h): what tells pages that were written to
 * from others, and a key's fresh epoch.
 *
 * Slow
 * Sources: smm/pages.c smm/view.c
 * Flags: --unwind 17
 */
#include "../machine.h"

static void verb(enum verb what, bool on)
{
    switch ( what )
    {
    case DIRTY:
        cl_page_dirty(&vm, &page);
        break;
    case STILL:
        cl_vm_still(&vm, on);
        break;
    case TRACK:
        cl_vm_track(&vm, on);
        break;
    case CLEAN:
        cl_vm_clean(&vm);
        break;
    default:
        cl_vm_renew(&keys, &vm);
        break;
    }
}

/* What is on record is forgotten, and a mark is there that no view has. */
static void check_dirty(void)
{
    static const uint8_t none[CL_TAG_SIZE];
    const struct cl_page *p = &w.page[0], *before = &was.page[0];

    if ( same_page(p, before) )
        return;

    assert(w.slot[0].known && (p->version & CL_DIRTY) &&
           same_tag(p->tag, none));
    assert(p->state == before->state && p->gfn == before->gfn &&
           p->owner == before->owner && p->shares == before->shares);
    assert(!cl_page_recordable(&w.vm[0], p));
    w.made[0] = w.slot[0].gen;
}

/*
 * Only a key that is there has a fresh epoch, which no key had before; none of
 * its views counts any more.  (A view of the key before it, if the VM had one
 * and kept its pages, may: what it says does not open with this key.)
 */
static void check_renew(void)
{
    const struct slot *s = &w.slot[0];

    if ( s->known && s->gen )
        assert(s->epoch > was.epoch && s->epoch == w.epoch);
    else
        assert(s->epoch == was.slot[0].epoch);
    if ( s->known && s->gen && w.made[0] == s->gen )
        assert(!cl_page_recordable(&w.vm[0], &w.page[0]));
}

void harness(void);
void harness(void)
{
    enum verb what;
    bool on;

    any_world();
    __CPROVER_assume(what >= DIRTY && what <= RENEW);
    assume_valid();
    was = w;

    verb(what, on);
    look();
    check_owner(what, 0);
    check_keys();
    assert(same_counts(0) && !cipher.seals && !cipher.opens);
    if ( what == DIRTY )
        check_dirty();
    else
        assert(same_page(&w.page[0], &was.page[0]));
    if ( what == RENEW )
        check_renew();
    else
        assert(w.slot[0].epoch == was.slot[0].epoch && w.epoch == was.epoch);
    assert_valid();
}
