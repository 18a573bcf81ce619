/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tx DeMUX: puts a frame into the Tx memory of the VM that sends it, if that
 * VM may send such a frame.
 */

#include "private.h"

static int check(const struct cl_port *port, const struct cl_frame *f,
                 const uint8_t *data)
{
    if ( memcmp(data + 6, port->config.mac, 6) )
        return CL_DROP_SPOOFED;
    if ( be16(data + 12) == VLAN_TPID )
        return CL_DROP_TAGGED;
    if ( f->len > port->config.mtu + ETH_HEADER )
        return CL_DROP_MALFORMED;
    if ( (f->flags & CL_FRAME_CSUM) &&
         (uint32_t)f->csum_start + f->csum_offset + 2 > f->len )
        return CL_DROP_MALFORMED;

    return -1;
}

void cl_tx_demux(struct cl_port *port, struct cl_frame f, const uint8_t *data)
{
    int drop = check(port, &f, data);

    if ( drop >= 0 )
    {
        port->stats.drops[drop]++;
        cl_memory_cancel(&port->tx, f.len);
        return;
    }
    f.vlan = cl_port_vlan(port);
    cl_memory_commit(&port->tx, f);
    bit_set(port->siom->tx_ready, port->nr);
}
