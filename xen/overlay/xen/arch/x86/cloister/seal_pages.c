/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pages of a domain that is being sealed: each becomes the guest's alone, or
 * the seal is refused.  What somebody else maps is moved away from him.
 */

#include <xen/domain_page.h>
#include <xen/event.h>
#include <xen/sched.h>

#include <asm/p2m.h>

#include "private.h"
#include "restore.h"
#include "seal.h"

static void limit_pages(struct domain *d, int change)
{
    nrspin_lock(&d->page_alloc_lock);
    if ( d->max_pages + change > 0 && d->max_pages < UINT_MAX )
        d->max_pages += change;
    nrspin_unlock(&d->page_alloc_lock);
}

/*
 * A page more than the domain may have: the old frame counts as the domain's
 * until its mappers let go of it.  (The limit stays where it is then, until
 * the toolstack sets it again: it is the toolstack's affair anyway.)
 */
static struct page_info *spare_page(struct domain *d)
{
    struct page_info *pg;

    limit_pages(d, 1);
    pg = alloc_domheap_page(d, 0);
    if ( !pg )
        limit_pages(d, -1);

    return pg;
}

/*
 * Somebody still maps the page: the guest gets a copy in a fresh frame, and
 * they keep the old one.  Under the gfn's lock.
 */
static enum cloister_reason move(struct domain *d, unsigned long gfn,
                                 struct page_info **pg)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(d);
    struct page_info *old = *pg, *new = spare_page(d);
    int rc;

    if ( !new )
        return CLOISTER_WHY_foreign_map;

    copy_domain_page(page_to_mfn(new), page_to_mfn(old));
    d->arch.cloister->moving = true;
    rc = p2m_set_entry(p2m, _gfn(gfn), page_to_mfn(new), PAGE_ORDER_4K,
                       p2m_ram_rw, p2m->default_access);
    d->arch.cloister->moving = false;
    if ( rc )
    {
        put_page_alloc_ref(new);
        limit_pages(d, -1);
        return CLOISTER_WHY_foreign_map;
    }
    set_gpfn_from_mfn(mfn_x(page_to_mfn(old)), INVALID_M2P_ENTRY);
    set_gpfn_from_mfn(mfn_x(page_to_mfn(new)), gfn);

    cloister_remove(d, old);
    put_page_alloc_ref(old);
    d->arch.cloister->moved++;
    *pg = new;

    return CLOISTER_WHY_none;
}

/*
 * The console and xenstore daemons have mapped their rings by grant since
 * the build.  Asked before any p2m lock is taken; if they come or go now the
 * seal is refused, and can be tried again.
 */
static void find_rings(struct domain *d)
{
    struct cloister_ring *r = d->arch.cloister->ring;
    unsigned int i;

    for ( i = 0; i < CLOISTER_RINGS; i++ )
        r[i] = (struct cloister_ring){
            .gfn = d->arch.hvm.params[cloister_ring_param[i]] ?: ~0UL,
            .mfn = INVALID_MFN,
        };
    r[CLOISTER_RING_console].pins =
        gnttab_pins(d, GNTTAB_RESERVED_CONSOLE, &r[CLOISTER_RING_console].mfn);
    r[CLOISTER_RING_store].pins =
        gnttab_pins(d, GNTTAB_RESERVED_XENSTORE, &r[CLOISTER_RING_store].mfn);
}

static unsigned int ring_pins(const struct domain *d, unsigned long gfn,
                              const struct page_info *pg)
{
    const struct cloister_domain *cd = d->arch.cloister;
    unsigned int i = cloister_ring(cd, gfn);

    return i < CLOISTER_RINGS && mfn_eq(cd->ring[i].mfn, page_to_mfn(pg))
           ? cd->ring[i].pins : 0;
}

/*
 * Whoever maps the page by anything but a grant must not see what the guest
 * writes from now on.  A granted page cannot be moved under its mapper: that
 * is fine for the rings, as long as grants account for every reference, and
 * for no other page.
 */
enum cloister_reason cloister_cut(struct domain *d, unsigned long gfn,
                                  const struct cl_page *p,
                                  struct page_info **pg)
{
    unsigned int others = others_refs(*pg);

    if ( !others )
        return CLOISTER_WHY_none;
    if ( !p->shares )
        return move(d, gfn, pg);

    return others == ring_pins(d, gfn, *pg) ? CLOISTER_WHY_none
                                            : CLOISTER_WHY_foreign_map;
}

static struct cl_page *entry(const struct page_info *pg)
{
    return cl_ppt_find(&cloister_ppt, mfn_x(page_to_mfn(pg)));
}

/*
 * Of a domain that is restored, all pages are in place already, each where its
 * record says; but for a ring, when it is its turn (restore_pages.c).
 */
static enum cloister_reason restored_page(const struct cloister_domain *cd,
                                          const struct cl_page *p,
                                          unsigned long gfn)
{
    if ( p->state != CL_PAGE_BUILDING )
        return p->gfn == gfn ? CLOISTER_WHY_none : CLOISTER_WHY_bad_page;

    return CLOISTER_WHY_rec_extra;
}

