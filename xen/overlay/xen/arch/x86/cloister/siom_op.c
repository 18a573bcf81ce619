/* SPDX-License-Identifier: GPL-2.0-only */
/* Secure I/O management: what cloister(1) asks and sets. */

#include <cloister/measure.h>

#include "siom.h"

#include "abi/evidence.h"

int cloister_net_host(struct cloister_net_host *h)
{
    const struct cl_siom *s = cloister_siom;
    struct cl_nic_stats n = {};

    *h = (struct cloister_net_host){ .revision = CLOISTER_ABI_REVISION };
    if ( !s )
        return 0;

    h->flags = CLOISTER_NET_on;
    h->ports = s->ports;
    h->vlan = s->uplink_vlan;
    h->mtu = cloister_siom_opts.mtu;
    h->unclaimed = s->unclaimed.rx_frames;
    if ( !s->nic )
        return 0;

    h->flags |= CLOISTER_NET_nic;
    if ( s->link == CL_NIC_UP )
        h->flags |= CLOISTER_NET_link;
    h->sbdf = cloister_siom_opts.nic.sbdf;
    s->nic->ops->stats(s->nic, &n);
    h->rx_frames = n.rx_frames;
    h->rx_bytes = n.rx_bytes;
    h->tx_frames = n.tx_frames;
    h->tx_bytes = n.tx_bytes;
    h->rx_errors = n.rx_errors + s->unclaimed.rx_errors;
    h->rx_missed = n.rx_missed;
    h->tx_errors = n.tx_errors;
    h->resets = n.resets;
    h->link_changes = n.link_changes;

    return 0;
}

static void fill(struct cloister_net_port *p, const struct cloister_port *cp)
{
    const struct cl_siom_stats *s = &cp->port.stats;
    unsigned int i;

    BUILD_BUG_ON(CL_DROPS > CLOISTER_NET_DROPS);

    p->active = cp->active;
    p->up = cp->active && cp->port.up;
    memcpy(p->mac, cp->config.mac, sizeof(p->mac));
    p->vlan = cp->config.vlan;
    p->mtu = cp->config.mtu;
    p->isolated = cp->config.isolated;
    p->rate = cp->config.rate;
    p->tx_frames = s->tx_frames;
    p->tx_bytes = s->tx_bytes;
    p->rx_frames = s->rx_frames;
    p->rx_bytes = s->rx_bytes;
    p->doorbells = s->doorbells;
    p->interrupts = s->interrupts;
    p->violations = s->violations;
    p->resets = s->resets;
    for ( i = 0; i < CL_DROPS; i++ )
        p->drops[i] = s->drops[i];
}

int cloister_net_port(struct cloister_net_port *p)
{
    struct domain *d = rcu_lock_domain_by_id(p->domid);
    int rc = -ENODEV;

    if ( !d )
        return -ESRCH;

    *p = (struct cloister_net_port){ .revision = CLOISTER_ABI_REVISION,
                                     .domid = d->domain_id };
    if ( cloister_siom_port(d) )
    {
        fill(p, cloister_siom_port(d));
        rc = 0;
    }
    rcu_unlock_domain(d);

    return rc;
}

static int apply(struct cl_siom_config *c, const struct cloister_net_set *s)
{
    if ( s->fields & CLOISTER_NET_SET_mac )
        memcpy(c->mac, s->mac, sizeof(c->mac));
    if ( s->fields & CLOISTER_NET_SET_vlan )
        c->vlan = s->vlan;
    if ( s->fields & CLOISTER_NET_SET_mtu )
        c->mtu = s->mtu;
    if ( s->fields & CLOISTER_NET_SET_isolated )
        c->isolated = s->isolated;
    if ( s->fields & CLOISTER_NET_SET_rate )
        c->rate = s->rate;

    return (c->mac[0] & 1) || c->vlan > 4094 || c->mtu < 68 ||
           c->mtu > CL_SIOM_MTU_MAX || c->rate > CL_SIOM_RATE_MAX ? -EINVAL
                                                                  : 0;
}

/*
 * Under the domctl lock, which the unpause that seals takes too.  What has
 * been measured stays as it is, also while others have their turn in between.
 */
static int set(struct domain *d, const struct cloister_net_set *s)
{
    struct cloister_port *cp = cloister_siom_port(d);
    struct cl_siom_config c;
    int rc;

    if ( !cp )
        return -ENODEV;
    if ( cp->active || cp->saved || d->creation_finished || d->is_dying ||
         d->arch.cloister->measuring || d->arch.cloister->log )
        return -EBUSY;

    c = cp->config;
    rc = apply(&c, s);
    if ( !rc )
    {
        cp->config = c;
        cp->settled |= s->fields;
    }

    return rc;
}

/* As the guest's owner is told of it. */
bool cloister_net_settled(const struct domain *d,
                          struct cloister_launch_net *out)
{
    const struct cloister_port *cp = cloister_siom_port(d);
    const unsigned int f = cp ? cp->settled : 0;

    *out = (struct cloister_launch_net){ .fields = f };
    if ( f & CLOISTER_NET_SET_vlan )
        out->vlan = cp->config.vlan;
    if ( f & CLOISTER_NET_SET_mtu )
        out->mtu = cp->config.mtu;
    if ( f & CLOISTER_NET_SET_isolated )
        out->isolated = cp->config.isolated;
    if ( f & CLOISTER_NET_SET_rate )
        out->rate = cp->config.rate;
    if ( f & CLOISTER_NET_SET_mac )
        memcpy(out->mac, cp->config.mac, sizeof(out->mac));

    return f;
}

int cloister_net_set(const struct cloister_net_set *s)
{
    struct domain *d = rcu_lock_domain_by_id(s->domid);
    int rc;

    if ( !d )
        return -ESRCH;

    if ( domctl_lock_acquire() )
    {
        rc = set(d, s);
        domctl_lock_release();
    }
    else
        rc = -ERESTART;
    rcu_unlock_domain(d);

    return rc;
}
