/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the engine share.  Nothing else includes this. */
#ifndef CLOISTER_SIOM_PRIVATE_H
#define CLOISTER_SIOM_PRIVATE_H

#include <errno.h>
#include <string.h>

#include <cloister/siom.h>
#include <cloister/virtio.h>

#define ETH_HEADER 14u
#define ETH_MIN    ETH_HEADER
#define VLAN_TAG   4u
#define VLAN_TPID  0x8100u /* IEEE 802.1Q, 9.6 */
#define PAGE_BYTES 4096u

/* Between threads; guest memory is always such. */
#define load_acquire(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)

static inline bool bit_test(const uint64_t *words, unsigned int nr)
{
    return load_acquire(&words[nr / 64]) & (1ULL << (nr % 64));
}

static inline void bit_set(uint64_t *words, unsigned int nr)
{
    if ( !bit_test(words, nr) )
        __atomic_fetch_or(&words[nr / 64], 1ULL << (nr % 64),
                          __ATOMIC_SEQ_CST);
}

static inline void bit_clear(uint64_t *words, unsigned int nr)
{
    __atomic_fetch_and(&words[nr / 64], ~(1ULL << (nr % 64)),
                       __ATOMIC_SEQ_CST);
}

/* First port from nr on, round the end, whose bit is set; -1: none. */
int cl_next_port(const uint64_t *words, unsigned int nr);

static inline uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* ---- memory.c: VM Tx memory, VM Rx memory ----------------------------- */

/*
 * Producer: room for a frame of up to `max` bytes, or NULL; what is written
 * there counts when it is committed (f->len bytes of it; f->span is filled
 * in), or is wiped (`written` bytes of it) by cancel.
 */
uint8_t *cl_memory_reserve(struct cl_memory *m, uint32_t max);
void cl_memory_commit(struct cl_memory *m, struct cl_frame f);
void cl_memory_cancel(struct cl_memory *m, uint32_t written);

/* Consumer: the oldest frame, its bytes behind it, or NULL; drop wipes it. */
const struct cl_frame *cl_memory_peek(struct cl_memory *m);
void cl_memory_drop(struct cl_memory *m);
void cl_memory_empty(struct cl_memory *m);

static inline bool cl_memory_has(const struct cl_memory *m)
{
    return load_acquire(&m->head) != load_acquire(&m->tail);
}

static inline const uint8_t *cl_frame_data(const struct cl_frame *f)
{
    return (const uint8_t *)(f + 1);
}

/* ---- guest.c: guest memory -------------------------------------------- */

/* Start of every entry to the bus side: drops pages that are out of date. */
void cl_guest_enter(struct cl_port *port);

/* The page is not held yet, or not for writing. */
uint8_t *cl_guest_hold(struct cl_port *port, uint64_t gpa, bool write);

/*
 * Address of what is at gpa, up to the end of its page.  NULL: no memory.
 * Good until the next call for this port.
 */
static inline uint8_t *cl_guest_at(struct cl_port *port, uint64_t gpa,
                                   bool write)
{
    uint64_t gfn = gpa / PAGE_BYTES;
    const struct cl_held_page *h = &port->held[gfn % CL_HELD_PAGES];

    if ( (h->tag | !write) == (gfn * 2 + 3) )
        return h->page + gpa % PAGE_BYTES;

    return cl_guest_hold(port, gpa, write);
}

static inline void cl_guest_wrote(struct cl_port *port, uint64_t gpa)
{
    if ( port->siom->platform->dirtied )
        port->siom->platform->dirtied(port->vm, gpa / PAGE_BYTES);
}

/*
 * Holds the pages of a queue's parts that lie in one page each, until they
 * are out of date or the queue is reset.
 */
void cl_guest_pin(struct cl_port *port, struct cl_queue *q);
void cl_guest_unpin(struct cl_port *port, struct cl_queue *q);

/* ---- queue.c: split virtqueues ---------------------------------------- */

/* Buffers for each frame of a budget; more of them are more work. */
#define CL_SEGS_A_FRAME 4u

/* The chains that were taken, in port->seg, and where in them we are. */
struct cl_cursor {
    unsigned int segs; /* in use */
    unsigned int at;   /* next one */
    uint32_t off;      /* in it */
};

/* True if the driver has offered a chain that was not taken. */
bool cl_queue_has(struct cl_port *port, struct cl_queue *q);

/* Buffers for the device to read only, to write only, or first the former. */
enum cl_chain_kind {
    CL_CHAIN_READ,
    CL_CHAIN_WRITE,
    CL_CHAIN_MIXED,
};

/*
 * Takes the next chain (cl_queue_has() has said that there is one), which must
 * be of this kind, and appends its buffers from segment *segs on.  *head: for
 * cl_queue_done; *len: bytes in all.  -EBADMSG: a violation, noted.
 */
int cl_queue_take(struct cl_port *port, struct cl_queue *q,
                  enum cl_chain_kind kind, unsigned int *segs, uint16_t *head,
                  uint32_t *len);

/* The chain goes back; len bytes of it were written. */
int cl_queue_done(struct cl_port *port, struct cl_queue *q, uint16_t head,
                  uint32_t len);

/* Publishes what is done, and interrupts if the driver wants that. */
void cl_queue_signal(struct cl_port *port, struct cl_queue *q);

/* Asks for notifications, or for none. */
void cl_queue_quiet(struct cl_port *port, struct cl_queue *q, bool quiet);

