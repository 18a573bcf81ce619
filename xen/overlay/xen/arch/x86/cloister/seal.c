/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Seal: from now on nobody but the guest sees its memory.
 *
 * Runs at the unpause that would run the domain for the first time, with the
 * domain paused and under the domctl lock.  Either everything on the list
 * holds and the domain is sealed, or it is as it was before and the reason
 * is on record.
 */

#include <xen/sched.h>
#include <xen/softirq.h>

#include <asm/flushtlb.h>

#include "private.h"
#include "seal.h"

#define TPM_PATIENCE    SECONDS(20)
#define LAST_PATIENCE   SECONDS(600)    /* nobody else has the guest any more */

static void set_state(struct cloister_domain *cd, unsigned int state)
{
    spin_lock(&cd->lock);
    write_atomic(&cd->state, state);
    cd->vm.sealed = state == CLOISTER_DOM_sealed;
    spin_unlock(&cd->lock);
    /* Before any page's references are looked at: see views.c. */
    smp_mb();
}

/* Reasons that come with the gfn of a page. */
static bool is_about_page(enum cloister_reason why)
{
    return why == CLOISTER_WHY_bad_page || why == CLOISTER_WHY_foreign_map ||
           why == CLOISTER_WHY_rec_page || why == CLOISTER_WHY_rec_missing ||
           why == CLOISTER_WHY_rec_extra;
}

static int refuse(struct domain *d, enum cloister_reason why)
{
    struct cloister_domain *cd = d->arch.cloister;
    uint64_t detail = is_about_page(why) ? cd->cursor : 0;

    if ( cd->state == CLOISTER_DOM_sealing && cd->restore )
    {
        /* It may hold saved pages in the clear: closed to all, for good. */
        set_state(cd, CLOISTER_DOM_dying);
        cloister_restore_drop(cd);
    }
    else if ( cd->state == CLOISTER_DOM_sealing )
    {
        cloister_unseal_pages(d);
        set_state(cd, CLOISTER_DOM_building);
    }
    cloister_restore_untake(cd);
    cloister_event_end(d);
    cloister_measure_drop(cd);
    cloister_key_drop(cd);
    cd->cursor = 0;
    cd->deadline = 0;
    cd->grace = 0;
    cloister_refuse(d, why, detail);

    return -EOPNOTSUPP;
}

/*
 * Is everybody through who asked about the domain while it was open, and does
 * what they asked for only now?  They hold the RCU lock for all of that: a
 * grace period that begins now is the answer.  All under the domctl lock, but
 * for end_grace().
 */
static uint64_t grace_begun, grace_ended;

static void cf_check end_grace(struct rcu_head *head)
{
    write_atomic(&grace_ended, grace_begun);
}

static bool is_settled(struct cloister_domain *cd)
{
    static struct rcu_head head;

    if ( !cd->grace )
        cd->grace = grace_begun + 1;
    if ( read_atomic(&grace_ended) >= cd->grace )
        return true;

    if ( read_atomic(&grace_ended) == grace_begun )
    {
        grace_begun++;
        call_rcu(&head, end_grace);
    }
    raise_softirq(SCHEDULE_SOFTIRQ);

    return false;
}

/* The TPM may need a while: the hypercall comes back until it is too late. */
static int wait_for_tpm(struct cloister_domain *cd)
{
    if ( !cd->deadline )
        cd->deadline = NOW() + (cloister_restore_is_foreign(cd)
                                ? LAST_PATIENCE : TPM_PATIENCE);
    if ( NOW() > cd->deadline )
        return 0;

    /* After others have had the CPU. */
    raise_softirq(SCHEDULE_SOFTIRQ);

    return -ERESTART;
}

static int take_key(struct cloister_domain *cd, enum cloister_reason *why)
{
    if ( cd->slot >= 0 )
        return 0;

    *why = cloister_key_take(cd);
    if ( *why != CLOISTER_WHY_tpm_busy || !wait_for_tpm(cd) )
        return 0;

    *why = CLOISTER_WHY_none;

    return -ERESTART;
}

/* The PCR knows of the launch before the guest runs. */
static int record_launch(struct domain *d, enum cloister_reason *why)
{
    struct cloister_domain *cd = d->arch.cloister;

    if ( cloister_event_launch(d) )
    {
        *why = CLOISTER_WHY_events_full;
        return 0;
    }
    if ( cloister_events_settled() || cloister_unsafe_lab )
        return 0;

    if ( wait_for_tpm(cd) )
        return -ERESTART;

    *why = CLOISTER_WHY_pcr_busy;

    return 0;
}

