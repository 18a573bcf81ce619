/* SPDX-License-Identifier: BSD-2-Clause */
/* MSI-X: PCI Local Bus Specification 3.0, section 6.8.2. */

#include "private.h"

#define CONTROL_ENABLE (1u << 31) /* in the dword of the capability */
#define CONTROL_MASKED (1u << 30)
#define VECTOR_MASKED  1u

/*
 * What a LAPIC takes (Intel SDM volume 3, 11.11): address 0xfeexxxxx, of the
 * delivery modes fixed and lowest priority, edge-triggered.  The others (SMI,
 * NMI, INIT) are not for a network card, and MSI-X has no level: the guest has
 * no I/O APIC that could hear of its end.
 */
static bool deliverable(const struct cl_msix *m)
{
    return (m->address >> 20) == 0xfee && (m->data & 0x8600) == 0 &&
           (m->data & 0xff) >= 0x10;
}

static void send(struct cl_port *port, unsigned int vector)
{
    const struct cl_msix *m = &port->pci.msix[vector];

    port->pci.pending &= ~(1u << vector);
    if ( !deliverable(m) )
        return;
    port->stats.interrupts++;
    port->siom->platform->msi(port->vm, m->address, m->data);
}

static bool masked(const struct cl_port *port, unsigned int vector)
{
    return (cl_pci_msix_control(port) & CONTROL_MASKED) ||
           (port->pci.msix[vector].control & VECTOR_MASKED);
}

void cl_msix_send(struct cl_port *port, uint16_t vector)
{
    if ( vector >= CL_MSIX_VECTORS ||
         !(cl_pci_msix_control(port) & CONTROL_ENABLE) )
        return;
    if ( masked(port, vector) )
        port->pci.pending |= 1u << vector;
    else
        send(port, vector);
}

void cl_msix_unmasked(struct cl_port *port)
{
    unsigned int i;

    if ( !(cl_pci_msix_control(port) & CONTROL_ENABLE) )
        return;
    for ( i = 0; i < CL_MSIX_VECTORS; i++ )
        if ( (port->pci.pending & (1u << i)) && !masked(port, i) )
            send(port, i);
}

uint32_t cl_msix_read(const struct cl_port *port, uint32_t off)
{
    const struct cl_msix *m = &port->pci.msix[off / 16 % CL_MSIX_VECTORS];

    switch ( off % 16 )
    {
    case 0:
        return (uint32_t)m->address;

    case 4:
        return (uint32_t)(m->address >> 32);

    case 8:
        return m->data;
    }

    return m->control;
}

void cl_msix_write(struct cl_port *port, uint32_t off, uint32_t value)
{
    struct cl_msix *m = &port->pci.msix[off / 16 % CL_MSIX_VECTORS];

    switch ( off % 16 )
    {
    case 0:
        m->address = (m->address & ~(uint64_t)UINT32_MAX) | (value & ~3u);
        break;

    case 4:
        m->address = (uint32_t)m->address | (uint64_t)value << 32;
        break;

    case 8:
        m->data = value;
        break;

    case 12:
        m->control = value & VECTOR_MASKED;
        cl_msix_unmasked(port);
        break;
    }
}
