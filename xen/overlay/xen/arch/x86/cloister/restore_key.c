/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Restoring: the key of a record that came from another host, and so comes
 * last.
 */

#include <xen/sched.h>
#include <xen/xvmalloc.h>

#include <cloister/measure.h>
#include <cloister/record.h>
#include <cloister/wipe.h>

#include "private.h"
#include "restore.h"
#include "abi/record.h"

int cloister_restore_offer(const struct cloister_domain *cd,
                           struct cloister_offer *offer)
{
    const struct cloister_restore *r = cd->restore;

    /* A guest that was built here has no key of another host's. */
    if ( r ? !r->sealed : cd->arrived && cd->state == CLOISTER_DOM_sealed )
        return -EEXIST;
    if ( !r )
        return -EINVAL;
    *offer = r->offer;

    return 0;
}

/* What a record that was saved here is asked at once. */
static enum cloister_reason accept(struct domain *d, uint8_t raw[CL_KEY_SIZE],
                                   const uint8_t owner[32])
{
    struct cloister_restore *r = d->arch.cloister->restore;
    struct cloister_record_key keys;
    struct cloister_record head;
    enum cloister_reason why;

    why = cloister_record_reason(cl_record_head(r->sealed, r->length, &head,
                                                &keys)) ?:
          cloister_record_decrypt(d->arch.cloister, r->sealed, r->length, raw);
    if ( why )
        return why;
    xvfree(r->sealed);
    r->sealed = NULL;
    /* Whoever has a migration key on this host can have made the record. */
    if ( cl_measure_check(r->b.log, r->b.state.log, r->b.state.measurement) )
        return CLOISTER_WHY_rec_forged;
    /* Others' hosts have no say about this guest. */
    if ( !cloister_log_names(r->b.log, r->b.state.log,
                             CLOISTER_MIGRATION_OPTION, owner) )
        return CLOISTER_WHY_rec_owner;

    return cloister_record_fits(d, &head);
}

int cloister_restore_receive(struct domain *d,
                             struct cloister_record_key *key)
{
    const struct cloister_restore *r = d->arch.cloister->restore;
    struct cloister_release what = {};
    uint8_t raw[CL_KEY_SIZE], owner[32];
    enum cloister_reason why;
    int rc;

    if ( !r || !r->sealed )
        return -EINVAL;

    memcpy(what.uuid, d->handle, sizeof(what.uuid));
    memcpy(what.instance, r->instance, sizeof(what.instance));
    memcpy(what.challenge, r->offer.challenge, sizeof(what.challenge));
    what.nonce = r->nonce;
    rc = cloister_release_open(&what, key, raw, owner);
    if ( rc )
        return rc;
    why = accept(d, raw, owner);
    cl_wipe(raw, sizeof(raw));
    if ( !why )
        return 0;
    cloister_refuse(d, why, 0);
    cloister_restore_drop(d->arch.cloister);

    return -EACCES;
}
