/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must be true of a domain to be sealed, but for its pages: asked before
 * the first page is touched, and again when nobody can change it any more.
 */

#include <xen/iocap.h>
#include <xen/ioreq.h>
#include <xen/sched.h>
#include <xen/vm_event.h>

#include <asm/altp2m.h>
#include <asm/hvm/hvm.h>
#include <asm/hvm/nestedhvm.h>
#include <asm/p2m.h>
#include <asm/paging.h>

#include "private.h"
#include "seal.h"

static bool has_device(const struct domain *d)
{
    return !list_empty(&d->pdev_list) ||
           !rangeset_is_empty(d->iomem_caps) ||
           !rangeset_is_empty(d->irq_caps) ||
           !rangeset_is_empty(d->arch.ioport_caps) ||
           !list_empty(&d->arch.hvm.g2m_ioport_list);
}

/* It is under, or over, another domain. */
static bool has_target(const struct domain *d)
{
    const struct domain *other;
    bool found = d->target;

    rcu_read_lock(&domlist_read_lock);
    for_each_domain ( other )
        found |= other->target == d;
    rcu_read_unlock(&domlist_read_lock);

    return found;
}

/* Settings need no ring, and Xen acts by them. */
static bool is_monitored(const struct domain *d)
{
    return vm_event_check_ring(d->vm_event_monitor) ||
           d->monitor.guest_request_enabled ||
           memchr_inv(&d->arch.monitor, 0, sizeof(d->arch.monitor));
}

static bool is_watched(const struct domain *d)
{
    return d->debugger_attached || is_monitored(d) ||
           p2m_get_hostp2m(d)->default_access != p2m_access_rwx;
}

static enum cloister_reason kind_reason(const struct domain *d)
{
    if ( !is_hvm_domain(d) )
        return CLOISTER_WHY_pv_guest;
    if ( d->arch.emulation_flags != X86_EMU_LAPIC )
        return CLOISTER_WHY_device_model;
    if ( !hap_enabled(d) )
        return CLOISTER_WHY_no_hap;
    /* Else a device could be given to the domain at any time. */
    if ( is_iommu_enabled(d) )
        return CLOISTER_WHY_passthrough;
    if ( nestedhvm_enabled(d) )
        return CLOISTER_WHY_nested;
    if ( d->arch.hvm.params[HVM_PARAM_ALTP2M] || altp2m_active(d) )
        return CLOISTER_WHY_altp2m;

    return CLOISTER_WHY_none;
}

/* It would come before the guest's first instruction. */
static bool has_event(struct vcpu *v)
{
    struct x86_event info;

    return alternative_call(hvm_funcs.get_pending_event, v, &info) ||
           v->arch.hvm.inject_event.vector != HVM_EVENT_VECTOR_UNSET ||
           v->arch.nmi_pending || v->arch.mce_pending ||
           v->arch.hvm.single_step || v->arch.hvm.fast_single_step.enabled;
}

/*
 * What is not measured.  Registers of a vCPU that is down are not: there must
 * be none but the first's, nor have been any, as a reset leaves some.  How the
 * guest gets its events, the parameter does not always say.
 */
static bool has_other_state(const struct domain *d)
{
    const struct cloister_domain *cd = d->arch.cloister;
    struct vcpu *v;

    if ( !d->vcpu || !d->vcpu[0] || cd->loaded_others ||
         hvm_domain_irq(d)->callback_via_type != HVMIRQ_callback_none )
        return true;

    for_each_vcpu ( d, v )
        if ( (v->vcpu_id && v->is_initialised) || has_event(v) )
            return true;

    return false;
}

static bool only_rings_granted(struct domain *d)
{
    const struct page_info *shared = virt_to_page(d->shared_info);

    return is_allocated(shared) && !others_refs(shared) &&
           gnttab_ready_to_seal(d, d->arch.hvm.params[HVM_PARAM_CONSOLE_PFN],
                                d->arch.hvm.params[HVM_PARAM_STORE_PFN]);
}

enum cloister_reason cloister_domain_reason(struct domain *d)
{
    const struct p2m_domain *p2m = p2m_get_hostp2m(d);
    enum cloister_reason why = kind_reason(d);

    if ( why )
        return why;
    if ( p2m->pod.entry_count || p2m->pod.count )
        return CLOISTER_WHY_pod;
    if ( has_device(d) )
        return CLOISTER_WHY_passthrough;
    if ( d->vmtrace_size )
        return CLOISTER_WHY_vmtrace;
    if ( has_target(d) )
        return CLOISTER_WHY_target;
    if ( is_watched(d) )
        return CLOISTER_WHY_introspection;
    if ( domain_has_ioreq_server(d) )
        return CLOISTER_WHY_ioreq;
    if ( paging_mode_log_dirty(d) )
        return CLOISTER_WHY_log_dirty;
    if ( has_other_state(d) )
        return CLOISTER_WHY_vcpu_state;
    if ( !only_rings_granted(d) )
        return CLOISTER_WHY_grants;

    return CLOISTER_WHY_none;
}
