/* SPDX-License-Identifier: BSD-2-Clause */
/* A port's state as its guest's driver knows it, for a saved image. */

#include "private.h"

_Static_assert(sizeof(struct cl_siom_saved) == 64 + 512 + 64 + 3 * 40,
               "no hidden padding");

/* Each of these goes both ways: the fields have the same names. */
#define COPY_CONFIG(to, from)                                      \
    (memcpy((to)->mac, (from)->mac, sizeof((to)->mac)),            \
     (to)->vlan = (from)->vlan, (to)->mtu = (from)->mtu,           \
     (to)->isolated = (from)->isolated, (to)->rate = (from)->rate)

#define COPY_VIRTIO(to, from)                                              \
    ((to)->features = (from)->features, (to)->status = (from)->status,     \
     (to)->device_select = (from)->device_select,                          \
     (to)->driver_select = (from)->driver_select,                          \
     (to)->queue_select = (from)->queue_select,                            \
     (to)->config_vector = (from)->config_vector, (to)->isr = (from)->isr)

#define COPY_QUEUE(to, from)                                                 \
    ((to)->desc = (from)->desc, (to)->avail = (from)->avail,                 \
     (to)->used = (from)->used, (to)->size = (from)->size,                   \
     (to)->vector = (from)->vector, (to)->last_avail = (from)->last_avail,   \
     (to)->used_idx = (from)->used_idx, (to)->signalled = (from)->signalled, \
     (to)->enabled = (from)->enabled & 1)

#define COPY_MSIX(to, from)                                      \
    ((to)->address = (from)->address, (to)->data = (from)->data, \
     (to)->control = (from)->control & 1)

void cl_siom_save(const struct cl_port *port, struct cl_siom_saved *to)
{
    unsigned int i;

    memset(to, 0, sizeof(*to));
    to->revision = CL_SIOM_SAVED_REVISION;
    to->address = port->pci.address;
    to->pending = port->pci.pending;
    COPY_CONFIG(to, &port->config);
    COPY_VIRTIO(to, &port->virtio);
    memcpy(to->cfg, port->pci.cfg, sizeof(to->cfg));
    for ( i = 0; i < CL_MSIX_VECTORS; i++ )
        COPY_MSIX(&to->msix[i], &port->pci.msix[i]);
    for ( i = 0; i < CL_QUEUES; i++ )
        COPY_QUEUE(&to->queue[i], &port->virtio.queue[i]);
}

void cl_siom_saved_config(const struct cl_siom_saved *from,
                          struct cl_siom_config *to)
{
    COPY_CONFIG(to, from);
}

int cl_siom_load(struct cl_port *port, const struct cl_siom_saved *from)
{
    struct cl_virtio v = {};
    unsigned int i;

    COPY_VIRTIO(&v, from);
    for ( i = 0; i < CL_QUEUES; i++ )
    {
        COPY_QUEUE(&v.queue[i], &from->queue[i]);
        v.queue[i].seen_avail = v.queue[i].last_avail;
        /* Whatever the ring says, it is said anew when it is looked at. */
        v.queue[i].quiet = i == CL_QUEUE_RX;
    }
    if ( from->revision != CL_SIOM_SAVED_REVISION || !cl_virtio_valid(&v) )
        return -EINVAL;

    cl_siom_release(port);
    port->virtio = v;
    cl_pci_load(port, from->cfg);
    port->pci.address = from->address & 0x80fffffcu;
    port->pci.pending = from->pending & ((1u << CL_MSIX_VECTORS) - 1);
    for ( i = 0; i < CL_MSIX_VECTORS; i++ )
        COPY_MSIX(&port->pci.msix[i], &from->msix[i]);
    cl_virtio_up(port);

    return 0;
}
