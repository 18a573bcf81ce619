/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Restoring: the pages.
 *
 * Each page that the domain has, but the rings, must be one that the record
 * vouches for, and nobody else may map it: then its entry in the page permission
 * table says what to expect in it.  The guest, and whoever else wants it, then
 * comes to cloister_wake().
 *
 * With the guest stopped there is no time to look up, and to rewrite, each entry
 * of the memory map.  So the domain's pages are gone through, not its map: the
 * table of machine frames says where each stands, and cloister_open_page() does
 * not believe it.  Of the map it is known whether it has ever had anything but
 * the domain's pages in it (integrity.c; if so, each page is looked up), and Xen
 * is told that the types in it are old: as they are computed anew one after the
 * other, when they are needed, cloister_type() says which pages are asleep.
 */

#include <xen/event.h>
#include <xen/rangeset.h>
#include <xen/sched.h>
#include <xen/xvmalloc.h>

#include <asm/flushtlb.h>
#include <asm/p2m.h>

#include <cloister/record.h>

#include "private.h"
#include "restore.h"
#include "seal.h"

#define BATCH       256
#define NOWHERE     UINT32_MAX

static struct cl_page *entry(mfn_t mfn)
{
    return cl_ppt_find(&cloister_ppt, mfn_x(mfn));
}

/* ---- The record's pages by gfn ------------------------------------------ */

static enum cloister_reason begin(struct domain *d)
{
    struct cloister_restore *r = d->arch.cloister->restore;
    const struct p2m_domain *p2m = p2m_get_hostp2m(d);

    if ( !rangeset_is_empty(p2m->logdirty_ranges) )
        return CLOISTER_WHY_log_dirty;
    if ( !cloister_cpu_random(&r->factor, 1) )
        return CLOISTER_WHY_no_random;
    r->factor |= 1;
    /* All of the list: it is in the same order again, as the next record is. */
    r->left = domain_tot_pages(d);
    r->placed = xvzalloc_array(unsigned long,
                               BITS_TO_LONGS((uint64_t)r->b.state.pages) + 1);

    return r->placed ? CLOISTER_WHY_none : CLOISTER_WHY_no_memory;
}

/*
 * As a rule pages come in the record's order.  For those that do not there is an
 * index, made when the first of them comes: open addressing, at most four
 * fifths full.  The guest has chosen the gfns, not the factor.  An entry is the
 * page's number in the record and one; 0: free.
 */
static enum cloister_reason begin_index(struct cloister_restore *r)
{
    uint64_t size = 2;

    while ( size < (uint64_t)r->b.state.pages * 5 / 4 + 1 )
        size *= 2;
    if ( size > UINT32_MAX )
        return CLOISTER_WHY_no_memory;
    r->index = xvzalloc_array(uint32_t, size);
    r->mask = size - 1;

    return r->index ? CLOISTER_WHY_none : CLOISTER_WHY_no_memory;
}

/* Where in the index gfn is, or would be. */
static uint32_t *find(const struct cloister_restore *r, uint64_t gfn)
{
    uint32_t i = ((gfn * r->factor) >> 32) & r->mask;

    while ( r->index[i] && cl_record_gfn(&r->b, r->index[i] - 1) != gfn )
        i = (i + 1) & r->mask;

    return &r->index[i];
}

static enum cloister_reason index_some(struct cloister_restore *r)
{
    enum cloister_reason why = r->index ? CLOISTER_WHY_none : begin_index(r);
    unsigned int n = BATCH;
    uint32_t *at;

    for ( ; !why && n && r->indexed < r->b.state.pages; n-- )
    {
        at = find(r, cl_record_gfn(&r->b, r->indexed));
        if ( *at )
            why = CLOISTER_WHY_rec_bad;
        *at = ++r->indexed;
    }

    return why;
}

static bool has_index(const struct cloister_restore *r)
{
    return r->index && r->indexed == r->b.state.pages;
}

static bool is_next(const struct cloister_restore *r, unsigned long gfn)
{
    return r->next < r->b.state.pages && cl_record_gfn(&r->b, r->next) == gfn;
}

