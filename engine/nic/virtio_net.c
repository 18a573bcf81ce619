/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Driver for virtio-net as a physical NIC: split queues, no offloads.
 *
 *   reset() -> CLEAR -> WORKS --hang, NEEDS_RESET--> CLEAR
 *                |
 *                +-- too long, too often, wrong features --> FAILED
 *
 * The device may use buffers in any order, and names them.  A name is only
 * believed if it is a buffer that the device has.
 */

#include <cloister/virtio.h>

#include "common.h"

#define CLEAR_MAX_US 100000u /* for a reset; a device may take its time */

/* Offsets in a capability [4.1.4]: 8 bits, then 32 bits. */
#define CAP_TYPE              3u
#define CAP_BAR               4u
#define CAP_OFFSET            8u
#define CAP_LENGTH            12u
#define CAP_NOTIFY_MULTIPLIER 16u

#define NET_HEADER sizeof(struct virtio_net_hdr)

struct vq_used {
    uint32_t id, len;
};

enum {
    STEP_CLEAR = STEP_FIRST,
};

enum {
    RX,
    TX,
    QUEUES,
};

/* Where a capability's registers are. */
struct region {
    uint32_t bar, offset, length; /* length 0: there is none */
};

struct queue {
    struct virtio_desc *desc;
    uint16_t *avail;      /* flags, index, entries */
    uint16_t *used;       /* flags, index, then struct vq_used */
    uint32_t notify;      /* offset in its region */
    uint32_t taken;       /* used entries looked at, free-running */
    struct ring_bits has; /* buffers that the device has */
};

struct virtio_net {
    struct common c;
    struct region region[VIRTIO_CAP_TYPES];
    uint32_t multiplier;
    struct queue queue[QUEUES];
    uint16_t order[RING]; /* Rx: buffers, as they came */
    uint32_t offered;     /* Rx: buffers ever offered */
    bool tells_link;      /* has a link status; else the link is up */
};

/*
 * In the pool, for each queue: a page of descriptors and one of rings.  The
 * used ring's entries, four bytes behind its start, are to be read in one go.
 */
#define POOL_QUEUE 8192u
#define POOL_AVAIL 4096u
#define POOL_USED  (POOL_AVAIL + 1024u + 4u)

static struct virtio_net *priv(const struct cl_nic *nic)
{
    return nic->priv;
}

/* ---- Registers -------------------------------------------------------- */

static uint32_t rd(const struct cl_nic *nic, unsigned int type, uint32_t off,
                   unsigned int size)
{
    const struct region *r = &priv(nic)->region[type];

    return nic->platform->read(nic->ctx, r->bar, r->offset + off, size);
}

static void wr(const struct cl_nic *nic, unsigned int type, uint32_t off,
               unsigned int size, uint32_t value)
{
    const struct region *r = &priv(nic)->region[type];

    nic->platform->write(nic->ctx, r->bar, r->offset + off, size, value);
}

/* The common configuration; each field has its size. */
static unsigned int size_of(uint32_t off)
{
    if ( off < VIRTIO_CONFIG_VECTOR || off >= VIRTIO_QUEUE_DESC )
        return 4;

    return off == VIRTIO_STATUS || off == VIRTIO_GENERATION ? 1 : 2;
}

static uint32_t get(const struct cl_nic *nic, uint32_t off)
{
    return rd(nic, VIRTIO_CAP_COMMON, off, size_of(off));
}

static void set(const struct cl_nic *nic, uint32_t off, uint32_t value)
{
    wr(nic, VIRTIO_CAP_COMMON, off, size_of(off), value);
}

static uint32_t cfg(const struct cl_nic *nic, unsigned int reg,
                    unsigned int size)
{
    return nic->platform->cfg_read(nic->ctx, reg, size);
}

