/* SPDX-License-Identifier: MIT */
/*
 * Why a domain is not protected, or why its seal was refused.
 *
 * One list for Xen's log and for the tools: number, name, what is wrong, what
 * to do about it.  Numbers are part of the ABI and are never reused.
 */
#ifndef CLOISTER_ABI_REASON_H
#define CLOISTER_ABI_REASON_H

/* clang-format off */
#define CLOISTER_REASONS(X)                                                   \
    X( 0, none,         "nothing is wrong", "")                               \
    X( 1, off,          "Cloister is off",                                    \
       "boot Xen with cloister=on or cloister=optin")                         \
    X( 2, not_asked,    "protection was not asked for",                       \
       "xl create -p, cloister protect DOMAIN, xl unpause")                   \
    X( 3, pv_guest,     "PV guests cannot be protected",                      \
       "use type=\"pvh\" in the guest's configuration")                       \
    X( 4, device_model, "an HVM guest with a device model cannot be protected",\
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
       "stop what maps it, or free memory on the host for a copy")            \
    X(23, bad_page,     "the guest's memory map holds an unexpected page",    \
       "create the guest with the stock toolstack")                           \
    X(24, orphan,       "the guest owns pages outside its memory map",        \
       "create the guest with the stock toolstack")                           \
    X(26, ioreq,        "a device model is attached to the guest",            \
       "create the guest without one")                                        \
    X(27, log_dirty,    "the guest's memory is being tracked",                \
       "stop what tracks it, then unpause the guest again")                   \
    X(28, no_random,    "the CPU's random number generator failed",           \
       "use a CPU with RDRAND")                                               \
    X(30, grants,       "dom0 has put grants of its own into the guest",      \
       "create the guest with the stock toolstack, and stop what maps its "   \
       "grant table")                                                         \
    X(31, unknown_op,   "an operation that Cloister does not know",           \
       "report it: what is not on its list is refused")                       \
    X(32, registers,    "a protected guest's registers are its own",          \
       "look at them from inside the guest")                                  \
    X(33, observation,  "a protected guest cannot be debugged or watched",    \
       "debug it from inside, or run it unprotected (cloister=optin)")        \
    X(34, memory_map,   "only a protected guest changes its memory map",      \
       "use xl mem-set, which asks the guest")                                \
    X(35, parameter,    "this was settled when the guest was sealed",         \
       "set it in the guest's configuration, and create the guest again")     \
    X(36, device,       "a protected guest gets no device and no interrupt",  \
       "attach disks and networks by xl block-attach and network-attach")     \
    X(37, emulation,    "a protected guest has no device model",              \
       "use type=\"pvh\" without one")                                        \
    X(38, events,       "only a protected guest opens or resets its ports",   \
       "let the guest offer the port")                                        \
    X(39, grant_table,  "a protected guest's grant table is its own",         \
       "let the guest grant what it wants to share")                          \
    X(40, xen_page,     "a page that Xen shares with a protected guest only", \
       "nothing: no other domain may map it")                                 \
    X(41, write_map,    "a protected guest's memory cannot be written",       \
       "map it read-only; it is ciphertext")                                  \
    X(42, map,          "a page of a protected guest: its key is gone, or "   \
       "there are too many views",                                            \
       "if the guest lives, unmap what is mapped (cloister status: views "    \
       "live)")                                                               \
    X(43, master,       "no domain becomes master of a protected guest",      \
       "run the guest without a stub domain")                                 \
    X(44, cache,        "cache and cycle monitoring would tell on guests",    \
       "boot Xen with cloister=off to use it")                                \
    X(45, trace,        "tracing would tell what guests do",                  \
       "boot Xen with cloister=off to trace")                                 \
    X(46, xen_code,     "nobody replaces Xen's code or the CPU's microcode",  \
       "update at boot: a new Xen, or microcode by ucode=")                   \
    X(47, kexec,        "a crash kernel would see all guests' memory",        \
       "boot Xen with cloister=off to use kexec")                             \
    X(48, injection,    "injected machine checks would reach guests",         \
       "boot Xen with cloister=off to test machine checks")                   \
    X(49, memory_kind,  "what is memory, and how it is cached, is settled",   \
       "set it up in the firmware")                                           \
    X(50, sleep,        "a sleeping host's memory would be at dom0's mercy",  \
       "shut the host down instead")                                          \
    X(51, cpu_kind,     "which processors and threads there are is settled "  \
       "at boot",                                                             \
       "set smt= on Xen's command line; add processors with the host off")    \
    X(52, debug_key,    "this debug key would act on guests or show them",    \
       "use one of the keys that docs/operating.md lists")                    \
    X(53, xen_option,   "Xen's options cannot be changed while it runs",      \
       "set the option on Xen's command line")                                \
    X(54, clock,        "nobody changes the clock that guests count on",      \
       "nothing: Xen keeps the time")                                         \
    X(55, firmware,     "this firmware service is not for dom0",              \
       "use the firmware's own menu")                                         \
    X(56, hidden_io,    "I/O memory or ports that only Xen uses",             \
       "nothing: dom0's drivers do without")                                  \
    X(57, dma,          "another domain's device would reach the guest",      \
       "let the guest grant the page")                                        \
    X(58, ats,          "devices may bypass the IOMMU (ATS)",                 \
       "remove ats from Xen's command line")                                  \
    X(59, suspend,      "only a protected guest suspends itself",             \
       "use xl save, which asks the guest")                                   \
    X(60, save_running, "the guest is not suspended",                         \
       "use xl save or xl migrate; the guest must take part in it")           \
    X(61, save_stale,   "a page has changed since it was read for the image", \
       "save again with the stock toolstack")                                 \
    X(62, save_failed,  "the guest's state could not be written",             \
       "see Xen's log (xl dmesg)")                                            \
    X(63, rec_bad,      "the image's sealed record is no record",             \
       "use the image as xl save wrote it")                                   \
    X(64, rec_revision, "the image was saved by another version of Cloister", \
       "restore it with the version that saved it")                           \
    X(65, rec_length,   "the image's sealed record is truncated or too long", \
       "use the image as xl save wrote it")                                   \
    X(66, rec_order,    "the image's context holds more than one sealed "     \
       "record",                                                              \
       "use the image as xl save wrote it")                                   \
    X(67, rec_host,     "the image was saved on another host, or on this "    \
       "one with another host key",                                           \
       "restore it on the host that saved it, after cloister keys has "       \
       "loaded the host key that it had; to move a guest, run cloister "      \
       "allow here, then cloister migrate there")                             \
    X(68, rec_forged,   "the image's sealed record was changed",              \
       "use the image as xl save wrote it")                                   \
    X(69, rec_guest,    "the image is of another guest",                      \
       "restore it with the UUID that the guest had")                         \
    X(70, rec_used,     "the image has been restored already",                \
       "an image can be restored once: save the guest again")                 \
    X(71, rec_void,     "the guest went on after the image was saved",        \
       "save it again: a guest must not run twice from one state")            \
    X(72, rec_unknown,  "the image is not on the list of those that may be "  \
       "restored",                                                            \
       "load the newest list before guests start or are saved (restart the "  \
       "host, and run cloister keys first)")                                  \
    X(73, rec_state,    "the guest's processors are not as they were created",\
       "restore it with the stock toolstack")                                 \
    X(74, rec_params,   "a parameter of the guest differs from the saved one",\
       "use the image as xl save wrote it")                                   \
    X(75, rec_vcpus,    "the guest has another number of processors",         \
       "restore it with the configuration that it had")                       \
    X(76, rec_cpu,      "the guest's CPU features differ from the saved ones",\
       "use the image as xl save wrote it")                                   \
    X(77, rec_page,     "a page of the image is not what was saved",          \
       "with restore=lazy the image is used up: start the guest anew; else "  \
       "use the image as xl save wrote it")                                   \
    X(78, rec_missing,  "a page of the guest is not in the image",            \
       "use the image as xl save wrote it")                                   \
    X(79, rec_extra,    "the image holds a page that the guest did not have", \
       "use the image as xl save wrote it")                                   \
    X(80, rec_failed,   "the guest could not be restored",                    \
       "destroy it, and restore it from an image that is as it was saved")    \
    X(81, resumed,      "the guest's image has been restored",                \
       "destroy this one: a guest must not run twice from one state")         \
    X(82, rest_forged,  "memory at rest was changed",                         \
       "the guest was stopped; look for the cause on the host")               \
    X(83, no_counter,   "the TPM's counter, which ends the image, stands "    \
       "still",                                                               \
       "see Xen's log (xl dmesg) for the TPM's error, and cloister keys")     \
    X(84, rec_waiting,  "the guest's key has not come from its other host",   \
       "if it is being moved, cloister migrate brings the key at the end; "   \
       "an image in a file is restored on the host that saved it")            \
    X(85, rec_owner,    "the guest's command line does not name the owner "   \
     "whose hosts may pass it on",                                            \
       "start it with what cloister migrate -k says on its command line")     \
    X(86, save_moved,   "the guest has moved a page in its memory map",       \
       "a kernel that does so (XENMAPSPACE_gmfn) cannot be saved")            \
    X(88, dump_asleep,  "pages went to rest after xl dump-core had read them",\
       "do both again, cloister dump right after xl dump-core")               \
    X(89, save_large,   "the guest is too large to be saved: its record "     \
       "would exceed 128 MiB",                                                \
       "give it less than 21 GiB of memory")                                  \
    X(90, log_full,     "the guest's memory map has too many holes to measure",\
       "create the guest with the stock toolstack")                           \
    X(91, no_log_memory, "no memory for the launch log",                      \
       "free memory on the host")                                             \
    X(92, no_state,     "Xen could not read the guest's registers",           \
       "see Xen's log (xl dmesg)")                                            \
    X(93, pcr_busy,     "the TPM did not record the launch in time",          \
       "try again; if it stays so, see Xen's log (xl dmesg)")                 \
    X(94, events_full,  "the host's event log is full",                       \
       "shut down another protected guest")                                   \
    X(95, vcpu_state,   "the virtual CPUs are not those of a new guest",      \
       "create the guest with the stock toolstack")                           \
    X(96, tpm_reset,    "the TPM was reset, or cleared, while the host ran: " \
       "what it says is not about this boot",                                 \
       "reboot the host, and find out who did it and how")                    \
    X(110, net_memory,  "no memory for the guest's network card",             \
       "free memory on the host")                                             \
    X(111, net_address, "another guest has the same network address",         \
       "give one of them another uuid, or see cloister net")                  \
    X(112, net_state,   "the saved state of the network card makes no sense", \
       "restore from another image")                                          \
    X(113, net_none,    "the guest has a network card, and this host gives "  \
       "none",                                                                \
       "start Xen with siom=, or restore the guest on a host that has it")

/* clang-format on */

enum cloister_reason {
#define CLOISTER_REASON_ENUM(nr, name, what, mend) CLOISTER_WHY_##name = nr,
    CLOISTER_REASONS(CLOISTER_REASON_ENUM)
#undef CLOISTER_REASON_ENUM
};

#endif /* CLOISTER_ABI_REASON_H */
