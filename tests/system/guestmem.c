/* SPDX-License-Identifier: BSD-2-Clause */
/* Another domain's memory as dom0 gets it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xenctrl.h>

#include "guestmem.h"

void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}

void guestmem_open(struct guestmem *g, const char *domid)
{
    xc_interface *xc = xc_interface_open(NULL, NULL, 0);
    xc_domaininfo_t info;
    xen_pfn_t highest;

    g->domid = strtoul(domid, NULL, 10);
    if ( !xc || xc_domain_maximum_gpfn(xc, g->domid, &highest) ||
         xc_domain_getinfo_single(xc, g->domid, &info) )
        fail("the domain's size");
    xc_interface_close(xc);
    g->end = highest + 1;
    g->owned = info.tot_pages;

    g->fm = xenforeignmemory_open(NULL, 0);
    if ( !g->fm )
        fail("xenforeignmemory_open");
}

bool batch_map(const struct guestmem *g, struct batch *b, xen_pfn_t first,
               size_t nr, int prot)
{
    xen_pfn_t gfns[BATCH] = { first };
    size_t i;

    b->first = first;
    b->nr = nr;
    b->good = 0;
    for ( i = 0; i < nr; i++ )
        gfns[i] = first + i;

    b->mem = xenforeignmemory_map(g->fm, g->domid, prot, nr, gfns, b->err);
    if ( !b->mem )
        return false;

    for ( i = 0; i < nr; i++ )
        b->good += !b->err[i];
    if ( !b->good )
        batch_unmap(g, b);

    return b->good;
}

void batch_unmap(const struct guestmem *g, struct batch *b)
{
    if ( b->mem )
        xenforeignmemory_unmap(g->fm, b->mem, b->nr);
    b->mem = NULL;
}

/* One batch of a walk: how many pages it has. */
static size_t visit(const struct guestmem *g, xen_pfn_t first, int prot,
                    batch_fn *fn, void *arg)
{
    static struct batch b;
    size_t nr = g->end - first < BATCH ? g->end - first : BATCH;

    if ( !batch_map(g, &b, first, nr, prot) )
        return 0;
    fn(arg, &b);
    batch_unmap(g, &b);

    return b.good;
}

void guestmem_walk(const struct guestmem *g, int prot, batch_fn *fn,
                   void *arg)
{
    xen_pfn_t up = 0, down = (g->end + BATCH - 1) / BATCH * BATCH;
    uint64_t pages = 0, good;

    /* up and down are where it goes on: past the first batch of holes. */
    do {
        pages += good = visit(g, up, prot, fn, arg);
        up += BATCH;
    } while ( good && up < down );

    while ( up < down && (good = visit(g, down -= BATCH, prot, fn, arg)) )
        pages += good;

    for ( ; pages < g->owned && up < down; up += BATCH )
        pages += visit(g, up, prot, fn, arg);
}

uint64_t batch_lines(const struct batch *b)
{
    uint64_t lines = 0;
    size_t i;

    for ( i = 0; i < b->nr; i++ )
        if ( !b->err[i] )
            lines += lines_in(b->mem + i * PAGE, PAGE);

    return lines;
}