static void read_capability(struct cl_nic *nic, unsigned int pos)
{
    struct virtio_net *v = priv(nic);
    unsigned int type = cfg(nic, pos + CAP_TYPE, 1);

    /* The first of a type is the one to use. */
    if ( type >= VIRTIO_CAP_TYPES || v->region[type].length )
        return;

    v->region[type].bar = cfg(nic, pos + CAP_BAR, 1);
    v->region[type].offset = cfg(nic, pos + CAP_OFFSET, 4);
    v->region[type].length = cfg(nic, pos + CAP_LENGTH, 4);
    if ( type == VIRTIO_CAP_NOTIFY )
        v->multiplier = cfg(nic, pos + CAP_NOTIFY_MULTIPLIER, 4);
}

/* The platform refuses accesses outside of a BAR. */
static bool find_registers(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);
    unsigned int pos = 0, left = 48;

    memset(v->region, 0, sizeof(v->region));
    while ( left-- && (pos = nic_capability(nic, pos, VIRTIO_CAP_ID)) != 0 )
        read_capability(nic, pos);

    return v->region[VIRTIO_CAP_COMMON].length >= VIRTIO_COMMON_SIZE &&
           v->region[VIRTIO_CAP_NOTIFY].length &&
           v->region[VIRTIO_CAP_DEVICE].length;
}

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

static void publish(struct queue *q, uint32_t counter)
{
    ring_publish();
    __atomic_store_n(&q->avail[1], (uint16_t)counter, __ATOMIC_RELEASE);
    ring_publish();
}

static void notify(const struct cl_nic *nic, unsigned int nr)
{
    wr(nic, VIRTIO_CAP_NOTIFY, priv(nic)->queue[nr].notify, 2, nr);
}

static void fill_rx(struct cl_nic *nic)
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
static bool set_up_queue(struct cl_nic *nic, unsigned int nr)
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

static void write_irq(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);
    unsigned int nr;

    for ( nr = 0; nr < QUEUES; nr++ )
        v->queue[nr].avail[0] = v->c.irq ? 0 : VIRTIO_AVAIL_NO_INTERRUPT;
    ring_publish();
}

/* ---- Reset ------------------------------------------------------------ */

static int cf_check virtio_reset(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);

    if ( !find_registers(nic) )
    {
        nic_say(nic, "no virtio 1.x registers", nic->device);
        nic_enter(nic, STEP_FAILED);
        return -ENODEV;
    }
    v->c.stats.resets++;
    v->c.link = false;
    set(nic, VIRTIO_STATUS, 0);
    nic_enter(nic, STEP_CLEAR);

    return 0;
}

static uint64_t features(const struct cl_nic *nic)
{
    uint64_t low;

    set(nic, VIRTIO_DEVICE_SELECT, 0);
    low = get(nic, VIRTIO_DEVICE_FEATURE);
    set(nic, VIRTIO_DEVICE_SELECT, 1);

    return low | (uint64_t)get(nic, VIRTIO_DEVICE_FEATURE) << 32;
}

/* Without the last it would bypass the IOMMU. */
#define WANTED                                                         \
    (VIRTIO_NET_F_MAC | VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM)

static bool negotiate(const struct cl_nic *nic)
{
    uint64_t have = features(nic);
    uint64_t want = WANTED | (have & VIRTIO_NET_F_STATUS);

    if ( (have & WANTED) != WANTED )
    {
        nic_say(nic, "lacks MAC, VERSION_1 or ACCESS_PLATFORM:",
                (uint32_t)(have >> 32));
        return false;
    }
    priv(nic)->tells_link = want & VIRTIO_NET_F_STATUS;
    set(nic, VIRTIO_DRIVER_SELECT, 0);
    set(nic, VIRTIO_DRIVER_FEATURE, (uint32_t)want);
    set(nic, VIRTIO_DRIVER_SELECT, 1);
    set(nic, VIRTIO_DRIVER_FEATURE, (uint32_t)(want >> 32));
    set(nic, VIRTIO_STATUS,
        VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);

    return get(nic, VIRTIO_STATUS) & VIRTIO_FEATURES_OK;
}

