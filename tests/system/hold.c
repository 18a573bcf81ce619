/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hold DOMID: dom0 maps a guest's memory and keeps the mapping.
 *
 * Claim:  a mapping made before the guest first ran shows nothing of what
 *         the guest does afterwards; a mapping of a protected guest shows
 *         nothing after the guest's end.
 * Method: a foreign mapping of every gfn, opened while the domain is still
 *         paused (or while it runs), and kept over the first unpause (over
 *         its destruction), without a new request to Xen.
 * Stock:  every line of the keeper, both times.
 *
 * Prints "held PAGES" when it holds the mapping.  Then, for each line NAME of
 * standard input, searches what it holds and prints "NAME LINES".  Lets go at
 * the end of standard input.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "guestmem.h"

struct held {
    struct batch *batches;
    size_t nr;
};

static uint64_t hold(const struct guestmem *g, struct held *h)
{
    uint64_t pages = 0;
    xen_pfn_t gfn;

    h->batches = calloc((g->end + BATCH - 1) / BATCH, sizeof(*h->batches));
    if ( !h->batches )
        fail("memory");

    for ( gfn = 0; gfn < g->end; gfn += BATCH )
    {
        size_t nr = g->end - gfn < BATCH ? g->end - gfn : BATCH;

        if ( batch_map(g, &h->batches[h->nr], gfn, nr, PROT_READ) )
            pages += h->batches[h->nr++].good;
    }

    return pages;
}

static uint64_t search(const struct held *h)
{
    uint64_t lines = 0;
    size_t i;

    for ( i = 0; i < h->nr; i++ )
        lines += batch_lines(&h->batches[i]);

    return lines;
}

int main(int argc, char *argv[])
{
    char name[64];
    struct held h = { 0 };
    struct guestmem g;

    if ( argc != 2 )
    {
        fprintf(stderr, "usage: hold DOMID\n");
        return 2;
    }

    guestmem_open(&g, argv[1]);
    printf("held %" PRIu64 "\n", hold(&g, &h));
    fflush(stdout);

    while ( scanf("%63s", name) == 1 )
    {
        printf("%s %" PRIu64 "\n", name, search(&h));
        fflush(stdout);
    }

    return 0;
}
