/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the page cipher grows: from one page to `limit` bytes of pages, from one
 * key to 256.  Pages go in order from one buffer to another, as for a domain
 * that is saved, by
 *
 *   memcpy   the limit of the memory;
 *   bare     CTR and GHASH with nothing around them: all pages are one message
 *            (up to 4 MiB);
 *   pages    the page cipher, a batch at a time;
 *   views    all that a view takes, one page after the other, as Xen makes
 *            them: begun and ended in the page table, too.
 *
 *   pages [LIMIT_MIB [ROUNDS]]
 *
 * They take turns in each round.  Reported are the median of the rounds, the
 * least and the most.  Time is that of this thread, in ticks of the TSC (not
 * of the core's clock): a round takes up to seconds, in which others run on
 * this processor, too.
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
#define VIEWS 1024u
#define BARE_PAGES 1024u

static struct cl_key slots[MAX_KEYS];
static struct cl_page table[VIEWS];
static struct cl_vm vm = { .id = 1, .key = &slots[0], .sealed = true };
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

static void bare(enum cl_gcm_impl impl, size_t nr)
{
    static uint64_t nonce[2];
    uint8_t tag[CL_TAG_SIZE];
    size_t i, n;

    for ( i = 0; i < nr; i += n )
    {
        struct cl_gcm_job job = { .key = &slots[0].gcm,
                                  .nonce = (const uint8_t *)nonce,
                                  .in = from + i * PAGE, .out = to + i * PAGE,
                                  .tag = tag };

        n = nr - i < BARE_PAGES ? nr - i : BARE_PAGES;
        nonce[0]++;
        cl_gcm_seal_jobs(impl, &job, 1, NULL, n * PAGE);
    }
}

static void views(enum cl_gcm_impl impl, size_t nr)
{
    size_t i;

    for ( i = 0; i < nr; i++ )
    {
        struct cl_view v;
        const struct cl_view_job job = { &v, from + i * PAGE, to + i * PAGE };

        if ( cl_view_begin(&vm, &table[i % VIEWS], &v) )
            abort();
        cl_view_run_jobs(impl, &job, 1);
        if ( cl_view_end(&vm, &table[i % VIEWS], &v) )
            abort();
    }
}

enum what { COPY, BARE, PAGES, VIEW, WHATS };

static const char *const whats[] = { "memcpy", "bare", "pages", "views" };
static const char *const names[] = { "sse", "avx", "vaes256", "vaes512" };

static void run(enum what what, enum cl_gcm_impl impl, size_t nr,
                unsigned int keys)
{
    switch ( what )
    {
    case COPY:
        copy(nr);
        break;

    case BARE:
        bare(impl, nr);
        break;

    case PAGES:
        seal(impl, nr, keys);
        break;

    default:
        views(impl, nr);
        break;
    }
}

static double thread_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);

    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double round_of(enum what what, enum cl_gcm_impl impl, size_t nr,
                       unsigned int keys)
{
    size_t repeat = nr < 4096 ? 4096 / nr : 1, i;
    double start = thread_ns();

    for ( i = 0; i < repeat; i++ )
        run(what, impl, nr, keys);

    return (thread_ns() - start) * rate / (double)(repeat * nr * PAGE);
}

/* Sorts, reports, and returns the median. */
static double report(double *v, enum what what, enum cl_gcm_impl impl,
                     size_t nr, unsigned int keys)
{
    double median;

    qsort(v, rounds, sizeof(*v), ascending);
    median = v[rounds / 2];
    printf("{\"bench\":\"pages\",\"what\":\"%s\",\"impl\":\"%s\","
           "\"pages\":%zu,\"keys\":%u,\"unit\":\"tsc_cycles_per_byte\","
           "\"median\":%.4f,\"min\":%.4f,\"max\":%.4f,\"gb_per_s\":%.3f,"
           "\"rounds\":%u}\n", whats[what],
           what == COPY ? "memcpy" : names[impl], nr, keys, median, v[0],
           v[rounds - 1], rate / median, rounds);
    fflush(stdout);

    return median;
}

