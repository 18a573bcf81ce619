/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Refusals: what the reasons are in words, and the ring of the newest ones
 * that cloister(1) reads.
 */

#include <xen/lib.h>
#include <xen/sched.h>
#include <xen/spinlock.h>
#include <xen/time.h>

#include "private.h"

#define RING            32

static const char *const reason_texts[] = {
#define CLOISTER_REASON_TEXT(nr, name, what, mend) [nr] = what,
    CLOISTER_REASONS(CLOISTER_REASON_TEXT)
#undef CLOISTER_REASON_TEXT
};

static DEFINE_SPINLOCK(ring_lock);
static struct cloister_refusal ring[RING];
static uint64_t newest;

const char *cloister_reason_text(enum cloister_reason why)
{
    return why < ARRAY_SIZE(reason_texts) ? reason_texts[why] : "?";
}

uint64_t cloister_refusals(void)
{
    return read_atomic(&newest);
}

int cloister_refusal_get(struct cloister_refusal *r)
{
    int rc = -ENOENT;
    uint64_t nr = r->number;

    spin_lock(&ring_lock);
    if ( nr && nr <= newest && newest - nr < RING )
    {
        *r = ring[nr % RING];
        rc = 0;
    }
    spin_unlock(&ring_lock);

    return rc;
}

void cloister_refuse(struct domain *d, enum cloister_reason why,
                     uint64_t detail)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cloister_refusal *r;

    if ( cd )
    {
        cd->reason = why;
        cd->detail = detail;
    }

    spin_lock(&ring_lock);
    r = &ring[++newest % RING];
    *r = (struct cloister_refusal){
        .revision = CLOISTER_ABI_REVISION,
        .domid = d->domain_id,
        .number = newest,
        .time = NOW(),
        .reason = why,
        .detail = detail,
    };
    memcpy(r->uuid, d->handle, sizeof(r->uuid));
    spin_unlock(&ring_lock);

    printk(XENLOG_G_WARNING "Cloister: %pd %s: %s (%#lx)\n", d,
           cloister_sealed(d) ? "is refused" : "is not protected",
           cloister_reason_text(why), detail);
}
