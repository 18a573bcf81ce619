/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another domain's memory as dom0 gets it: what the attack programs share.
 *
 * A raw foreign mapping, as libxc makes it for xl save and xl dump-core: no
 * grant, no consent of the guest.
 */
#ifndef TESTS_SYSTEM_GUESTMEM_H
#define TESTS_SYSTEM_GUESTMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xenforeignmemory.h>

#include "lines.h"

#define PAGE    4096
#define BATCH   1024            /* gfns in one mapping */

struct guestmem {
    xenforeignmemory_handle *fm;
    uint32_t domid;
    xen_pfn_t end;              /* one above the highest gfn */
    uint64_t owned;             /* pages that the domain has */
};

/* One mapping of up to BATCH gfns in a row; those with err[i] have no page. */
struct batch {
    xen_pfn_t first;
    size_t nr;
    size_t good;                /* pages that are there */
    int err[BATCH];
    char *mem;                  /* NULL: not one page is there */
};

/* Exits with a message if the domain is not there. */
void guestmem_open(struct guestmem *g, const char *domid);

/* Maps nr gfns from first on, with PROT_*.  false: none is there. */
bool batch_map(const struct guestmem *g, struct batch *b, xen_pfn_t first,
               size_t nr, int prot);
void batch_unmap(const struct guestmem *g, struct batch *b);

/*
 * Maps all of the domain's memory, batch by batch, and calls fn for each batch
 * that has a page.  fn may keep the mapping: it copies *b and clears b->mem.
 *
 * A PVH guest's memory stands at both ends of a map with millions of holes in
 * between, which take half a minute to try: they are skipped if the ends
 * have as many pages as the domain owns.
 */
typedef void batch_fn(void *arg, struct batch *b);
void guestmem_walk(const struct guestmem *g, int prot, batch_fn *fn,
                   void *arg);

/* How many lines of the batch start with the keeper's marker. */
uint64_t batch_lines(const struct batch *b);

/* Prints a message and exits with 2. */
void fail(const char *what) __attribute__((noreturn));

#endif /* TESTS_SYSTEM_GUESTMEM_H */
