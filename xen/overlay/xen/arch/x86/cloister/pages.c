/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page's life: the hooks that move it through the states in smm.h.
 *
 * An entry is found by machine frame number, never by the M2P table, which
 * others can write to.
 */

#include <xen/domain_page.h>

#include "private.h"

static struct cl_page *entry(const struct page_info *pg)
{
    return cl_ppt_find(&cloister_ppt, mfn_x(page_to_mfn(pg)));
}

int cloister_assign(struct domain *d, struct page_info *pg, unsigned int nr)
{
    struct cloister_domain *cd = d->arch.cloister;
    unsigned int i;
    int rc;

    if ( likely(!cd) )
        return 0;

    rc = cloister_table_hold(mfn_x(page_to_mfn(pg)), nr);
    if ( rc )
    {
        /* A sealed domain that asks for more simply does not get it. */
        if ( !cloister_sealed(d) )
            cloister_refuse(d, CLOISTER_WHY_no_memory, nr);
        return rc;
    }

    spin_lock(&cd->lock);
    for ( i = 0; i < nr; i++ )
    {
        rc = cl_page_assign(&cd->vm, entry(pg + i));
        /* A frame from the heap is free: cloister_free saw to that. */
        BUG_ON(rc);
    }
    spin_unlock(&cd->lock);

    return 0;
}

static void free_one(struct cloister_domain *cd, struct page_info *pg)
{
    void *mem = map_domain_page(page_to_mfn(pg));
    int rc;

    spin_lock(&cd->lock);
    rc = cl_page_free(&cd->vm, entry(pg), mem);
    spin_unlock(&cd->lock);

    /* Unwiped memory must never reach the heap. */
    BUG_ON(rc);
    unmap_domain_page(mem);
}

void cloister_unassign(struct domain *d, struct page_info *pg,
                       unsigned int nr)
{
    struct cloister_domain *cd = d->arch.cloister;
    unsigned int i;

    if ( likely(!cd) )
        return;

    for ( i = 0; i < nr; i++ )
        free_one(cd, pg + i);
    cloister_table_drop(mfn_x(page_to_mfn(pg)), nr);
}

void cloister_free(struct domain *d, struct page_info *pg,
                   unsigned int order)
{
    cloister_unassign(d, pg, 1u << order);
}

void cloister_populate(struct domain *d, mfn_t mfn, unsigned long gfn,
                       unsigned int order)
{
    struct cloister_domain *cd = d->arch.cloister;
    unsigned long i;

    if ( likely(!cd) )
        return;

    /* A page that cannot be bound stays closed to everyone but its owner. */
    spin_lock(&cd->lock);
    for ( i = 0; i < (1UL << order); i++ )
        cl_page_bind(&cd->vm, entry(mfn_to_page(mfn) + i), gfn + i);
    spin_unlock(&cd->lock);
}

void cloister_remove(struct domain *d, struct page_info *pg)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cl_page *p;

    if ( likely(!cd) )
        return;

    spin_lock(&cd->lock);
    p = entry(pg);
    if ( p )
        cl_page_leave(&cd->vm, p);
    spin_unlock(&cd->lock);
}

bool cloister_share(struct domain *d, mfn_t mfn)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cl_page *p;
    bool shared;

    if ( likely(!cd) )
        return false;

    spin_lock(&cd->lock);
    cloister_table_lock();
    p = cl_ppt_find(&cloister_ppt, mfn_x(mfn));
    shared = p && !cl_page_share(&cd->vm, p);
    cloister_table_unlock();
    spin_unlock(&cd->lock);

    return shared;
}

void cloister_unshare(struct domain *d, mfn_t mfn)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cl_page *p;

    if ( !cd )
        return;

    /*
     * The last reference may be gone already, and the page's entry with it:
     * under the table's lock the leaf stays, and the verb checks the rest.
     */
    spin_lock(&cd->lock);
    cloister_table_lock();
    p = cl_ppt_find(&cloister_ppt, mfn_x(mfn));
    if ( p )
        cl_page_unshare(&cd->vm, p);
    cloister_table_unlock();
    spin_unlock(&cd->lock);
}