/* Medians of all but COPY by impl, in turns. */
static void measure(enum cl_gcm_impl impl, size_t nr, double median[WHATS])
{
    static double v[WHATS][MAX_ROUNDS];
    unsigned int r, w;

    for ( r = 0; r < rounds; r++ )
        for ( w = 0; w < WHATS; w++ )
            v[w][r] = round_of((enum what)w, impl, nr, 1);
    for ( w = 0; w < WHATS; w++ )
        median[w] = report(v[w], (enum what)w, impl, nr, 1);
}

/* A figure that is asked for: "NAME is RATIO of ...". */
static void judge(const char *name, enum cl_gcm_impl impl, double ratio,
                  const char *limit)
{
    fprintf(stderr, "%s: %s %.3f (%s)\n", names[impl], name, ratio, limit);
    printf("{\"bench\":\"pages\",\"figure\":\"%s\",\"impl\":\"%s\","
           "\"ratio\":%.4f,\"asked\":\"%s\"}\n", name, names[impl], ratio,
           limit);
}

static void growth(enum cl_gcm_impl impl)
{
    double median[WHATS];
    unsigned int w;
    size_t nr;

    fprintf(stderr, "%s, TSC cycles per byte (GB/s), median of %u\n%-10s",
            names[impl], rounds, "pages");
    for ( w = 0; w < WHATS; w++ )
        fprintf(stderr, " %15s", whats[w]);
    for ( nr = 1; nr <= limit_pages; nr *= 4 )
    {
        measure(impl, nr, median);
        fprintf(stderr, "\n%-10zu", nr);
        for ( w = 0; w < WHATS; w++ )
            fprintf(stderr, " %6.3f (%6.2f)", median[w], rate / median[w]);
    }
    fprintf(stderr, "\n");
    measure(impl, VIEWS, median);
    judge("1024 views, of the cipher's time", impl,
          median[VIEW] / median[PAGES], "at most 1.15");
    measure(impl, limit_pages, median);
    judge("cold pages, of the bare loop's speed", impl,
          median[BARE] / median[PAGES], "at least 0.85");
}

static void many_keys(void)
{
    static double v[MAX_ROUNDS];
    unsigned int keys, r;
    int impl, best = best_impl();
    size_t nr = limit_pages < 4096 ? limit_pages : 4096;

    fprintf(stderr, "%zu pages of so many VMs in turn\n%-10s", nr, "");
    for ( impl = 0; impl <= best; impl++ )
        fprintf(stderr, " %15s", names[impl]);
    for ( keys = 1; keys <= MAX_KEYS; keys *= 4 )
    {
        fprintf(stderr, "\n%-10u", keys);
        for ( impl = 0; impl <= best; impl++ )
        {
            double c;

            for ( r = 0; r < rounds; r++ )
                v[r] = round_of(PAGES, (enum cl_gcm_impl)impl, nr, keys);
            c = report(v, PAGES, (enum cl_gcm_impl)impl, nr, keys);
            fprintf(stderr, " %6.3f (%6.2f)", c, rate / c);
        }
    }
    fprintf(stderr, "\n");
}

/* The pages of the views are sealed ones of one VM. */
static void make_table(void)
{
    unsigned int i;

    for ( i = 0; i < VIEWS; i++ )
    {
        cl_page_assign(&vm, &table[i]);
        cl_page_seal(&vm, &table[i], i);
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
    struct cl_key_table keys = { .slot = slots, .slots = MAX_KEYS };
    unsigned int i;
    int impl;

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

        if ( cl_key_install(&keys, random) < 0 )
            return 1;
    }
    from = room();
    to = room();
    make_table();
    for ( impl = 0; impl <= (int)best_impl(); impl++ )
        growth((enum cl_gcm_impl)impl);
    many_keys();

    return 0;
}
