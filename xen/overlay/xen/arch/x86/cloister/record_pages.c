/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages, as a record sees them: which of them it vouches for, and the writes
 * after which it would not.
 */

#include <xen/sched.h>

#include <asm/p2m.h>

#include <cloister/record.h>

#include "private.h"
#include "record.h"

static bool in_map(const struct cl_page *p)
{
    return p && (p->state == CL_PAGE_PRIVATE || p->state == CL_PAGE_SHARED ||
                 p->state == CL_PAGE_INCOMING ||
                 p->state == CL_PAGE_RESTING);
}

/* Whoever has read the page, has woken it; so it has changed since. */
static bool is_asleep(const struct cl_page *p)
{
    return p->state == CL_PAGE_INCOMING || p->state == CL_PAGE_RESTING;
}

/* A dump has what there is. */
static bool has_view(const struct cl_page *p)
{
    return (p->state == CL_PAGE_PRIVATE || p->state == CL_PAGE_SHARED) &&
           p->version && !(p->version & CL_DIRTY);
}

/* A number of 32 bits, as a domain has so many pages at most. */
uint32_t cloister_record_most(struct cloister_domain *cd)
{
    uint32_t most;

    spin_lock(&cd->lock);
    most = cd->vm.pages[CL_PAGE_PRIVATE] + cd->vm.pages[CL_PAGE_SHARED] +
           cd->vm.pages[CL_PAGE_INCOMING] + cd->vm.pages[CL_PAGE_RESTING];
    spin_unlock(&cd->lock);

    return most;
}

/*
 * All pages but the rings, which a restore empties.  Under page_alloc_lock and
 * the domain's.
 */
static enum cloister_reason each_page(struct domain *d, bool dump,
                                      struct cl_record *r, uint64_t *detail)
{
    const struct cloister_domain *cd = d->arch.cloister;
    const struct page_info *pg;

    page_list_for_each ( pg, &d->page_list )
    {
        const struct cl_page *p =
            cl_ppt_find(&cloister_ppt, mfn_x(page_to_mfn(pg)));

        if ( !in_map(p) || cloister_ring(cd, p->gfn) < CLOISTER_RINGS )
            continue;
        *detail = p->gfn;
        if ( dump && is_asleep(p) )
            return CLOISTER_WHY_dump_asleep;
        if ( dump && !has_view(p) )
            continue;
        if ( !dump && !cl_page_recordable(&cd->vm, p) )
            return CLOISTER_WHY_save_stale;
        /* The guest has moved it: its views name the place where it was. */
        if ( !dump && gfn_x(mfn_to_gfn(d, page_to_mfn(pg))) != p->gfn )
            return CLOISTER_WHY_save_moved;
        if ( cl_record_add(r, p->gfn, p->version, p->tag) )
            return CLOISTER_WHY_save_failed;
    }

    return CLOISTER_WHY_none;
}

enum cloister_reason cloister_record_pages(struct domain *d, bool dump,
                                           struct cl_record *r,
                                           uint64_t *detail)
{
    struct cloister_domain *cd = d->arch.cloister;
    enum cloister_reason why;

    nrspin_lock(&d->page_alloc_lock);
    spin_lock(&cd->lock);
    why = each_page(d, dump, r, detail);
    spin_unlock(&cd->lock);
    nrspin_unlock(&d->page_alloc_lock);

    return why;
}

/* ---- Writes ------------------------------------------------------------------ */

void cloister_track(struct domain *d, enum cloister_tracking what)
{
    struct cloister_domain *cd = d->arch.cloister;

    if ( !cd )
        return;

    spin_lock(&cd->lock);
    if ( what == CLOISTER_TRACK_clean )
        cl_vm_clean(&cd->vm);
    else
        cl_vm_track(&cd->vm, what == CLOISTER_TRACK_start);
    spin_unlock(&cd->lock);
}

void cloister_dirty(struct domain *d, unsigned long gfn)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cl_page *p;
    p2m_type_t t;
    mfn_t mfn;

    if ( likely(!cloister_sealed(d)) )
        return;

    mfn = get_gfn_query_unlocked(d, gfn, &t);
    if ( !mfn_valid(mfn) )
        return;

    spin_lock(&cd->lock);
    cloister_table_lock();
    p = cl_ppt_find(&cloister_ppt, mfn_x(mfn));
    if ( p )
        cl_page_dirty(&cd->vm, p);
    cloister_table_unlock();
    spin_unlock(&cd->lock);
}
