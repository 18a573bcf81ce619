/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Xen of make-believe, in which Xen's own toolstack libraries build a guest,
 * so that its initial state comes out exactly as the stock toolstack would
 * make it, without a hypervisor.  This program's definitions of the functions
 * of libxencall, libxenforeignmemory, libxendevicemodel, libxenevtchn and
 * libxenstore take the place of the real ones.
 *
 * It answers what libxl asks while it creates a PVH guest, and nothing else:
 * an unknown call ends the program with a message.
 */
#ifndef CLOISTER_EXPECT_FAKE_H
#define CLOISTER_EXPECT_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#include <xenctrl.h>
#include <xen/hvm/params.h>
#include <xen/hvm/save.h>

#define FAKE_DOMID 1
#define FAKE_PAGE 4096u
#define FAKE_E820_MAX 128

/* The guest as it stands. */
struct fake
{
    struct xen_domctl_createdomain config;
    unsigned int vcpus;
    uint32_t tsc_mode;
    uint64_t params[HVM_NR_PARAMS];
    struct e820
    {
        uint64_t addr, size;
        uint32_t type;
    } __attribute__((packed)) map[FAKE_E820_MAX];
    unsigned int nr_map;
    HVM_SAVE_TYPE(CPU) cpu;
    HVM_SAVE_TYPE(MTRR) mtrr;
    unsigned int ports; /* event channels so far */

    /* Memory: a sparse file of all that a guest could address. */
    int memory;
    uint8_t *populated; /* one bit for each gfn below max_gfn */
    uint64_t max_gfn;
    uint64_t pages;
};

extern struct fake fake;

void fake_init(void);

/* Ends the program: what libxl wants is not known here. */
void fake_unknown(const char *what, unsigned long which)
    __attribute__((noreturn));

bool fake_is_populated(uint64_t gfn);

/* Read-only, until the next call. */
const void *fake_page(uint64_t gfn);

/* libxl is about to introduce the guest to xenstore: it is complete. */
void fake_built(void) __attribute__((noreturn));

#endif /* CLOISTER_EXPECT_FAKE_H */