/* Copy to or from the buffers; -EBADMSG: too short, or no memory (noted). */
int cl_gather(struct cl_port *port, struct cl_cursor *c, void *buf,
              uint32_t len);
int cl_scatter(struct cl_port *port, struct cl_cursor *c, const void *buf,
               uint32_t len);

/* ---- virtio.c: the device that the driver sees ------------------------ */

#define VIRTIO_FEATURES                                                    \
    (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_NET_F_CSUM |         \
     VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_MTU | VIRTIO_NET_F_MAC |       \
     VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_CTRL_VQ | \
     VIRTIO_NET_F_CTRL_RX)

static inline bool cl_virtio_has(const struct cl_port *port, uint64_t feature)
{
    return port->virtio.features & feature;
}

/*
 * Start of work on a queue.  False: there can be none (driver not up, protocol
 * violated, DMA not allowed).
 */
bool cl_virtio_enter(struct cl_port *port, struct cl_queue *q);

/* The driver has broken the protocol: DEVICE_NEEDS_RESET.  Returns -EBADMSG.
 */
int cl_virtio_broken(struct cl_port *port);

void cl_virtio_reset(struct cl_port *port);

/* Whether a driver could have brought the device into this state. */
bool cl_virtio_valid(const struct cl_virtio *v);

/* Starts or goes on, as the status says. */
void cl_virtio_up(struct cl_port *port);
uint32_t cl_virtio_isr(struct cl_port *port);
uint64_t cl_common_read(const struct cl_port *port, uint32_t off,
                        unsigned int size);
void cl_common_write(struct cl_port *port, uint32_t off, unsigned int size,
                     uint64_t value);

/* ---- net.c: what is special to a network device ----------------------- */

uint64_t cl_net_config(const struct cl_port *port, uint32_t off,
                       unsigned int size);

/* ---- pci.c, msix.c ---------------------------------------------------- */

/* The network function's BARs: notify and ISR by ports, the rest by memory. */
#define BAR_IO_SIZE     32u
#define BAR_IO_NOTIFY   0u
#define BAR_IO_ISR      16u
#define BAR_MEM_COMMON  0u
#define BAR_MEM_CONFIG  0x100u
#define BAR_MEM_MSIX    0x800u
#define BAR_MEM_PENDING 0xc00u

void cl_pci_reset(struct cl_port *port);

/* Sets the bits of configuration space that a guest may set, and no others. */
void cl_pci_load(struct cl_port *port,
                 const uint32_t cfg[CL_PCI_FUNCTIONS][CL_PCI_DWORDS]);
bool cl_pci_master(const struct cl_port *port);
uint32_t cl_pci_msix_control(const struct cl_port *port);

void cl_msix_send(struct cl_port *port, uint16_t vector);
void cl_msix_unmasked(struct cl_port *port);
uint32_t cl_msix_read(const struct cl_port *port, uint32_t off);
void cl_msix_write(struct cl_port *port, uint32_t off, uint32_t value);

/* ---- The blocks -------------------------------------------------------- */

/* Tx DeMUX: into the VM's Tx memory, where `data` is, or dropped. */
void cl_tx_demux(struct cl_port *port, struct cl_frame f, const uint8_t *data);

/* Tx MUX: up to `budget` frames from Tx memories, in fair turns. */
unsigned int cl_tx_mux(struct cl_siom *s, unsigned int budget);

/*
 * Device Tx controller: one frame.  Returns how often it was passed on or
 * dropped, or 0: not now, the NIC's ring is full.
 */
unsigned int cl_device_tx(struct cl_port *from, const struct cl_frame *f);
void cl_device_tx_begin(struct cl_siom *s);
void cl_device_tx_end(struct cl_siom *s);

/* Device Rx controller: up to `budget` frames from the NIC. */
unsigned int cl_device_rx(struct cl_siom *s, unsigned int budget);

/*
 * A frame on its way to a guest: the first bytes have been copied and looked
 * at, the rest (len of the frame in all) has not.
 */
struct cl_inbound {
    struct cl_frame frame;
    uint8_t head[ETH_HEADER];
    const uint8_t *rest; /* byte ETH_HEADER of the frame, and so on */
};

/* From one port of a switch to the next, and no further: IEEE 802.1Q, 8.6.3. */
static inline bool cl_link_local(const uint8_t *mac)
{
    static const uint8_t group[5] = { 0x01, 0x80, 0xc2 };

    return !memcmp(mac, group, sizeof(group)) && mac[5] < 0x10;
}

/*
 * Rx DeMUX.  find: the port with this MAC in this VLAN, or NULL.  deliver:
 * one copy to one port.  flood: one to each port in the VLAN, but `from`;
 * returns how many.
 */
struct cl_port *cl_rx_find(const struct cl_siom *s, const uint8_t *mac,
                           uint16_t vlan);
void cl_rx_deliver(struct cl_port *to, const struct cl_inbound *in);
unsigned int cl_rx_flood(struct cl_siom *s, const struct cl_port *from,
                         const struct cl_inbound *in);
void cl_rx_table(struct cl_siom *s);

/* VLAN of the port on the wire, 0: untagged. */
static inline uint16_t cl_port_vlan(const struct cl_port *port)
{
    return port->config.vlan ? port->config.vlan : port->siom->uplink_vlan;
}

/* Completes the checksum that f asks for, in the frame's bytes. */
void cl_checksum(const struct cl_frame *f, uint8_t *data);

#endif /* CLOISTER_SIOM_PRIVATE_H */
