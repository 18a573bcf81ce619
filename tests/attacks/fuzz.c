/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attack fuzz SEED CALLS: random operations with random arguments at a victim.
 *
 * Each call is one operation of HYPERVISOR_domctl, _sysctl, _memory_op,
 * _platform_op, _physdev_op, _hvm_op, _dm_op, _event_channel_op,
 * _grant_table_op or Cloister's own, with the victim's domain id where one belongs, and numbers
 * that mean something (guest frames, addresses of buffers) among the random
 * ones.  What comes back is searched for the victim's marker, and so is a
 * mapping of one of its pages now and then.
 *
 * Left out is what may legitimately end or stop the victim, or the host, or
 * dom0 itself: see each table.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "attack.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/physdev.h>

#include <abi/hypercall.h>

#define BUFFER (128 * PAGE) /* a log of writes takes 32, say */
#define POINTED (8 * PAGE)  /* where what is handed over points to */
#define ARGUMENT 512        /* more than any structure has */
#define CHECK_EVERY 2000
#define NO_DOMID 0xffff

static uint64_t state;
static uint8_t *argument, *buffer;
static unsigned long canaries, accepted;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1dULL;
}

static unsigned int below(unsigned int limit)
{
    return (next() >> 33) % limit;
}

/* A number of some meaning. */
static uint64_t number(struct victim *v)
{
    switch ( below(9) )
    {
    case 0:
        return 0;
    case 1:
        return 1;
    case 2:
        return below(64);
    case 3:
        return LINES_GFN + below(64);
    case 4:
        return below(0x900);
    case 5:
        return v->id;
    case 6:
        return (uint64_t)buffer + below(POINTED);
    case 7:
        return -1ULL;
    }
    return next();
}

static void fill(struct victim *v)
{
    uint64_t *word = (uint64_t *)argument;
    unsigned int i;

    for ( i = 0; i < ARGUMENT / 8; i++ )
        word[i] = below(4) ? number(v) : number(v) << 32 | below(256);
}

struct op
{
    unsigned int cmd;
    unsigned int domid; /* where the domain id is, or NO_DOMID */
};

/*
 * Left out: createdomain (of which nothing would remain of dom0's memory),
 * destroydomain, pausedomain and unpausedomain, max_mem, set_virq_handler
 * (dom0's own interrupts), setvcpuaffinity, setnodeaffinity and scheduler_op
 * (whether the victim gets time), set_paging_mempool_size (whether it has
 * tables), and the permissions, which are for dom0's own devices.
 */
static const unsigned int domctls[] = {
    XEN_DOMCTL_getdomaininfo,
    XEN_DOMCTL_setvcpucontext,
    XEN_DOMCTL_getvcpucontext,
    XEN_DOMCTL_getvcpuinfo,
    XEN_DOMCTL_max_vcpus,
    XEN_DOMCTL_getvcpuaffinity,
    XEN_DOMCTL_shadow_op,
    XEN_DOMCTL_setdomainhandle,
    XEN_DOMCTL_setdebugging,
    XEN_DOMCTL_hypercall_init,
    XEN_DOMCTL_settimeoffset,
    XEN_DOMCTL_resumedomain,
    XEN_DOMCTL_sendtrigger,
    XEN_DOMCTL_subscribe,
    XEN_DOMCTL_gethvmcontext,
    XEN_DOMCTL_sethvmcontext,
    XEN_DOMCTL_set_address_size,
    XEN_DOMCTL_get_address_size,
    XEN_DOMCTL_assign_device,
    XEN_DOMCTL_bind_pt_irq,
    XEN_DOMCTL_memory_mapping,
    XEN_DOMCTL_ioport_mapping,
    XEN_DOMCTL_set_ext_vcpucontext,
    XEN_DOMCTL_get_ext_vcpucontext,
    XEN_DOMCTL_set_target,
    XEN_DOMCTL_deassign_device,
    XEN_DOMCTL_debug_op,
    XEN_DOMCTL_gethvmcontext_partial,
    XEN_DOMCTL_vm_event_op,
    XEN_DOMCTL_mem_sharing_op,
    XEN_DOMCTL_gettscinfo,
    XEN_DOMCTL_settscinfo,
    XEN_DOMCTL_getpageframeinfo3,
    XEN_DOMCTL_setvcpuextstate,
    XEN_DOMCTL_getvcpuextstate,
    XEN_DOMCTL_set_access_required,
    XEN_DOMCTL_audit_p2m,
    XEN_DOMCTL_set_broken_page_p2m,
    XEN_DOMCTL_getnodeaffinity,
    XEN_DOMCTL_get_vcpu_msrs,
    XEN_DOMCTL_set_vcpu_msrs,
    XEN_DOMCTL_setvnumainfo,
    XEN_DOMCTL_psr_cmt_op,
    XEN_DOMCTL_monitor_op,
    XEN_DOMCTL_psr_alloc,
    XEN_DOMCTL_soft_reset,
    XEN_DOMCTL_get_cpu_policy,
    XEN_DOMCTL_set_cpu_policy,
    XEN_DOMCTL_vmtrace_op,
    XEN_DOMCTL_gdbsx_guestmemio,
    XEN_DOMCTL_gdbsx_pausevcpu,
    XEN_DOMCTL_gdbsx_domstatus,
    999,
};

