/* SPDX-License-Identifier: GPL-2.0-only */
/* The policy: see policy_table.h.  ALLOW says why, unless it only informs. */

#include "policy_table.h"

#include <stddef.h>
#include <string.h>

#include <public/xen.h>
#include <public/arch-x86/xen-mca.h>
#include <public/domctl.h>
#include <public/event_channel.h>
#include <public/grant_table.h>
#include <public/hvm/dm_op.h>
#include <public/hvm/hvm_op.h>
#include <public/hypfs.h>
#include <public/kexec.h>
#include <public/memory.h>
#include <public/physdev.h>
#include <public/platform.h>
#include <public/pmu.h>
#include <public/sysctl.h>

#define ALLOW       CLOISTER_RULE_allow
#define ASK         CLOISTER_RULE_ask
#define NO(why)     CLOISTER_WHY_##why

/* ---- About a sealed domain -------------------------------------------- */

static const uint8_t domctl[] = {
    /* Availability is not promised, and the scheduler is dom0's affair. */
    [XEN_DOMCTL_destroydomain] = ALLOW,
    [XEN_DOMCTL_pausedomain] = ALLOW,
    [XEN_DOMCTL_unpausedomain] = ALLOW,
    [XEN_DOMCTL_resumedomain] = ALLOW,
    [XEN_DOMCTL_setvcpuaffinity] = ALLOW,
    [XEN_DOMCTL_getvcpuaffinity] = ALLOW,
    [XEN_DOMCTL_setnodeaffinity] = ALLOW,
    [XEN_DOMCTL_getnodeaffinity] = ALLOW,
    [XEN_DOMCTL_scheduler_op] = ALLOW,
    /* Limits: the guest gives and takes pages itself. */
    [XEN_DOMCTL_max_mem] = ALLOW,
    [XEN_DOMCTL_get_paging_mempool_size] = ALLOW,
    [XEN_DOMCTL_set_paging_mempool_size] = ALLOW,
    [XEN_DOMCTL_getdomaininfo] = ALLOW,
    [XEN_DOMCTL_getvcpuinfo] = ALLOW,
    [XEN_DOMCTL_getpageframeinfo3] = ALLOW,
    [XEN_DOMCTL_gettscinfo] = ALLOW,
    [XEN_DOMCTL_get_address_size] = ALLOW,
    [XEN_DOMCTL_get_cpu_policy] = ALLOW,
    [XEN_DOMCTL_get_ext_vcpucontext] = ALLOW,
    [XEN_DOMCTL_get_device_group] = ALLOW,
    /* Tells of a suspend: the guest has asked for it. */
    [XEN_DOMCTL_subscribe] = ALLOW,
    /* Zeroes (xl dump-core needs an answer), and an opaque record. */
    [XEN_DOMCTL_getvcpucontext] = ALLOW,
    [XEN_DOMCTL_gethvmcontext] = ALLOW,
    [XEN_DOMCTL_shadow_op] = ASK,
    [XEN_DOMCTL_sendtrigger] = ASK,
    [XEN_DOMCTL_setvcpucontext] = ASK,

    [XEN_DOMCTL_sethvmcontext] = NO(registers),
    [XEN_DOMCTL_gethvmcontext_partial] = NO(registers),
    [XEN_DOMCTL_getvcpuextstate] = NO(registers),
    [XEN_DOMCTL_setvcpuextstate] = NO(registers),
    [XEN_DOMCTL_get_vcpu_msrs] = NO(registers),
    [XEN_DOMCTL_set_vcpu_msrs] = NO(registers),
    [XEN_DOMCTL_set_ext_vcpucontext] = NO(registers),

    [XEN_DOMCTL_debug_op] = NO(observation),
    [XEN_DOMCTL_setdebugging] = NO(observation),
    [XEN_DOMCTL_vm_event_op] = NO(observation),
    [XEN_DOMCTL_monitor_op] = NO(observation),
    [XEN_DOMCTL_set_access_required] = NO(observation),
    [XEN_DOMCTL_vmtrace_op] = NO(observation),

    [XEN_DOMCTL_mem_sharing_op] = NO(memory_map),
    [XEN_DOMCTL_audit_p2m] = NO(memory_map),
    [XEN_DOMCTL_set_broken_page_p2m] = NO(memory_map),

    [XEN_DOMCTL_max_vcpus] = NO(parameter),
    [XEN_DOMCTL_setdomainhandle] = NO(parameter),
    [XEN_DOMCTL_hypercall_init] = NO(parameter),
    [XEN_DOMCTL_soft_reset] = NO(parameter),
    [XEN_DOMCTL_settimeoffset] = NO(parameter),
    [XEN_DOMCTL_set_address_size] = NO(parameter),
    [XEN_DOMCTL_settscinfo] = NO(parameter),
    [XEN_DOMCTL_setvnumainfo] = NO(parameter),
    [XEN_DOMCTL_set_cpu_policy] = NO(parameter),
    [XEN_DOMCTL_set_llc_colors] = NO(parameter),

    [XEN_DOMCTL_irq_permission] = NO(device),
    [XEN_DOMCTL_gsi_permission] = NO(device),
    [XEN_DOMCTL_iomem_permission] = NO(device),
    [XEN_DOMCTL_ioport_permission] = NO(device),
    [XEN_DOMCTL_memory_mapping] = NO(device),
    [XEN_DOMCTL_ioport_mapping] = NO(device),
    [XEN_DOMCTL_assign_device] = NO(device),
    [XEN_DOMCTL_deassign_device] = NO(device),
    [XEN_DOMCTL_test_assign_device] = NO(device),
    [XEN_DOMCTL_bind_pt_irq] = NO(device),
    [XEN_DOMCTL_unbind_pt_irq] = NO(device),
    [XEN_DOMCTL_set_virq_handler] = NO(events),

    [XEN_DOMCTL_set_target] = NO(master),
    [XEN_DOMCTL_psr_cmt_op] = NO(cache),
    [XEN_DOMCTL_psr_alloc] = NO(cache),
};

