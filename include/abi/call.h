/* SPDX-License-Identifier: MIT */
/*
 * Kinds of calls that Cloister's policy is about, by number: part of the ABI
 * (struct cloister_ledger), and used by the hooks in Xen's files.
 */
#ifndef CLOISTER_ABI_CALL_H
#define CLOISTER_ABI_CALL_H

/* What was asked for, and what its operation (and detail) is. */
#define CLOISTER_CALL_domctl    0       /* XEN_DOMCTL_* */
#define CLOISTER_CALL_memory    1       /* XENMEM_* */
#define CLOISTER_CALL_hvm       2       /* HVMOP_* */
#define CLOISTER_CALL_dm        3       /* XEN_DMOP_* */
#define CLOISTER_CALL_grant     4       /* GNTTABOP_* */
#define CLOISTER_CALL_event     5       /* EVTCHNOP_* */
#define CLOISTER_CALL_physdev   6       /* PHYSDEVOP_* */
#define CLOISTER_CALL_sysctl    7       /* XEN_SYSCTL_* */
#define CLOISTER_CALL_platform  8       /* XENPF_* */
#define CLOISTER_CALL_kexec     9       /* KEXEC_CMD_* */
#define CLOISTER_CALL_mca       10      /* XEN_MC_* */
#define CLOISTER_CALL_pmu       11      /* XENPMU_* */
#define CLOISTER_CALL_hypfs     12      /* XEN_HYPFS_OP_* */
#define CLOISTER_CALL_map       13      /* 0: read, 1: write; detail: frame */
#define CLOISTER_CALL_p2m       14      /* new type; detail: gfn */
#define CLOISTER_CALL_dma       15      /* IOMMUF_*; detail: frame number */
#define CLOISTER_CALL_sched     16      /* SCHEDOP_*; detail: reason */
#define CLOISTER_CALLS          17

#endif /* CLOISTER_ABI_CALL_H */