static long fuzz_domctl(struct victim *v)
{
    struct xen_domctl *op = (void *)argument;
    unsigned int i = below(sizeof(domctls) / sizeof(domctls[0]));

    op->cmd = domctls[i];
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = v->id;
    return hypercall(__HYPERVISOR_domctl, (unsigned long)op, 0, 0, 0);
}

/*
 * Left out: cpu_hotplug, cpupool_op, scheduler_op, pm_op (the host's
 * processors), page_offline_op (dom0's own pages), debug_keys (some of them
 * end the host; the attacks have the others), readconsole (which may clear the
 * log that the checks need).
 */
static const unsigned int sysctls[] = {
    XEN_SYSCTL_tbuf_op,
    XEN_SYSCTL_physinfo,
    XEN_SYSCTL_sched_id,
    XEN_SYSCTL_perfc_op,
    XEN_SYSCTL_getdomaininfolist,
    XEN_SYSCTL_getcpuinfo,
    XEN_SYSCTL_availheap,
    XEN_SYSCTL_get_pmstat,
    XEN_SYSCTL_cputopoinfo,
    XEN_SYSCTL_numainfo,
    XEN_SYSCTL_psr_cmt_op,
    XEN_SYSCTL_pcitopoinfo,
    XEN_SYSCTL_psr_alloc,
    XEN_SYSCTL_coverage_op,
    XEN_SYSCTL_get_cpu_levelling_caps,
    XEN_SYSCTL_get_cpu_featureset,
    XEN_SYSCTL_livepatch_op,
    XEN_SYSCTL_get_cpu_policy,
    99,
};

static long fuzz_sysctl(struct victim *v)
{
    struct xen_sysctl *op = (void *)argument;
    unsigned int i = below(sizeof(sysctls) / sizeof(sysctls[0]));

    (void)v;
    op->cmd = sysctls[i];
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return hypercall(__HYPERVISOR_sysctl, (unsigned long)op, 0, 0, 0);
}

/*
 * Left out: settime, platform_quirk, microcode, EFI, enter_acpi_sleep,
 * change_freq, set_processor_pminfo, processors' and memory's comings and
 * goings: all of the host.
 */
static const unsigned int platform_ops[] = {
    XENPF_read_memtype,     XENPF_firmware_info,
    XENPF_getidletime,      XENPF_get_cpuinfo,
    XENPF_get_cpu_version,  XENPF_resource_op,
    XENPF_get_symbol,       XENPF_get_ucode_revision,
    XENPF_get_dom0_console, 99,
};

static long fuzz_platform(struct victim *v)
{
    struct xen_platform_op *op = (void *)argument;
    unsigned int i = below(sizeof(platform_ops) / sizeof(platform_ops[0]));

    (void)v;
    op->cmd = platform_ops[i];
    op->interface_version = XENPF_INTERFACE_VERSION;
    return hypercall(__HYPERVISOR_platform_op, (unsigned long)op, 0, 0, 0);
}

#define AT(type, field) offsetof(struct type, field)

