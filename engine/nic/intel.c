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
#include "intel_driver.h"

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

bool intel_identify(const struct cl_nic *nic)
{
    struct intel *i = priv(nic);

    i->id = intel_find(nic->device);
    if ( i->id )
        i->family = i->id->igb ? &intel_igb : &intel_e1000e;

    return i->id;
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

    if ( !intel_identify(nic) )
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
    intel_set_up_queues(nic);
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

    if ( !intel_queue_enabled(nic, f->rx_queue, f->rx_enable) ||
         !intel_queue_enabled(nic, f->tx_queue, f->tx_enable) )
    {
        if ( elapsed_us(nic, i->c.since) >= ENABLE_MAX_US )
            nic_again(
                nic, "queues are not enabled:", rd(nic, f->rx_queue + Q_DCTL));
        return;
    }

    intel_write_filters(nic);
    wr(nic, TCTL, TCTL_EN | TCTL_PSP | TCTL_CT | TCTL_COLD);
    intel_write_rctl(nic);
    intel_rx_tail(nic);
    nic_enter(nic, STEP_WORKS);
    i->woken = 0;
    i->seen = 0;
    i->misses = 0;
    write_irq(nic);
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
