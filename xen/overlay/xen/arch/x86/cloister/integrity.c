/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sealed domain's memory map: only the domain itself changes it, and death.
 * And nobody else's devices reach what is in it.
 */

#include <asm/p2m.h>

#include "private.h"

/* From the seal's beginning on, but for what the seal itself moves. */
static bool is_closed(const struct domain *d)
{
    const struct cloister_domain *cd = d->arch.cloister;

    return cd && read_atomic(&cd->state) >= CLOISTER_DOM_sealing &&
           !cd->moving;
}

/*
 * The page of its APIC that VMX needs in every domain: put into the map at
 * the very end of the build, which is after the seal.
 */
static bool is_apic_page(const struct domain *d, mfn_t mfn, p2m_type_t t)
{
    return t == p2m_mmio_direct && mfn_valid(mfn) &&
           page_get_owner(mfn_to_page(mfn)) == d &&
           (mfn_to_page(mfn)->count_info & PGC_extra);
}

static bool is_plain(p2m_type_t t)
{
    return t == p2m_ram_rw || t == p2m_ram_logdirty || t == p2m_ram_asleep;
}

/*
 * True holes, and pages that are the domain's and of whose kind all may be.  (A
 * hole with a frame in it hides a page that the domain still has.)
 */
static bool is_usual(const struct domain *d, mfn_t mfn, unsigned int order,
                     p2m_type_t t, p2m_access_t a)
{
    unsigned long i;

    if ( p2m_is_hole(t) )
        return !mfn_valid(mfn);
    if ( t != p2m_ram_rw || a != p2m_access_rwx )
        return false;
    for ( i = 0; i < (1UL << order); i++ )
        if ( !mfn_valid(mfn_add(mfn, i)) ||
             page_get_owner(mfn_to_page(mfn_add(mfn, i))) != d ||
             is_special_page(mfn_to_page(mfn_add(mfn, i))) )
            return false;

    return true;
}

/* Nothing changes but the kind of access: log-dirty does that. */
static bool is_same_page(struct p2m_domain *p2m, gfn_t gfn, mfn_t mfn,
                         unsigned int order, p2m_type_t t)
{
    unsigned int now;
    p2m_type_t old;
    p2m_access_t a;
    mfn_t there = p2m->get_entry(p2m, gfn, &old, &a, 0, &now, NULL);

    return mfn_eq(there, mfn) && now >= order && is_plain(old) &&
           is_plain(t);
}

int cloister_may_set_entry(struct p2m_domain *p2m, gfn_t gfn, mfn_t mfn,
                           unsigned int order, unsigned int type,
                           unsigned int access)
{
    const struct domain *d = p2m->domain;
    bool closed = is_closed(d);

    if ( !closed && d->arch.cloister && !d->arch.cloister->odd_map &&
         !is_usual(d, mfn, order, type, access) )
        d->arch.cloister->odd_map = true;
    if ( likely(!closed) || d == current->domain || d->is_dying ||
         is_apic_page(d, mfn, type) ||
         is_same_page(p2m, gfn, mfn, order, type) )
        return 0;

    cloister_note(d, CLOISTER_CALL_p2m, type, CLOISTER_WHY_memory_map,
                  gfn_x(gfn));

    return -EPERM;
}

/*
 * The domain may fill holes.  What it has is not replaced, not even by
 * itself: the old page would be the domain's, but out of its map.
 */
int cloister_may_populate(struct domain *d, unsigned long gfn,
                          unsigned int order)
{
    unsigned long i;
    p2m_type_t t;

    if ( likely(!cloister_sealed(d)) )
        return 0;

    for ( i = 0; i < (1UL << order); i++ )
    {
        get_gfn_query_unlocked(d, gfn + i, &t);
        if ( p2m_is_any_ram(t) )
            return -EEXIST;
    }

    return 0;
}

static bool may_reach(const struct domain *d, mfn_t mfn, unsigned int flags)
{
    const struct domain *owner;
    const struct cl_page *p;
    bool granted;

    if ( !mfn_valid(mfn) )
        return true;

    owner = page_get_owner(mfn_to_page(mfn));
    if ( owner == d || !owner )
        return true;
    if ( owner == dom_view )
        return !(flags & IOMMUF_writable);
    if ( !cloister_sealed(owner) )
        return true;

    /* What the domain has granted, devices of the grantee may reach. */
    cloister_table_lock();
    p = cl_ppt_find(&cloister_ppt, mfn_x(mfn));
    granted = p && p->shares;
    cloister_table_unlock();

    return granted;
}

int cloister_may_dma(const struct domain *d, mfn_t mfn, unsigned long nr,
                     unsigned int flags)
{
    unsigned long i;

    if ( !dom_view )
        return 0;

    for ( i = 0; i < nr; i++ )
        if ( !may_reach(d, mfn_add(mfn, i), flags) )
        {
            cloister_note(page_get_owner(mfn_to_page(mfn_add(mfn, i))),
                          CLOISTER_CALL_dma, flags, CLOISTER_WHY_dma,
                          mfn_x(mfn) + i);
            return -EPERM;
        }

    return 0;
}
