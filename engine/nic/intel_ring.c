/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel's gigabit controllers: one ring each way, and the frames in them. */

#include "common.h"
#include "intel_driver.h"

/* In the pool: two rings of a page each. */
#define POOL_TX_DESC (RING * sizeof(struct intel_desc))

/* ---- Rings ------------------------------------------------------------ */

static void rx_give(const struct cl_nic *nic, uint32_t counter)
{
    struct intel *i = priv(nic);
    unsigned int n = counter & RING_MASK;

    i->rx_desc[n].word[1] = 0;
    i->rx_desc[n].word[0] = nic->iova + POOL_RX_BUFFER + n * RX_BUFFER;
}

void intel_rx_tail(const struct cl_nic *nic)
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

bool intel_queue_enabled(const struct cl_nic *nic, uint32_t q, uint32_t bits)
{
    return (rd(nic, q + Q_DCTL) & bits) == bits;
}

void intel_set_up_queues(struct cl_nic *nic)
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

/* ---- Receive ---------------------------------------------------------- */

void cf_check intel_rx_refill(struct cl_nic *nic, unsigned int n)
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
        intel_rx_tail(nic);
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

unsigned int cf_check intel_rx_burst(struct cl_nic *nic, struct cl_nic_rx *f,
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

unsigned int cf_check intel_tx_reap(struct cl_nic *nic)
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

void *cf_check intel_tx_buffer(struct cl_nic *nic)
{
    return tx_buffer(nic);
}

void cf_check intel_tx_queue(struct cl_nic *nic, unsigned int len)
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

void cf_check intel_tx_kick(struct cl_nic *nic)
{
    const struct intel *i = priv(nic);

    ring_publish();
    wr(nic, i->family->tx_queue + Q_TAIL, i->c.tx.next & RING_MASK);
}