static bool set_up(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);
    unsigned int n;

    set(nic, VIRTIO_STATUS, VIRTIO_ACKNOWLEDGE);
    set(nic, VIRTIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    if ( !negotiate(nic) )
        return false;

    for ( n = 0; n < 6; n++ )
        nic->mac[n] = rd(nic, VIRTIO_CAP_DEVICE, VIRTIO_NET_MAC + n, 1);
    set(nic, VIRTIO_CONFIG_VECTOR, 0);
    if ( !set_up_queue(nic, RX) || !set_up_queue(nic, TX) )
        return false;

    v->c.rx = v->c.tx = (struct ring){ 0 };

    return true;
}

static void start(struct cl_nic *nic)
{
    if ( get(nic, VIRTIO_STATUS) )
    {
        if ( elapsed_us(nic, common(nic)->since) >= CLEAR_MAX_US )
            nic_again(nic, "does not reset, status:", get(nic, VIRTIO_STATUS));
        return;
    }
    if ( !set_up(nic) )
    {
        nic_again(nic, "cannot be set up, status:", get(nic, VIRTIO_STATUS));
        return;
    }

    fill_rx(nic);
    write_irq(nic);
    set(nic, VIRTIO_STATUS,
        VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK |
            VIRTIO_DRIVER_OK);
    priv(nic)->offered = RING;
    publish(&priv(nic)->queue[RX], RING);
    notify(nic, RX);
    nic_enter(nic, STEP_WORKS);
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

    publish(&v->queue[RX], v->offered);
    notify(nic, RX);
}

static void cf_check virtio_rx_refill(struct cl_nic *nic, unsigned int n)
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

static unsigned int cf_check virtio_rx_burst(struct cl_nic *nic,
                                             struct cl_nic_rx *f,
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

static unsigned int cf_check virtio_tx_reap(struct cl_nic *nic)
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

static void *cf_check virtio_tx_buffer(struct cl_nic *nic)
{
    return tx_buffer(nic) + NET_HEADER;
}

static void cf_check virtio_tx_queue(struct cl_nic *nic, unsigned int len)
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

static void cf_check virtio_tx_kick(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);

    publish(&v->queue[TX], v->c.tx.next);
    notify(nic, TX);
}

/* ---- Watching it work ------------------------------------------------- */

static void look(struct cl_nic *nic)
{
    uint32_t status = get(nic, VIRTIO_STATUS);

    if ( status == 0xff || (status & VIRTIO_NEEDS_RESET) ||
         !(status & VIRTIO_DRIVER_OK) )
    {
        nic_again(nic, "needs a reset, status:", status);
        return;
    }
    nic_link(nic, !priv(nic)->tells_link ||
                      (rd(nic, VIRTIO_CAP_DEVICE, VIRTIO_NET_STATUS, 2) & 1));
    nic_check_tx(nic);
}

static enum cl_nic_state cf_check virtio_poll(struct cl_nic *nic)
{
    if ( common(nic)->step == STEP_CLEAR )
        start(nic);
    if ( nic_due(nic) )
        look(nic);

    return nic_state(nic);
}

/* ---- The rest --------------------------------------------------------- */

static void cf_check virtio_set_irq(struct cl_nic *nic, bool on)
{
    common(nic)->irq = on;
    if ( common(nic)->step == STEP_WORKS )
        write_irq(nic);
}

const struct cl_nic_ops virtio_net_ops = {
    .name = "virtio-net",
    .pool_size = POOL_SIZE,
    .priv_size = sizeof(struct virtio_net),
    .reset = virtio_reset,
    .poll = virtio_poll,
    .rx_burst = virtio_rx_burst,
    .rx_refill = virtio_rx_refill,
    .tx_reap = virtio_tx_reap,
    .tx_buffer = virtio_tx_buffer,
    .tx_queue = virtio_tx_queue,
    .tx_kick = virtio_tx_kick,
    /* no set_filter: without, it passes everything (5.1.6.5.1) */
    .set_irq = virtio_set_irq,
    .stats = nic_stats,
};
