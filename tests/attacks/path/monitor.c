/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest under a monitor
 *
 * Claim:  dom0 is told each debug exception of a guest, with all its
 * registers. Method: XEN_DOMCTL_vm_event_op and _monitor_op: a ring, and the
 * event for debug exceptions; the victim steps over an instruction in each
 *         round, with the marker in registers.
 * Stock:  the ring is set up on a guest that runs.
 */
#include <string.h>
#include <sys/mman.h>

#include "../attack.h"

#include <xen/vm_event.h>

static enum verdict monitor_ring(struct victim *v)
{
    uint32_t port, word[VICTIM_WORDS], esi = 0, edi = 0;
    void *ring = xc_monitor_enable(xch, v->id, &port);
    unsigned int left = 30;
    vm_event_sring_t *shared = ring;

    if ( !ring )
        return verdict(FAILURE, "no ring");
    marker_words(word);
    if ( xc_monitor_debug_exceptions(xch, v->id, true, true) )
        verdict(FAILURE, "no event");
    else
        verdict(FAILURE, "no request");
    while ( !*(volatile RING_IDX *)&shared->req_prod && --left )
        msleep(100);
    if ( shared->req_prod )
    {
        esi = shared->ring[0].req.data.regs.x86.rsi;
        edi = shared->ring[0].req.data.regs.x86.rdi;
        verdict(FAILURE, "ESI %#x, EDI %#x", esi, edi);
    }
    xc_monitor_debug_exceptions(xch, v->id, false, false);
    xc_monitor_disable(xch, v->id);
    return esi == word[0] && edi == word[1] ? SUCCESS : FAILURE;
}
ATTACK(monitor_ring, .needs = SHARED);
