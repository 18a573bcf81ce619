/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of secure I/O management share. */
#ifndef CLOISTER_PORT_SIOM_H
#define CLOISTER_PORT_SIOM_H

#include <xen/pci.h>

#include <cloister/siom.h>

#include "private.h"

/*
 * A guest's place.  Made with the domain, if its bus may be needed; active
 * from the seal on.
 */
struct cloister_port {
    spinlock_t lock;            /* bus side of `port` */
    struct domain *d;
    bool active;                /* under both locks */
    uint32_t generation;        /* of the memory map */
    struct cl_siom_config config;
    bool polled;                /* its guest does not ring: see siom.c */
    s_time_t window;            /* in which its guest has rung */
    unsigned int rung;          /* so often */
    uint16_t settled;           /* CLOISTER_NET_SET_*: of it, by dom0 */
    struct cl_siom_saved *saved;    /* of a restored guest, until it is
                                       attached, */
    uint8_t from[16];               /* and the instance that was saved */
    struct cl_port port;
};

/*
 * Locks: device_lock, then one port's lock, then what the rest of Xen takes
 * (p2m, paging, page_alloc).
 */

/* ---- siom.c: the engine ------------------------------------------------ */

/* The siom= option: off without it. */
struct cloister_siom_options {
    bool on;
    bool internal;              /* no NIC */
    pci_sbdf_t nic;
    unsigned int vlan, mtu;
};

extern struct cloister_siom_options cloister_siom_opts;
extern struct cl_siom *cloister_siom;       /* NULL: off */

/*
 * Joins and leaves the engine; takes both locks.  A restored guest's port
 * joins in the place of the saved one's, if that is still there, shut down:
 * its image has been used, so it can never go on.
 */
int cloister_port_join(struct cloister_port *cp);
void cloister_port_leave(struct cloister_port *cp);

/* Another guest has the address that `cp` is to have. */
bool cloister_port_taken(const struct cloister_port *cp);

/* Something is to be done on the device side: now, or by the tasklet. */
void cloister_siom_work(void);
void cloister_siom_kick(void);

/* The port's Tx queue is to be looked at again by the tasklet. */
void cloister_siom_again(const struct cloister_port *cp);

/* The port's guest rings too often, and will be looked after by the timer. */
void cloister_siom_poll(const struct cloister_port *cp);

/* ---- siom_port.c: the bus side ----------------------------------------- */

extern const struct cl_siom_platform cloister_siom_platform;

/*
 * From the engine, device_lock held: frames to the guest, unless it is paused,
 * or busy: then the port is marked anew.
 */
unsigned int cloister_port_deliver(struct cloister_port *cp, bool *paused);

/*
 * From the tasklet: the same from the guest; `budget` if it is busy.  One that is polled, and sends
 * little by now, is asked to ring again (cp->polled).
 */
unsigned int cloister_port_collect(struct cloister_port *cp,
                                   unsigned int budget, bool *paused);

/* The domain's place, or NULL. */
struct cloister_port *cloister_siom_port(const struct domain *d);

/* ---- siom_save.c ------------------------------------------------------- */

/*
 * After it has joined, the port becomes what the saved one was (if it was
 * restored); nobody has a vCPU running that could see it in between.
 * -EINVAL: no driver could have brought a card there.
 */
int cloister_siom_load(struct cloister_port *cp);

#endif /* CLOISTER_PORT_SIOM_H */
