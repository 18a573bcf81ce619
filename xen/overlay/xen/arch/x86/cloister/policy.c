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

bool cloister_denies_domctl(const struct domain *d, uint32_t cmd)
{
    if ( likely(!cloister_sealed(d)) )
        return false;

    switch ( cmd )
    {
    case XEN_DOMCTL_setvcpucontext:
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
        cloister_count_refused(d->arch.cloister);
        return true;
    }

    return false;
}
