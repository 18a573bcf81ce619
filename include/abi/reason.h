/* SPDX-License-Identifier: MIT */
/*
 * Why a domain is not protected, or why its seal was refused.
 *
 * One list for Xen's log and for the tools: number, name, what is wrong, what
 * to do about it.  Numbers are part of the ABI and are never reused.
 */
#ifndef CLOISTER_ABI_REASON_H
#define CLOISTER_ABI_REASON_H

#define CLOISTER_REASONS(X)                                                   \
    X( 0, none,         "nothing is wrong", "")                               \
    X( 1, off,          "Cloister is off",                                    \
       "boot Xen with cloister=on or cloister=optin")                         \
    X( 2, not_asked,    "protection was not asked for",                       \
       "xl create -p, cloister protect DOMAIN, xl unpause")                   \
    X( 3, pv_guest,     "PV guests cannot be protected",                      \
       "use type=\"pvh\" in the guest's configuration")                       \
    X( 4, device_model, "an HVM guest with a device model cannot be protected", \
       "use type=\"pvh\", or boot Xen with cloister=optin to run it "         \
       "unprotected")                                                         \
    X( 5, no_hap,       "the guest runs without hardware-assisted paging",    \
       "remove hap=0 from the guest's configuration")                         \
    X( 6, nested,       "nested virtualization cannot be protected",          \
       "remove nestedhvm=1 from the guest's configuration")                   \
    X( 7, altp2m,       "alternate memory maps (altp2m) cannot be protected", \
       "remove altp2m from the guest's configuration")                        \
    X( 8, pod,          "maxmem is above memory (populate on demand)",        \
       "set maxmem to the value of memory")                                   \
    X( 9, passthrough,  "the guest has a passed-through device",              \
       "remove pci, ioports, iomem and irqs from the guest's configuration")  \
    X(10, no_iommu,     "the IOMMU is off",                                   \
       "enable VT-d or AMD-Vi in the firmware, remove iommu=off")             \
    X(11, no_intremap,  "interrupt remapping is off",                         \
       "enable it in the firmware, remove iommu=no-intremap")                 \
    X(12, iommu_relaxed, "dom0's devices can reach all memory",               \
       "remove dom0-iommu=passthrough and dom0-iommu=none")                   \
    X(13, no_tpm,       "no TPM 2.0 answers at locality 2",                   \
       "enable the TPM in the firmware; it must be a TPM 2.0")                \
    X(14, tpm_failed,   "the TPM failed",                                     \
       "see Xen's log (xl dmesg) for the TPM's error")                        \
    X(15, tpm_busy,     "the TPM gave no random numbers in time",             \
       "try again; if it stays so, see Xen's log (xl dmesg)")                 \
    X(16, no_aes,       "the CPU lacks AES-NI, PCLMULQDQ or SSE4.1",          \
       "use a CPU that has them")                                             \
    X(17, no_memory,    "no memory for the page permission table",            \
       "free memory on the host, or give the guest less")                     \
    X(18, no_slot,      "the key table is full",                              \
       "shut down another protected guest")                                   \
    X(19, vmtrace,      "processor tracing (vmtrace) is enabled",             \
       "remove vmtrace_buf_kb from the guest's configuration")                \
    X(20, target,       "the guest is, or has, a stub domain",                \
       "remove device_model_stubdomain_override")                             \
    X(21, introspection, "a debugger or introspection tool is attached",      \
       "stop it, then create the guest again")                                \
    X(22, foreign_map,  "another domain still maps the guest's memory",       \
       "stop what maps it, or free memory on the host for a copy")         \
    X(23, bad_page,     "the guest's memory map holds an unexpected page",    \
       "create the guest with the stock toolstack")                           \
    X(24, orphan,       "the guest owns pages outside its memory map",        \
       "create the guest with the stock toolstack")                           \
    X(25, no_restore,   "a protected guest cannot be restored yet",           \
       "the saved image stays as it is; see docs/support.md")                 \
    X(26, ioreq,        "a device model is attached to the guest",            \
       "create the guest without one")                                        \
    X(27, log_dirty,    "the guest's memory is being tracked",                \
       "stop what tracks it, then unpause the guest again")                   \
    X(28, no_random,    "the CPU's random number generator failed",           \
       "use a CPU with RDRAND")                                               \
    X(29, virtualized,  "Xen itself runs inside a virtual machine",           \
       "run Xen on hardware")                                                 \
    X(30, grants,       "dom0 has put grants of its own into the guest",      \
       "create the guest with the stock toolstack, and stop what maps its "   \
       "grant table")

enum cloister_reason {
#define CLOISTER_REASON_ENUM(nr, name, what, mend) CLOISTER_WHY_##name = nr,
    CLOISTER_REASONS(CLOISTER_REASON_ENUM)
#undef CLOISTER_REASON_ENUM
};

#endif /* CLOISTER_ABI_REASON_H */
