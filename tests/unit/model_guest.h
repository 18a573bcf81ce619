/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest with a virtio-net driver of its own, and the host around it: what
 * the SIOM tests and the benchmark put at the two ends of the engine.
 */
#ifndef MODEL_GUEST_H
#define MODEL_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <cloister/siom.h>

#define GUEST_PAGES 128u /* of memory, from guest address 0 on */
#define GUEST_BYTES (GUEST_PAGES * 4096u)
#define GUEST_RINGS 65536u /* the engine's memory for Tx, and for Rx */

/* Guest-physical addresses of what the driver sets up. */
#define GUEST_RING(q) (0x1000u + (q) * 0x4000u)
#define GUEST_AVAIL 0x1000u /* in a ring: descriptors first, then this */
#define GUEST_USED 0x2000u
#define GUEST_BUFFERS 0x10000u

struct guest
{
    struct cl_port port; /* first: its vm points to the guest */
    uint8_t *mem;             /* GUEST_BYTES */
    unsigned int held;        /* pages that the engine has not put back */
    uint32_t generation;
    unsigned int msis;
    uint64_t msi_address;
    uint32_t msi_data;
    uint64_t features;
    uint16_t avail[CL_QUEUES], used[CL_QUEUES]; /* the driver's indices */
    uint16_t next_desc;
};

extern const struct cl_siom_platform guest_platform;
extern uint64_t guest_now; /* what now_ns says */

/* A guest with a port on s: MAC 02:00:00:00:00:nr.  False: refused. */
bool guest_start(struct guest *g, struct cl_siom *s, uint8_t nr,
                 const struct cl_siom_config *c);
void guest_stop(struct guest *g);

/*
 * The same with memory that is there: mem and both base, of GUEST_BYTES and
 * GUEST_RINGS bytes.  For who does it often.
 */
bool guest_plug(struct guest *g, struct cl_siom *s, uint8_t nr,
                const struct cl_siom_config *c);
void guest_unplug(struct guest *g);

/* Accesses as the CPU makes them. */
uint32_t guest_in(struct guest *g, uint16_t port, unsigned int size);
int guest_out(struct guest *g, uint16_t port, unsigned int size, uint32_t v);
uint32_t guest_cfg_read(struct guest *g, unsigned int devfn, unsigned int reg);
void guest_cfg_write(struct guest *g, unsigned int devfn, unsigned int reg,
                     uint32_t v);
uint64_t guest_mem_read(struct guest *g, uint32_t off, unsigned int size);
void guest_mem_write(struct guest *g, uint32_t off, unsigned int size,
                     uint64_t v);

/* From reset to DRIVER_OK; true if the device agreed to `features`. */
bool guest_driver(struct guest *g, uint64_t features);

/* One buffer for reception, of len bytes, somewhere in memory. */
void guest_post(struct guest *g, uint32_t addr, uint32_t len);

/* Posts nr buffers of len bytes each, one behind the other. */
void guest_fill(struct guest *g, unsigned int nr, uint32_t len);

/* Offers a frame with this header (12 bytes); does not ring. */
void guest_offer(struct guest *g, const void *hdr, const void *frame,
                 uint32_t len);

/* The next used chain of a queue: descriptor and length; -1: none. */
int guest_used(struct guest *g, unsigned int q, uint32_t *len);
uint16_t guest_u16(const struct guest *g, uint32_t addr);
void guest_put16(struct guest *g, uint32_t addr, uint16_t v);
uint32_t guest_desc_addr(const struct guest *g, unsigned int q, int desc);

/* Everything that is on its way, as a host would do it. */
void guest_run(struct cl_siom *s, struct guest *const *g, unsigned int nr);

#endif /* MODEL_GUEST_H */
