/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio-net as a physical NIC: what the files of the driver share. */
#ifndef CLOISTER_NIC_VIRTIO_NET_H
#define CLOISTER_NIC_VIRTIO_NET_H

#include <cloister/virtio.h>

#include "common.h"

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

static inline struct virtio_net *priv(const struct cl_nic *nic)
{
    return nic->priv;
}

/* ---- Registers -------------------------------------------------------- */

static inline uint32_t rd(const struct cl_nic *nic, unsigned int type,
                          uint32_t off, unsigned int size)
{
    const struct region *r = &priv(nic)->region[type];

    return nic->platform->read(nic->ctx, r->bar, r->offset + off, size);
}

static inline void wr(const struct cl_nic *nic, unsigned int type,
                      uint32_t off, unsigned int size, uint32_t value)
{
    const struct region *r = &priv(nic)->region[type];

    nic->platform->write(nic->ctx, r->bar, r->offset + off, size, value);
}

/* The common configuration; each field has its size. */
static inline unsigned int size_of(uint32_t off)
{
    if ( off < VIRTIO_CONFIG_VECTOR || off >= VIRTIO_QUEUE_DESC )
        return 4;

    return off == VIRTIO_STATUS || off == VIRTIO_GENERATION ? 1 : 2;
}

static inline uint32_t get(const struct cl_nic *nic, uint32_t off)
{
    return rd(nic, VIRTIO_CAP_COMMON, off, size_of(off));
}

static inline void set(const struct cl_nic *nic, uint32_t off, uint32_t value)
{
    wr(nic, VIRTIO_CAP_COMMON, off, size_of(off), value);
}

/* ---- virtio_net_ring.c -------------------------------------------------- */

/*
 * Called as the driver's operations are (cloister/nic.h): by one thread at a
 * time, no locks.
 */

/*
 * After a reset: queue nr, empty, in the pool and in the device.  False: the
 * queue is absent or too small, or its doorbell is nowhere.
 */
bool virtio_set_up_queue(struct cl_nic *nic, unsigned int nr);

/* Offers all receive buffers to the device, which is not told yet. */
void virtio_fill_rx(struct cl_nic *nic);

/* Whether the device is to interrupt, as common(nic)->irq has it. */
void virtio_write_irq(struct cl_nic *nic);

/*
 * What was offered up to `counter`, buffers ever, is there for the device to
 * see; and it is told to look at queue nr.
 */
void virtio_publish(struct queue *q, uint32_t counter);
void virtio_notify(const struct cl_nic *nic, unsigned int nr);

/* Operations of struct cl_nic_ops. */
unsigned int cf_check virtio_rx_burst(struct cl_nic *nic, struct cl_nic_rx *f,
                                      unsigned int n);
void cf_check virtio_rx_refill(struct cl_nic *nic, unsigned int n);
unsigned int cf_check virtio_tx_reap(struct cl_nic *nic);
void *cf_check virtio_tx_buffer(struct cl_nic *nic);
void cf_check virtio_tx_queue(struct cl_nic *nic, unsigned int len);
void cf_check virtio_tx_kick(struct cl_nic *nic);

#endif /* CLOISTER_NIC_VIRTIO_NET_H */
