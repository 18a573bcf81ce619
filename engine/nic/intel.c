/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Driver for Intel's gigabit controllers: one queue each way, one interrupt.
 *
 *   reset() -> DRAIN -> RESET -> QUEUES -> WORKS --hang--> DRAIN
 *               |         |        |
 *               +---------+--------+-- too long, too often --> FAILED
 *
 * The device's states follow from what it was told, not from what it says:
 * each wait ends after a fixed time, whatever a register reads.
 */

#include "common.h"
#include "intel.h"

#define DRAIN_MAX_US  1000u    /* for DMA that goes on to end */
#define RESET_MIN_US  1000u    /* before registers may be touched */
#define RESET_MAX_US  10000u   /* for the NVM to be read */
#define RESET_SLOW_US 20000u   /* for devices that do not say */
#define ENABLE_MAX_US 10000u   /* for a queue to be enabled */
#define LINK_REST_US  100000u  /* before the link is woken up first */
#define LINK_WAIT_US  5000000u /* between attempts to wake the link up */

#define ABSENT 0xffffffffu

enum {
    STEP_DRAIN = STEP_FIRST,
    STEP_RESET,
    STEP_QUEUES,
};

struct filter {
    uint8_t mac[6];
    uint16_t ports; /* how many want it; 0: free */
};

#define FILTERS 16u

struct intel {
    struct common c;
    const struct intel_id *id;
    const struct intel_family *family;
    struct intel_desc *rx_desc, *tx_desc;
    struct ring_bits bad; /* Rx: held by nobody, to be given back */
    bool in_pieces;       /* Rx: dropping a frame until its end */
    uint8_t misses;       /* looks at a receiver that stands still */
    uint32_t seen;        /* rx.next at the last look */
    uint64_t woken;       /* when the link was last told to come up */
    struct filter filter[FILTERS];
    unsigned int unfiltered; /* addresses that had no room */
};

/* In the pool: two rings of a page each. */
#define POOL_TX_DESC (RING * sizeof(struct intel_desc))

static struct intel *priv(const struct cl_nic *nic)
{
    return nic->priv;
}

static uint32_t rd(const struct cl_nic *nic, uint32_t reg)
{
    return nic->platform->read(nic->ctx, INTEL_BAR, reg, 4);
}

static void wr(const struct cl_nic *nic, uint32_t reg, uint32_t value)
{
    nic->platform->write(nic->ctx, INTEL_BAR, reg, 4, value);
}

static bool identify(const struct cl_nic *nic)
{
    struct intel *i = priv(nic);

    i->id = intel_find(nic->device);
    if ( i->id )
        i->family = i->id->igb ? &intel_igb : &intel_e1000e;

    return i->id;
}

/* ---- Receive addresses ------------------------------------------------ */

/* Entry 0 is the device's own address. */
static void write_filters(const struct cl_nic *nic)
{
    const struct intel *i = priv(nic);
    unsigned int n;

    for ( n = 1; n < i->id->filters; n++ )
    {
        const struct filter *f = &i->filter[n];
        const uint8_t *m = f->mac;

        wr(nic, RAL(n), m[0] | m[1] << 8 | m[2] << 16 | (uint32_t)m[3] << 24);
        wr(nic, RAH(n), f->ports ? m[4] | m[5] << 8 | RAH_AV : 0);
    }
}

static void write_rctl(const struct cl_nic *nic)
{
    wr(nic, RCTL,
       RCTL_EN | RCTL_MPE | RCTL_BAM | RCTL_SECRC |
           (priv(nic)->unfiltered ? RCTL_UPE : 0));
}

/* The place of mac, or a free one; FILTERS: neither. */
static unsigned int find_filter(const struct intel *i, const uint8_t mac[6])
{
    unsigned int n, room = FILTERS;

    for ( n = 1; n < i->id->filters; n++ )
        if ( !i->filter[n].ports )
            room = n;
        else if ( !memcmp(i->filter[n].mac, mac, 6) )
            return n;

    return room;
}

static void cf_check intel_set_filter(struct cl_nic *nic, const uint8_t mac[6],
                                      bool on)
{
    struct intel *i = priv(nic);
    unsigned int n;
    bool known;

    identify(nic);
    n = find_filter(i, mac);
    known = n < FILTERS && i->filter[n].ports;

    if ( on && n < FILTERS )
    {
        memcpy(i->filter[n].mac, mac, 6);
        i->filter[n].ports++;
    }
    else if ( on )
        i->unfiltered++;
    else if ( known )
        i->filter[n].ports--;
    else if ( i->unfiltered )
        i->unfiltered--;

    if ( i->c.step == STEP_WORKS )
    {
        write_filters(nic);
        write_rctl(nic);
    }
}

/* ---- Rings ------------------------------------------------------------ */