/* Log-dirty is how a migration finds what has changed. */
static const uint8_t shadow[] = {
    [XEN_DOMCTL_SHADOW_OP_OFF] = ALLOW,
    [XEN_DOMCTL_SHADOW_OP_CLEAN] = ALLOW,
    [XEN_DOMCTL_SHADOW_OP_PEEK] = ALLOW,
    [XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION] = ALLOW,
    [XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION] = ALLOW,
    [XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY] = ALLOW,
    [XEN_DOMCTL_SHADOW_OP_ENABLE] = NO(parameter),
    [XEN_DOMCTL_SHADOW_OP_ENABLE_TEST] = NO(parameter),
};

/* The buttons are a request that the guest may ignore. */
static const uint8_t trigger[] = {
    [XEN_DOMCTL_SENDTRIGGER_POWER] = ALLOW,
    [XEN_DOMCTL_SENDTRIGGER_SLEEP] = ALLOW,
    [XEN_DOMCTL_SENDTRIGGER_NMI] = NO(device),
    [XEN_DOMCTL_SENDTRIGGER_RESET] = NO(device),
    [XEN_DOMCTL_SENDTRIGGER_INIT] = NO(device),
};

static const uint8_t memory[] = {
    [XENMEM_maximum_ram_page] = ALLOW,
    [XENMEM_current_reservation] = ALLOW,
    [XENMEM_maximum_reservation] = ALLOW,
    [XENMEM_maximum_gpfn] = ALLOW,
    [XENMEM_get_pod_target] = ALLOW,
    [XENMEM_get_vnumainfo] = ALLOW,
    [XENMEM_claim_pages] = ALLOW,
    /* Nothing happens without PoD, and xl mem-set asks for it. */
    [XENMEM_set_pod_target] = ALLOW,

    [XENMEM_increase_reservation] = NO(memory_map),
    [XENMEM_decrease_reservation] = NO(memory_map),
    [XENMEM_populate_physmap] = NO(memory_map),
    [XENMEM_exchange] = NO(memory_map),
    [XENMEM_add_to_physmap] = NO(memory_map),
    [XENMEM_add_to_physmap_batch] = NO(memory_map),
    [XENMEM_remove_from_physmap] = NO(memory_map),
    [XENMEM_paging_op] = NO(memory_map),
    [XENMEM_sharing_op] = NO(memory_map),
    [XENMEM_set_memory_map] = NO(parameter),
    [XENMEM_access_op] = NO(observation),
    [XENMEM_acquire_resource] = NO(xen_page),
};

