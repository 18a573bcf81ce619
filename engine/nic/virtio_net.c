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

#include <errno.h>
#include <string.h>

#include "ring.h"
#include "virtio.h"

#define CLEAR_MAX_US 100000u /* for a reset; a device may take its time */
#define TX_HANG_US 500000u
#define CHECK_US 100000u
#define RESETS_MAX 8u

#define NO_VECTOR 0xffffu

enum step
{
    STEP_FAILED,
    STEP_CLEAR,
    STEP_WORKS,
};

enum
{
    RX,
    TX,
    QUEUES,
};

/* Where a capability's registers are. */
struct region
{
    uint32_t bar, offset, length; /* length 0: there is none */
};

struct queue
{
    struct vq_desc *desc;
    uint16_t *avail;      /* flags, index, entries */
    uint16_t *used;       /* flags, index, then struct vq_used */
    uint32_t notify;      /* offset in its region */
    uint32_t taken;       /* used entries looked at, free-running */
    struct ring_bits has; /* buffers that the device has */
};

struct virtio_net
{
    struct region region[CAP_TYPES];
    uint32_t multiplier;
    struct queue queue[QUEUES];
    struct ring rx, tx;
    uint16_t order[RING]; /* Rx: buffers, as they came */
    uint32_t offered;     /* Rx: buffers ever offered */
    bool irq, link;
    bool tells_link; /* has a link status; else the link is up */
    uint8_t step, tries;
    uint64_t since, checked, progress;
    struct cl_nic_stats stats;
};

/*
 * The pool: for each queue a page of descriptors and one of rings.  The used
 * ring's entries, four bytes behind its start, are to be read in one go.
 */
#define POOL_QUEUE 8192u
#define POOL_AVAIL 4096u
#define POOL_USED (POOL_AVAIL + 1024u + 4u)
#define POOL_RX_BUFFER (QUEUES * POOL_QUEUE)
#define POOL_TX_BUFFER (POOL_RX_BUFFER + RING * RX_BUFFER)
#define POOL_SIZE (POOL_TX_BUFFER + RING * TX_BUFFER)

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

static uint32_t get(const struct cl_nic *nic, uint32_t off, unsigned int size)
{
    return rd(nic, CAP_COMMON, off, size);
}

static void set(const struct cl_nic *nic, uint32_t off, unsigned int size,
                uint32_t value)
{
    wr(nic, CAP_COMMON, off, size, value);
}

static void say(const struct cl_nic *nic, const char *what, uint32_t value)
{
    nic->platform->log(nic->ctx, what, value);
}

static void enter(struct cl_nic *nic, enum step step)
{
    priv(nic)->step = step;
    priv(nic)->since = nic->platform->now_us(nic->ctx);
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
    if ( type >= CAP_TYPES || v->region[type].length )
        return;

    v->region[type].bar = cfg(nic, pos + CAP_BAR, 1);
    v->region[type].offset = cfg(nic, pos + CAP_OFFSET, 4);
    v->region[type].length = cfg(nic, pos + CAP_LENGTH, 4);
    if ( type == CAP_NOTIFY )
        v->multiplier = cfg(nic, pos + CAP_NOTIFY_MULTIPLIER, 4);
}

/* The platform refuses accesses outside of a BAR. */
static bool find_registers(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);
    unsigned int pos = cfg(nic, 0x34, 1) & 0xfc, left = 48;

    memset(v->region, 0, sizeof(v->region));
    for ( ; pos && left--; pos = cfg(nic, pos + 1, 1) & 0xfc )
        if ( cfg(nic, pos, 1) == CAP_VENDOR )
            read_capability(nic, pos);

    return v->region[CAP_COMMON].length >= COMMON_SIZE &&
           v->region[CAP_NOTIFY].length && v->region[CAP_DEVICE].length;
}

/* ---- Queues ----------------------------------------------------------- */

static void write64(const struct cl_nic *nic, uint32_t off, uint64_t value)
{
    set(nic, off, 4, (uint32_t)value);
    set(nic, off + 4, 4, (uint32_t)(value >> 32));
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
    wr(nic, CAP_NOTIFY, priv(nic)->queue[nr].notify, 2, nr);
}