static void rx_give(const struct cl_nic *nic, uint32_t counter)
{
    struct intel *i = priv(nic);
    unsigned int n = counter & RING_MASK;

    i->rx_desc[n].word[1] = 0;
    i->rx_desc[n].word[0] = nic->iova + POOL_RX_BUFFER + n * RX_BUFFER;
}

static void rx_tail(const struct cl_nic *nic)
{
    const struct intel *i = priv(nic);

    ring_publish();
    /* One short of all: head and tail at the same place mean none. */
    wr(nic, i->family->rx_queue + Q_TAIL, (i->c.rx.back - 1) & RING_MASK);
}

static void place_rings(struct cl_nic *nic)
{
    struct intel *i = priv(nic);
    uint8_t *pool = nic->pool;
    unsigned int n;

    i->rx_desc = (struct intel_desc *)pool;
    i->tx_desc = (struct intel_desc *)(pool + POOL_TX_DESC);
    i->c.rx = i->c.tx = (struct ring){ 0 };
    i->bad = (struct ring_bits){ { 0 } };
    i->in_pieces = false;
    memset(i->tx_desc, 0, RING * sizeof(struct intel_desc));
    for ( n = 0; n < RING; n++ )
        rx_give(nic, n);
}

static void write_queue(const struct cl_nic *nic, uint32_t q, uint64_t iova)
{
    wr(nic, q + Q_BAL, (uint32_t)iova);
    wr(nic, q + Q_BAH, (uint32_t)(iova >> 32));
    wr(nic, q + Q_LEN, RING * sizeof(struct intel_desc));
    wr(nic, q + Q_HEAD, 0);
    wr(nic, q + Q_TAIL, 0);
}

static void enable_queue(const struct cl_nic *nic, uint32_t q, uint32_t bits)
{
    if ( bits )
        wr(nic, q + Q_DCTL, rd(nic, q + Q_DCTL) | bits);
}

static bool queue_enabled(const struct cl_nic *nic, uint32_t q, uint32_t bits)
{
    return (rd(nic, q + Q_DCTL) & bits) == bits;
}

/* ---- Reset ------------------------------------------------------------ */

static void silence(const struct cl_nic *nic)
{
    wr(nic, IMC, 0xffffffff);
    wr(nic, RCTL, 0);
    wr(nic, TCTL, 0);
    wr(nic, CTRL, rd(nic, CTRL) | CTRL_MASTER_DISABLE);
}

/* PCIe link control, ASPM (PCI Express Base 4.0, 7.5.3.7). */
static void keep_link_awake(const struct cl_nic *nic)
{
    const struct cl_nic_platform *p = nic->platform;
    unsigned int at = nic_capability(nic, 0, 0x10) + 0x10;

    if ( at != 0x10 )
        p->cfg_write(nic->ctx, at, 2, p->cfg_read(nic->ctx, at, 2) & ~3u);
}

static int cf_check intel_reset(struct cl_nic *nic)
{
    struct intel *i = priv(nic);

    if ( !identify(nic) )
        return -ENODEV;
    if ( rd(nic, STATUS) == ABSENT )
    {
        nic_enter(nic, STEP_FAILED);
        return -EIO;
    }

    i->c.stats.resets++;
    i->c.link = false;
    if ( i->id->flags & INTEL_NO_ASPM )
        keep_link_awake(nic);
    if ( i->id->flags & INTEL_FLUSH )
        wr(nic, FEXTNVM11, rd(nic, FEXTNVM11) | FEXTNVM11_MULR);
    silence(nic);
    nic_enter(nic, STEP_DRAIN);

    return 0;
}

static void drain(struct cl_nic *nic)
{
    if ( (rd(nic, STATUS) & STATUS_MASTER) &&
         elapsed_us(nic, common(nic)->since) < DRAIN_MAX_US )
        return;

    wr(nic, CTRL, rd(nic, CTRL) | CTRL_RST);
    nic_enter(nic, STEP_RESET);
}

static bool reset_done(const struct cl_nic *nic)
{
    const struct intel *i = priv(nic);
    uint64_t us = elapsed_us(nic, i->c.since);

    if ( i->id->flags & INTEL_SLOW_RESET )
        return us >= RESET_SLOW_US;
    if ( us < RESET_MIN_US )
        return false;

    return us >= RESET_MAX_US ||
           (!(rd(nic, CTRL) & CTRL_RST) && (rd(nic, EECD) & EECD_AUTO_RD));
}

static bool read_mac(struct cl_nic *nic)
{
    uint32_t low = rd(nic, RAL(0)), high = rd(nic, RAH(0));
    unsigned int n;

    if ( (low & 1) || !(low | (high & 0xffff)) )
        return false;

    for ( n = 0; n < 6; n++ )
        nic->mac[n] = n < 4 ? low >> (8 * n) : high >> (8 * (n - 4));

    return true;
}

