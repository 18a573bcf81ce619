/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secure I/O management: a guest's network, without dom0.
 *
 *  guest's virtio-net driver                     guest's virtio-net driver
 *    | virtual PCI bus (pci.c, virtio.c)           ^
 *    v                                             |
 *  bus Tx controller -> Tx DeMUX                 bus Rx controller <- Rx MUX
 *                          |                                            ^
 *                     VM k Tx memory                       VM k Rx memory
 *                          |                                            ^
 *  device Tx controller <--+                                            |
 *     -> Tx MUX -> NIC -> device Rx controller -> Rx DeMUX -------------+
 *            \--------- to another guest ------------^
 *
 * Each block is one file of engine/siom.  The two bus controllers face the
 * guest (virtqueues, guest memory), the two device controllers face the NIC;
 * only the per-VM memories join them.
 *
 * Locking.  The engine takes no lock.  There are two kinds of section:
 *
 *   the bus side of a port    cl_siom_io_*, cl_siom_mem_*, cl_siom_tx,
 *                             cl_siom_rx: one at a time for each port
 *   the device side           cl_siom_poll, cl_siom_port_add, _remove, _set:
 *                             one at a time for each engine
 *
 * They may run at the same time: a VM's memory has one producer and one
 * consumer.  cl_siom_port_add and _remove need both.  Neither calls the other.
 *
 * A hostile guest.  What a guest may write to (rings, descriptors, frames) is
 * read once, checked, and the copy is used.  A violation of the virtio
 * protocol sets DEVICE_NEEDS_RESET and stops the port until its driver resets
 * it; nothing else happens.  Every loop is bounded by a budget or by the size
 * of a queue.  Guest memory that is not a posted, device-writable buffer or a
 * used ring is never written.
 *
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, sections 2 (queues), 4.1
 * (PCI) and 5.1 (network); PCI Local Bus Specification 3.0, section 6.
 */
#ifndef CLOISTER_SIOM_H
#define CLOISTER_SIOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cloister/nic.h>

#define CL_SIOM_PORTS    256u /* of one engine */
#define CL_SIOM_MTU_MAX  9000u
#define CL_SIOM_RATE_MAX 12500000000ull /* bytes a second: 100 Gb/s */
#define CL_SIOM_FRAME    9018u /* longest frame: MTU, Ethernet header, tag */

/* ---- The platform ----------------------------------------------------- */

/*
 * What the engine needs of its host.  `vm` is the port's own pointer.  No
 * function may block or call the engine.
 */
struct cl_siom_platform {
    /*
     * The page of guest memory with number gfn, to be read (and written): its
     * address, or NULL if that is no memory (or read-only, for write).  It
     * stays the engine's until page_put with the same address; the guest may
     * write to it all the while.
     */
    void *(*page_get)(void *vm, uint64_t gfn, bool write);
    void (*page_put)(void *vm, void *page);

    /*
     * A number that is another one whenever a page that page_get has given
     * may not be used any longer.  Read on entry to the bus side, and what is
     * held goes back by page_put then.
     */
    uint32_t (*generation)(void *vm);

    /* Bytes of this page were written (for migration); NULL: nobody asks. */
    void (*dirtied)(void *vm, uint64_t gfn);

    /* Sends the message to the guest's LAPIC; the address was checked. */
    void (*msi)(void *vm, uint64_t address, uint32_t data);

    uint64_t (*now_ns)(void); /* does not go backwards */
};

/* ---- VM Tx memory and VM Rx memory ------------------------------------ */

/* Precedes every frame in a VM's memory. */
struct cl_frame {
    uint32_t len;         /* of the frame, without this header */
    uint16_t flags;       /* CL_FRAME_* */
    uint16_t csum_start;  /* CL_FRAME_CSUM: where summing begins, */
    uint16_t csum_offset; /* and where, from there, the sum goes */
    uint16_t vlan;        /* VLAN the frame is in, 0: none; not in its bytes */
    uint32_t span;        /* bytes of memory that it takes, this included */
};

#define CL_FRAME_CSUM 1u /* the checksum is still to be completed */
#define CL_FRAME_PAD  2u /* no frame: the rest of the memory's lap */