/* The number of the record's page, which is the next, or there is an index. */
static uint32_t seek(struct cloister_restore *r, unsigned long gfn)
{
    uint32_t i = is_next(r, gfn) ? r->next : *find(r, gfn) - 1;

    if ( i != NOWHERE )
        r->next = i + 1;

    return i;
}

/* ---- Putting them in place ---------------------------------------------- */

/*
 * A page that nobody else maps.  One too many can wait: something else may be
 * missing, which says more.  Under the domain's lock.
 */
static enum cloister_reason place(struct cloister_domain *cd,
                                  struct cl_page *p, unsigned long gfn)
{
    struct cloister_restore *r = cd->restore;
    uint32_t i = seek(r, gfn);
    struct cl_record_page e;
    int rc;

    if ( i == NOWHERE )
    {
        r->extra = gfn + 1;
        return CLOISTER_WHY_none;
    }
    if ( __test_and_set_bit(i, r->placed) )
        return CLOISTER_WHY_bad_page;
    cl_record_page(&r->b, i, &e);
    rc = cl_page_expect(&cd->vm, p, gfn, e.version, e.tag);

    return !rc ? CLOISTER_WHY_none
               : rc == -EBUSY ? CLOISTER_WHY_foreign_map
                              : CLOISTER_WHY_bad_page;
}

/*
 * The next page of the domain's list.  *mapped: its entry in the map has to be
 * looked at.  One that has been in place for long, or that only others still
 * have, may come again.  Nothing is done, but r->lost set, if that needs an
 * index.  Under page_alloc_lock and the domain's.
 */
static enum cloister_reason look_at(struct domain *d, struct page_info *pg,
                                    bool *mapped)
{
    struct cloister_domain *cd = d->arch.cloister;
    unsigned long gfn = get_gpfn_from_mfn(mfn_x(page_to_mfn(pg)));
    struct cl_page *p = entry(page_to_mfn(pg));

    cd->cursor = gfn;
    if ( !p || is_special_page(pg) )
        return CLOISTER_WHY_bad_page;
    if ( p->state != CL_PAGE_BUILDING )
        return CLOISTER_WHY_none;
    if ( !VALID_M2P(gfn) )
        return CLOISTER_WHY_orphan;

    /* Where it was put at first is where it stands, in a map like others. */
    *mapped = cd->odd_map || p->gfn != gfn || others_refs(pg);
    if ( !*mapped && is_next(cd->restore, gfn) )
        return place(cd, p, gfn);
    if ( cloister_ring(cd, gfn) < CLOISTER_RINGS )
        *mapped = true;
    else if ( !has_index(cd->restore) )
        cd->restore->lost = true;
    else if ( !*mapped )
        return place(cd, p, gfn);

    return CLOISTER_WHY_none;
}

/*
 * Some pages: up to the one whose entry is to be looked at, in *slow, or that
 * needs the index.
 */
static enum cloister_reason place_some(struct domain *d,
                                       struct page_info **slow)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cloister_restore *r = cd->restore;
    enum cloister_reason why = CLOISTER_WHY_none;
    struct page_info *pg = NULL;
    unsigned int n = BATCH;
    bool mapped = false;

    nrspin_lock(&d->page_alloc_lock);
    spin_lock(&cd->lock);
    for ( ; n && r->left && !mapped && !why; n--, r->left-- )
    {
        pg = page_list_first(&d->page_list);
        if ( !pg )
            continue;
        why = look_at(d, pg, &mapped);
        if ( r->lost )
            break;
        page_list_del(pg, &d->page_list);
        page_list_add_tail(pg, &d->page_list);
    }
    spin_unlock(&cd->lock);
    nrspin_unlock(&d->page_alloc_lock);
    *slow = mapped && !r->lost ? pg : NULL;

    return why;
}

/*
 * Taken from whoever maps it: what the domain has then is nobody else's.  It
 * does not come again, so there has to be an index.
 */
static enum cloister_reason cut(struct domain *d, unsigned long gfn, mfn_t mfn)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct page_info *pg = mfn_to_page(mfn);
    enum cloister_reason why;

    why = cloister_cut(d, gfn, entry(mfn), &pg);
    if ( why )
        return why;

    spin_lock(&cd->lock);
    why = place(cd, entry(page_to_mfn(pg)), gfn);
    spin_unlock(&cd->lock);

    return why;
}

