/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger: what others have been refused.  Bounded, and only Xen writes
 * to it.  Who repeats himself gets one entry with a count, and a line in the
 * log only when the count has doubled.
 */

#include "policy_table.h"
#include "private.h"

static DEFINE_SPINLOCK(ledger_lock);    /* innermost; any context */
static struct cloister_ledger ledger[CLOISTER_LEDGER_SIZE];
static uint64_t newest;
static uint64_t host_counts[CLOISTER_COUNTS];

static bool same(const struct cloister_ledger *a,
                 const struct cloister_ledger *b)
{
    return a->number && a->domid == b->domid && a->caller == b->caller &&
           a->call == b->call && a->op == b->op && a->reason == b->reason &&
           !memcmp(a->uuid, b->uuid, sizeof(a->uuid));
}

/* The entry of this kind of request: one that is there, or the oldest. */
static struct cloister_ledger *find(const struct cloister_ledger *wanted)
{
    struct cloister_ledger *e;
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(ledger); i++ )
        if ( same(&ledger[i], wanted) )
            return &ledger[i];

    e = &ledger[++newest % ARRAY_SIZE(ledger)];
    *e = *wanted;
    e->number = newest;
    e->first = NOW();

    return e;
}

/* How often this has been refused now. */
static uint64_t enter(const struct domain *d,
                      const struct cloister_ledger *wanted)
{
    uint64_t *counts = d ? d->arch.cloister->counts : host_counts;
    struct cloister_ledger *e;
    unsigned long flags;
    uint64_t count;

    spin_lock_irqsave(&ledger_lock, flags);
    counts[wanted->reason - CLOISTER_COUNT_FIRST]++;
    if ( d )
        d->arch.cloister->refused++;
    e = find(wanted);
    count = ++e->count;
    e->last = NOW();
    e->detail = wanted->detail;
    spin_unlock_irqrestore(&ledger_lock, flags);

    return count;
}

void cloister_note(const struct domain *d, unsigned int call, unsigned int op,
                   enum cloister_reason why, uint64_t detail)
{
    struct cloister_ledger e = {
        .revision = CLOISTER_ABI_REVISION,
        .domid = CLOISTER_DOMID_HOST,
        .caller = current->domain->domain_id,
        .call = call,
        .op = op,
        .reason = why,
        .detail = detail,
    };
    uint64_t count;

    /* Numbers that mean nothing do not push out entries that do. */
    if ( why == CLOISTER_WHY_unknown_op &&
         cloister_rule(call, op) == CLOISTER_RULE_unknown )
    {
        e.op = CLOISTER_OP_UNKNOWN;
        e.detail = op;
    }
    if ( d && !d->arch.cloister )
        d = NULL;
    if ( d )
    {
        e.domid = d->domain_id;
        memcpy(e.uuid, d->handle, sizeof(e.uuid));
    }
    count = enter(d, &e);

    if ( count & (count - 1) )
        return;
    if ( d )
        printk(XENLOG_G_WARNING
               "Cloister: %pd: refused to %pd (%u %u %#lx, %lu times): %s\n",
               d, current->domain, call, op, e.detail, count,
               cloister_reason_text(why));
    else
        printk(XENLOG_G_WARNING
               "Cloister: host: refused to %pd (%u %u %#lx, %lu times): %s\n",
               current->domain, call, op, e.detail, count,
               cloister_reason_text(why));
}

int cloister_ledger_get(struct cloister_ledger *e)
{
    uint64_t nr = e->number;
    unsigned long flags;
    int rc = -ENOENT;

    spin_lock_irqsave(&ledger_lock, flags);
    if ( nr && nr <= newest && newest - nr < ARRAY_SIZE(ledger) )
    {
        *e = ledger[nr % ARRAY_SIZE(ledger)];
        rc = 0;
    }
    spin_unlock_irqrestore(&ledger_lock, flags);

    return rc;
}

static void get_counts(const uint64_t *from, struct cloister_counts *to)
{
    unsigned long flags;

    spin_lock_irqsave(&ledger_lock, flags);
    memcpy(to->counts, from, sizeof(to->counts));
    to->newest = newest;
    spin_unlock_irqrestore(&ledger_lock, flags);
}

int cloister_counts_get(struct cloister_counts *c)
{
    struct domain *d;
    int rc = 0;

    if ( c->domid == CLOISTER_DOMID_HOST )
    {
        get_counts(host_counts, c);
        return 0;
    }

    d = rcu_lock_domain_by_id(c->domid);
    if ( !d )
        return -ESRCH;
    if ( d->arch.cloister )
        get_counts(d->arch.cloister->counts, c);
    else
        rc = -ENOENT;
    rcu_unlock_domain(d);

    return rc;
}
