/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hold DOMID [END [SECONDS]]: dom0 maps a guest's memory and keeps the
 * mapping.
 *
 * Claim:  a mapping made before the guest first ran shows nothing of what
 *         the guest does afterwards; a mapping of a protected guest shows
 *         nothing after the guest's end; and mappings made while the guest is
 *         about to run, or to end, are like those of before, or of after.
 * Method: a foreign mapping of every page (of every gfn below END), opened
 *         while the domain is still paused (or while it runs), and kept over
 *         the first unpause (over its destruction), without a new request to
 *         Xen.  With SECONDS, for that long, or until something is to be read
 *         from standard input, one mapping after the other, in pieces of a few
 *         pages: "storm" is printed when it begins.
 * Stock:  every line of the keeper, both times.
 *
 * Prints "held PAGES" when it holds the mapping.  Then, for each line NAME of
 * standard input, searches what it holds and prints "NAME LINES".  Lets go at
 * the end of standard input.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "guestmem.h"

#define STORM_PIECE 64          /* pages */
#define STORM_MAX   32768       /* that it keeps */

struct held {
    struct batch *batches;
    size_t nr;
    uint64_t pages;
};

static void keep(void *arg, struct batch *b)
{
    struct held *h = arg;

    h->batches = realloc(h->batches, (h->nr + 1) * sizeof(*h->batches));
    if ( !h->batches )
        fail("memory");
    h->batches[h->nr++] = *b;
    h->pages += b->good;
    b->mem = NULL;
}

static uint64_t search(const struct held *h)
{
    uint64_t lines = 0;
    size_t i;

    for ( i = 0; i < h->nr; i++ )
        lines += batch_lines(&h->batches[i]);

    return lines;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);

    return t.tv_sec + t.tv_nsec / 1e9;
}

/* Requests that fail are part of it. */
static void storm(const struct guestmem *g, struct held *h, double seconds)
{
    struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
    double end = now() + seconds;
    xen_pfn_t gfn = 0;
    struct batch b;

    printf("storm\n");
    fflush(stdout);
    for ( ; now() < end && !poll(&in, 1, 0); gfn += STORM_PIECE )
    {
        if ( gfn >= g->end )
            gfn = 0;
        if ( !batch_map(g, &b, gfn, STORM_PIECE, PROT_READ) )
            continue;
        if ( h->pages < STORM_MAX )
            keep(h, &b);
        else
            batch_unmap(g, &b);
    }
}

int main(int argc, char *argv[])
{
    char name[64];
    struct held h = { 0 };
    struct guestmem g;

    if ( argc < 2 || argc > 4 )
    {
        fprintf(stderr, "usage: hold DOMID [END [SECONDS]]\n");
        return 2;
    }

    guestmem_open(&g, argv[1]);
    if ( argc > 2 )
        g.end = strtoul(argv[2], NULL, 0);
    if ( argc > 3 )
        storm(&g, &h, strtod(argv[3], NULL));
    else
        guestmem_walk(&g, PROT_READ, keep, &h);
    printf("held %" PRIu64 "\n", h.pages);
    fflush(stdout);

    while ( scanf("%63s", name) == 1 )
    {
        printf("%s %" PRIu64 "\n", name, search(&h));
        fflush(stdout);
    }

    return 0;
}
