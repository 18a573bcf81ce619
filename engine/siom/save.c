/* SPDX-License-Identifier: BSD-2-Clause */
/* A port's state as its guest's driver knows it, for a saved image. */

#include "private.h"

_Static_assert(sizeof(struct cl_siom_saved) == 64 + 512 + 64 + 3 * 40,
               "no hidden padding");

void cl_siom_save(const struct cl_siom_port *port, struct cl_siom_saved *to)
{
    const struct cl_virtio *v = &port->virtio;
    unsigned int i;

    memset(to, 0, sizeof(*to));
    to->revision = CL_SIOM_SAVED_REVISION;
    to->address = port->pci.address;
    to->pending = port->pci.pending;
    to->device_select = v->device_select;
    to->driver_select = v->driver_select;
    to->queue_select = v->queue_select;
    to->config_vector = v->config_vector;
    to->status = v->status;
    to->isr = v->isr;
    to->features = v->features;
    memcpy(to->mac, port->config.mac, sizeof(to->mac));
    to->vlan = port->config.vlan;
    to->mtu = port->config.mtu;
    to->isolated = port->config.isolated;
    to->rate = port->config.rate;
    memcpy(to->cfg, port->pci.cfg, sizeof(to->cfg));
    for ( i = 0; i < CL_MSIX_VECTORS; i++ )
    {
        to->msix[i].address = port->pci.msix[i].address;
        to->msix[i].data = port->pci.msix[i].data;
        to->msix[i].control = port->pci.msix[i].control;
    }
    for ( i = 0; i < CL_QUEUES; i++ )
    {
        const struct cl_queue *q = &v->queue[i];

        to->queue[i].desc = q->desc;
        to->queue[i].avail = q->avail;
        to->queue[i].used = q->used;
        to->queue[i].size = q->size;
        to->queue[i].vector = q->vector;
        to->queue[i].last_avail = q->last_avail;
        to->queue[i].used_idx = q->used_idx;
        to->queue[i].signalled = q->signalled;
        to->queue[i].enabled = q->enabled;
    }
}

void cl_siom_saved_config(const struct cl_siom_saved *from,
                          struct cl_siom_config *to)
{
    *to = (struct cl_siom_config){.vlan = from->vlan,
                                  .mtu = from->mtu,
                                  .isolated = from->isolated,
                                  .rate = from->rate};
    memcpy(to->mac, from->mac, sizeof(to->mac));
}

static void load_virtio(const struct cl_siom_saved *from, struct cl_virtio *v)
{
    unsigned int i;

    *v = (struct cl_virtio){
        .features = from->features,
        .device_select = from->device_select,
        .driver_select = from->driver_select,
        .queue_select = from->queue_select,
        .config_vector = from->config_vector,
        .status = from->status,
        .isr = from->isr,
    };
    for ( i = 0; i < CL_QUEUES; i++ )
        v->queue[i] = (struct cl_queue){
            .desc = from->queue[i].desc,
            .avail = from->queue[i].avail,
            .used = from->queue[i].used,
            .size = from->queue[i].size,
            .vector = from->queue[i].vector,
            .last_avail = from->queue[i].last_avail,
            .seen_avail = from->queue[i].last_avail,
            .used_idx = from->queue[i].used_idx,
            .signalled = from->queue[i].signalled,
            .enabled = from->queue[i].enabled & 1,
        };
}

int cl_siom_load(struct cl_siom_port *port, const struct cl_siom_saved *from)
{
    struct cl_virtio v;
    unsigned int i;

    load_virtio(from, &v);
    if ( from->revision != CL_SIOM_SAVED_REVISION || !cl_virtio_valid(&v) )
        return -EINVAL;

    cl_siom_release(port);
    port->virtio = v;
    cl_pci_load(port, from->cfg);
    port->pci.address = from->address & 0x80fffffcu;
    port->pci.pending = from->pending & ((1u << CL_MSIX_VECTORS) - 1);
    for ( i = 0; i < CL_MSIX_VECTORS; i++ )
        port->pci.msix[i] =
            (struct cl_msix){.address = from->msix[i].address,
                             .data = from->msix[i].data,
                             .control = from->msix[i].control & 1};
    cl_virtio_up(port);

    return 0;
}