/*
 * A ring of frames with one producer and one consumer, who need no lock
 * between them.  Bytes that hold no frame are zero: a frame's memory is
 * scrubbed when it is dropped, before anybody can use it again.
 */
struct cl_memory {
    uint8_t *base; /* `size` bytes, 64-byte aligned, zero at first */
    uint32_t size; /* a power of two, at least CL_MEMORY_MIN */
    uint32_t head __attribute__((aligned(64))); /* producer's, free-running */
    uint32_t tail __attribute__((aligned(64))); /* consumer's */
};

#define CL_MEMORY_MIN 32768u

/* ---- Virtqueue and PCI function --------------------------------------- */

#define CL_QUEUE_SIZE   256u /* largest, and at reset */
#define CL_MSIX_VECTORS 4u
#define CL_NO_VECTOR    0xffffu

enum cl_queue_nr { CL_QUEUE_RX, CL_QUEUE_TX, CL_QUEUE_CTRL, CL_QUEUES };

/* The three parts of a queue: descriptors, and what goes each way. */
enum cl_ring { CL_RING_DESC, CL_RING_AVAIL, CL_RING_USED, CL_RINGS };

/* A split virtqueue (virtio 1.2, 2.7).  Addresses are guest-physical. */
struct cl_queue {
    uint64_t desc, avail, used;
    uint8_t *va[CL_RINGS]; /* pages held for them; NULL: not in one page */
    bool pinned;           /* that was looked into */
    uint16_t size, vector;
    bool enabled;
    bool quiet;          /* the engine asks for no notifications */
    uint16_t last_avail; /* next entry to take, free-running */
    uint16_t seen_avail; /* the driver's index when last looked at */
    uint16_t used_idx;   /* next entry to fill, free-running */
    uint16_t signalled;  /* used_idx when the driver was last signalled */
};

/* One buffer of a chain, as it was when its descriptor was read. */
struct cl_seg {
    uint64_t addr;
    uint32_t len;
    bool write; /* for the device to write to */
};

struct cl_msix {
    uint64_t address;
    uint32_t data;
    uint32_t control; /* bit 0: masked */
};

#define CL_PCI_DWORDS    64u
#define CL_PCI_FUNCTIONS 2u /* 00:00.0 host bridge, 00:01.0 network */

struct cl_pci {
    uint32_t address; /* the register at 0xcf8 */
    uint32_t cfg[CL_PCI_FUNCTIONS][CL_PCI_DWORDS];
    struct cl_msix msix[CL_MSIX_VECTORS];
    uint32_t pending; /* bit: vector waits to be unmasked */
};

/* The virtio device's state that a reset clears (4.1.4.3). */
struct cl_virtio {
    uint64_t features; /* driver's choice */
    uint32_t device_select, driver_select;
    uint16_t queue_select, config_vector;
    uint8_t status, generation, isr;
    struct cl_queue queue[CL_QUEUES];
};

/* ---- A port: one VM's place ------------------------------------------- */

/* Why a frame was dropped.  Index into cl_siom_stats.drops. */
enum cl_siom_drop {
    CL_DROP_SPOOFED,   /* sent: source is not the port's MAC */
    CL_DROP_MALFORMED, /* sent: length or checksum request is impossible */
    CL_DROP_TAGGED,    /* sent: with a VLAN tag, which ports may not */
    CL_DROP_NO_TARGET, /* sent: nobody there, and no NIC */
    CL_DROP_ISOLATED, /* sent: to another guest, from or to an isolated port */
    CL_DROP_TOO_LONG, /* sent: does not fit the NIC */
    CL_DROP_LINK,     /* sent: the NIC has no link or is being reset */
    CL_DROP_RX_FULL,  /* received: the VM's Rx memory is full */
    CL_DROP_RX_BUFFER, /* received: the guest's buffers are too small */
    CL_DROP_RX_DOWN,   /* received: the guest's driver is not up */
    CL_DROPS
};

struct cl_siom_stats {
    uint64_t tx_frames, tx_bytes; /* the guest sent, and were passed on */
    uint64_t rx_frames, rx_bytes; /* the guest received */
    uint64_t drops[CL_DROPS];
    uint64_t doorbells, interrupts;
    uint64_t violations; /* DEVICE_NEEDS_RESET was set */
    uint64_t resets;     /* by the driver */
};

