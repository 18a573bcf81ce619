/* SPDX-License-Identifier: BSD-2-Clause */
/* What the drivers have in common. */
#ifndef CLOISTER_NIC_COMMON_H
#define CLOISTER_NIC_COMMON_H

#include <errno.h>
#include <string.h>

#include <cloister/nic.h>

#define RING      256u /* descriptors; a power of two */
#define RING_MASK (RING - 1)
#define RX_BUFFER 2048u /* bytes for each */
#define TX_BUFFER 2048u

/* The pool: the driver's rings, zero at first, then the buffers. */
#define POOL_RX_BUFFER 16384u
#define POOL_TX_BUFFER (POOL_RX_BUFFER + RING * RX_BUFFER)
#define POOL_SIZE      (POOL_TX_BUFFER + RING * TX_BUFFER)

/* Ethernet header, the least that a frame is. */
#define FRAME_MIN 14u

/*
 * Counters run freely and wrap at 2^32; an entry is counter & RING_MASK.
 *
 *   rx: given <= RING ahead of back; the device fills next .. given, the
 *       engine holds back .. next
 *   tx: the device sends back .. next
 */
struct ring {
    uint32_t next; /* rx: to look at; tx: to fill */
    uint32_t back; /* rx: to give back; tx: to take back */
};

/* A bit for each entry of a ring. */
struct ring_bits {
    uint64_t word[RING / 64];
};

static inline void ring_set_bit(struct ring_bits *b, uint32_t i)
{
    b->word[(i & RING_MASK) / 64] |= 1ull << (i % 64);
}

static inline bool ring_take_bit(struct ring_bits *b, uint32_t i)
{
    uint64_t bit = 1ull << (i % 64), *word = &b->word[(i & RING_MASK) / 64];
    bool was = *word & bit;

    *word &= ~bit;

    return was;
}

/* The device writes there: read once, and before what it announces. */
static inline uint64_t ring_read64(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline uint16_t ring_read16(const uint16_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* What was written before is there before the device is told. */
static inline void ring_publish(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Where a driver is in its reset; it has steps of its own in between. */
enum {
    STEP_FAILED,
    STEP_WORKS,
    STEP_FIRST,
};

/* First in the driver's own memory, all-zero at first. */
struct common {
    uint8_t step;
    uint8_t tries; /* resets since the last frame */
    bool irq, link;
    uint64_t since;    /* when this step began */
    uint64_t checked;  /* when registers were last looked at, 0: never */
    uint64_t progress; /* when a frame was last sent or queued first */
    struct ring rx, tx;
    struct cl_nic_stats stats;
};

static inline struct common *common(const struct cl_nic *nic)
{
    return nic->priv;
}

static inline uint64_t now_us(const struct cl_nic *nic)
{
    return nic->platform->now_us(nic->ctx);
}

static inline uint64_t elapsed_us(const struct cl_nic *nic, uint64_t since)
{
    return now_us(nic) - since;
}

static inline uint8_t *rx_buffer(const struct cl_nic *nic, unsigned int n)
{
    return (uint8_t *)nic->pool + POOL_RX_BUFFER + n * RX_BUFFER;
}

static inline uint8_t *tx_buffer(const struct cl_nic *nic)
{
    return (uint8_t *)nic->pool + POOL_TX_BUFFER +
           (common(nic)->tx.next & RING_MASK) * TX_BUFFER;
}

void nic_say(const struct cl_nic *nic, const char *what, uint32_t value);
void nic_enter(const struct cl_nic *nic, unsigned int step);

/* Resets the device, because of `why`; gives up after too many in a row. */
void nic_again(struct cl_nic *nic, const char *why, uint32_t value);

/* It is time to look at registers: the link (nic_link), signs of a hang. */
bool nic_due(const struct cl_nic *nic);
void nic_link(const struct cl_nic *nic, bool link);

/* Resets the device if it has not sent anything for long, with link. */
void nic_check_tx(struct cl_nic *nic);

/* What poll() returns. */
enum cl_nic_state nic_state(const struct cl_nic *nic);

/* The next frame, of len bytes, is queued; some were sent. */
void nic_queued(const struct cl_nic *nic, unsigned int len);
void nic_sent(const struct cl_nic *nic);

/* The capability with this id behind `pos` (0: the first), or 0. */
unsigned int nic_capability(const struct cl_nic *nic, unsigned int pos,
                            unsigned int id);

void cf_check nic_stats(const struct cl_nic *nic, struct cl_nic_stats *s);

extern const struct cl_nic_ops virtio_net_ops;

#endif /* CLOISTER_NIC_COMMON_H */
