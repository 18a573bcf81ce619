/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical NICs, as secure I/O management sees them.
 *
 * A driver sits between two structures: struct cl_nic_ops, which it offers to
 * the device Tx and Rx controllers, and struct cl_nic_platform, through which
 * it reaches its device.
 *
 * Rules for drivers
 *
 * - The device is hostile: whatever it writes (descriptors, lengths, frames)
 *   is copied once, checked, and the copy is used.  Indices come from the
 *   driver's own counters, never from the device.  A frame's bytes are the
 *   exception: the Rx DeMUX copies them once, and looks at its copy.
 * - Nothing waits.  What takes time (a reset) is a state machine that poll()
 *   moves on.  Every call is bounded by its arguments.
 * - The device reaches the pool of struct cl_nic and nothing else: all rings
 *   and buffers lie there, and no guest memory ever does.
 *
 * Locking: none; the caller serialises all calls on one NIC (siom.h: the
 * device side).
 */
#ifndef CLOISTER_NIC_H
#define CLOISTER_NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Xen marks functions that are called by pointer; elsewhere it is nothing. */
#ifndef cf_check
#define cf_check
#endif

/* Longest frame without its check sequence: 1500 bytes and one VLAN tag. */
#define CL_NIC_FRAME 1518u

struct cl_nic;

struct cl_nic_platform {
    /* Registers of BAR `bar`, size 1, 2 or 4; an absent device reads ones. */
    uint32_t (*read)(void *ctx, unsigned int bar, uint32_t off,
                     unsigned int size);
    void (*write)(void *ctx, unsigned int bar, uint32_t off, unsigned int size,
                  uint32_t value);
    /* The device's configuration space. */
    uint32_t (*cfg_read)(void *ctx, unsigned int reg, unsigned int size);
    void (*cfg_write)(void *ctx, unsigned int reg, unsigned int size,
                      uint32_t value);
    uint64_t (*now_us)(void *ctx); /* does not go backwards */
    void (*log)(void *ctx, const char *what, uint32_t value);
};

enum cl_nic_state {
    CL_NIC_RESETTING, /* poll() goes on with it */
    CL_NIC_DOWN,      /* works, no link */
    CL_NIC_UP,
    CL_NIC_FAILED, /* gave up; reset() starts again */
};

/* A received frame, still in the driver's buffer. */
struct cl_nic_rx {
    const void *data; /* the device may still write there */
    uint32_t len;     /* without check sequence; 14 to CL_NIC_FRAME */
    uint16_t vlan;    /* tag that hardware took out (low 12 bits), or 0 */
};

struct cl_nic_stats {
    uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
    uint64_t rx_errors; /* descriptors or lengths that could not be */
    uint64_t rx_missed; /* by the device, for want of buffers */
    uint64_t tx_errors;
    uint64_t resets;
    uint64_t link_changes;
};

struct cl_nic_ops {
    const char *name;
    uint32_t pool_size; /* bytes of DMA pool that the driver needs */
    uint32_t priv_size; /* bytes of its own memory, zeroed */

    /*
     * Stops the device and starts it anew, from whatever state, also after a
     * hang; frames in its rings are lost, filters are set again.  Returns
     * 0 (poll() goes on) or -errno (no such device; nothing will work).
     */
    int (*reset)(struct cl_nic *nic);

    /*
     * To be called often (each poll of the engine): moves a reset on, looks at
     * the link, and starts a reset by itself if the device hangs.
     */
    enum cl_nic_state (*poll)(struct cl_nic *nic);

    /*
     * Up to n frames, oldest first, into f.  Their buffers are the caller's
     * until rx_refill() gives the n oldest back to the device.
     */
    unsigned int (*rx_burst)(struct cl_nic *nic, struct cl_nic_rx *f,
                             unsigned int n);
    void (*rx_refill)(struct cl_nic *nic, unsigned int n);

    /*
     * tx_reap: takes back what the device has sent; returns how many frames
     * tx_queue() can take now.  tx_buffer: where the next frame goes,
     * CL_NIC_FRAME bytes (only if there is room).  tx_queue: that frame is
     * len bytes.  tx_kick: the device may begin.
     */
    unsigned int (*tx_reap)(struct cl_nic *nic);
    void *(*tx_buffer)(struct cl_nic *nic);
    void (*tx_queue)(struct cl_nic *nic, unsigned int len);
    void (*tx_kick)(struct cl_nic *nic);

    /*
     * Lets in frames to mac, of any VLAN; on = false takes that back.  A hint:
     * the engine checks again.  A driver that has no filter left goes
     * promiscuous; NULL: the device passes everything.
     */
    void (*set_filter)(struct cl_nic *nic, const uint8_t mac[6], bool on);

    /* Rx and link interrupts on or off (off while the engine polls). */
    void (*set_irq)(struct cl_nic *nic, bool on);

    void (*stats)(const struct cl_nic *nic, struct cl_nic_stats *s);
};

/* One NIC.  Filled in by the platform, but for mac (the driver). */
struct cl_nic {
    const struct cl_nic_ops *ops;
    const struct cl_nic_platform *platform;
    void *ctx;     /* for the platform's functions */
    void *priv;    /* priv_size bytes of the driver's */
    void *pool;    /* pool_size bytes, page-aligned, zeroed: DMA */
    uint64_t iova; /* where the device sees the pool */
    uint16_t vendor, device;
    uint8_t mac[6]; /* the device's own, after reset() */
};

/* The driver for this PCI device, or NULL. */
const struct cl_nic_ops *cl_nic_find(uint16_t vendor, uint16_t device);

#endif /* CLOISTER_NIC_H */
