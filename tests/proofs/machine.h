/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page state machine, for the proofs machine and machine_*: whatever the
 * verbs, in whatever order, with whatever arguments, between two VMs, two pages
 * and two views under way.
 *
 * An inductive step: from any state in which the invariants hold, any one
 * verb leads to a state in which they hold.  The states in which everything
 * is free fulfil them.  So they hold after any sequence.  Each proof has some
 * of the verbs; the invariants are the same for all, so that what they prove
 * goes together.
 *
 *   owner     a page has one owner; only a verb of its owner changes it
 *   private   private implies that no grant is active
 *   nonce     a version that is given out is new: higher than all before of
 *             that key.  A witness, of which nothing is known, stands for each
 *             version of each key: it is given out at most once
 *   tag       a page's tag is that of the newest view that has been recorded
 *             for it, and never goes back; of an older one never.  The witness
 *             is recorded at most once, in one page, and what was encrypted in
 *             place with it opens at most once
 *   keys      nothing is encrypted with a key that was erased or that came
 *             with a saved VM
 *   scrubbed  a page that is freed is all zero (its first and last byte: the
 *             contract of cl_page_free has them all)
 *   counts    a VM counts its pages by state
 *
 * An incoming page's version and tag are the record's, made by another VM's
 * key: nothing is known of them, and nothing is said but that they are gone
 * once the page is open, and that no view replaces them.
 *
 * A key is told from the one before in its slot by a number that the proof
 * gives it (gen); 0: the slot is empty.
 */
#ifndef CLOISTER_PROOFS_MACHINE_H
#define CLOISTER_PROOFS_MACHINE_H

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <cloister/smm.h>

enum verb { ASSIGN, BIND, SEAL, UNSEAL, SHARE, UNSHARE, LEAVE, FREE, BEGIN,
            END,                                                /* machine */
            EXPECT, OPEN, REST,                                 /* _cipher */
            DIRTY, STILL, TRACK, CLEAN, RENEW,                  /* _written */
            INSTALL, ADOPT, ERASE, POINT };                     /* _keys */

/* A key's slot.  Slots 0 and 1 are the VMs' own, 2 and 3 of saved VMs. */
struct slot
{
    uint64_t counter, epoch;
    uint64_t gen;               /* which key it is */
    uint64_t used;              /* its newest version that was given out */
    _Bool adopted;
    _Bool known;                /* its VM points to it */
};

struct pending
{
    struct cl_view v;           /* of page `viewed` of VM `viewer` */
    unsigned int viewer, viewed;
    uint64_t made;              /* with the key of this number */
    _Bool busy;                 /* there is one */
};

/* What is, but for the pages' own bytes and the keys proper. */
struct world
{
    struct cl_vm vm[2];
    struct cl_page page[2];
    uint64_t made[2];           /* the key that a page's version is of */
    struct slot slot[4];
    uint64_t epoch, gens;       /* the last ones given */
    struct pending view[2];
    _Bool given, recorded, opened;      /* what became of the witness */
};

static struct world w, was;

/* The first VM, page and view of w, as the verb sees them: objects of their
   own, as a copy of some bytes in w would have CBMC look at all of it. */
static struct cl_vm vm;
static struct cl_page page;
static struct cl_view view;

static struct cl_key key[4];
static struct cl_key_table keys = { .slot = key, .slots = 4 };
static uint8_t mem[CL_PAGE_SIZE];   /* the first page */

/* Version and key of the witness */
static struct witness { uint64_t version, gen; } witness;

/* ---- The invariants ------------------------------------------------------ */

static _Bool is_witness(uint64_t version, uint64_t gen)
{
    return version == witness.version && gen == witness.gen;
}

/* A version that a key of this host gave out for what the page has now. */
static _Bool has_version(const struct world *x, unsigned int p)
{
    return x->page[p].version && !(x->page[p].version & CL_DIRTY) &&
           x->page[p].state != CL_PAGE_INCOMING;
}

/* How many pages of VM v are in this state: some of two, the rest elsewhere. */
static uint64_t here(const struct world *x, unsigned int v, unsigned int s)
{
    return (x->page[0].owner == x->vm[v].id && x->page[0].state == s) +
           (x->page[1].owner == x->vm[v].id && x->page[1].state == s);
}

static _Bool vm_valid(const struct world *x, unsigned int v)
{
    const struct cl_vm *of = &x->vm[v];
    unsigned int s;

    if ( !of->id || of->pages[CL_PAGE_FREE] )
        return 0;
    for ( s = 1; s < CL_PAGE_STATES; s++ )
        if ( of->pages[s] < here(x, v, s) || of->pages[s] > UINT32_MAX )
            return 0;

    return 1;
}

static _Bool slot_valid(const struct world *x, unsigned int i)
{
    const struct slot *s = &x->slot[i];

    if ( s->gen > x->gens || !s->gen != !s->epoch || (i > 1 && !s->adopted) )
        return 0;
    if ( s->adopted )
        return s->gen == 0 || (s->counter == UINT64_MAX && !s->used);

    return s->epoch <= x->epoch && s->counter < CL_DIRTY &&
           (!s->gen || s->used <= s->counter);
}

