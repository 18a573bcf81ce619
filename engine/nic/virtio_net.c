/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Driver for virtio-net as a physical NIC: split queues, no offloads.
 *
 *   reset() -> CLEAR -> WORKS --hang, NEEDS_RESET--> CLEAR
 *                |
 *                +-- too long, too often, wrong features --> FAILED
 */

#include "virtio_net.h"

#define CLEAR_MAX_US 100000u /* for a reset; a device may take its time */

/* Offsets in a capability [4.1.4]: 8 bits, then 32 bits. */
#define CAP_TYPE              3u
#define CAP_BAR               4u
#define CAP_OFFSET            8u
#define CAP_LENGTH            12u
#define CAP_NOTIFY_MULTIPLIER 16u

enum {
    STEP_CLEAR = STEP_FIRST,
};

/* ---- Registers -------------------------------------------------------- */

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
    if ( !virtio_set_up_queue(nic, RX) || !virtio_set_up_queue(nic, TX) )
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

    virtio_fill_rx(nic);
    virtio_write_irq(nic);
    set(nic, VIRTIO_STATUS,
        VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK |
            VIRTIO_DRIVER_OK);
    priv(nic)->offered = RING;
    virtio_publish(&priv(nic)->queue[RX], RING);
    virtio_notify(nic, RX);
    nic_enter(nic, STEP_WORKS);
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
        virtio_write_irq(nic);
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
