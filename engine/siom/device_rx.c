/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device Rx controller: frames from the NIC to the Rx DeMUX.  What the NIC's
 * filters did is not relied upon.
 */

#include "private.h"

#define BURST 32u

/* A tag in the frame itself: where it ends, and its VLAN. */
static uint32_t untag(const uint8_t *head, uint32_t len, uint16_t *vlan)
{
    if ( be16(head + 12) != VLAN_TPID || len < ETH_HEADER + VLAN_TAG )
        return 0;
    *vlan = be16(head + 14) & 0xfff;

    return VLAN_TAG;
}

/* Returns how often it was passed on, and at least 1. */
static unsigned int receive(struct cl_siom *s, const struct cl_nic_rx *rx)
{
    struct cl_inbound in = {};
    uint8_t head[ETH_HEADER + VLAN_TAG];
    uint16_t vlan = rx->vlan & 0xfff;
    uint32_t tag;
    struct cl_port *to;

    if ( rx->len < ETH_MIN || rx->len > CL_NIC_FRAME )
    {
        s->unclaimed.rx_errors++;
        return 1;
    }
    /* The buffer belongs to the device's domain: one copy, and only that. */
    memcpy(head, rx->data, rx->len < sizeof(head) ? ETH_HEADER : sizeof(head));
    tag = untag(head, rx->len, &vlan);
    memcpy(in.head, head, 12);
    memcpy(in.head + 12, head + 12 + tag, 2);
    in.rest = (const uint8_t *)rx->data + ETH_HEADER + tag;
    in.frame.len = rx->len - tag;
    in.frame.vlan = vlan;

    if ( (in.head[0] & 1) && !cl_link_local(in.head) )
        return cl_rx_flood(s, NULL, &in) ?: 1;
    if ( (to = cl_rx_find(s, in.head, vlan)) != NULL )
        cl_rx_deliver(to, &in);
    else
        s->unclaimed.rx_frames++;

    return 1;
}

unsigned int cl_device_rx(struct cl_siom *s, unsigned int budget)
{
    struct cl_nic_rx rx[BURST];
    unsigned int done = 0, n, i;

    if ( !s->nic || s->link == CL_NIC_RESETTING || s->link == CL_NIC_FAILED )
        return 0;
    do
    {
        n = s->nic->ops->rx_burst(
            s->nic, rx, budget - done < BURST ? budget - done : BURST);
        for ( i = 0; i < n; i++ )
            done += receive(s, &rx[i]);
        if ( n )
            s->nic->ops->rx_refill(s->nic, n);
    } while ( n == BURST && done < budget );

    return done;
}