static void fill_rx(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);
    struct queue *q = &v->queue[RX];
    unsigned int n;

    for ( n = 0; n < RING; n++ )
    {
        q->desc[n] = (struct vq_desc){
            .addr = nic->iova + POOL_RX_BUFFER + n * RX_BUFFER,
            .len = NET_HEADER + CL_NIC_FRAME,
            .flags = DESC_WRITE,
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
        .desc = (struct vq_desc *)base,
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
    set(nic, QUEUE_SELECT, nr);
    if ( get(nic, QUEUE_SIZE) < RING )
        return false;

    set(nic, QUEUE_SIZE, RING);
    v->queue[nr].notify = get(nic, QUEUE_NOTIFY_OFF) * v->multiplier;
    if ( v->queue[nr].notify > v->region[CAP_NOTIFY].length - 2 )
        return false;

    write64(nic, QUEUE_DESC, iova);
    write64(nic, QUEUE_DRIVER, iova + POOL_AVAIL);
    write64(nic, QUEUE_DEVICE, iova + POOL_USED);
    set(nic, QUEUE_MSIX_VECTOR, 0);
    set(nic, QUEUE_ENABLE, 1);

    return true;
}

static void write_irq(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);
    unsigned int nr;

    for ( nr = 0; nr < QUEUES; nr++ )
        v->queue[nr].avail[0] = v->irq ? 0 : AVAIL_NO_INTERRUPT;
    ring_publish();
}

/* ---- Reset ------------------------------------------------------------ */

static int cf_check virtio_reset(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);

    if ( !find_registers(nic) )
    {
        say(nic, "no virtio 1.x registers", nic->device);
        enter(nic, STEP_FAILED);
        return -ENODEV;
    }
    v->stats.resets++;
    v->link = false;
    set(nic, DEVICE_STATUS, 0);
    enter(nic, STEP_CLEAR);

    return 0;
}

static void try_again(struct cl_nic *nic, const char *why, uint32_t value)
{
    struct virtio_net *v = priv(nic);

    say(nic, why, value);
    if ( v->tries++ < RESETS_MAX && !virtio_reset(nic) )
        return;
    say(nic, "gives up after resets in a row:", v->tries);
    enter(nic, STEP_FAILED);
}

static uint64_t features(const struct cl_nic *nic)
{
    uint64_t low;

    set(nic, DEVICE_FEATURE_SELECT, 0);
    low = get(nic, DEVICE_FEATURE);
    set(nic, DEVICE_FEATURE_SELECT, 1);

    return low | (uint64_t)get(nic, DEVICE_FEATURE) << 32;
}

/* What we ask for and cannot do without; without the last it would bypass
   the IOMMU. */
#define WANTED                                                                \
    (1ull << FEATURE_MAC | 1ull << FEATURE_VERSION_1 |                        \
     1ull << FEATURE_ACCESS_PLATFORM)

static bool negotiate(const struct cl_nic *nic)
{
    uint64_t have = features(nic);
    uint64_t want = WANTED | (have & (1ull << FEATURE_STATUS));

    if ( (have & WANTED) != WANTED )
    {
        say(nic, "lacks MAC, VERSION_1 or ACCESS_PLATFORM:",
            (uint32_t)(have >> 32));
        return false;
    }
    priv(nic)->tells_link = want >> FEATURE_STATUS & 1;
    set(nic, DRIVER_FEATURE_SELECT, 0);
    set(nic, DRIVER_FEATURE, (uint32_t)want);
    set(nic, DRIVER_FEATURE_SELECT, 1);
    set(nic, DRIVER_FEATURE, (uint32_t)(want >> 32));
    set(nic, DEVICE_STATUS,
        STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);

    return get(nic, DEVICE_STATUS) & STATUS_FEATURES_OK;
}

