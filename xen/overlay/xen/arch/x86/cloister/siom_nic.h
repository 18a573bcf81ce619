/* SPDX-License-Identifier: GPL-2.0-only */
/* The physical NIC, for siom.c. */
#ifndef CLOISTER_PORT_SIOM_NIC_H
#define CLOISTER_PORT_SIOM_NIC_H

#include <xen/pci.h>
#include <xen/time.h>

#include <cloister/nic.h>

#include "siom.h"

struct cloister_nic_bar {
    uint32_t size;
    uint16_t port;              /* I/O ports, which nobody uses; or 0 */
    void __iomem *va;           /* NULL: not mapped */
};

/* There is one.  Constant after start-up, but for the last six. */
struct cloister_nic {
    pci_sbdf_t sbdf;
    struct pci_dev *pdev;
    struct domain *d;           /* owner of its IOMMU context */
    struct cloister_nic_bar bar[6];
    struct {
        unsigned long first, last;
    } hidden[8];                /* pages of I/O memory not for dom0 */
    unsigned int nr_hidden;
    struct cl_nic nic;
    int irq;                    /* or -1: it is polled */
    bool claimed;
    bool works;                 /* DMA is on: dom0's IOMMU setup is over */
    bool fired, faulted;        /* since the engine looked last */
    s_time_t reset;             /* the last one for a fault, */
    unsigned int faults;        /* and how many, one after another */
    s_time_t retry;             /* the last one as the driver had given up */
};

extern struct cloister_nic cloister_nic;

/* ---- For siom.c --------------------------------------------------------- */

/*
 * At start-up, before there is a dom0: takes the NIC for good and resets it.
 * NULL: cannot be, the log says why; the engine then has none.
 */
struct cl_nic *cloister_nic_take(pci_sbdf_t sbdf);

/*
 * Before each poll of the engine, on its device side: acknowledges the
 * interrupt, and resets the NIC after a DMA fault.
 */
void cloister_nic_attend(void);

/* How long the engine may leave the NIC unpolled. */
s_time_t cloister_nic_period(void);

/* ---- Between siom_claim.c and siom_nic.c -------------------------------- */

extern const struct cl_nic_platform cloister_nic_platform;

void cf_check cloister_nic_interrupt(int irq, void *dev);

/* Clears and sets bits of the PCI command register. */
void cloister_nic_command(uint16_t clear, uint16_t set);

/* DMA is switched on as soon as it is translated. */
void cloister_nic_start(void);

#endif /* CLOISTER_PORT_SIOM_NIC_H */
