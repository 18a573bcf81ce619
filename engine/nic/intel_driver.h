/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel's gigabit controllers: what the files of the driver share. */
#ifndef CLOISTER_NIC_INTEL_DRIVER_H
#define CLOISTER_NIC_INTEL_DRIVER_H

#include "common.h"
#include "intel.h"

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

static inline struct intel *priv(const struct cl_nic *nic)
{
    return nic->priv;
}

static inline uint32_t rd(const struct cl_nic *nic, uint32_t reg)
{
    return nic->platform->read(nic->ctx, INTEL_BAR, reg, 4);
}

static inline void wr(const struct cl_nic *nic, uint32_t reg, uint32_t value)
{
    nic->platform->write(nic->ctx, INTEL_BAR, reg, 4, value);
}

/*
 * All below are called as the driver's operations are (cloister/nic.h): by one
 * thread at a time, no locks.
 */

/* Finds out which controller it is: false: none that the driver knows. */
bool intel_identify(const struct cl_nic *nic);

/* ---- intel_filter.c: receive addresses -------------------------------- */

/* Writes all addresses, and the control of the receiver, to the device. */
void intel_write_filters(const struct cl_nic *nic);
void intel_write_rctl(const struct cl_nic *nic);

/* ---- intel_ring.c ------------------------------------------------------ */

/* After a reset: both rings, empty, in the pool and in the device. */
void intel_set_up_queues(struct cl_nic *nic);

/* Has the device enabled the queue at register block q, by these bits? */
bool intel_queue_enabled(const struct cl_nic *nic, uint32_t q, uint32_t bits);

/* Tells the device of the receive buffers that it may use. */
void intel_rx_tail(const struct cl_nic *nic);

/* ---- Operations of struct cl_nic_ops ------------------------------------ */

void cf_check intel_set_filter(struct cl_nic *nic, const uint8_t mac[6],
                               bool on);
unsigned int cf_check intel_rx_burst(struct cl_nic *nic, struct cl_nic_rx *f,
                                     unsigned int n);
void cf_check intel_rx_refill(struct cl_nic *nic, unsigned int n);
unsigned int cf_check intel_tx_reap(struct cl_nic *nic);
void *cf_check intel_tx_buffer(struct cl_nic *nic);
void cf_check intel_tx_queue(struct cl_nic *nic, unsigned int len);
void cf_check intel_tx_kick(struct cl_nic *nic);

#endif /* CLOISTER_NIC_INTEL_DRIVER_H */