/* Left out: what has no domain, or whose domain is dom0 itself. */
static const struct op memory_ops[] = {
    {XENMEM_increase_reservation, AT(xen_memory_reservation, domid)},
    {XENMEM_decrease_reservation, AT(xen_memory_reservation, domid)},
    {XENMEM_populate_physmap, AT(xen_memory_reservation, domid)},
    {XENMEM_exchange, AT(xen_memory_exchange, in.domid)},
    {XENMEM_current_reservation, 0},
    {XENMEM_maximum_reservation, 0},
    {XENMEM_maximum_gpfn, 0},
    {XENMEM_add_to_physmap, AT(xen_add_to_physmap, domid)},
    {XENMEM_add_to_physmap_batch, AT(xen_add_to_physmap_batch, domid)},
    {XENMEM_remove_from_physmap, AT(xen_remove_from_physmap, domid)},
    {XENMEM_set_memory_map, AT(xen_foreign_memory_map, domid)},
    {XENMEM_set_pod_target, AT(xen_pod_target, domid)},
    {XENMEM_get_pod_target, AT(xen_pod_target, domid)},
    {XENMEM_access_op, AT(xen_mem_access_op, domid)},
    {XENMEM_acquire_resource, AT(xen_mem_acquire_resource, domid)},
    {XENMEM_get_vnumainfo, AT(xen_vnuma_topology_info, domid)},
    {XENMEM_paging_op, AT(xen_mem_paging_op, domain)},
    {XENMEM_sharing_op, AT(xen_mem_sharing_op, domain)},
};

static long call_op(struct victim *v, unsigned int hypercall_number,
                    const struct op *ops, unsigned int nr)
{
    const struct op *op = &ops[below(nr)];

    /* A PVH dom0 would get these in the place of its own pages. */
    if ( ops == memory_ops && pvh_dom0 && op->cmd == XENMEM_acquire_resource )
        return -1;
    if ( op->domid != NO_DOMID )
        *(domid_t *)(argument + op->domid) = v->id;
    return hypercall(hypercall_number, op->cmd, (unsigned long)argument,
                     below(4) ? 1 : below(8), 0);
}

static long fuzz_memory(struct victim *v)
{
    return call_op(v, __HYPERVISOR_memory_op, memory_ops,
                   sizeof(memory_ops) / sizeof(memory_ops[0]));
}

/* Left out: what is for the caller's own domain. */
static const struct op hvm_ops[] = {
    {HVMOP_set_param, AT(xen_hvm_param, domid)},
    {HVMOP_set_param, AT(xen_hvm_param, domid)},
    {HVMOP_get_param, AT(xen_hvm_param, domid)},
    {HVMOP_get_mem_type, AT(xen_hvm_get_mem_type, domid)},
    {HVMOP_altp2m, AT(xen_hvm_altp2m_op, domain)},
    {HVMOP_pagetable_dying, AT(xen_hvm_pagetable_dying, domid)},
};

static long fuzz_hvm(struct victim *v)
{
    if ( below(2) )
        *(uint32_t *)(argument + AT(xen_hvm_param, index)) = below(50);
    return call_op(v, __HYPERVISOR_hvm_op, hvm_ops,
                   sizeof(hvm_ops) / sizeof(hvm_ops[0]));
}

/* Left out: remote_shutdown. */
static long fuzz_dm(struct victim *v)
{
    struct xen_dm_op_buf *buf = (void *)buffer;
    struct xen_dm_op *op = (void *)argument;
    unsigned int i, nr = 1 + below(3);

    op->op = below(22);
    op->pad = 0;
    if ( op->op == XEN_DMOP_remote_shutdown )
        return -1;
    for ( i = 0; i < nr; i++ )
    {
        set_xen_guest_handle_raw(buf[i].h, i ? (void *)(buffer + PAGE * i)
                                             : (void *)argument);
        buf[i].size = i ? below(PAGE) : sizeof(*op);
    }
    return hypercall(__HYPERVISOR_dm_op, v->id, nr, (unsigned long)buf, 0);
}

/* Left out: all others are for devices of dom0's. */
static const struct op physdev_ops[] = {
    {PHYSDEVOP_map_pirq, AT(physdev_map_pirq, domid)},
    {PHYSDEVOP_unmap_pirq, AT(physdev_unmap_pirq, domid)},
    {PHYSDEVOP_irq_status_query, NO_DOMID},
};