static bool set_up(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);
    unsigned int n;

    set(nic, DEVICE_STATUS, STATUS_ACKNOWLEDGE);
    set(nic, DEVICE_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    if ( !negotiate(nic) )
        return false;

    for ( n = 0; n < 6; n++ )
        nic->mac[n] = rd(nic, CAP_DEVICE, NET_MAC + n, 1);
    set(nic, CONFIG_MSIX_VECTOR, 0);
    if ( !set_up_queue(nic, RX) || !set_up_queue(nic, TX) )
        return false;

    v->rx = (struct ring){0};
    v->tx = (struct ring){0};
    v->checked = 0;

    return true;
}

static void start(struct cl_nic *nic)
{
    if ( get(nic, DEVICE_STATUS) )
    {
        if ( elapsed_us(nic, priv(nic)->since) >= CLEAR_MAX_US )
            try_again(nic, "does not reset, status:", get(nic, DEVICE_STATUS));
        return;
    }
    if ( !set_up(nic) )
    {
        try_again(nic, "cannot be set up, status:", get(nic, DEVICE_STATUS));
        return;
    }

    fill_rx(nic);
    write_irq(nic);
    set(nic, DEVICE_STATUS,
        STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK |
            STATUS_DRIVER_OK);
    priv(nic)->offered = RING;
    publish(&priv(nic)->queue[RX], RING);
    notify(nic, RX);
    enter(nic, STEP_WORKS);
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

    if ( v->step != STEP_WORKS || v->rx.back == v->rx.next )
        return;

    for ( ; n && v->rx.back != v->rx.next; n-- )
        offer(&v->queue[RX], v->offered++, v->order[v->rx.back++ & RING_MASK]);
    rx_tell(nic);
}

/* Buffer nr has len bytes: a frame for f, or the device gets it back. */
static bool rx_take(struct cl_nic *nic, uint32_t nr, uint32_t len,
                    struct cl_nic_rx *f)
{
    struct virtio_net *v = priv(nic);

    if ( len < NET_HEADER + FRAME_MIN || len > NET_HEADER + CL_NIC_FRAME )
    {
        v->stats.rx_errors++;
        offer(&v->queue[RX], v->offered++, nr);
        rx_tell(nic);
        return false;
    }

    *f = (struct cl_nic_rx){
        .data = (uint8_t *)nic->pool + POOL_RX_BUFFER + nr * RX_BUFFER +
                NET_HEADER,
        .len = len - NET_HEADER,
    };
    v->order[v->rx.next++ & RING_MASK] = nr;
    v->stats.rx_frames++;
    v->stats.rx_bytes += f->len;

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

    if ( v->step != STEP_WORKS )
        return 0;

    while ( got < n && left-- && (rc = next_used(&v->queue[RX], &nr, &len)) )
    {
        if ( rc < 0 )
        {
            v->stats.rx_errors++;
            try_again(nic, "used a buffer that it had not:", nr);
            return 0;
        }
        got += rx_take(nic, nr, len, &f[got]);
    }
    if ( got )
        v->tries = 0;

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

    if ( v->step != STEP_WORKS )
        return 0;

    while ( left-- && (rc = next_used(q, &nr, &len)) )
    {
        if ( rc < 0 )
        {
            v->stats.tx_errors++;
            try_again(nic, "has sent a buffer that it had not:", nr);
            return 0;
        }
        v->progress = nic->platform->now_us(nic->ctx);
        v->tries = 0;
    }
    while ( v->tx.back != v->tx.next && !has_buffer(q, v->tx.back) )
        v->tx.back++;

    return RING - (v->tx.next - v->tx.back);
}

static void *cf_check virtio_tx_buffer(struct cl_nic *nic)
{
    return (uint8_t *)nic->pool + POOL_TX_BUFFER +
           (priv(nic)->tx.next & RING_MASK) * TX_BUFFER + NET_HEADER;
}

