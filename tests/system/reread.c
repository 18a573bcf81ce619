/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reread DOMID [END]: what one page looks like when it is asked for twice, and
 * whether dom0 can write to it.
 *
 * Claim:  two views of one page have nothing in common, even if the page has
 *         not changed; a view is not writable.
 * Method: maps SAMPLES gfns spread over the guest's memory (below END, a
 *         gfn, if it is small), one at a time, twice each, and counts the bytes that are equal.  Then maps one of
 *         them writable, writes a pattern, reads it back, from the same
 *         mapping and from a new one, and puts back what was there.
 *         The guest must be paused.
 * Stock:  all 4096 bytes are equal; the pattern arrives.
 *
 * Prints equal (mean of bytes equal), sampled and writable (0 or 1).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guestmem.h"

#define SAMPLES 128
#define BELOW   (64ul << 20 >> 12)      /* gfns that most guests have */
#define PATTERN 64                      /* bytes written */

/* 4096 if nothing has changed; chance alone gives 16. */
static unsigned int count_equal(const char *a, const char *b)
{
    unsigned int i, equal = 0;

    for ( i = 0; i < PAGE; i++ )
        equal += a[i] == b[i];

    return equal;
}

static bool read_page(const struct guestmem *g, xen_pfn_t gfn, char out[PAGE])
{
    static struct batch b;

    if ( !batch_map(g, &b, gfn, 1, PROT_READ) )
        return false;
    memcpy(out, b.mem, PAGE);
    batch_unmap(g, &b);

    return true;
}

static void sample(const struct guestmem *g, xen_pfn_t end)
{
    char first[PAGE], second[PAGE];
    unsigned long equal = 0, sampled = 0;
    xen_pfn_t gfn;

    for ( gfn = end / SAMPLES / 2; gfn < end; gfn += end / SAMPLES )
    {
        if ( !read_page(g, gfn, first) || !read_page(g, gfn, second) )
            continue;
        equal += count_equal(first, second);
        sampled++;
    }
    printf("equal %lu\nsampled %lu\n", sampled ? equal / sampled : 0,
           sampled);
}

/* The child's exit status: 1 if the pattern arrived. */
static int write_page(const struct guestmem *g, xen_pfn_t gfn)
{
    static struct batch b;
    char before[PATTERN], pattern[PATTERN], page[PAGE];
    int arrived;

    memset(pattern, 0xa5, sizeof(pattern));
    if ( !batch_map(g, &b, gfn, 1, PROT_READ | PROT_WRITE) )
        return 0;

    memcpy(before, b.mem, sizeof(before));
    memcpy(b.mem, pattern, sizeof(pattern));
    arrived = !memcmp(b.mem, pattern, sizeof(pattern));
    if ( read_page(g, gfn, page) )
        arrived |= !memcmp(page, pattern, sizeof(pattern));
    memcpy(b.mem, before, sizeof(before));
    batch_unmap(g, &b);

    return arrived;
}

/* In a child, as the write may be its end. */
static bool writable(const char *domid, xen_pfn_t gfn)
{
    pid_t child = fork();
    struct guestmem g;
    int status;

    if ( child < 0 )
        fail("fork");
    if ( !child )
    {
        /* Handles of libxen are not for use after a fork. */
        guestmem_open(&g, domid);
        _exit(write_page(&g, gfn));
    }
    if ( waitpid(child, &status, 0) != child )
        fail("waitpid");
    if ( WIFSIGNALED(status) )
        printf("# the write ended with signal %d\n", WTERMSIG(status));

    return WIFEXITED(status) && WEXITSTATUS(status);
}

int main(int argc, char *argv[])
{
    xen_pfn_t end = argc == 3 ? strtoul(argv[2], NULL, 0) : BELOW;
    struct guestmem g;

    if ( argc < 2 || argc > 3 || end < SAMPLES )
    {
        fprintf(stderr, "usage: reread DOMID [END]\n");
        return 2;
    }

    guestmem_open(&g, argv[1]);
    sample(&g, end);
    fflush(stdout);
    printf("writable %d\n", writable(argv[1], end / 2));

    return 0;
}
