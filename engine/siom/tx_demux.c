/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tx DeMUX: puts a frame into the Tx memory of the VM that sends it, if that
 * VM may send such a frame.
 */

#include "private.h"

/* Of a customer, a provider, and what was used before these: IEEE 802.1Q, 9.6. */
static bool is_tag(uint16_t type)
{
    return type == VLAN_TPID || type == 0x88a8 || type == 0x9100;
}

/*
 * The sum goes where the guest says, after all else was checked: not into the
 * header, where a tag or an address could come of it.
 */
static bool csum_fits(const struct cl_frame *f)
{
    return f->csum_start >= ETH_HEADER &&
           (uint32_t)f->csum_start + f->csum_offset + 2 <= f->len;
}

static int check(const struct cl_port *port, const struct cl_frame *f,
                 const uint8_t *data)
{
    if ( memcmp(data + 6, port->config.mac, 6) )
        return CL_DROP_SPOOFED;
    if ( is_tag(be16(data + 12)) )
        return CL_DROP_TAGGED;
    if ( cl_link_local(data) )
        return CL_DROP_NO_TARGET;
    if ( f->len > port->config.mtu + ETH_HEADER ||
         ((f->flags & CL_FRAME_CSUM) && !csum_fits(f)) )
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
