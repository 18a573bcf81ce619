/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device Tx controller: a frame of a VM's Tx memory to where it belongs, the
 * NIC, another VM, or both.
 */

#include "private.h"

static void drop(struct cl_port *from, enum cl_siom_drop why)
{
    from->stats.drops[why]++;
}

/* Bytes of the frame on the wire. */
static uint32_t wire_len(const struct cl_frame *f)
{
    return f->len + (f->vlan ? VLAN_TAG : 0);
}

/* Why the frame cannot go out, ever; -1: it can. */
static int no_way_out(const struct cl_siom *s, const struct cl_frame *f)
{
    if ( !s->nic )
        return CL_DROP_NO_TARGET;
    if ( s->link != CL_NIC_UP )
        return CL_DROP_LINK;

    return wire_len(f) > CL_NIC_FRAME ? CL_DROP_TOO_LONG : -1;
}

/* There is room: s->tx_room was counted at the beginning of the burst. */
static void to_nic(struct cl_siom *s, const struct cl_frame *f)
{
    uint8_t *buf = s->nic->ops->tx_buffer(s->nic), *to = buf;
    const uint8_t *data = cl_frame_data(f);

    memcpy(to, data, 12);
    to += 12;
    if ( f->vlan )
    {
        to[0] = VLAN_TPID >> 8;
        to[1] = VLAN_TPID & 0xff;
        to[2] = (uint8_t)(f->vlan >> 8);
        to[3] = (uint8_t)f->vlan;
        to += VLAN_TAG;
    }
    memcpy(to, data + 12, f->len - 12);
    if ( f->flags & CL_FRAME_CSUM )
        cl_checksum(f, buf + (f->vlan ? VLAN_TAG : 0));
    s->nic->ops->tx_queue(s->nic, wire_len(f));
    s->tx_room--;
    s->tx_queued = true;
}

static struct cl_inbound inbound(const struct cl_frame *f)
{
    struct cl_inbound in = { .frame = *f,
                             .rest = cl_frame_data(f) + ETH_HEADER };

    memcpy(in.head, cl_frame_data(f), ETH_HEADER);

    return in;
}

static void to_guest(struct cl_port *from, struct cl_port *to,
                     const struct cl_frame *f)
{
    struct cl_inbound in = inbound(f);

    if ( from->config.isolated || to->config.isolated )
        drop(from, CL_DROP_ISOLATED);
    else
        cl_rx_deliver(to, &in);
}

static unsigned int to_all(struct cl_port *from, const struct cl_frame *f,
                           bool out)
{
    struct cl_inbound in = inbound(f);

    if ( out )
        to_nic(from->siom, f);

    return out +
           (from->config.isolated ? 0 : cl_rx_flood(from->siom, from, &in));
}

unsigned int cl_device_tx(struct cl_port *from, const struct cl_frame *f)
{
    struct cl_siom *s = from->siom;
    const uint8_t *mac = cl_frame_data(f);
    bool group = mac[0] & 1;
    struct cl_port *to = group ? NULL : cl_rx_find(s, mac, f->vlan);
    int blocked = to ? 0 : no_way_out(s, f);
    unsigned int n = 1;

    if ( !to && blocked < 0 && !s->tx_room )
        return 0;
    if ( to )
        to_guest(from, to, f);
    else if ( group )
        n = to_all(from, f, blocked < 0) ?: 1;
    else if ( blocked < 0 )
        to_nic(s, f);
    else
    {
        drop(from, (enum cl_siom_drop)blocked);
        return 1;
    }
    from->stats.tx_frames++;
    from->stats.tx_bytes += f->len;

    return n;
}

void cl_device_tx_begin(struct cl_siom *s)
{
    s->tx_queued = false;
    s->tx_room = 0;
    if ( !s->nic )
        return;
    s->link = s->nic->ops->poll(s->nic);
    if ( s->link == CL_NIC_UP )
        s->tx_room = s->nic->ops->tx_reap(s->nic);
}

void cl_device_tx_end(struct cl_siom *s)
{
    if ( s->tx_queued )
        s->nic->ops->tx_kick(s->nic);
}
