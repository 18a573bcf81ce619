/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What other domains get when they ask for a page of a sealed domain.
 *
 * A view is a frame of its own, owned by dom_view, with ciphertext in it.
 * Every request gets a fresh one; its only references are those of the
 * mappings, so that it goes back to the heap with the last of them.  The
 * guest's page is never mapped, and nothing has to be revoked later.
 *
 * A request and a seal may race.  Both sides are safe because each request
 * takes its reference to the page before it looks at the domain's state, and
 * the seal sets the state before it looks at the page's references: one of
 * the two always sees the other.
 */

#include <xen/domain_page.h>

#include "private.h"

static unsigned int view_state(const struct domain *d)
{
    const struct cloister_domain *cd = d->arch.cloister;

    return cd ? read_atomic(&cd->state) : CLOISTER_DOM_unprotected;
}

static bool is_open(const struct domain *d)
{
    return view_state(d) <= CLOISTER_DOM_building;
}

bool cloister_sealed(const struct domain *d)
{
    return !is_open(d);
}

uint64_t cloister_views_live(void)
{
    return dom_view ? domain_tot_pages(dom_view) : 0;
}

uint64_t cloister_views_limit(void)
{
    return total_pages / 16;
}

/* A frame for a view, with the one reference that the caller now holds. */
static struct page_info *new_frame(void)
{
    struct page_info *pg;

    if ( cloister_views_live() >= cloister_views_limit() )
        return NULL;

    pg = alloc_domheap_page(dom_view, 0);
    if ( pg )
    {
        set_gpfn_from_mfn(mfn_x(page_to_mfn(pg)), INVALID_M2P_ENTRY);
        /* Keep the reference, drop the allocation that goes with it. */
        clear_bit(_PGC_allocated, &pg->count_info);
    }

    return pg;
}

static void encrypt(struct cl_view *v, struct page_info *from,
                    struct page_info *to)
{
    struct cloister_simd simd;
    const struct cl_view_job job = {
        .v = v,
        .src = map_domain_page(page_to_mfn(from)),
        .dst = map_domain_page(page_to_mfn(to)),
    };

    cloister_wide_begin(&simd);
    cl_view_run_jobs(cloister_gcm_impl, &job, 1);
    cloister_wide_end(&simd);

    unmap_domain_page(job.dst);
    unmap_domain_page(job.src);
}

/* A view of pg, which the caller holds a reference to. */
static int make_view(const struct domain *d, struct page_info *pg,
                     struct page_info **view)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cl_page *p = cl_ppt_find(&cloister_ppt, mfn_x(page_to_mfn(pg)));
    struct cl_view v;
    int rc;

    if ( !p )
        return -EPERM;

    *view = new_frame();
    if ( !*view )
        return -ENOMEM;

    spin_lock(&cd->lock);
    if ( cloister_is_still(d) )
        cl_vm_still(&cd->vm, true);
    rc = cl_view_begin(&cd->vm, p, &v);
    write_atomic(&cd->last_view, NOW());
    spin_unlock(&cd->lock);
    if ( rc )
    {
        put_page(*view);
        return -EPERM;
    }

    encrypt(&v, pg, *view);

    spin_lock(&cd->lock);
    /* It may have been resumed meanwhile, and not have said so yet. */
    if ( !cloister_is_still(d) )
        cl_vm_still(&cd->vm, false);
    rc = cl_view_end(&cd->vm, p, &v);
    spin_unlock(&cd->lock);
    if ( rc )
    {
        /* The domain is being destroyed: its key went under our hands. */
        clear_domain_page(page_to_mfn(*view));
        put_page(*view);
        return -EPERM;
    }

    return 0;
}

/*
 * Replaces *page, of a domain that is not open, by a view.  Pages that Xen
 * shares with the guest (grant frames, shared_info) have none.
 */
static int replace(struct domain *owner, struct page_info **page, bool write)
{
    enum cloister_reason why = is_special_page(*page) ? CLOISTER_WHY_xen_page
                               : write ? CLOISTER_WHY_write_map
                                       : CLOISTER_WHY_map;
    struct page_info *view;
    int rc = -EPERM;

    if ( view_state(owner) == CLOISTER_DOM_sealed && why == CLOISTER_WHY_map )
        rc = make_view(owner, *page, &view);
    if ( rc )
    {
        cloister_note(owner, CLOISTER_CALL_map, write, why,
                      mfn_x(page_to_mfn(*page)));
        return rc;
    }

    put_page(*page);
    *page = view;

    return 0;
}

int cloister_pv_foreign(struct domain **owner, struct page_info **page,
                        mfn_t mfn, bool write)
{
    struct domain *d = *owner;
    int rc;

    if ( likely(is_open(d)) || d == current->domain )
        return 0;

    if ( !*page )
    {
        if ( !mfn_valid(mfn) )
            return -EINVAL;
        if ( !get_page(mfn_to_page(mfn), d) )
            return -EPERM;
        *page = mfn_to_page(mfn);
    }

    rc = replace(d, page, write);
    if ( !rc )
        *owner = dom_view;

    return rc;
}

int cloister_pvh_foreign(struct domain *owner, struct page_info **page)
{
    if ( likely(is_open(owner)) )
        return 0;

    return replace(owner, page, false);
}

bool cloister_may_map(const struct domain *mapper, const struct domain *owner,
                      const struct page_info *pg, bool write)
{
    if ( owner == dom_view )
        return dom_view && !write;

    if ( likely(!owner) || owner == mapper || is_open(owner) )
        return true;

    cloister_note(owner, CLOISTER_CALL_map, write, CLOISTER_WHY_map,
                  mfn_x(page_to_mfn(pg)));

    return false;
}

/* I/O memory in the frame table is dom_io's; VMX's APIC page is d's own. */
static bool is_io(const struct domain *d, mfn_t mfn)
{
    const struct page_info *pg;

    if ( !mfn_valid(mfn) )
        return true;

    pg = mfn_to_page(mfn);

    return page_get_owner(pg) == dom_io ||
           (page_get_owner(pg) == d && (pg->count_info & PGC_extra));
}

bool cloister_may_map_io(const struct domain *d, mfn_t mfn,
                         unsigned int order)
{
    unsigned long i;

    if ( cloister_mode == CLOISTER_MODE_off )
        return true;

    /* A hidden frame comes alone, so that another can take its place. */
    for ( i = 0; i < (1UL << order); i++ )
        if ( !is_io(d, mfn_add(mfn, i)) ||
             (order && cloister_hides_io(mfn_add(mfn, i))) )
            return false;

    return true;
}

bool cloister_read_only(mfn_t mfn)
{
    const struct domain *owner;

    if ( !dom_view || !mfn_valid(mfn) )
        return false;

    owner = page_get_owner(mfn_to_page(mfn));

    return owner == dom_view || owner == dom_xen;
}