/* What is configured, before the guest first runs. */
struct cl_siom_config {
    uint8_t mac[6]; /* unicast */
    uint16_t vlan;  /* 0: none, else 1 to 4094 */
    uint16_t mtu;   /* 68 to CL_SIOM_MTU_MAX */
    bool isolated;  /* no frames to or from other guests */
    uint64_t rate;  /* bytes a second that it may send, 0: no limit */
};

/* A page of guest memory that the engine holds. */
struct cl_held_page {
    uint64_t tag; /* twice the page's number plus 2, plus 1: writable; or 0 */
    uint8_t *page;
};

#define CL_HELD_PAGES 512u

/* All-zero before cl_siom_port_add(). */
struct cl_port {
    /* Constant while the port is there. */
    struct cl_siom *siom;
    void *vm;
    unsigned int nr;
    struct cl_siom_config config; /* but for this: device side */

    /* Bus side. */
    struct cl_pci pci;
    struct cl_virtio virtio;
    uint32_t generation;
    struct cl_held_page held[CL_HELD_PAGES];
    struct cl_seg seg[CL_QUEUE_SIZE];

    /* Device side. */
    int32_t deficit;   /* bytes that it may still send; below 0: owes */
    uint64_t tokens;   /* of the rate cap, bytes */
    uint64_t refilled; /* when they were last counted, ns */

    /* Joins the two. */
    struct cl_memory tx, rx;
    bool up;                    /* the driver has set DRIVER_OK */
    bool takes_csum;            /* GUEST_CSUM was negotiated */
    struct cl_siom_stats stats; /* each counter has one writing side */
};

/* ---- The engine ------------------------------------------------------- */

struct cl_fdb_entry {
    uint64_t key; /* MAC and VLAN, 0: empty */
    struct cl_port *port;
};

#define CL_FDB_SIZE   1024u /* at least twice CL_SIOM_PORTS */
#define CL_SIOM_WORDS (CL_SIOM_PORTS / 64u)

/* All-zero before cl_siom_init(). */
struct cl_siom {
    const struct cl_siom_platform *platform;
    struct cl_nic *nic;   /* or NULL: guest to guest only */
    uint16_t uplink_vlan; /* VLAN of ports without one, on the wire */
    enum cl_nic_state link;
    struct cl_port *port[CL_SIOM_PORTS];
    unsigned int last; /* Tx MUX: whose turn it was, */
    bool interrupted;  /* and whether it goes on */
    unsigned int ports;
    struct cl_fdb_entry fdb[CL_FDB_SIZE];
    unsigned int tx_room; /* frames that the NIC takes in this poll */
    bool tx_queued;       /* it was given some */
    uint64_t tx_ready[CL_SIOM_WORDS]; /* ports with frames in Tx memory */
    uint64_t rx_ready[CL_SIOM_WORDS]; /* and in Rx memory; atomic */
    struct cl_nic_stats unclaimed; /* rx_*: frames from the NIC for nobody */
};

/* nic is NULL or outlives the engine; its reset() has been called. */
void cl_siom_init(struct cl_siom *s, const struct cl_siom_platform *p,
                  struct cl_nic *nic, uint16_t uplink_vlan);

/*
 * Makes *port (all-zero, but for tx and rx, whose base and size are set) the
 * place of `vm`.  -EINVAL: the configuration is impossible; -EEXIST: another
 * port has this MAC in this VLAN; -ENOSPC: no place left.
 */
int cl_siom_port_add(struct cl_siom *s, struct cl_port *port, void *vm,
                     const struct cl_siom_config *c);

/*
 * Takes the port out; its memories are scrubbed, guest pages given back.
 * Nothing of the engine refers to it any more.
 */
void cl_siom_port_remove(struct cl_port *port);

/* ---- Bus side: what a guest's access does ----------------------------- */

/*
 * The guest reads or writes size (1, 2, 4) bytes at an I/O port.  False: not
 * ours, nothing happened.  A doorbell only says so: *doorbell (may be NULL for
 * reads) is the queue number then, else -1, and the caller goes on with
 * cl_siom_doorbell().
 */
