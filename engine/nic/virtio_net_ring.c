/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-net as a physical NIC: its queues, and the frames in them.
 *
 * The device may use buffers in any order, and names them.  A name is only
 * believed if it is a buffer that the device has.
 */

#include "virtio_net.h"

#define NET_HEADER sizeof(struct virtio_net_hdr)

struct vq_used {
    uint32_t id, len;
};

/*
 * In the pool, for each queue: a page of descriptors and one of rings.  The
 * used ring's entries, four bytes behind its start, are to be read in one go.
 */
#define POOL_QUEUE 8192u
#define POOL_AVAIL 4096u
#define POOL_USED  (POOL_AVAIL + 1024u + 4u)

/* ---- Queues ----------------------------------------------------------- */

static void write64(const struct cl_nic *nic, uint32_t off, uint64_t value)
{
    set(nic, off, (uint32_t)value);
    set(nic, off + 4, (uint32_t)(value >> 32));
}

/* Buffer n is always described by descriptor n. */
static void offer(struct queue *q, uint32_t counter, unsigned int n)
{
    q->avail[2 + (counter & RING_MASK)] = n;
    ring_set_bit(&q->has, n);
}

void virtio_publish(struct queue *q, uint32_t counter)
{
    ring_publish();
    __atomic_store_n(&q->avail[1], (uint16_t)counter, __ATOMIC_RELEASE);
    ring_publish();
}

void virtio_notify(const struct cl_nic *nic, unsigned int nr)
{
    wr(nic, VIRTIO_CAP_NOTIFY, priv(nic)->queue[nr].notify, 2, nr);
}

void virtio_fill_rx(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);
    struct queue *q = &v->queue[RX];
    unsigned int n;

    for ( n = 0; n < RING; n++ )
    {
        q->desc[n] = (struct virtio_desc){
            .addr = nic->iova + POOL_RX_BUFFER + n * RX_BUFFER,
            .len = NET_HEADER + CL_NIC_FRAME,
            .flags = VIRTIO_DESC_WRITE,
        };
        offer(q, n, n);
    }
}

static void place_queue(struct cl_nic *nic, unsigned int nr)
{
    struct queue *q = &priv(nic)->queue[nr];
    uint8_t *base = (uint8_t *)nic->pool + nr * POOL_QUEUE;

    memset(base, 0, POOL_QUEUE);
    *q = (struct queue){
        .desc = (struct virtio_desc *)base,
        .avail = (uint16_t *)(base + POOL_AVAIL),
        .used = (uint16_t *)(base + POOL_USED),
    };
}

/* False: the queue is absent or too small, or its doorbell is nowhere. */
bool virtio_set_up_queue(struct cl_nic *nic, unsigned int nr)
{
    struct virtio_net *v = priv(nic);
    uint64_t iova = nic->iova + nr * POOL_QUEUE;

    place_queue(nic, nr);
    set(nic, VIRTIO_QUEUE_SELECT, nr);
    if ( get(nic, VIRTIO_QUEUE_SIZE) < RING )
        return false;

    set(nic, VIRTIO_QUEUE_SIZE, RING);
    v->queue[nr].notify = get(nic, VIRTIO_QUEUE_NOTIFY) * v->multiplier;
    if ( v->queue[nr].notify > v->region[VIRTIO_CAP_NOTIFY].length - 2 )
        return false;

    write64(nic, VIRTIO_QUEUE_DESC, iova);
    write64(nic, VIRTIO_QUEUE_AVAIL, iova + POOL_AVAIL);
    write64(nic, VIRTIO_QUEUE_USED, iova + POOL_USED);
    set(nic, VIRTIO_QUEUE_VECTOR, 0);
    set(nic, VIRTIO_QUEUE_ENABLE, 1);

    return true;
}

void virtio_write_irq(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);
    unsigned int nr;

    for ( nr = 0; nr < QUEUES; nr++ )
        v->queue[nr].avail[0] = v->c.irq ? 0 : VIRTIO_AVAIL_NO_INTERRUPT;
    ring_publish();
}

/* ---- Used buffers ----------------------------------------------------- */

/*
 * The next buffer that the device is done with: 1, with its number and
 * length; 0: none; -1: the device names one that it has not.
 */