static long fuzz_physdev(struct victim *v)
{
    return call_op(v, __HYPERVISOR_physdev_op, physdev_ops,
                   sizeof(physdev_ops) / sizeof(physdev_ops[0]));
}

/* Left out: binding uses up dom0's own ports. */
static const struct op evtchn_ops[] = {
    {EVTCHNOP_alloc_unbound, AT(evtchn_alloc_unbound, dom)},
    {EVTCHNOP_status, AT(evtchn_status, dom)},
    {EVTCHNOP_reset, AT(evtchn_reset, dom)},
};

static long fuzz_evtchn(struct victim *v)
{
    return call_op(v, __HYPERVISOR_event_channel_op, evtchn_ops,
                   sizeof(evtchn_ops) / sizeof(evtchn_ops[0]));
}

static const struct op grant_ops[] = {
    {GNTTABOP_setup_table, AT(gnttab_setup_table, dom)},
    {GNTTABOP_query_size, AT(gnttab_query_size, dom)},
    {GNTTABOP_get_status_frames, AT(gnttab_get_status_frames, dom)},
    {GNTTABOP_get_version, AT(gnttab_get_version, dom)},
};

static long fuzz_grant(struct victim *v)
{
    return call_op(v, __HYPERVISOR_grant_table_op, grant_ops,
                   sizeof(grant_ops) / sizeof(grant_ops[0]));
}

/* Left out: hostkey, which is for the TPM, a second each. */
static long fuzz_cloister(struct victim *v)
{
    unsigned int op = below(24);

    if ( op == CLOISTER_OP_hostkey )
        return -1;
    *(uint32_t *)argument = CLOISTER_ABI_REVISION;
    if ( below(2) )
        *(domid_t *)(argument + 4) = v->id;
    return hypercall(CLOISTER_HYPERCALL, op, (unsigned long)argument, 0, 0);
}

static long (*const classes[])(struct victim *v) = {
    fuzz_domctl,   fuzz_domctl,  fuzz_domctl, fuzz_memory, fuzz_memory,
    fuzz_hvm,      fuzz_hvm,     fuzz_dm,     fuzz_dm,     fuzz_sysctl,
    fuzz_platform, fuzz_physdev, fuzz_evtchn, fuzz_grant,  fuzz_cloister,
};

static void one_call(struct victim *v)
{
    fill(v);
    accepted += classes[below(sizeof(classes) / sizeof(classes[0]))](v) >= 0;
    canaries += markers_in(argument, ARGUMENT);
}

/* The victim's page, and all that calls may have left. */
static void look(struct victim *v)
{
    void *page = map_page(v->id, LINES_GFN + below(64), false);

    if ( page )
        canaries += markers_in(page, PAGE);
    unmap_page(page);
    canaries += markers_in(buffer, BUFFER);
    memset(buffer, 0, BUFFER);
}

/*
 * Memory with nothing behind it: some calls write as much as they are told.
 * Not swapped out, as Xen would find it missing.
 */
static void *guarded(size_t size)
{
    uint8_t *memory = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);

    if ( memory == MAP_FAILED || mprotect(memory + size, PAGE, PROT_NONE) )
        abort();
    return memory;
}

int fuzz(uint64_t seed, unsigned long calls)
{
    unsigned long done, lost = 0;
    unsigned int refused;
    uint64_t from;
    struct victim v;

    argument = guarded(PAGE);
    buffer = guarded(BUFFER);
    state = seed * 2 + 1;
    if ( victim_start(&v, NULL) )
        return -1;
    from = newest_refusal();
    for ( done = 1; done <= calls; done++ )
    {
        one_call(&v);
        if ( done % CHECK_EVERY && done != calls )
            continue;
        look(&v);
        if ( victim_healthy(&v, 30) )
            continue;
        lost++;
        victim_destroy(&v);
        if ( victim_start(&v, NULL) )
            return -1;
    }
    refused = operations_refused(v.id, from);
    victim_destroy(&v);
    printf("fuzz seed %lu calls %lu accepted %lu operations_refused %u "
           "lost %lu canaries %lu\n",
           (unsigned long)seed, done - 1, accepted, refused, lost, canaries);
    return 0;
}