static void set_up_queues(struct cl_nic *nic)
{
    struct intel *i = priv(nic);
    const struct intel_family *f = i->family;

    place_rings(nic);
    write_queue(nic, f->rx_queue, nic->iova);
    write_queue(nic, f->tx_queue, nic->iova + POOL_TX_DESC);
    if ( f->rx_setup )
        wr(nic, f->rx_queue + Q_SRRCTL, f->rx_setup);
    if ( f->ivar )
        wr(nic, IVAR0, f->ivar);
    wr(nic, f->throttle_reg, f->throttle);
    enable_queue(nic, f->rx_queue, f->rx_enable);
    enable_queue(nic, f->tx_queue, f->tx_enable);
}

static void after_reset(struct cl_nic *nic)
{
    uint32_t ctrl;

    if ( !reset_done(nic) )
        return;

    wr(nic, IMC, 0xffffffff);
    (void)rd(nic, ICR);
    ctrl = rd(nic, CTRL);
    if ( ctrl == ABSENT || !read_mac(nic) )
    {
        nic_again(nic, "no answer or no address after a reset:", ctrl);
        return;
    }

    ctrl &= ~(CTRL_MASTER_DISABLE | CTRL_LRST | CTRL_FRCSPD | CTRL_FRCDPX |
              CTRL_RST | CTRL_VME);
    wr(nic, CTRL, ctrl | CTRL_SLU | CTRL_ASDE);
    set_up_queues(nic);
    nic_enter(nic, STEP_QUEUES);
}

static void write_irq(const struct cl_nic *nic)
{
    if ( !common(nic)->irq )
    {
        wr(nic, IMC, 0xffffffff);
        return;
    }
    wr(nic, IMS, INT_TXDW | INT_LSC | INT_RXDMT0 | INT_RXO | INT_RXT0);
}

static void start(struct cl_nic *nic)
{
    struct intel *i = priv(nic);
    const struct intel_family *f = i->family;

    if ( !queue_enabled(nic, f->rx_queue, f->rx_enable) ||
         !queue_enabled(nic, f->tx_queue, f->tx_enable) )
    {
        if ( elapsed_us(nic, i->c.since) >= ENABLE_MAX_US )
            nic_again(
                nic, "queues are not enabled:", rd(nic, f->rx_queue + Q_DCTL));
        return;
    }

    write_filters(nic);
    wr(nic, TCTL, TCTL_EN | TCTL_PSP | TCTL_CT | TCTL_COLD);
    write_rctl(nic);
    rx_tail(nic);
    nic_enter(nic, STEP_WORKS);
    i->woken = 0;
    i->seen = 0;
    i->misses = 0;
    write_irq(nic);
}

/* ---- Receive ---------------------------------------------------------- */

static void cf_check intel_rx_refill(struct cl_nic *nic, unsigned int n)
{
    struct intel *i = priv(nic);
    uint32_t from = i->c.rx.back;

    for ( ; i->c.rx.back != i->c.rx.next; i->c.rx.back++ )
    {
        if ( !ring_take_bit(&i->bad, i->c.rx.back) && !n-- )
            break;
        rx_give(nic, i->c.rx.back);
    }
    if ( i->c.rx.back != from && i->c.step == STEP_WORKS )
        rx_tail(nic);
}

/*
 * A frame is in one buffer, is no longer than the buffer, and has no error.
 * What is not is thrown away, and a frame in pieces up to its last.
 */
static bool rx_good(struct intel *i, uint64_t word, uint32_t len)
{
    bool last = word >> i->family->rx_status & RX_EOP;
    bool whole = last && !i->in_pieces;

    i->in_pieces = !last;

    return whole && len >= FRAME_MIN && len <= CL_NIC_FRAME &&
           !(word & i->family->rx_errors);
}

static unsigned int cf_check intel_rx_burst(struct cl_nic *nic,
                                            struct cl_nic_rx *f,
                                            unsigned int n)
{
    struct intel *i = priv(nic);
    unsigned int got = 0;

    if ( i->c.step != STEP_WORKS )
        return 0;

    while ( got < n && i->c.rx.next - i->c.rx.back < RING - 1 )
    {
        unsigned int at = i->c.rx.next & RING_MASK;
        uint64_t word = ring_read64(&i->rx_desc[at].word[1]);
        uint32_t len = (uint16_t)(word >> i->family->rx_length);

        if ( !(word >> i->family->rx_status & RX_DONE) )
            break;

        if ( rx_good(i, word, len) )
        {
            f[got++] = (struct cl_nic_rx){
                .data = rx_buffer(nic, at),
                .len = len,
            };
            i->c.stats.rx_frames++;
            i->c.stats.rx_bytes += len;
        }
        else
        {
            ring_set_bit(&i->bad, i->c.rx.next);
            i->c.stats.rx_errors++;
        }
        i->c.rx.next++;
    }
    if ( got )
        i->c.tries = 0;
    else
        intel_rx_refill(nic, 0);

    return got;
}