static const uint8_t hvm[] = {
    [HVMOP_get_param] = ALLOW,
    [HVMOP_get_mem_type] = ALLOW,
    [HVMOP_set_param] = NO(parameter),
    [HVMOP_pagetable_dying] = NO(memory_map),
    [HVMOP_altp2m] = NO(memory_map),
};

static const uint8_t dm[] = {
    [XEN_DMOP_nr_vcpus] = ALLOW,

    [XEN_DMOP_remote_shutdown] = NO(emulation),
    [XEN_DMOP_create_ioreq_server] = NO(emulation),
    [XEN_DMOP_get_ioreq_server_info] = NO(emulation),
    [XEN_DMOP_map_io_range_to_ioreq_server] = NO(emulation),
    [XEN_DMOP_unmap_io_range_from_ioreq_server] = NO(emulation),
    [XEN_DMOP_set_ioreq_server_state] = NO(emulation),
    [XEN_DMOP_destroy_ioreq_server] = NO(emulation),
    [XEN_DMOP_map_mem_type_to_ioreq_server] = NO(emulation),
    [XEN_DMOP_track_dirty_vram] = NO(observation),
    [XEN_DMOP_set_pci_intx_level] = NO(device),
    [XEN_DMOP_set_isa_irq_level] = NO(device),
    [XEN_DMOP_set_pci_link_route] = NO(device),
    [XEN_DMOP_set_irq_level] = NO(device),
    [XEN_DMOP_inject_msi] = NO(device),
    [XEN_DMOP_inject_event] = NO(registers),
    [XEN_DMOP_modified_memory] = NO(memory_map),
    [XEN_DMOP_set_mem_type] = NO(memory_map),
    [XEN_DMOP_relocate_memory] = NO(memory_map),
    [XEN_DMOP_pin_memory_cacheattr] = NO(memory_map),
};

static const uint8_t grant[] = {
    [GNTTABOP_query_size] = ALLOW,
    [GNTTABOP_get_version] = ALLOW,
    [GNTTABOP_setup_table] = NO(grant_table),
    [GNTTABOP_get_status_frames] = NO(grant_table),
};

static const uint8_t event[] = {
    [EVTCHNOP_status] = ALLOW,
    [EVTCHNOP_alloc_unbound] = NO(events),
    [EVTCHNOP_reset] = NO(events),
};

static const uint8_t physdev[] = {
    [PHYSDEVOP_map_pirq] = NO(device),
    [PHYSDEVOP_unmap_pirq] = NO(device),
};

/* ---- About the host --------------------------------------------------- */

