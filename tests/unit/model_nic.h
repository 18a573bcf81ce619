/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NICs as their drivers see them: registers, rings in the DMA pool, a virtual
 * clock, faults.  The model is also a judge: DMA outside of the pool counts
 * as a violation.
 */
#ifndef MODEL_NIC_H
#define MODEL_NIC_H

#include <cloister/nic.h>

enum model_kind
{
    MODEL_E1000E, /* 82574L */
    MODEL_I219,
    MODEL_IGB, /* 82576 */
    MODEL_VIRTIO,
    MODEL_KINDS
};

/* Faults; each lasts until it is taken away. */
#define NF_ABSENT (1u << 0)   /* every register reads as ones */
#define NF_NO_RESET (1u << 1) /* a reset does not come to its end */
#define NF_NO_ENABLE                                                          \
    (1u << 2)                /* igb: queues are never enabled; virtio:        \
                                features are not accepted */
#define NF_TX_HANG (1u << 3) /* sends nothing */
#define NF_NO_LINK (1u << 4)
#define NF_NO_MAC (1u << 5)   /* Intel: the address is zero */
#define NF_NO_IOMMU (1u << 6) /* virtio: no ACCESS_PLATFORM */
#define NF_SCRIBBLE (1u << 7) /* writes addresses into all descriptors */
#define NF_FOREIGN (1u << 8)  /* virtio: uses buffers that it has not */
#define NF_RX_STUCK (1u << 9) /* Intel: counts frames as missed */

#define NF_ASLEEP (1u << 10) /* igb: no link until told to negotiate */

#define MODEL_IOVA 0x123400000ull
#define MODEL_REGS 0x10000u

struct model_nic
{
    enum model_kind kind;
    uint32_t faults;
    uint64_t now;
    uint32_t reg[MODEL_REGS / 4];
    uint8_t cfg[256];
    uint8_t *pool;
    void *priv;
    struct cl_nic nic;
    uint32_t rx_head, tx_head; /* Intel: entries; virtio: free-running */
    unsigned int status, select;
    uint64_t features;
    uint64_t queue[2][3]; /* virtio: addresses */
    uint32_t missed;
    unsigned int violations; /* DMA outside of the pool */
    unsigned int logged, accesses;
};

bool model_nic_init(struct model_nic *m, enum model_kind kind);
void model_nic_free(struct model_nic *m);

/* The same with a pool that another one has had, if it is not NULL. */
bool model_nic_init_in(struct model_nic *m, enum model_kind kind, void *pool);

/* Polls every `us` of the virtual clock until `want`; false: not in a second.
 */
bool model_nic_until(struct model_nic *m, enum cl_nic_state want, uint64_t us);

/* A frame comes in: false if there is no buffer for it. */
bool model_nic_rx(struct model_nic *m, const void *data, uint32_t len);

/* The same, but what is written back is not true. */
bool model_nic_rx_raw(struct model_nic *m, const void *data, uint32_t copy,
                      uint32_t len, bool last, bool error);

/* The next frame that was sent, to buf; its length, or 0 if there is none. */
uint32_t model_nic_tx(struct model_nic *m, void *buf, uint32_t room);

/* How many buffers the device has for frames. */
uint32_t model_nic_room(const struct model_nic *m);

/* Does the device take frames to mac? */
bool model_nic_takes(const struct model_nic *m, const uint8_t mac[6]);

bool model_nic_irq_on(const struct model_nic *m);

#endif /* MODEL_NIC_H */