/* ---- Transmit --------------------------------------------------------- */

static unsigned int cf_check intel_tx_reap(struct cl_nic *nic)
{
    struct intel *i = priv(nic);
    uint32_t from = i->c.tx.back;

    if ( i->c.step != STEP_WORKS )
        return 0;

    while ( i->c.tx.back != i->c.tx.next &&
            (ring_read64(&i->tx_desc[i->c.tx.back & RING_MASK].word[1]) &
             TX_DONE) )
        i->c.tx.back++;
    if ( i->c.tx.back != from )
        nic_sent(nic);

    return RING - 1 - (i->c.tx.next - i->c.tx.back);
}

static void *cf_check intel_tx_buffer(struct cl_nic *nic)
{
    return tx_buffer(nic);
}

static void cf_check intel_tx_queue(struct cl_nic *nic, unsigned int len)
{
    struct intel *i = priv(nic);
    unsigned int at = i->c.tx.next & RING_MASK;
    uint64_t word = len | i->family->tx_command;

    if ( i->family->tx_paylen )
        word |= (uint64_t)len << TX_PAYLEN;
    i->tx_desc[at].word[0] = nic->iova + POOL_TX_BUFFER + at * TX_BUFFER;
    i->tx_desc[at].word[1] = word;
    nic_queued(nic, len);
}

static void cf_check intel_tx_kick(struct cl_nic *nic)
{
    const struct intel *i = priv(nic);

    ring_publish();
    wr(nic, i->family->tx_queue + Q_TAIL, i->c.tx.next & RING_MASK);
}

/* ---- Watching it work ------------------------------------------------- */

/*
 * Missed frames although it has buffers, for three looks without one frame
 * coming through.
 */
static bool rx_hangs(const struct cl_nic *nic, uint32_t missed)
{
    struct intel *i = priv(nic);

    if ( !missed || i->c.rx.next != i->seen ||
         i->c.rx.next - i->c.rx.back > RING / 2 )
        i->misses = 0;
    else
        i->misses++;
    i->seen = i->c.rx.next;

    return i->misses >= 3;
}

/*
 * After a reset of the controller its PHY may rest without a link (QEMU's
 * does), or have lost it just now.
 */
static void wake_link(const struct cl_nic *nic)
{
    struct intel *i = priv(nic);

    if ( !i->family->mdic || elapsed_us(nic, i->c.since) < LINK_REST_US ||
         (i->woken && elapsed_us(nic, i->woken) < LINK_WAIT_US) )
        return;
    i->woken = i->c.checked;
    wr(nic, MDIC, i->family->mdic);
}

static void look(struct cl_nic *nic)
{
    struct intel *i = priv(nic);
    uint32_t status = rd(nic, STATUS), missed = rd(nic, MPC);

    if ( status == ABSENT )
    {
        nic_again(nic, "does not answer", status);
        return;
    }
    i->c.stats.rx_missed += missed;
    nic_link(nic, status & STATUS_LU);
    if ( !i->c.link )
        wake_link(nic);
    nic_check_tx(nic);
    if ( i->c.step == STEP_WORKS && rx_hangs(nic, missed) )
        nic_again(nic, "receiver hangs, frames missed:", missed);
}

static enum cl_nic_state cf_check intel_poll(struct cl_nic *nic)
{
    switch ( common(nic)->step )
    {
    case STEP_DRAIN:
        drain(nic);
        break;
    case STEP_RESET:
        after_reset(nic);
        break;
    case STEP_QUEUES:
        start(nic);
        break;
    }
    if ( nic_due(nic) )
        look(nic);

    return nic_state(nic);
}

/* ---- The rest --------------------------------------------------------- */

static void cf_check intel_set_irq(struct cl_nic *nic, bool on)
{
    struct intel *i = priv(nic);

    i->c.irq = on;
    if ( i->c.step != STEP_WORKS )
        return;
    /* A cause that is not cleared would let no further one interrupt. */
    if ( on )
        (void)rd(nic, ICR);
    write_irq(nic);
}

const struct cl_nic_ops intel_ops = {
    .name = "intel",
    .pool_size = POOL_SIZE,
    .priv_size = sizeof(struct intel),
    .reset = intel_reset,
    .poll = intel_poll,
    .rx_burst = intel_rx_burst,
    .rx_refill = intel_rx_refill,
    .tx_reap = intel_tx_reap,
    .tx_buffer = intel_tx_buffer,
    .tx_queue = intel_tx_queue,
    .tx_kick = intel_tx_kick,
    .set_filter = intel_set_filter,
    .set_irq = intel_set_irq,
    .stats = nic_stats,
};
