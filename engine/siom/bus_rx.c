/* SPDX-License-Identifier: BSD-2-Clause */
/* Bus Rx controller: from a VM's Rx memory to its guest's receive queue. */

#include "private.h"

#define CHAINS 64u /* for one frame */

struct taken {
    unsigned int chains, segs;
    uint32_t room;
    uint16_t head[CHAINS];
    uint32_t len[CHAINS];
};

/*
 * Buffers for `need` bytes.  1: there they are; 0: not now, and what was taken
 * is put back; -EBADMSG: violation; -EOVERFLOW: these buffers will never do,
 * one is gone.
 */
static int collect(struct cl_port *port, struct cl_queue *q, uint32_t need,
                   struct taken *t)
{
    bool merge = cl_virtio_has(port, VIRTIO_NET_F_MRG_RXBUF);
    uint16_t before = q->last_avail;

    while ( t->room < need )
    {
        if ( t->chains && !merge )
            return -EOVERFLOW;
        if ( t->chains == CHAINS )
            return cl_virtio_broken(port);
        if ( !cl_queue_has(port, q) )
        {
            q->last_avail = before;
            return 0;
        }
        if ( cl_queue_take(port, q, CL_CHAIN_WRITE, &t->segs,
                           &t->head[t->chains], &t->len[t->chains]) )
            return -EBADMSG;
        t->room += t->len[t->chains++];
    }

    return 1;
}

static void header(const struct cl_port *port, const struct cl_frame *f,
                   unsigned int chains, struct virtio_net_hdr *h)
{
    *h = (struct virtio_net_hdr){ .num_buffers = (uint16_t)chains };
    if ( f->flags & CL_FRAME_CSUM && port->takes_csum )
    {
        h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        h->csum_start = f->csum_start;
        h->csum_offset = f->csum_offset;
    }
}

static int give_back(struct cl_port *port, struct cl_queue *q,
                     const struct taken *t, uint32_t len)
{
    unsigned int i;

    for ( i = 0; i < t->chains; i++ )
    {
        uint32_t n = len < t->len[i] ? len : t->len[i];

        if ( cl_queue_done(port, q, t->head[i], n) )
            return -EBADMSG;
        len -= n;
    }

    return 0;
}

static int fill(struct cl_port *port, struct cl_cursor *c,
                const struct virtio_net_hdr *h, const struct cl_frame *f)
{
    return cl_scatter(port, c, h, sizeof(*h))
               ?: cl_scatter(port, c, cl_frame_data(f), f->len);
}

static bool in_one_page(const struct cl_seg *s, uint32_t len)
{
    return s->addr % PAGE_BYTES + len <= PAGE_BYTES;
}

/* The same where one buffer in one page will do: most of the time. */
static int fill_page(struct cl_port *port, const struct virtio_net_hdr *h,
                     const struct cl_frame *f)
{
    uint8_t *to = cl_guest_at(port, port->seg[0].addr, true);

    if ( !to )
        return cl_virtio_broken(port);
    memcpy(to, h, sizeof(*h));
    memcpy(to + sizeof(*h), cl_frame_data(f), f->len);
    cl_guest_wrote(port, port->seg[0].addr);

    return 0;
}

/*
 * 1: the frame is gone from Rx memory; 0: no buffers; -errno: stop.  *segs
 * grows by the number of buffers that were taken.
 */
static int receive_one(struct cl_port *port, struct cl_queue *q,
                       const struct cl_frame *f, unsigned int *segs)
{
    struct virtio_net_hdr h;
    uint32_t need = sizeof(h) + f->len;
    struct taken t;
    struct cl_cursor c = {};
    int rc;

    t.chains = t.segs = t.room = 0;
    rc = collect(port, q, need, &t);
    if ( rc )
        *segs += t.segs; /* what is put back: two looks at most */
    if ( rc == -EOVERFLOW )
    {
        port->stats.drops[CL_DROP_RX_BUFFER]++;
        return give_back(port, q, &t, 0) ?: 1;
    }
    if ( rc <= 0 )
        return rc;

    c.segs = t.segs;
    header(port, f, t.chains, &h);
    if ( (t.segs == 1 && in_one_page(&port->seg[0], need)
              ? fill_page(port, &h, f)
              : fill(port, &c, &h, f)) ||
         give_back(port, q, &t, need) )
        return -EBADMSG;
    port->stats.rx_frames++;
    port->stats.rx_bytes += f->len;

    return 1;
}

/* A checksum that the guest cannot complete itself is completed for it. */
static void complete(struct cl_port *port, const struct cl_frame *f)
{
    struct cl_frame *mine = (struct cl_frame *)f; /* the consumer owns it */

    if ( !(f->flags & CL_FRAME_CSUM) || port->takes_csum )
        return;
    cl_checksum(f, (uint8_t *)(mine + 1));
    mine->flags &= ~CL_FRAME_CSUM;
}

/* There is no room for the frame: asks to be told of new buffers. */
static void want_buffers(struct cl_port *port, struct cl_queue *q, bool want)
{
    if ( want || !q->quiet )
        cl_queue_quiet(port, q, !want);
}

unsigned int cl_siom_rx(struct cl_port *port, unsigned int budget)
{
    struct cl_queue *q = &port->virtio.queue[CL_QUEUE_RX];
    const struct cl_frame *f;
    unsigned int n = 0, segs = 0;
    bool asked = false;

    if ( !cl_virtio_enter(port, q) )
        return 0;

    while ( n < budget && segs < CL_SEGS_A_FRAME * budget &&
            (f = cl_memory_peek(&port->rx)) != NULL )
    {
        int rc;

        complete(port, f);
        rc = receive_one(port, q, f, &segs);
        if ( rc < 0 )
            return 0;
        if ( rc )
        {
            cl_memory_drop(&port->rx);
            n++;
        }
        else if ( asked )
            break;
        else
            asked = true; /* and look once more */
        want_buffers(port, q, asked);
    }
    if ( segs >= CL_SEGS_A_FRAME * budget )
        n = budget;
    if ( n == budget && cl_memory_has(&port->rx) )
        bit_set(port->siom->rx_ready, port->nr);
    cl_queue_signal(port, q);

    return n;
}
