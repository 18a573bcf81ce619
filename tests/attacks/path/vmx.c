/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a running guest's access to its memory
 *
 * Claim:  dom0 is told of each access to a page, with the guest's registers.
 * Method: XENMEM_access_op: a page without access, and the monitor's ring, in
 *         which its faults are reported.
 * Stock:  works on VMX, and nowhere else: tests/system/ept.sh mounts it on the
 *         Intel machine.
 */
#include <cpuid.h>

#include "../attack.h"

#include <xen/vm_event.h>

#define PATIENCE 30 /* seconds */

static bool is_vmx(void)
{
    unsigned int a, b, c, d;

    return __get_cpuid(0, &a, &b, &c, &d) && b == signature_INTEL_ebx &&
           c == signature_INTEL_ecx && d == signature_INTEL_edx;
}

/* The first request is of this reason and page. */
static bool reported(const volatile vm_event_sring_t *ring)
{
    return ring->req_prod && ring->ring[0].req.reason ==
                                 VM_EVENT_REASON_MEM_ACCESS &&
           ring->ring[0].req.u.mem_access.gfn == LINES_GFN &&
           ring->ring[0].req.data.regs.x86.rip;
}

static enum verdict mem_access(struct victim *v)
{
    double end = now_s() + PATIENCE;
    uint32_t port;
    void *ring;

    if ( !is_vmx() )
        return verdict(UNPROVEN, "VMX only");
    ring = xc_monitor_enable(xch, v->id, &port);
    if ( !ring )
        return verdict(FAILURE, "no ring");
    if ( xc_set_mem_access(xch, v->id, XENMEM_access_n, LINES_GFN, 1) )
        return verdict(FAILURE, "refused: the page's access");
    while ( now_s() < end && !reported(ring) )
        msleep(100);
    return reported(ring) ? verdict(SUCCESS, "the guest's access is reported")
                          : verdict(FAILURE, "nothing is reported");
}
ATTACK(mem_access, .needs = FRESH);
