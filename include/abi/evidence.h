/* SPDX-License-Identifier: MIT */
/*
 * What Cloister measures: the launch log of a guest, and the event log of the
 * host.  Both are a sequence of items:
 *
 *     struct cloister_item   56 bytes
 *     data                   `length` bytes
 *     zeros                  up to the next multiple of 8
 *
 * `digest` is SHA-256 of the data, or of what the type says where an item
 * carries none.  Little-endian, fixed width, no padding but the zeros above.
 *
 * Launch measurement = SHA-256 over the heads (struct cloister_item) of all
 * items of the launch log, in order, without their data.
 *
 * An event of the host's log extends a PCR (SHA-256 bank, locality 2, both
 * reset to zero first) by SHA-256 of its head: types below
 * CLOISTER_ITEM_launch extend PCR 21, the others PCR 22.
 */
#ifndef CLOISTER_ABI_EVIDENCE_H
#define CLOISTER_ABI_EVIDENCE_H

#include <stdint.h>

#define CLOISTER_LOG_REVISION   1
#define CLOISTER_DIGEST_SIZE    32
#define CLOISTER_PCR_HOST       21
#define CLOISTER_PCR_LAUNCH     22

struct cloister_item {
    uint16_t type;
    uint16_t index;             /* which of several of the same type */
    uint32_t length;            /* of the data that follows */
    uint64_t first;
    uint64_t count;
    uint8_t  digest[CLOISTER_DIGEST_SIZE];
};

/*
 * Launch log, in this order; each but pages, zero, shared and state once.
 * (index, first and count are 0 unless said otherwise.)
 *
 * config   struct cloister_launch_config
 * cpu      the CPU policy: CPUID leaves as the guest sees them, 16 bytes each
 *          (basic, cache, features, topology, xstate, extended; see below),
 *          then MSRs 0xCE and 0x10A, 8 bytes each
 * state    one record of the HVM context of Xen (public/arch-x86/hvm/save.h);
 *          index: its instance, mostly a vCPU's number; first: its type code.
 *          Without the header, the end mark and the CPU record's TSC.  One
 *          more, the last, if the guest's network card was set up before it
 *          ran: first CLOISTER_STATE_net, struct cloister_net_set
 *          (abi/hypercall.h) with domid 0
 * params   all HVM parameters, 8 bytes each, by number
 * map      the memory map that the guest is given, Xen's struct e820entry
 *          (start 8, size 8, type 4), 20 bytes each
 * start    the page that vCPU 0's EBX points to at its entry (start info and
 *          command line of a PVH guest); first: its gfn; empty if none
 * pages    first, count: gfns; no data; digest of their contents.  A run
 *          ends where memory ends, at a shared page, and at each multiple of
 *          CLOISTER_RUN_PAGES
 * zero     a run, or several that follow on each other, of zeros only; no
 *          data, digest 0
 * shared   one page that is granted to others at this time (console and
 *          xenstore rings); not measured; no data, digest 0
 */
#define CLOISTER_ITEM_config    1
#define CLOISTER_ITEM_cpu       2
#define CLOISTER_ITEM_state     3
#define CLOISTER_ITEM_params    4
#define CLOISTER_ITEM_map       5
#define CLOISTER_ITEM_start     6
#define CLOISTER_ITEM_pages     7
#define CLOISTER_ITEM_zero      8
#define CLOISTER_ITEM_shared    9

#define CLOISTER_STATE_net      0x10000     /* no type code of Xen's */

/*
 * Event log of the host.
 *
 * build    Xen's build id
 * cmdline  Xen's command line, without a terminator
 * policy   struct cloister_host_policy
 * launch   struct cloister_launch: a guest is about to run
 * end      struct cloister_launch again: it does not run any more
 */
#define CLOISTER_ITEM_build     32
#define CLOISTER_ITEM_cmdline   33
#define CLOISTER_ITEM_policy    34
#define CLOISTER_ITEM_launch    48
#define CLOISTER_ITEM_end       49

#define CLOISTER_RUN_PAGES      512

struct cloister_launch_config {
    uint32_t revision;          /* CLOISTER_LOG_REVISION */
    uint32_t vcpus;             /* the most that it can have */
    uint32_t options;           /* XEN_DOMCTL_CDF_* */
    uint32_t emulation;         /* XEN_X86_EMU_* */
    uint32_t tsc_mode;
    uint32_t pad;
    uint64_t pages;             /* that it owns */
};

struct cloister_host_policy {
    uint32_t revision;          /* CLOISTER_LOG_REVISION */
    uint32_t mode;              /* CLOISTER_MODE_* */
    uint32_t unsafe;            /* 1: unsafe-lab */
    uint32_t pcrs;              /* mask: the host key is bound to these */
};

struct cloister_launch {
    uint8_t  uuid[16];          /* the domain's handle */
    uint8_t  measurement[CLOISTER_DIGEST_SIZE];
    uint64_t epoch;             /* of its key: unique since boot */
    uint16_t domid;
    uint16_t pad[3];
};

#endif /* CLOISTER_ABI_EVIDENCE_H */
