/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths that exist in Xen and that the emulated machine cannot show, each with
 * the reason.  They are not counted as closed by this suite.
 */
#include "../attack.h"

#define NOT_HERE(name_, reason)                                               \
    static const struct attack attack_##name_ = {                             \
        .name = #name_,                                                       \
        .extra = reason,                                                      \
    };                                                                        \
    static const struct attack *const registered_##name_                      \
        __attribute__((section("attacks"), used)) = &attack_##name_

NOT_HERE(altp2m, "needs a guest made for it, which is not sealed");
NOT_HERE(vmtrace, "Intel processor trace only");
NOT_HERE(pin_memory_cacheattr, "emulated memory has no cache");
NOT_HERE(set_pci_intx_level, "PVH guests have no such interrupts");
NOT_HERE(param_ident_pt, "used on VMX only");
NOT_HERE(vm86_tss, "written on VMX only");
NOT_HERE(ept_key, "VMX only");
NOT_HERE(pml_stale_view, "VMX only");
NOT_HERE(psr_alloc, "no cache allocation in the emulated processor");
NOT_HERE(vpmu_mode_all, "no performance counters in the emulated processor");
NOT_HERE(microcode_update, "no microcode for the emulated processor");
NOT_HERE(acpi_sleep, "ends the machine; port_pm1a is the way to it");
NOT_HERE(keyboard_reset, "ends the machine");
NOT_HERE(kexec_exec, "ends the machine; kexec_load is the way to it");
NOT_HERE(mem_hotadd, "a hole of the emulated machine as RAM ends it");
NOT_HERE(efi_runtime, "the emulated machine has a BIOS");
NOT_HERE(efi_overwrite, "the emulated machine has a BIOS");
NOT_HERE(assign_device, "needs a guest with an IOMMU, which is not sealed");
NOT_HERE(bind_pt_irq, "needs a guest with an IOMMU, which is not sealed");
NOT_HERE(pod_target, "needs a guest with PoD, which is not sealed");
NOT_HERE(change_freq, "breaks the host's time");
NOT_HERE(mem_sharing, "not compiled in");
NOT_HERE(mem_paging, "not compiled in");
NOT_HERE(gdbsx, "not compiled in");
NOT_HERE(xenoprof, "not compiled in");
NOT_HERE(argo, "not compiled in");
NOT_HERE(amd_hub, "the emulated chipset is Intel's");
NOT_HERE(other_host_bridge, "the emulated machine has one");
NOT_HERE(late_cpu_policy, "stock Xen refuses it, too");
