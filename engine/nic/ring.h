/* SPDX-License-Identifier: BSD-2-Clause */
/* What the drivers' rings have in common. */
#ifndef CLOISTER_NIC_RING_H
#define CLOISTER_NIC_RING_H

#include <cloister/nic.h>

#define RING 256u /* descriptors; a power of two */
#define RING_MASK (RING - 1)
#define RX_BUFFER 2048u /* bytes for each */
#define TX_BUFFER 2048u

/* Ethernet header, the least that a frame is. */
#define FRAME_MIN 14u

/*
 * Counters run freely and wrap at 2^32; an entry is counter & RING_MASK.
 *
 *   rx: given <= RING ahead of back; the device fills next .. given, the
 *       engine holds back .. next
 *   tx: the device sends back .. next
 */
struct ring
{
    uint32_t next; /* rx: to look at; tx: to fill */
    uint32_t back; /* rx: to give back; tx: to take back */
};

/* A bit for each entry of a ring. */
struct ring_bits
{
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

static inline uint64_t elapsed_us(const struct cl_nic *nic, uint64_t since)
{
    return nic->platform->now_us(nic->ctx) - since;
}

#endif /* CLOISTER_NIC_RING_H */