static const uint8_t sysctl[] = {
    [XEN_SYSCTL_readconsole] = ALLOW,       /* no guest's state is logged */
    [XEN_SYSCTL_physinfo] = ALLOW,
    [XEN_SYSCTL_sched_id] = ALLOW,
    [XEN_SYSCTL_getdomaininfolist] = ALLOW,
    [XEN_SYSCTL_getcpuinfo] = ALLOW,
    [XEN_SYSCTL_availheap] = ALLOW,
    [XEN_SYSCTL_get_pmstat] = ALLOW,
    [XEN_SYSCTL_pm_op] = ALLOW,             /* speed, within the CPU's range */
    [XEN_SYSCTL_cputopoinfo] = ALLOW,
    [XEN_SYSCTL_numainfo] = ALLOW,
    [XEN_SYSCTL_pcitopoinfo] = ALLOW,
    [XEN_SYSCTL_cpupool_op] = ALLOW,
    [XEN_SYSCTL_scheduler_op] = ALLOW,
    [XEN_SYSCTL_psr_cmt_op] = ALLOW,
    [XEN_SYSCTL_psr_alloc] = ALLOW,
    [XEN_SYSCTL_debug_keys] = ALLOW,        /* each key is asked about */
    [XEN_SYSCTL_get_cpu_levelling_caps] = ALLOW,
    [XEN_SYSCTL_get_cpu_featureset] = ALLOW,
    [XEN_SYSCTL_get_cpu_policy] = ALLOW,
    [XEN_SYSCTL_cpu_hotplug] = ASK,

    [XEN_SYSCTL_tbuf_op] = NO(trace),
    [XEN_SYSCTL_perfc_op] = NO(trace),
    [XEN_SYSCTL_lockprof_op] = NO(trace),
    [XEN_SYSCTL_coverage_op] = NO(trace),
    [XEN_SYSCTL_page_offline_op] = NO(memory_kind),
    [XEN_SYSCTL_livepatch_op] = NO(xen_code),
};

/* Processors come back through the trampoline, which dom0 cannot write to. */
static const uint8_t hotplug[] = {
    [XEN_SYSCTL_CPU_HOTPLUG_ONLINE] = ALLOW,
    [XEN_SYSCTL_CPU_HOTPLUG_OFFLINE] = ALLOW,
    [XEN_SYSCTL_CPU_HOTPLUG_SMT_DISABLE] = ALLOW,
    [XEN_SYSCTL_CPU_HOTPLUG_SMT_ENABLE] = NO(cpu_kind),
};

/* Statistics; every other key acts, or shows guests. */
static const uint8_t key[256] = {
    ['h'] = ALLOW, ['m'] = ALLOW, ['r'] = ALLOW, ['t'] = ALLOW,
    ['s'] = ALLOW, ['c'] = ALLOW, ['u'] = ALLOW, ['n'] = ALLOW,
    ['a'] = ALLOW, ['x'] = ALLOW,
};

static const uint8_t platform[] = {
    [XENPF_settime32] = ALLOW,              /* wall clock: never trusted */
    [XENPF_settime64] = ALLOW,
    [XENPF_read_memtype] = ALLOW,
    [XENPF_platform_quirk] = ALLOW,
    [XENPF_firmware_info] = ALLOW,
    [XENPF_getidletime] = ALLOW,
    [XENPF_get_cpuinfo] = ALLOW,
    [XENPF_get_cpu_version] = ALLOW,
    [XENPF_get_ucode_revision] = ALLOW,
    [XENPF_get_symbol] = ALLOW,
    [XENPF_get_dom0_console] = ALLOW,
    [XENPF_cpu_online] = ALLOW,             /* as hotplug, above */
    [XENPF_cpu_offline] = ALLOW,
    [XENPF_core_parking] = ALLOW,
    [XENPF_set_processor_pminfo] = ASK,
    [XENPF_enter_acpi_sleep] = ASK,
    [XENPF_efi_runtime_call] = ASK,

    [XENPF_add_memtype] = NO(memory_kind),
    [XENPF_del_memtype] = NO(memory_kind),
    [XENPF_mem_hotadd] = NO(memory_kind),
    [XENPF_cpu_hotadd] = NO(cpu_kind),
    [XENPF_microcode_update] = NO(xen_code),
    [XENPF_microcode_update2] = NO(xen_code),
    [XENPF_change_freq] = NO(clock),
    [XENPF_resource_op] = NO(cache),
};

/* Off is fine; everything else leaves memory as it is. */
static const uint8_t sleep[] = {
    [5] = ALLOW,
};

