/* SPDX-License-Identifier: BSD-2-Clause */
/* Which driver is for a device, and what all of them do the same way. */

#include <cloister/virtio.h>

#include "common.h"
#include "intel.h"

#define TX_HANG_US 500000u /* a frame that is not sent, with link */
#define CHECK_US   100000u /* between looks at link and counters */
#define RESETS_MAX 8u      /* without a frame in between */

const struct cl_nic_ops *cl_nic_find(uint16_t vendor, uint16_t device)
{
    if ( vendor == INTEL_VENDOR && intel_find(device) )
        return &intel_ops;

    return vendor == VIRTIO_VENDOR && device == VIRTIO_NET_DEVICE
               ? &virtio_net_ops
               : NULL;
}

void nic_say(const struct cl_nic *nic, const char *what, uint32_t value)
{
    nic->platform->log(nic->ctx, what, value);
}

void nic_enter(const struct cl_nic *nic, unsigned int step)
{
    common(nic)->step = step;
    common(nic)->since = now_us(nic);
    common(nic)->checked = 0;
}

void nic_again(struct cl_nic *nic, const char *why, uint32_t value)
{
    struct common *c = common(nic);

    nic_say(nic, why, value);
    if ( c->tries++ < RESETS_MAX && !nic->ops->reset(nic) )
        return;
    nic_say(nic, "gives up after resets in a row:", c->tries);
    nic_enter(nic, STEP_FAILED);
}

bool nic_due(const struct cl_nic *nic)
{
    struct common *c = common(nic);

    if ( c->step != STEP_WORKS ||
         (c->checked && elapsed_us(nic, c->checked) < CHECK_US) )
        return false;
    c->checked = now_us(nic);

    return true;
}

void nic_link(const struct cl_nic *nic, bool link)
{
    struct common *c = common(nic);

    if ( link == c->link )
        return;
    c->link = link;
    c->progress = c->checked;
    c->stats.link_changes++;
}

void nic_check_tx(struct cl_nic *nic)
{
    const struct common *c = common(nic);

    (void)nic->ops->tx_reap(nic); /* perhaps nobody has looked for long */
    if ( c->step == STEP_WORKS && c->link && c->tx.next != c->tx.back &&
         elapsed_us(nic, c->progress) >= TX_HANG_US )
        nic_again(nic, "transmitter hangs, frames waiting:",
                  c->tx.next - c->tx.back);
}

enum cl_nic_state nic_state(const struct cl_nic *nic)
{
    const struct common *c = common(nic);

    if ( c->step == STEP_FAILED )
        return CL_NIC_FAILED;
    if ( c->step != STEP_WORKS )
        return CL_NIC_RESETTING;

    return c->link ? CL_NIC_UP : CL_NIC_DOWN;
}

void nic_queued(const struct cl_nic *nic, unsigned int len)
{
    struct common *c = common(nic);

    if ( c->tx.next++ == c->tx.back )
        c->progress = now_us(nic);
    c->stats.tx_frames++;
    c->stats.tx_bytes += len;
}

void nic_sent(const struct cl_nic *nic)
{
    common(nic)->progress = now_us(nic);
    common(nic)->tries = 0;
}

unsigned int nic_capability(const struct cl_nic *nic, unsigned int pos,
                            unsigned int id)
{
    const struct cl_nic_platform *p = nic->platform;
    unsigned int left = 48; /* or it goes in a circle */

    do
        pos = p->cfg_read(nic->ctx, pos ? pos + 1 : 0x34, 1) & 0xfc;
    while ( pos && p->cfg_read(nic->ctx, pos, 1) != id && left-- );

    return left <= 48 ? pos : 0;
}

void cf_check nic_stats(const struct cl_nic *nic, struct cl_nic_stats *s)
{
    *s = common(nic)->stats;
}
