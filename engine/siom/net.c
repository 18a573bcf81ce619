/* SPDX-License-Identifier: BSD-2-Clause */
/* What is special to a network device: virtio 1.2, sections 5.1.4, 5.1.6.5. */

#include "private.h"

#define CTRL_CLASS_RX  0u
#define CTRL_ACK_OK    0u
#define CTRL_ACK_ERROR 1u
#define CTRL_MOST      1024u /* buffers at once: four for each entry */

uint64_t cl_net_config(const struct cl_port *port, uint32_t off,
                       unsigned int size)
{
    struct {
        uint8_t mac[6];
        uint16_t status, pairs, mtu;
        uint8_t zero[8];
    } c = { .status = VIRTIO_NET_UP, .pairs = 1, .mtu = port->config.mtu };
    uint64_t value = 0;

    if ( off > sizeof(c) - 8 )
        return 0;
    memcpy(c.mac, port->config.mac, sizeof(c.mac));
    memcpy(&value, (const uint8_t *)&c + off, size);

    return value;
}

/*
 * Reception modes are accepted and change nothing: a port gets the frames to
 * its own address, and all broadcast and multicast ones of its VLAN.
 */
static int command(struct cl_port *port, struct cl_queue *q,
                   unsigned int *work)
{
    struct cl_cursor in = {}, out;
    unsigned int segs = 0;
    uint8_t hdr[2], ack;
    uint16_t head;
    uint32_t len;

    if ( cl_queue_take(port, q, CL_CHAIN_MIXED, &segs, &head, &len) )
        return -EBADMSG;
    *work += segs;
    if ( *work > CTRL_MOST )
        return cl_virtio_broken(port);
    while ( in.segs < segs && !port->seg[in.segs].write )
        in.segs++;
    out = (struct cl_cursor){ .segs = segs, .at = in.segs };
    if ( cl_gather(port, &in, hdr, sizeof(hdr)) )
        return -EBADMSG;
    ack = hdr[0] == CTRL_CLASS_RX && cl_virtio_has(port, VIRTIO_NET_F_CTRL_RX)
              ? CTRL_ACK_OK
              : CTRL_ACK_ERROR;

    return cl_scatter(port, &out, &ack, 1) ?: cl_queue_done(port, q, head, 1);
}

void cl_siom_ctrl(struct cl_port *port)
{
    struct cl_queue *q = &port->virtio.queue[CL_QUEUE_CTRL];
    unsigned int n, work = 0;

    if ( !cl_virtio_enter(port, q) )
        return;
    for ( n = 0; n < CL_QUEUE_SIZE && cl_queue_has(port, q); n++ )
        if ( command(port, q, &work) )
            return;
    cl_queue_quiet(port, q, false);
    cl_queue_signal(port, q);
}