static const uint8_t efi[] = {
    [XEN_EFI_get_time] = ALLOW,
    [XEN_EFI_set_time] = ALLOW,
    [XEN_EFI_get_wakeup_time] = ALLOW,
    [XEN_EFI_set_wakeup_time] = ALLOW,
    [XEN_EFI_get_next_high_monotonic_count] = ALLOW,
    [XEN_EFI_get_variable] = ALLOW,
    [XEN_EFI_set_variable] = ALLOW,         /* measured at the next boot */
    [XEN_EFI_get_next_variable_name] = ALLOW,
    [XEN_EFI_query_variable_info] = ALLOW,
    [XEN_EFI_query_capsule_capabilities] = NO(firmware),
    [XEN_EFI_update_capsule] = NO(firmware),
};

static const uint8_t kexec[] = {
    [KEXEC_CMD_kexec_get_range] = ALLOW,
    [KEXEC_CMD_kexec_status] = ALLOW,
    [KEXEC_CMD_kexec_unload] = ALLOW,
    [KEXEC_CMD_kexec_load] = NO(kexec),
    [KEXEC_CMD_kexec_load_v1] = NO(kexec),
    [KEXEC_CMD_kexec_unload_v1] = NO(kexec),
    [KEXEC_CMD_kexec] = NO(kexec),
};

static const uint8_t mca[] = {
    [XEN_MC_fetch] = ALLOW,
    [XEN_MC_notifydomain] = ALLOW,
    [XEN_MC_physcpuinfo] = ALLOW,
    [XEN_MC_msrinject] = NO(injection),
    [XEN_MC_mceinject] = NO(injection),
    [XEN_MC_inject_v2] = NO(injection),
};

/* A guest may count its own cycles, if Xen's command line lets it. */
static const uint8_t pmu[] = {
    [XENPMU_mode_get] = ALLOW,
    [XENPMU_feature_get] = ALLOW,
    [XENPMU_init] = ALLOW,
    [XENPMU_finish] = ALLOW,
    [XENPMU_lvtpc_set] = ALLOW,
    [XENPMU_flush] = ALLOW,
    [XENPMU_mode_set] = NO(cache),
    [XENPMU_feature_set] = NO(cache),
};

static const uint8_t hypfs[] = {
    [XEN_HYPFS_OP_get_version] = ALLOW,
    [XEN_HYPFS_OP_read] = ALLOW,
    [XEN_HYPFS_OP_write_contents] = NO(xen_option),
};

/* ---- The chipset -------------------------------------------------------- */

/*
 * AMD's controller hub (FCH; AMD's processor programming references, PMIO and
 * AcpiMmio): by ports, an index and a byte, and in a page of
 * registers it moves PM1 control and the SMI command port, resets the host,
 * and sleeps (AcpiMmio at 800h has PM1 control itself).
 */
static const struct cloister_place place[] = {
    { .amd = true, .first = 0xcd6, .last = 0xcd7 },
    { .amd = true, .frames = true, .first = 0xfed80, .last = 0xfed80 },
    /*
     * TPM localities 1 to 4 (TCG PC Client Platform TPM Profile 1.05, section
     * 6.5.2: one page each from 0xFED40000).  dom0 keeps locality 0.
     */
    { .frames = true, .first = 0xfed41, .last = 0xfed44 },
};

#define ANY     0
#define INTEL   0x8086
#define AMD     0x1022
#define HYGON   0x1d94
#define ATI     0x1002          /* on AMD's older boards */

#define PCI_BRIDGE_HOST     0x0600
#define PCI_BRIDGE_ISA      0x0601
#define PCI_BRIDGE_OTHER    0x0680
#define PCI_MEMORY_OTHER    0x0580
#define PCI_SERIAL_SMBUS    0x0c05

