/* SPDX-License-Identifier: BSD-2-Clause */
/* Rx DeMUX: a frame into the Rx memory of each VM it is for (MAC, VLAN). */

#include "private.h"

static uint64_t key_of(const uint8_t *mac, uint16_t vlan)
{
    uint64_t key = 0;

    memcpy(&key, mac, 6);

    return key << 16 | vlan;
}

/* Multiplicative hashing; addresses often differ in their last byte only. */
static unsigned int hash(uint64_t key)
{
    return (unsigned int)(((key ^ key >> 32) * 0x9e3779b97f4a7c15ull) >> 54) %
           CL_FDB_SIZE;
}

/* The table is never more than half full, so each search meets a hole. */
struct cl_port *cl_rx_find(const struct cl_siom *s, const uint8_t *mac,
                           uint16_t vlan)
{
    uint64_t key = key_of(mac, vlan);
    unsigned int i;

    for ( i = hash(key); s->fdb[i].port; i = (i + 1) % CL_FDB_SIZE )
        if ( s->fdb[i].key == key )
            return s->fdb[i].port;

    return NULL;
}

static void insert(struct cl_siom *s, struct cl_port *port)
{
    uint64_t key = key_of(port->config.mac, cl_port_vlan(port));
    unsigned int i = hash(key);

    while ( s->fdb[i].port )
        i = (i + 1) % CL_FDB_SIZE;
    s->fdb[i] = (struct cl_fdb_entry){ .key = key, .port = port };
}

/* Ports come and go seldom: the table is made anew. */
void cl_rx_table(struct cl_siom *s)
{
    unsigned int i;

    memset(s->fdb, 0, sizeof(s->fdb));
    for ( i = 0; i < CL_SIOM_PORTS; i++ )
        if ( s->port[i] )
            insert(s, s->port[i]);
}

void cl_rx_deliver(struct cl_port *to, const struct cl_inbound *in)
{
    uint8_t *data;

    if ( !load_acquire(&to->up) )
    {
        to->stats.drops[CL_DROP_RX_DOWN]++;
        return;
    }
    data = cl_memory_reserve(&to->rx, in->frame.len);
    if ( !data )
    {
        to->stats.drops[CL_DROP_RX_FULL]++;
        return;
    }
    memcpy(data, in->head, ETH_HEADER);
    memcpy(data + ETH_HEADER, in->rest, in->frame.len - ETH_HEADER);
    cl_memory_commit(&to->rx, in->frame);
    bit_set(to->siom->rx_ready, to->nr);
}

unsigned int cl_rx_flood(struct cl_siom *s, const struct cl_port *from,
                         const struct cl_inbound *in)
{
    unsigned int i, n = 0;

    for ( i = 0; i < CL_SIOM_PORTS; i++ )
    {
        struct cl_port *to = s->port[i];

        if ( to && to != from && cl_port_vlan(to) == in->frame.vlan &&
             !(from && to->config.isolated) )
        {
            cl_rx_deliver(to, in);
            n++;
        }
    }

    return n;
}
