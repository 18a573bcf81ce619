/* SPDX-License-Identifier: BSD-2-Clause */
/* Bus Tx controller: from the guest's transmit queue to the Tx DeMUX. */

#include "private.h"

/*
 * Offers we did not make (segmentation) must not be used.  num_buffers and
 * hdr_len mean nothing here.
 */
static int frame_of(const struct virtio_net_hdr *h, uint32_t len,
                    struct cl_frame *f)
{
    *f = (struct cl_frame){ .len = len };
    if ( h->gso_type )
        return -EBADMSG;
    if ( h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM )
    {
        f->flags = CL_FRAME_CSUM;
        f->csum_start = h->csum_start;
        f->csum_offset = h->csum_offset;
    }

    return 0;
}

/* Copies the frame once into Tx memory; there the guest cannot change it. */
static int fetch(struct cl_port *port, struct cl_cursor *c, uint32_t len,
                 uint8_t *to)
{
    struct virtio_net_hdr h;
    struct cl_frame f;

    if ( cl_gather(port, c, &h, sizeof(h)) )
        return -EBADMSG;
    len -= sizeof(h);
    if ( frame_of(&h, len, &f) )
        return cl_virtio_broken(port);
    if ( len > CL_SIOM_FRAME || len < ETH_MIN )
    {
        port->stats.drops[CL_DROP_MALFORMED]++;
        return 0;
    }
    if ( cl_gather(port, c, to, len) )
    {
        cl_memory_cancel(&port->tx, len);
        return -EBADMSG;
    }
    cl_tx_demux(port, f, to);

    return 0;
}

/* *segs: grows by the number of its buffers. */
static int send_one(struct cl_port *port, struct cl_queue *q, uint8_t *to,
                    unsigned int *segs)
{
    struct cl_cursor c = {};
    uint16_t head;
    uint32_t len;

    if ( cl_queue_take(port, q, CL_CHAIN_READ, &c.segs, &head, &len) )
        return -EBADMSG;
    *segs += c.segs;
    if ( len < sizeof(struct virtio_net_hdr) )
        return cl_virtio_broken(port);

    return fetch(port, &c, len, to) ?: cl_queue_done(port, q, head, 0);
}

/* The queue is empty, also after the driver was told to ring from now on. */
static bool drained(struct cl_port *port, struct cl_queue *q)
{
    if ( cl_queue_has(port, q) )
        return false;
    if ( !q->quiet )
        cl_queue_quiet(port, q, false);

    return !cl_queue_has(port, q);
}

bool cl_siom_tx_quiet(struct cl_port *port, bool quiet)
{
    struct cl_queue *q = &port->virtio.queue[CL_QUEUE_TX];

    if ( q->quiet != quiet && cl_virtio_enter(port, q) )
        cl_queue_quiet(port, q, quiet);

    return q->quiet == quiet;
}

unsigned int cl_siom_tx(struct cl_port *port, unsigned int budget)
{
    struct cl_queue *q = &port->virtio.queue[CL_QUEUE_TX];
    unsigned int n = 0, segs = 0;

    if ( !cl_virtio_enter(port, q) )
        return 0;

    while ( n < budget && !drained(port, q) )
    {
        uint8_t *to = cl_memory_reserve(&port->tx, CL_SIOM_FRAME);

        if ( !to || segs >= CL_SEGS_A_FRAME * budget )
        {
            n = budget; /* wait for the device side; nothing is lost */
            break;
        }
        if ( send_one(port, q, to, &segs) )
            return 0;
        n++;
    }
    cl_queue_signal(port, q);

    return n;
}