bool cl_siom_io_read(struct cl_port *port, uint16_t addr, unsigned int size,
                     uint32_t *value);
bool cl_siom_io_write(struct cl_port *port, uint16_t addr, unsigned int size,
                      uint32_t value, int *doorbell);

/* Whether such an access would be ours. */
bool cl_siom_io_ours(const struct cl_port *port, uint16_t addr,
                     unsigned int size);

/*
 * The same for memory: offset into the memory BAR, size 1, 2, 4 or 8.  Where
 * that BAR is now, or 0 if it is not decoded; CL_SIOM_BAR_SIZE bytes.
 */
#define CL_SIOM_BAR_SIZE 4096u
uint64_t cl_siom_mem_base(const struct cl_port *port);
uint64_t cl_siom_mem_read(struct cl_port *port, uint32_t off,
                          unsigned int size);
void cl_siom_mem_write(struct cl_port *port, uint32_t off, unsigned int size,
                       uint64_t value);

/*
 * Bus Tx controller and Tx DeMUX: up to `budget` frames from the guest's
 * queue to its Tx memory, fewer if they are in many pieces.  Returns how many
 * were taken; `budget` means that there may be more.
 */
unsigned int cl_siom_tx(struct cl_port *port, unsigned int budget);

/*
 * Asks the driver not to ring for what it sends, since somebody will look
 * anyway; or to ring again: then, too, somebody must look once more.  False:
 * not now, the driver is not up.
 */
bool cl_siom_tx_quiet(struct cl_port *port, bool quiet);

/*
 * Bus Rx controller: the same from its Rx memory to the guest's queue.  If it
 * was enough, cl_siom_rx_next() will come back to this port.
 */
unsigned int cl_siom_rx(struct cl_port *port, unsigned int budget);

/* The control queue; more there than any driver has to say is a violation. */
void cl_siom_ctrl(struct cl_port *port);

/* Gives all guest pages back (the domain is paused, saved or dying). */
void cl_siom_release(struct cl_port *port);

/*
 * What a guest's driver relies on, for its saved image: all fields little-
 * endian, no hidden padding.  Frames on their way are not in it.
 */
#define CL_SIOM_SAVED_REVISION 1u

struct cl_siom_saved {
    uint32_t revision, address, pending;
    uint32_t device_select, driver_select;
    uint16_t queue_select, config_vector;
    uint8_t status, isr, pad[6];
    uint64_t features;
    uint8_t
        mac[6]; /* this and the next: struct cl_siom_config, for who adds */
    uint16_t vlan, mtu, isolated;
    uint8_t pad2[4];
    uint64_t rate;
    uint32_t cfg[CL_PCI_FUNCTIONS][CL_PCI_DWORDS];
    struct {
        uint64_t address;
        uint32_t data, control;
    } msix[CL_MSIX_VECTORS];
    struct {
        uint64_t desc, avail, used;
        uint16_t size, vector, last_avail, used_idx, signalled;
        uint8_t enabled, pad[5];
    } queue[CL_QUEUES];
};

/* The guest's vCPUs are paused. */
void cl_siom_save(const struct cl_port *port, struct cl_siom_saved *to);

/* The configuration that the port had. */
void cl_siom_saved_config(const struct cl_siom_saved *from,
                          struct cl_siom_config *to);

/*
 * Into a port that has just been added.  -EINVAL: no driver could have brought
 * the device into this state; the port is as it was.
 */
int cl_siom_load(struct cl_port *port, const struct cl_siom_saved *from);

/* ---- Device side ------------------------------------------------------ */

/*
 * Up to `budget` frames each from the NIC, and from the VMs' Tx memories to
 * the NIC and to other VMs' Rx memories; one to many counts as many.  Returns
 * frames handled; `budget` or more means: call again.
 */
unsigned int cl_siom_poll(struct cl_siom *s, unsigned int budget);

/*
 * Rx MUX: the next port with frames in its Rx memory, which the caller then
 * serves by cl_siom_rx(); *from is where to look first, and is moved on.
 * NULL: none.  Atomic: may be called from everywhere, but the port must not
 * go away meanwhile.
 */
struct cl_port *cl_siom_rx_next(struct cl_siom *s, unsigned int *from);

#endif /* CLOISTER_SIOM_H */