static enum cloister_reason place_mapped(struct domain *d,
                                         const struct page_info *pg)
{
    struct cloister_domain *cd = d->arch.cloister;
    unsigned long gfn = cd->cursor;
    enum cloister_reason why = CLOISTER_WHY_rec_missing;
    p2m_type_t t;
    mfn_t mfn = get_gfn_query(d, gfn, &t);

    if ( mfn_eq(mfn, page_to_mfn(pg)) && t == p2m_ram_rw &&
         page_get_owner(pg) == d )
        why = cloister_ring(cd, gfn) < CLOISTER_RINGS
              ? cloister_seal_page(d, gfn, mfn) : cut(d, gfn, mfn);
    put_gfn(d, gfn);

    return why;
}

/* All of the domain's pages have been looked at: are they the record's? */
static enum cloister_reason compare(struct cloister_domain *cd)
{
    struct cloister_restore *r = cd->restore;
    uint32_t i = find_first_zero_bit(r->placed, r->b.state.pages);

    if ( i < r->b.state.pages )
    {
        cd->cursor = cl_record_gfn(&r->b, i);
        return CLOISTER_WHY_rec_missing;
    }
    if ( r->extra )
        cd->cursor = r->extra - 1;

    return r->extra ? CLOISTER_WHY_rec_extra : CLOISTER_WHY_none;
}

/* ---- All at once --------------------------------------------------------- */

static enum cloister_reason open_next(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    p2m_type_t t;
    mfn_t mfn;
    int rc;

    cd->cursor = cl_record_gfn(&cd->restore->b, cd->restore->opened++);
    mfn = get_gfn_query(d, cd->cursor, &t);
    rc = t != p2m_ram_asleep ? -EINVAL
                             : cloister_open_page(d, _gfn(cd->cursor), mfn);
    put_gfn(d, cd->cursor);

    return !rc ? CLOISTER_WHY_none
               : rc == -EBADMSG ? CLOISTER_WHY_rec_page
               : rc == -ENOMEM ? CLOISTER_WHY_no_memory
                               : CLOISTER_WHY_bad_page;
}

/* -ERESTART, or 0 with *why set. */
static int open_all(struct domain *d, enum cloister_reason *why)
{
    struct cloister_restore *r = d->arch.cloister->restore;

    /* References do not tell of what is still in TLBs. */
    if ( !r->opened )
        flush_all(FLUSH_TLB_GLOBAL | FLUSH_HVM_ASID_CORE);
    while ( r->opened < r->b.state.pages && !*why )
    {
        *why = open_next(d);
        if ( !*why && hypercall_preempt_check() )
            return -ERESTART;
    }

    return 0;
}

/* ---- The order of things -------------------------------------------------- */

static enum cloister_reason step(struct domain *d)
{
    struct cloister_restore *r = d->arch.cloister->restore;
    enum cloister_reason why;
    struct page_info *slow;

    if ( r->lost )
    {
        why = index_some(r);
        r->lost = !has_index(r);
        return why;
    }

    why = place_some(d, &slow);

    return why ?: slow ? place_mapped(d, slow) : CLOISTER_WHY_none;
}

int cloister_restore_pages(struct domain *d, enum cloister_reason *why)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cloister_restore *r = cd->restore;
    int rc = 0;

    if ( r->done )
        return 0;
    if ( !r->placed )
        *why = begin(d);
    while ( !*why && r->left )
    {
        *why = step(d);
        if ( !*why && hypercall_preempt_check() )
            return -ERESTART;
    }
    *why = *why ?: compare(cd);
    if ( *why )
        return 0;

    if ( cloister_restore_lazy )
        /* No type changes, but all are computed anew. */
        p2m_change_entry_type_global(d, p2m_ram_rw, p2m_ram_rw);
    else
        rc = open_all(d, why);
    if ( !rc && !*why )
    {
        r->done = true;
        cd->cursor = 0;
    }

    return rc;
}
