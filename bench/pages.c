/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the page cipher grows: from one page to `limit` bytes of pages, from one
 * key to 256.  Pages are sealed in order from one buffer to another, one
 * batch after the other, as for a domain that is saved; memcpy goes first over
 * the same pages, a loop of CTR and GHASH without anything around it is the
 * cipher's own figure for hot pages.
 *
 *   pages [LIMIT_MIB [ROUNDS]]
 *
 * Reported are the median of the rounds, the least and the most.  Time is that
 * of this thread, in ticks of the TSC: a round takes up to seconds, in which
 * others run on this processor, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <cloister/smm.h>

#include "peers.h"

#define PAGE CL_PAGE_SIZE
#define MAX_KEYS 256
#define MAX_ROUNDS 101
#define BATCH 16u

static struct cl_key slots[MAX_KEYS];
static uint8_t *from, *to;
static size_t limit_pages = 1024u << 8;
static unsigned int rounds = 7;
static double rate; /* ticks of the TSC in a nanosecond */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Seals nr pages; page i has the key of VM i % keys, as if VMs took turns. */
static void seal(enum cl_gcm_impl impl, size_t nr, unsigned int keys)
{
    struct cl_view views[BATCH];
    struct cl_view_job jobs[BATCH];
    size_t i;
    unsigned int n, j;

    for ( i = 0; i < nr; i += n )
    {
        n = nr - i < BATCH ? (unsigned int)(nr - i) : BATCH;
        for ( j = 0; j < n; j++ )
        {
            struct cl_key *k = &slots[(i + j) % keys];

            views[j] = (struct cl_view){ .key = k, .version = ++k->counter,
                                         .gfn = i + j, .epoch = k->epoch };
            jobs[j] = (struct cl_view_job){ &views[j], from + (i + j) * PAGE,
                                            to + (i + j) * PAGE };
        }
        cl_view_run_jobs(impl, jobs, n);
    }
}

static void copy(size_t nr)
{
    size_t i;

    for ( i = 0; i < nr; i++ )
    {
        memcpy(to + i * PAGE, from + i * PAGE, PAGE);
        __asm__ __volatile__ ( "" : : "r" (to) : "memory" );
    }
}

static const char *const names[] = { "sse", "avx", "vaes256", "vaes512" };

static double thread_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);

    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* impl < 0: memcpy */
static double measure(int impl, size_t nr, unsigned int keys)
{
    static double v[MAX_ROUNDS];
    const char *name = impl < 0 ? "memcpy" : names[impl];
    size_t repeat = nr < 4096 ? 4096 / nr : 1, i;
    unsigned int r;

    for ( r = 0; r < rounds; r++ )
    {
        double start = thread_ns();

        for ( i = 0; i < repeat; i++ )
            if ( impl < 0 )
                copy(nr);
            else
                seal((enum cl_gcm_impl)impl, nr, keys);
        v[r] = (thread_ns() - start) * rate / (double)(repeat * nr * PAGE);
    }
    qsort(v, rounds, sizeof(*v), ascending);
    printf("{\"bench\":\"pages\",\"impl\":\"%s\",\"pages\":%zu,\"keys\":%u,"
           "\"unit\":\"tsc_cycles_per_byte\",\"median\":%.4f,\"min\":%.4f,"
           "\"max\":%.4f,\"rounds\":%u}\n", name, nr, keys, v[rounds / 2],
           v[0], v[rounds - 1], rounds);
    fflush(stdout);

    return v[rounds / 2];
}

static void growth(void)
{
    size_t nr;
    int impl, best = best_impl();

    fprintf(stderr, "Pages sealed in batches of %u, TSC cycles per byte "
                    "(GB/s), median of %u\n%-10s", BATCH, rounds, "pages");
    for ( impl = -1; impl <= best; impl++ )
        fprintf(stderr, " %15s", impl < 0 ? "memcpy" : names[impl]);
    for ( nr = 1; nr <= limit_pages; nr *= 4 )
    {
        fprintf(stderr, "\n%-10zu", nr);
        for ( impl = -1; impl <= best; impl++ )
        {
            double c = measure(impl, nr, 1);

            fprintf(stderr, " %6.3f (%6.2f)", c, rate / c);
        }
    }
    fprintf(stderr, "\n");
}

static void many_keys(void)
{
    unsigned int keys;
    int impl, best = best_impl();
    size_t nr = limit_pages < 4096 ? limit_pages : 4096;

    fprintf(stderr, "%zu pages of so many VMs in turn\n", nr);
    for ( keys = 1; keys <= MAX_KEYS; keys *= 4 )
    {
        fprintf(stderr, "%-10u %15s", keys, "");
        for ( impl = 0; impl <= best; impl++ )
        {
            double c = measure(impl, nr, keys);

            fprintf(stderr, " %6.3f (%6.2f)", c, rate / c);
        }
        fprintf(stderr, "\n");
    }
}

static void *room(void)
{
    void *p = mmap(NULL, limit_pages * PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if ( p == MAP_FAILED )
    {
        perror("bench/pages: memory");
        exit(1);
    }
    madvise(p, limit_pages * PAGE, MADV_HUGEPAGE);
    memset(p, 0x5a, limit_pages * PAGE);

    return p;
}

int main(int argc, char *argv[])
{
    struct cl_key_table table = { .slot = slots, .slots = MAX_KEYS };
    unsigned int i;

    rate = tsc_per_ns();
    if ( argc > 1 )
        limit_pages = (size_t)strtoul(argv[1], NULL, 10) << 8;
    if ( argc > 2 )
        rounds = (unsigned int)strtoul(argv[2], NULL, 10);
    if ( !limit_pages || !rounds || rounds > MAX_ROUNDS )
    {
        fprintf(stderr, "usage: pages [LIMIT_MIB [ROUNDS]], up to %u rounds\n",
                MAX_ROUNDS);
        return 2;
    }

    for ( i = 0; i < MAX_KEYS; i++ )
    {
        uint8_t random[CL_KEY_SIZE] = { (uint8_t)i, 1 };

        if ( cl_key_install(&table, random) < 0 )
            return 1;
    }
    from = room();
    to = room();
    growth();
    many_keys();

    return 0;
}