static _Bool slots_valid(const struct world *x)
{
    const struct slot *a = &x->slot[0], *b = &x->slot[1];

    return slot_valid(x, 0) && slot_valid(x, 1) && slot_valid(x, 2) &&
           slot_valid(x, 3) && (a->gen != b->gen || !a->gen) &&
           (a->epoch != b->epoch || !a->epoch || a->adopted || b->adopted);
}

/* A version of key v is one that it gave out, a dirty page's of before now. */
static _Bool within(const struct world *x, unsigned int p, unsigned int v)
{
    const struct slot *s = &x->slot[v];
    uint64_t version = x->page[p].version;

    return x->page[p].state == CL_PAGE_INCOMING || !version || !s->gen ||
           x->made[p] != s->gen ||
           (version & CL_DIRTY ? (version & ~CL_DIRTY) <= s->counter
                               : version <= s->used);
}

static _Bool page_valid(const struct world *x, unsigned int p)
{
    const struct cl_page *is = &x->page[p];

    return CL_PAGE_VALID(is) && x->made[p] <= x->gens &&
           (is->owner == 0 || is->owner == x->vm[0].id ||
            is->owner == x->vm[1].id) &&
           within(x, p, 0) && within(x, p, 1) &&
           (is->state != CL_PAGE_RESTING || has_version(x, p));
}

/* Of a view that was made with the key of VM v, which it still has. */
static _Bool view_of(const struct world *x, const struct pending *w,
                     unsigned int v)
{
    const struct slot *s = &x->slot[v];

    if ( w->made == s->gen )
        return w->viewer == v && w->v.version <= s->used &&
               w->v.epoch <= s->epoch;

    return w->viewer != v || !s->gen || w->v.epoch < s->epoch;
}

/* Of a view under way: its page is held, so that it cannot become free. */
static _Bool view_valid(const struct world *x, const struct pending *w)
{
    uint16_t owner = w->viewed ? x->page[1].owner : x->page[0].owner;

    if ( w->viewer > 1 || w->viewed > 1 )
        return 0;

    return !w->busy ||
           (w->v.version > 0 && w->v.version < CL_DIRTY && w->v.epoch &&
            w->v.epoch <= x->epoch && w->v.gfn != CL_GFN_NONE && owner &&
            owner == (w->viewer ? x->vm[1].id : x->vm[0].id) &&
            !(w->viewer ? x->slot[1].adopted : x->slot[0].adopted) &&
            w->made && w->made <= x->gens && view_of(x, w, 0) &&
            view_of(x, w, 1));
}

/* No version is in two places. */
static _Bool unlike(const struct world *x, unsigned int p,
                    const struct pending *w)
{
    return !w->busy || !has_version(x, p) || w->made != x->made[p] ||
           w->v.version != x->page[p].version;
}

static _Bool unique(const struct world *x)
{
    const struct pending *a = &x->view[0], *b = &x->view[1];

    return unlike(x, 0, a) && unlike(x, 0, b) && unlike(x, 1, a) &&
           unlike(x, 1, b) &&
           (!a->busy || !b->busy || a->made != b->made ||
            a->v.version != b->v.version) &&
           (!has_version(x, 0) || !has_version(x, 1) ||
            x->made[0] != x->made[1] ||
            x->page[0].version != x->page[1].version);
}

/* ---- The witness ---------------------------------------------------------- */

static _Bool in_page(const struct world *x, unsigned int p)
{
    return has_version(x, p) && is_witness(x->page[p].version, x->made[p]);
}

static _Bool in_view(const struct pending *w)
{
    return w->busy && is_witness(w->v.version, w->made);
}

static _Bool used_up(const struct world *x, unsigned int v)
{
    return witness.gen != x->slot[v].gen || witness.version <= x->slot[v].used;
}

static _Bool witness_valid(const struct world *x)
{
    _Bool on_page = in_page(x, 0) || in_page(x, 1);
    _Bool on_view = in_view(&x->view[0]) || in_view(&x->view[1]);

    if ( !x->given )
        return !on_page && !on_view && !x->recorded && !x->opened;

    return witness.gen && witness.gen <= x->gens && used_up(x, 0) &&
           used_up(x, 1) && (!on_page || !x->opened) &&
           (!on_view || (!x->recorded && !x->opened));
}

static _Bool valid(const struct world *x)
{
    return x->vm[0].id != x->vm[1].id && vm_valid(x, 0) && vm_valid(x, 1) &&
           slots_valid(x) && page_valid(x, 0) && page_valid(x, 1) &&
           view_valid(x, &x->view[0]) && view_valid(x, &x->view[1]) &&
           unique(x) && witness_valid(x);
}

#include "machine_step.h"

#endif /* CLOISTER_PROOFS_MACHINE_H */