static void announce_sealed(const struct domain *d)
{
    const struct cloister_domain *cd = d->arch.cloister;

    printk(XENLOG_G_INFO "Cloister: %pd sealed: %lu pages, epoch %lu%s\n", d,
           cd->vm.pages[CL_PAGE_PRIVATE], cd->vm.key->epoch,
           cloister_unsafe_lab ? ", UNSAFE LAB MODE" : "");
}

/*
 * Host, domain and, if asked for, the record that it is restored from: none of
 * them forbids it, and the domain has a key.  -ERESTART, or 0 with *why set.
 */
static int ask(struct domain *d, bool record, enum cloister_reason *why)
{
    *why = cloister_host_reason() ?: cloister_domain_reason(d);
    if ( !*why && record )
        *why = cloister_restore_check(d);

    return *why ? 0 : take_key(d->arch.cloister, why);
}

int cloister_seal_could(struct domain *d, enum cloister_reason *why)
{
    int rc = ask(d, false, why);

    if ( !rc )
        d->arch.cloister->deadline = 0;

    return rc;
}

/* Nothing has been done to it yet: -ERESTART, or 0 with *why set. */
static int begin(struct domain *d, enum cloister_reason *why)
{
    struct cloister_domain *cd = d->arch.cloister;
    int rc = ask(d, true, why);

    if ( !rc && !*why )
        *why = cloister_restore_take(cd, &rc);
    if ( !rc && !*why )
    {
        /* A seal that was refused may have come so far. */
        write_atomic(&cd->cut, false);
        set_state(cd, CLOISTER_DOM_sealing);
    }

    return rc;
}

/* What it starts from, for those who ask: -ERESTART, or 0 with *why set. */
static int measure(struct domain *d, enum cloister_reason *why)
{
    struct cloister_domain *cd = d->arch.cloister;
    int rc = 0;

    /* A restored guest was measured when it was launched. */
    if ( cd->restore )
        *why = cloister_restore_log(cd);
    else
        rc = cloister_measure(d, why);
    if ( !rc && !*why )
        rc = record_launch(d, why);

    return rc;
}

static enum cloister_reason finish(struct domain *d)
{
    enum cloister_reason why = cloister_siom_prepare(d);

    if ( !why )
        why = d->arch.cloister->restore ? cloister_restore_finish(d)
                                        : cloister_siom_attach(d);
    if ( why )
        cloister_siom_detach(d);

    return why;
}

/* Nobody need ask for the protection of a guest that xl builds anew. */
static int want_recalled(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;

    if ( !cloister_recalled(d) )
        return 0;
    if ( cd )
    {
        cd->wanted = true;
        return 0;
    }

    cloister_refuse(d, CLOISTER_WHY_pv_guest, 0);

    return -EOPNOTSUPP;
}

int cloister_seal(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    enum cloister_reason why = CLOISTER_WHY_none;
    int rc = want_recalled(d);

    if ( rc || likely(!cd) || !cd->wanted ||
         cd->state == CLOISTER_DOM_sealed )
        return rc;
    if ( d->is_dying )
        return 0;
    if ( cd->state == CLOISTER_DOM_dying )
        return refuse(d, CLOISTER_WHY_rec_failed);

    if ( cd->state == CLOISTER_DOM_building )
        rc = begin(d, &why);
    if ( rc || why )
        return rc ?: refuse(d, why);
    if ( !is_settled(cd) )
        return -ERESTART;

    if ( !cd->measuring && !cd->log )
    {
        cd->deadline = 0;
        rc = cloister_seal_pages(d, &why);
        if ( rc )
            return rc;
        /*
         * A PV domain's mapping may be gone from its tables, and so from the
         * count of references, and still be in a TLB.
         */
        flush_all(FLUSH_TLB_GLOBAL | FLUSH_HVM_ASID_CORE);
        if ( !why )
            write_atomic(&cd->cut, true);
    }

    /* Once more, as nobody can map anything of the domain any longer. */
    why = why ?: cloister_domain_reason(d);
    rc = why ? 0 : measure(d, &why);
    if ( rc )
        return rc;
    why = why ?: finish(d);
    if ( why )
        return refuse(d, why);

    cloister_request_overwrite();
    cd->reason = CLOISTER_WHY_none;
    set_state(cd, CLOISTER_DOM_sealed);
    announce_sealed(d);

    return 0;
}
