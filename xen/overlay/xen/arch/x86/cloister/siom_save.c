/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Secure I/O management: a guest's card in its saved image.
 *
 * It is an entry of the HVM context that is written for sealed guests only,
 * and taken only from inside a record that Xen has sealed: in the clear there
 * is none.  Frames on their way are lost, as on any network.
 */

#include <xen/sched.h>

#include <asm/hvm/save.h>

#include "siom.h"
#include "abi/record.h"

int cf_check cloister_siom_save(struct vcpu *v, struct hvm_domain_context *h)
{
    struct cloister_port *cp = cloister_siom_port(v->domain);
    struct cl_siom_saved saved;

    if ( !cp || !cp->active )
        return 0;

    spin_lock(&cp->lock);
    cl_siom_save(&cp->port, &saved);
    spin_unlock(&cp->lock);
    if ( _hvm_init_entry(h, CLOISTER_HVM_CODE, CLOISTER_HVM_CARD,
                         sizeof(saved)) )
        return -ENOSPC;
    _hvm_write_entry(h, &saved, sizeof(saved));

    return 0;
}

static int keep(struct cloister_port *cp, const struct cl_siom_saved *from,
                const uint8_t instance[16])
{
    if ( cp->active )
        return -EBUSY;
    if ( !cp->saved )
        cp->saved = xmalloc(struct cl_siom_saved);
    if ( !cp->saved )
        return -ENOMEM;

    *cp->saved = *from;
    memcpy(cp->from, instance, sizeof(cp->from));

    return 0;
}

void cloister_siom_forget(struct cloister_domain *cd)
{
    if ( cd->siom )
        XFREE(cd->siom->saved);
}

int cloister_siom_check(const struct domain *d, struct hvm_domain_context *h)
{
    const uint8_t *instance = cloister_restore_source(d->arch.cloister);
    struct cloister_port *cp = cloister_siom_port(d);
    struct cl_siom_saved saved;

    if ( !instance )
        return -EPERM;
    if ( _hvm_check_entry(h, CLOISTER_HVM_CODE, sizeof(saved), true) )
        return -EINVAL;
    _hvm_read_entry(h, &saved, sizeof(saved));

    return cp ? keep(cp, &saved, instance) : -ENODEV;
}

int cloister_siom_load(struct cloister_port *cp)
{
    int rc = 0;

    if ( !cp->saved )
        return 0;

    spin_lock(&cp->lock);
    rc = cl_siom_load(&cp->port, cp->saved);
    spin_unlock(&cp->lock);
    /* What the guest has rung for, and nobody has taken. */
    cloister_siom_again(cp);
    cloister_siom_kick();

    return rc;
}
