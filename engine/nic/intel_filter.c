/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel's gigabit controllers: which frames they receive. */

#include "common.h"
#include "intel_driver.h"

/* Entry 0 is the device's own address. */
void intel_write_filters(const struct cl_nic *nic)
{
    const struct intel *i = priv(nic);
    unsigned int n;

    for ( n = 1; n < i->id->filters; n++ )
    {
        const struct filter *f = &i->filter[n];
        const uint8_t *m = f->mac;

        wr(nic, RAL(n), m[0] | m[1] << 8 | m[2] << 16 | (uint32_t)m[3] << 24);
        wr(nic, RAH(n), f->ports ? m[4] | m[5] << 8 | RAH_AV : 0);
    }
}

void intel_write_rctl(const struct cl_nic *nic)
{
    wr(nic, RCTL,
       RCTL_EN | RCTL_MPE | RCTL_BAM | RCTL_SECRC |
           (priv(nic)->unfiltered ? RCTL_UPE : 0));
}

/* The place of mac, or a free one; FILTERS: neither. */
static unsigned int find_filter(const struct intel *i, const uint8_t mac[6])
{
    unsigned int n, room = FILTERS;

    for ( n = 1; n < i->id->filters; n++ )
        if ( !i->filter[n].ports )
            room = n;
        else if ( !memcmp(i->filter[n].mac, mac, 6) )
            return n;

    return room;
}

void cf_check intel_set_filter(struct cl_nic *nic, const uint8_t mac[6],
                               bool on)
{
    struct intel *i = priv(nic);
    unsigned int n;
    bool known;

    intel_identify(nic);
    n = find_filter(i, mac);
    known = n < FILTERS && i->filter[n].ports;

    if ( on && n < FILTERS )
    {
        memcpy(i->filter[n].mac, mac, 6);
        i->filter[n].ports++;
    }
    else if ( on )
        i->unfiltered++;
    else if ( known )
        i->filter[n].ports--;
    else if ( i->unfiltered )
        i->unfiltered--;

    if ( i->c.step == STEP_WORKS )
    {
        intel_write_filters(nic);
        intel_write_rctl(nic);
    }
}
