/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the toolstack may not ask for a sealed domain.
 *
 * These would give somebody else the domain's memory or registers, or control
 * of them.  (A list of what is allowed, for all kinds of calls, is to replace
 * this; until then see docs/threat-model.md for what is open.)
 */

#include "private.h"

#include <public/domctl.h>
#include <public/sched.h>

static bool denied(uint32_t cmd)
{
    switch ( cmd )
    {
    case XEN_DOMCTL_getvcpuextstate:
    case XEN_DOMCTL_setvcpuextstate:
    case XEN_DOMCTL_sethvmcontext:
    case XEN_DOMCTL_gethvmcontext_partial:
    case XEN_DOMCTL_debug_op:
    case XEN_DOMCTL_setdebugging:
    case XEN_DOMCTL_vm_event_op:
    case XEN_DOMCTL_monitor_op:
    case XEN_DOMCTL_set_access_required:
    case XEN_DOMCTL_vmtrace_op:
    case XEN_DOMCTL_gdbsx_guestmemio:
    case XEN_DOMCTL_assign_device:
    case XEN_DOMCTL_bind_pt_irq:
    case XEN_DOMCTL_memory_mapping:
    case XEN_DOMCTL_ioport_mapping:
    case XEN_DOMCTL_set_target:
    case XEN_DOMCTL_hypercall_init:
    case XEN_DOMCTL_soft_reset:
    case XEN_DOMCTL_soft_reset_cont:
        return true;
    }

    return false;
}

/*
 * After a save that lets the guest go on, libxc writes all registers of a
 * vCPU to change one: the suspend hypercall is to return 1, for "cancelled".
 * Xen does that itself, and takes nothing of what was sent.
 */
static int cancel_suspend(const struct domain *d, unsigned int vcpu_id)
{
    struct vcpu *v = domain_vcpu(d, vcpu_id);

    if ( !v || !d->is_shut_down || d->shutdown_code != SHUTDOWN_suspend )
        return -EPERM;

    v->arch.user_regs.rax = 1;

    return 0;
}

int cloister_domctl(struct domain *d, const struct xen_domctl *op)
{
    int rc = 1;

    if ( likely(!cloister_sealed(d)) )
        return 1;

    if ( op->cmd == XEN_DOMCTL_setvcpucontext )
        rc = cancel_suspend(d, op->u.vcpucontext.vcpu);
    else if ( denied(op->cmd) )
        rc = -EPERM;
    if ( rc < 0 )
        cloister_count_refused(d->arch.cloister);

    return rc;
}