enum cloister_reason cloister_seal_page(struct domain *d, unsigned long gfn,
                                        mfn_t mfn)
{
    struct cloister_domain *cd = d->arch.cloister;
    enum cloister_reason why;
    struct page_info *pg;
    int rc;

    if ( !mfn_valid(mfn) )
        return CLOISTER_WHY_bad_page;

    pg = mfn_to_page(mfn);
    if ( page_get_owner(pg) != d || is_special_page(pg) || !entry(pg) )
        return CLOISTER_WHY_bad_page;
    if ( cd->restore && (cloister_ring(cd, gfn) == CLOISTER_RINGS ||
                         entry(pg)->state != CL_PAGE_BUILDING) )
        return restored_page(cd, entry(pg), gfn);

    why = cloister_cut(d, gfn, entry(pg), &pg);
    if ( why )
        return why;
    /* Of a domain that is restored, and nobody's: nothing of dom0's in it. */
    if ( cd->restore && cloister_ring(cd, gfn) >= CLOISTER_RING_ioreq )
        clear_domain_page(page_to_mfn(pg));

    spin_lock(&cd->lock);
    rc = cl_page_seal(&cd->vm, entry(pg), gfn);
    spin_unlock(&cd->lock);

    return rc ? CLOISTER_WHY_bad_page : CLOISTER_WHY_none;
}

/*
 * The entry of the memory map at *gfn, which it moves behind what was sealed:
 * to the page that is the reason, if there is one.
 */
static enum cloister_reason seal_entry(struct domain *d, unsigned long *gfn)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(d);
    enum cloister_reason why = CLOISTER_WHY_none;
    unsigned long first = *gfn, i, nr;
    unsigned int order;
    p2m_type_t t;
    p2m_access_t a;
    mfn_t mfn = get_gfn_type_access(p2m, first, &t, &a, 0, &order);

    nr = (1UL << order) - (first & ((1UL << order) - 1));
    if ( p2m_is_ram(t) && ((t != p2m_ram_rw && t != p2m_ram_asleep) ||
                           a != p2m_access_rwx) )
        why = CLOISTER_WHY_bad_page;
    else if ( p2m_is_ram(t) )
    {
        /* At most one leaf's worth at a time, so that others get a turn. */
        nr = min(nr, 512UL);
        for ( i = 0; i < nr && !why; i++ )
            why = cloister_seal_page(d, first + i, mfn_add(mfn, i));
        nr = why ? i - 1 : nr;
    }
    else if ( !p2m_is_hole(t) )
        why = CLOISTER_WHY_bad_page;
    put_gfn(d, first);
    *gfn = first + nr;

    return why;
}

/* The whole memory map: -ERESTART, or 0 with *why set. */
static int seal_map(struct domain *d, enum cloister_reason *why)
{
    const struct p2m_domain *p2m = p2m_get_hostp2m(d);
    unsigned long *gfn = &d->arch.cloister->cursor;

    while ( *gfn <= p2m->max_mapped_pfn )
    {
        *why = seal_entry(d, gfn);
        if ( *why )
            return 0;
        if ( hypercall_preempt_check() )
            return -ERESTART;
    }

    return 0;
}

/*
 * Rings once more: a grant may have been let go of as the page was looked at,
 * in favour of a mapping.  No new mapping can come now.
 */
static bool only_granted(struct domain *d)
{
    const struct cloister_ring *r = d->arch.cloister->ring;
    const struct page_info *pg;
    unsigned int i;

    find_rings(d);
    for ( i = 0; i < CLOISTER_RINGS; i++ )
    {
        if ( mfn_eq(r[i].mfn, INVALID_MFN) )
            continue;
        pg = mfn_to_page(r[i].mfn);
        if ( !is_allocated(pg) || others_refs(pg) != r[i].pins )
            return false;
    }

    return true;
}

/* -ERESTART, or 0 with *why set. */
int cloister_seal_pages(struct domain *d, enum cloister_reason *why)
{
    struct cloister_domain *cd = d->arch.cloister;
    int rc;

    find_rings(d);
    rc = cd->restore ? cloister_restore_pages(d, why) : 0;
    /* What a restored domain has is in place: is there anything else? */
    if ( !rc && !*why && (!cd->restore || cd->odd_map) )
        rc = seal_map(d, why);
    if ( rc || *why )
        return rc;

    /*
     * Every page that the domain owns must have been in the map.  Extra
     * pages are Xen's own, frames that were moved are with whoever maps them.
     */
    if ( cd->vm.pages[CL_PAGE_BUILDING] != d->extra_pages )
        *why = CLOISTER_WHY_orphan;

    if ( !*why && !only_granted(d) )
        *why = CLOISTER_WHY_foreign_map;

    return 0;
}

void cloister_unseal_pages(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct page_info *pg;

    nrspin_lock(&d->page_alloc_lock);
    spin_lock(&cd->lock);
    page_list_for_each ( pg, &d->page_list )
        cl_page_unseal(&cd->vm, entry(pg));
    spin_unlock(&cd->lock);
    nrspin_unlock(&d->page_alloc_lock);
}