static void cf_check virtio_tx_queue(struct cl_nic *nic, unsigned int len)
{
    struct virtio_net *v = priv(nic);
    struct queue *q = &v->queue[TX];
    unsigned int n = v->tx.next & RING_MASK;

    if ( v->tx.next == v->tx.back )
        v->progress = nic->platform->now_us(nic->ctx);
    memset((uint8_t *)virtio_tx_buffer(nic) - NET_HEADER, 0, NET_HEADER);
    q->desc[n] = (struct vq_desc){
        .addr = nic->iova + POOL_TX_BUFFER + n * TX_BUFFER,
        .len = NET_HEADER + len,
    };
    offer(q, v->tx.next++, n);
    v->stats.tx_frames++;
    v->stats.tx_bytes += len;
}

static void cf_check virtio_tx_kick(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);

    publish(&v->queue[TX], v->tx.next);
    notify(nic, TX);
}

/* ---- Watching it work ------------------------------------------------- */

static void look(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);
    uint32_t status = get(nic, DEVICE_STATUS);
    bool link = !v->tells_link || (rd(nic, CAP_DEVICE, NET_STATUS, 2) & 1);

    v->checked = nic->platform->now_us(nic->ctx);
    if ( status == 0xff || (status & STATUS_NEEDS_RESET) ||
         !(status & STATUS_DRIVER_OK) )
    {
        try_again(nic, "needs a reset, status:", status);
        return;
    }
    if ( link != v->link )
    {
        v->link = link;
        v->progress = v->checked;
        v->stats.link_changes++;
    }
    (void)virtio_tx_reap(nic); /* perhaps nobody has looked for long */
    if ( v->step == STEP_WORKS && link && v->tx.next != v->tx.back &&
         elapsed_us(nic, v->progress) >= TX_HANG_US )
        try_again(nic, "transmitter hangs, frames waiting:",
                  v->tx.next - v->tx.back);
}

static enum cl_nic_state cf_check virtio_poll(struct cl_nic *nic)
{
    struct virtio_net *v = priv(nic);

    if ( v->step == STEP_CLEAR )
        start(nic);
    else if ( v->step == STEP_WORKS &&
              (!v->checked || elapsed_us(nic, v->checked) >= CHECK_US) )
        look(nic);

    if ( v->step == STEP_FAILED )
        return CL_NIC_FAILED;
    if ( v->step != STEP_WORKS )
        return CL_NIC_RESETTING;

    return v->link ? CL_NIC_UP : CL_NIC_DOWN;
}

static void cf_check virtio_stop(struct cl_nic *nic)
{
    if ( priv(nic)->region[CAP_COMMON].length )
        set(nic, DEVICE_STATUS, 0);
    enter(nic, STEP_FAILED);
}

/* ---- The rest --------------------------------------------------------- */

/* Without filters a virtio-net device passes everything (5.1.6.5.1). */
static void cf_check virtio_set_filter(struct cl_nic *nic, unsigned int pool,
                                       const uint8_t mac[6], uint16_t vlan,
                                       bool on)
{
    (void)nic, (void)pool, (void)mac, (void)vlan, (void)on;
}

static void cf_check virtio_set_irq(struct cl_nic *nic, bool on)
{
    priv(nic)->irq = on;
    if ( priv(nic)->step == STEP_WORKS )
        write_irq(nic);
}

static void cf_check virtio_stats(const struct cl_nic *nic,
                                  struct cl_nic_stats *s)
{
    *s = priv(nic)->stats;
}

const struct cl_nic_ops virtio_net_ops = {
    .name = "virtio-net",
    .caps = CL_NIC_CAP_IRQ,
    .pool_size = POOL_SIZE,
    .priv_size = sizeof(struct virtio_net),
    .reset = virtio_reset,
    .poll = virtio_poll,
    .stop = virtio_stop,
    .rx_burst = virtio_rx_burst,
    .rx_refill = virtio_rx_refill,
    .tx_reap = virtio_tx_reap,
    .tx_buffer = virtio_tx_buffer,
    .tx_queue = virtio_tx_queue,
    .tx_kick = virtio_tx_kick,
    .set_filter = virtio_set_filter,
    .set_irq = virtio_set_irq,
    .stats = virtio_stats,
};