static const struct {
    uint16_t vendor, class;
    bool root;                  /* there only */
} read_only[] = {
    /*
     * The memory controller: it could map other things over memory, and change
     * the processor's voltage.  AMD has one for each root, each with a window
     * to all of the chip (SMN), and the data fabric's functions.
     */
    { ANY, PCI_BRIDGE_HOST, false },
    /*
     * Intel's LPC bridge, power management controller and sideband bridge say
     * at which ports the registers are by which the machine sleeps: not where
     * dom0 has ports.
     */
    { INTEL, PCI_BRIDGE_ISA, true },
    { INTEL, PCI_MEMORY_OTHER, true },
    { INTEL, PCI_BRIDGE_OTHER, true },
    /* Of servers: which addresses are memory's, on every bus. */
    { INTEL, PCI_SYSTEM_OTHER, false },
    /* AMD's: which addresses go to the hub. */
    { AMD, PCI_BRIDGE_ISA, true },
    { AMD, PCI_SERIAL_SMBUS, true },
    { HYGON, PCI_BRIDGE_ISA, true },
    { HYGON, PCI_SERIAL_SMBUS, true },
    { ATI, PCI_BRIDGE_ISA, true },
    { ATI, PCI_SERIAL_SMBUS, true },
};

/*
 * The TCG's: request to clear memory at the next boot, and the lock of that.
 * {e20939be-32d4-41be-a150-897f85d49829}, {bb983ccf-151d-40e1-a07b-4a17be168292}
 */
static const uint8_t reserved_guid[][16] = {
    { 0xbe, 0x39, 0x09, 0xe2, 0xd4, 0x32, 0xbe, 0x41,
      0xa1, 0x50, 0x89, 0x7f, 0x85, 0xd4, 0x98, 0x29 },
    { 0xcf, 0x3c, 0x98, 0xbb, 0x1d, 0x15, 0xe1, 0x40,
      0xa0, 0x7b, 0x4a, 0x17, 0xbe, 0x16, 0x82, 0x92 },
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

const struct cloister_place *cloister_place(unsigned int nr)
{
    return nr < NR(place) ? &place[nr] : NULL;
}

bool cloister_pci_read_only(uint16_t vendor, uint16_t class, bool root)
{
    unsigned int i;

    for ( i = 0; i < NR(read_only); i++ )
        if ( class == read_only[i].class &&
             (read_only[i].vendor == ANY || read_only[i].vendor == vendor) &&
             (root || !read_only[i].root) )
            return true;

    return false;
}

bool cloister_efi_reserved(const void *guid)
{
    unsigned int i;

    for ( i = 0; i < NR(reserved_guid); i++ )
        if ( !memcmp(guid, reserved_guid[i], sizeof(reserved_guid[i])) )
            return true;

    return false;
}

#define TABLE(name) { name, sizeof(name) }

static const struct {
    const uint8_t *rule;
    unsigned int nr;
} tables[CLOISTER_TABLES] = {
    [CLOISTER_CALL_domctl] = TABLE(domctl),
    [CLOISTER_CALL_memory] = TABLE(memory),
    [CLOISTER_CALL_hvm] = TABLE(hvm),
    [CLOISTER_CALL_dm] = TABLE(dm),
    [CLOISTER_CALL_grant] = TABLE(grant),
    [CLOISTER_CALL_event] = TABLE(event),
    [CLOISTER_CALL_physdev] = TABLE(physdev),
    [CLOISTER_CALL_sysctl] = TABLE(sysctl),
    [CLOISTER_CALL_platform] = TABLE(platform),
    [CLOISTER_CALL_kexec] = TABLE(kexec),
    [CLOISTER_CALL_mca] = TABLE(mca),
    [CLOISTER_CALL_pmu] = TABLE(pmu),
    [CLOISTER_CALL_hypfs] = TABLE(hypfs),
    [CLOISTER_TABLE_shadow] = TABLE(shadow),
    [CLOISTER_TABLE_trigger] = TABLE(trigger),
    [CLOISTER_TABLE_hotplug] = TABLE(hotplug),
    [CLOISTER_TABLE_key] = TABLE(key),
    [CLOISTER_TABLE_sleep] = TABLE(sleep),
    [CLOISTER_TABLE_efi] = TABLE(efi),
};

unsigned int cloister_rule(unsigned int table, unsigned int op)
{
    if ( table >= CLOISTER_TABLES || op >= tables[table].nr )
        return CLOISTER_RULE_unknown;

    return tables[table].rule[op];
}
