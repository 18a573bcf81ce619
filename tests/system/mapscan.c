/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapscan DOMID: dom0 reads all of a guest's memory.
 *
 * Claim:  dom0 cannot read a protected guest, nor see which of its pages are
 *         equal.
 * Method: a foreign mapping of every page, read only, BATCH gfns at a time.
 *         Counts the lines that start with the keeper's marker, and the pages
 *         whose content another page has, too.
 * Stock:  every line of the keeper; the many pages of zeros are equal.
 *
 * Prints lines, pages, duplicates and errors (gfns without a page, in batches
 * that have one).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "guestmem.h"

struct tally {
    uint64_t lines, pages, errors;
    uint64_t *hashes;           /* one for each page */
    size_t room;
};

/* Two pages of different content have the same one with chance 2^-64. */
static uint64_t hash_page(const void *page)
{
    const uint64_t *word = page;
    uint64_t hash = 0;
    unsigned int i;

    for ( i = 0; i < PAGE / sizeof(*word); i++ )
    {
        hash = (hash ^ word[i]) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
    }

    return hash;
}

static void keep_hash(struct tally *t, uint64_t hash)
{
    if ( t->pages == t->room )
    {
        t->room = t->room ? 2 * t->room : 65536;
        t->hashes = realloc(t->hashes, t->room * sizeof(*t->hashes));
        if ( !t->hashes )
            fail("memory");
    }
    t->hashes[t->pages++] = hash;
}

static void take(void *arg, struct batch *b)
{
    struct tally *t = arg;
    size_t i;

    t->lines += batch_lines(b);
    for ( i = 0; i < b->nr; i++ )
        if ( b->err[i] )
            t->errors++;
        else
            keep_hash(t, hash_page(b->mem + i * PAGE));
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static uint64_t duplicates(struct tally *t)
{
    uint64_t count = 0, i;

    qsort(t->hashes, t->pages, sizeof(*t->hashes), by_value);
    for ( i = 1; i < t->pages; i++ )
        count += t->hashes[i] == t->hashes[i - 1];

    return count;
}

int main(int argc, char *argv[])
{
    struct tally t = { 0 };
    struct guestmem g;

    if ( argc != 2 )
    {
        fprintf(stderr, "usage: mapscan DOMID\n");
        return 2;
    }

    guestmem_open(&g, argv[1]);
    guestmem_walk(&g, PROT_READ, take, &t);

    printf("lines %" PRIu64 "\npages %" PRIu64 "\nduplicates %" PRIu64
           "\nerrors %" PRIu64 "\n", t.lines, t.pages, duplicates(&t),
           t.errors);

    return 0;
}
