/* SPDX-License-Identifier: GPL-2.0-only */
/* A domain's life under SMM, from creation to destruction. */

#include <cloister/recall.h>

#include "private.h"

static DEFINE_SPINLOCK(recall_lock);
static struct cl_recall ended;      /* protected domains; under recall_lock */

/*
 * With cloister=optin a domain is protected if somebody asks.  For one that xl
 * builds anew, as the guest has rebooted, nobody does: it has the UUID of one
 * that was protected.
 */
static void recall(const struct domain *d)
{
    if ( cloister_mode != CLOISTER_MODE_optin )
        return;

    spin_lock(&recall_lock);
    cl_recall_add(&ended, d->handle);
    spin_unlock(&recall_lock);
}

bool cloister_recalled(const struct domain *d)
{
    bool found;

    if ( cloister_mode != CLOISTER_MODE_optin )
        return false;

    spin_lock(&recall_lock);
    found = cl_recall_has(&ended, d->handle);
    spin_unlock(&recall_lock);

    return found;
}

void cloister_forget(const struct domain *d)
{
    spin_lock(&recall_lock);
    cl_recall_drop(&ended, d->handle);
    spin_unlock(&recall_lock);
}

/*
 * Every domain that may come to be protected is under SMM's control from its
 * first page on: control cannot be taken later without missing a page that
 * comes or goes at that moment.
 */
int cloister_domain_create(struct domain *d)
{
    struct cloister_domain *cd;

    if ( cloister_mode == CLOISTER_MODE_off || is_hardware_domain(d) ||
         !is_hvm_domain(d) || !cloister_ppt.root )
        return 0;

    cd = xzalloc(struct cloister_domain);
    if ( !cd )
        return -ENOMEM;

    spin_lock_init(&cd->lock);
    cd->state = CLOISTER_DOM_building;
    cd->wanted = cloister_mode == CLOISTER_MODE_on;
    cd->vm.id = d->domain_id;
    cd->slot = -1;
    cd->from = -1;
    d->arch.cloister = cd;

    return 0;
}

void cloister_domain_destroy(struct domain *d)
{
    if ( d->arch.cloister )
    {
        cloister_measure_drop(d->arch.cloister);
        /* Not when it is killed: a seal may be under way then. */
        cloister_restore_drop(d->arch.cloister);
        cloister_siom_destroy(d);
        cloister_secret_drop(d->arch.cloister);
    }
    XFREE(d->arch.cloister);
}

void cloister_domain_kill(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;

    if ( !cd )
        return;

    /* The key goes first: nothing that is left can be decrypted with it. */
    if ( cloister_sealed(d) )
        recall(d);
    spin_lock(&cd->lock);
    if ( cd->state >= CLOISTER_DOM_sealing )
        write_atomic(&cd->state, CLOISTER_DOM_dying);
    spin_unlock(&cd->lock);
    cloister_event_end(d);
    cloister_key_drop(cd);
    cloister_dump_drop(cd);
    cloister_secret_drop(cd);
    cloister_siom_detach(d);
    if ( !cd->restore )
        cloister_key_disown(cd);
}

void cloister_context_switch(const struct vcpu *prev, const struct vcpu *next)
{
    struct cloister_domain *from = prev->domain->arch.cloister;
    struct cloister_domain *to = next->domain->arch.cloister;

    ASSERT(cloister_batch_ended());

    /* Feeds the policy of rest.c. */
    if ( from )
        from->last_run = NOW();
    if ( to )
        to->last_run = NOW();
    cloister_siom_switch(next->domain);
}

bool cloister_hides_state(const struct vcpu *v)
{
    return system_state >= SYS_STATE_smp_boot && cloister_sealed(v->domain);
}
