/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine and its ports. */

#include "private.h"

void cl_siom_init(struct cl_siom *s, const struct cl_siom_platform *p,
                  struct cl_nic *nic, uint16_t uplink_vlan)
{
    s->platform = p;
    s->nic = nic;
    s->uplink_vlan = uplink_vlan;
    s->link = nic ? CL_NIC_RESETTING : CL_NIC_DOWN;
}

/* What is wrong with the configuration, for this port of this engine. */
static int check(const struct cl_siom *s, const struct cl_port *port,
                 const struct cl_siom_config *c)
{
    static const uint8_t none[6];
    const struct cl_port *other;

    if ( (c->mac[0] & 1) || !memcmp(c->mac, none, 6) || c->vlan > 4094 ||
         c->mtu < 68 || c->mtu > CL_SIOM_MTU_MAX ||
         c->rate > CL_SIOM_RATE_MAX )
        return -EINVAL;
    other = cl_rx_find(s, c->mac, c->vlan ? c->vlan : s->uplink_vlan);

    return other && other != port ? -EEXIST : 0;
}

static void filter(struct cl_port *port, bool on)
{
    struct cl_nic *nic = port->siom->nic;

    if ( nic && nic->ops->set_filter )
        nic->ops->set_filter(nic, port->config.mac, on);
}

static int free_place(const struct cl_siom *s)
{
    unsigned int i;

    for ( i = 0; i < CL_SIOM_PORTS; i++ )
        if ( !s->port[i] )
            return (int)i;

    return -ENOSPC;
}

int cl_siom_port_add(struct cl_siom *s, struct cl_port *port, void *vm,
                     const struct cl_siom_config *c)
{
    int rc = check(s, NULL, c), nr = free_place(s);

    if ( rc || nr < 0 )
        return rc ?: nr;

    port->siom = s;
    port->vm = vm;
    port->nr = (unsigned int)nr;
    port->config = *c;
    port->tokens = UINT32_MAX; /* cut down to the bucket's size at once */
    port->refilled = s->platform->now_ns();
    port->generation = s->platform->generation(vm);
    cl_pci_reset(port);
    cl_virtio_reset(port);
    s->port[nr] = port;
    s->ports++;
    cl_rx_table(s);
    filter(port, true);

    return 0;
}

void cl_siom_port_remove(struct cl_port *port)
{
    struct cl_siom *s = port->siom;

    filter(port, false);
    s->port[port->nr] = NULL;
    s->ports--;
    cl_rx_table(s);
    bit_clear(s->tx_ready, port->nr);
    bit_clear(s->rx_ready, port->nr);
    cl_virtio_reset(port);
    cl_memory_empty(&port->tx);
    cl_siom_release(port);
    port->siom = NULL;
}

unsigned int cl_siom_poll(struct cl_siom *s, unsigned int budget)
{
    unsigned int n;

    cl_device_tx_begin(s);
    n = cl_device_rx(s, budget);
    n += cl_tx_mux(s, budget);
    cl_device_tx_end(s);

    return n;
}