static int next_used(struct queue *q, uint32_t *nr, uint32_t *len)
{
    const uint64_t *entry = (const void *)&q->used[2];
    uint64_t word;

    if ( ring_read16(&q->used[1]) == (uint16_t)q->taken )
        return 0;

    word = ring_read64(entry + (q->taken & RING_MASK));
    *nr = (uint32_t)word;
    *len = word >> 32;
    q->taken++;

    return *nr < RING && ring_take_bit(&q->has, *nr) ? 1 : -1;
}

/* ---- Receive ---------------------------------------------------------- */

static void rx_tell(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);

    virtio_publish(&v->queue[RX], v->offered);
    virtio_notify(nic, RX);
}

void cf_check virtio_rx_refill(struct cl_nic *nic, unsigned int n)
{
    struct virtio_net *v = priv(nic);

    if ( v->c.step != STEP_WORKS || v->c.rx.back == v->c.rx.next )
        return;

    for ( ; n && v->c.rx.back != v->c.rx.next; n-- )
        offer(&v->queue[RX], v->offered++,
              v->order[v->c.rx.back++ & RING_MASK]);
    rx_tell(nic);
}

/* Buffer nr has len bytes: a frame for f, or the device gets it back. */
static bool rx_take(struct cl_nic *nic, uint32_t nr, uint32_t len,
                    struct cl_nic_rx *f)
{
    struct virtio_net *v = priv(nic);

    if ( len < NET_HEADER + FRAME_MIN || len > NET_HEADER + CL_NIC_FRAME )
    {
        v->c.stats.rx_errors++;
        offer(&v->queue[RX], v->offered++, nr);
        rx_tell(nic);
        return false;
    }

    *f = (struct cl_nic_rx){
        .data = rx_buffer(nic, nr) + NET_HEADER,
        .len = len - NET_HEADER,
    };
    v->order[v->c.rx.next++ & RING_MASK] = nr;
    v->c.stats.rx_frames++;
    v->c.stats.rx_bytes += f->len;

    return true;
}

unsigned int cf_check virtio_rx_burst(struct cl_nic *nic, struct cl_nic_rx *f,
                                      unsigned int n)
{
    struct virtio_net *v = priv(nic);
    unsigned int got = 0, left = RING;
    uint32_t nr, len;
    int rc;

    if ( v->c.step != STEP_WORKS )
        return 0;

    while ( got < n && left-- && (rc = next_used(&v->queue[RX], &nr, &len)) )
    {
        if ( rc < 0 )
        {
            v->c.stats.rx_errors++;
            nic_again(nic, "used a buffer that it had not:", nr);
            return 0;
        }
        got += rx_take(nic, nr, len, &f[got]);
    }
    if ( got )
        v->c.tries = 0;

    return got;
}

/* ---- Transmit --------------------------------------------------------- */

static bool has_buffer(const struct queue *q, uint32_t nr)
{
    return q->has.word[(nr & RING_MASK) / 64] >> (nr % 64) & 1;
}

unsigned int cf_check virtio_tx_reap(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);
    struct queue *q = &v->queue[TX];
    unsigned int left = RING;
    uint32_t nr, len;
    int rc;

    if ( v->c.step != STEP_WORKS )
        return 0;

    while ( left-- && (rc = next_used(q, &nr, &len)) )
    {
        if ( rc < 0 )
        {
            v->c.stats.tx_errors++;
            nic_again(nic, "has sent a buffer that it had not:", nr);
            return 0;
        }
        nic_sent(nic);
    }
    while ( v->c.tx.back != v->c.tx.next && !has_buffer(q, v->c.tx.back) )
        v->c.tx.back++;

    return RING - (v->c.tx.next - v->c.tx.back);
}

void *cf_check virtio_tx_buffer(struct cl_nic *nic)
{
    return tx_buffer(nic) + NET_HEADER;
}

void cf_check virtio_tx_queue(struct cl_nic *nic, unsigned int len)
{
    struct virtio_net *v = priv(nic);
    struct queue *q = &v->queue[TX];
    unsigned int n = v->c.tx.next & RING_MASK;

    memset(tx_buffer(nic), 0, NET_HEADER);
    q->desc[n] = (struct virtio_desc){
        .addr = nic->iova + POOL_TX_BUFFER + n * TX_BUFFER,
        .len = NET_HEADER + len,
    };
    offer(q, v->c.tx.next, n);
    nic_queued(nic, len);
}

void cf_check virtio_tx_kick(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);

    virtio_publish(&v->queue[TX], v->c.tx.next);
    virtio_notify(nic, TX);
}
