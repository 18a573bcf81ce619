/* SPDX-License-Identifier: GPL-2.0-only */
/* A domain's life under SMM, from creation to destruction. */

#include <xen/percpu.h>

#include "private.h"

/*
 * Key of the VM whose registers are live on this CPU, NULL if it has none.
 * Follows curr_vcpu, not current: an idle CPU may still hold a guest.
 */
static DEFINE_PER_CPU(const struct cl_key *, active_key);

static struct cloister_domain *new_record(const struct domain *d)
{
    struct cloister_domain *cd = xzalloc(struct cloister_domain);

    if ( cd )
    {
        spin_lock_init(&cd->lock);
        cd->state = CLOISTER_DOM_building;
        cd->vm.id = d->domain_id;
        cd->slot = -1;
    }

    return cd;
}

int cloister_domain_create(struct domain *d)
{
    if ( cloister_mode != CLOISTER_MODE_on || is_hardware_domain(d) ||
         !is_hvm_domain(d) || !cloister_ppt.root )
        return 0;

    d->arch.cloister = new_record(d);

    return d->arch.cloister ? 0 : -ENOMEM;
}

void cloister_domain_destroy(struct domain *d)
{
    XFREE(d->arch.cloister);
}

/* Enters the pages of one of the domain's lists.  Under page_alloc_lock. */
static int adopt_list(struct cloister_domain *cd,
                      struct page_list_head *list)
{
    struct page_info *pg;
    int rc;

    page_list_for_each ( pg, list )
    {
        unsigned long mfn = mfn_x(page_to_mfn(pg));

        rc = cloister_table_hold(mfn, 1);
        if ( rc )
            return rc;
        rc = cl_page_assign(&cd->vm, cl_ppt_find(&cloister_ppt, mfn));
        if ( rc )
            return rc;
    }

    return 0;
}

/* Takes back what adopt_list has entered: the first pages of the list. */
static void disown_list(struct cloister_domain *cd,
                        struct page_list_head *list)
{
    struct page_info *pg;
    struct cl_page *p;

    page_list_for_each ( pg, list )
    {
        p = cl_ppt_find(&cloister_ppt, mfn_x(page_to_mfn(pg)));
        if ( !p || p->state == CL_PAGE_FREE || p->owner != cd->vm.id )
            break;
        memset(p, 0, sizeof(*p));
        cloister_table_drop(mfn_x(page_to_mfn(pg)), 1);
    }
}

int cloister_adopt(struct domain *d)
{
    struct cloister_domain *cd = new_record(d);
    int rc;

    if ( !cd )
        return -ENOMEM;

    /* Nothing comes or goes while both lists are entered. */
    nrspin_lock(&d->page_alloc_lock);
    rc = adopt_list(cd, &d->page_list);
    if ( !rc )
    {
        rc = adopt_list(cd, &d->extra_page_list);
        if ( rc )
            disown_list(cd, &d->extra_page_list);
    }
    if ( rc )
        disown_list(cd, &d->page_list);
    else
        d->arch.cloister = cd;
    nrspin_unlock(&d->page_alloc_lock);

    if ( rc )
    {
        xfree(cd);
        cloister_refuse(d, CLOISTER_WHY_no_memory, 0);
    }

    return rc;
}

void cloister_domain_kill(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;

    if ( !cd )
        return;

    /* The key goes first: nothing that is left can be decrypted with it. */
    spin_lock(&cd->lock);
    if ( cd->state >= CLOISTER_DOM_sealing )
        write_atomic(&cd->state, CLOISTER_DOM_dying);
    spin_unlock(&cd->lock);
    cloister_key_drop(cd);
}

void cloister_context_switch(const struct vcpu *prev, const struct vcpu *next)
{
    struct cloister_domain *from = prev->domain->arch.cloister;
    const struct cloister_domain *to = next->domain->arch.cloister;

    if ( from )
        from->last_run = NOW();
    this_cpu(active_key) = to ? to->vm.key : NULL;
}
