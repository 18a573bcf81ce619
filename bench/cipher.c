/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AES-256-GCM by size: our page cipher, compiled as inside Xen, and others.
 *
 * One message: 16 bytes of additional data, `size` bytes of text, a new
 * nonce for each, the key expanded before.  A sample is the mean of some
 * messages back to back; samples of all candidates take turns, so that what
 * else the machine does hits all of them alike.  Reported are the median and
 * the 5th and 95th percentile of the samples.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_PEERS 32
#define MAX_SIZE 4096
#define SAMPLES 1001
#define SAMPLE_BYTES 16384 /* about 10000 cycles */

static uint8_t nonce[12], aad[AAD_LEN], tag[16];
static uint8_t plain[MAX_SIZE] __attribute__((aligned(4096)));
static uint8_t cipher[MAX_SIZE] __attribute__((aligned(4096)));
static uint8_t out[MAX_SIZE] __attribute__((aligned(4096)));
static struct keys keys;

static const size_t sizes[] = { 64, 256, 1024, 1500, 4096 };

static double samples[MAX_PEERS][SAMPLES];
static double median[MAX_PEERS][ARRAY_SIZE(sizes)];

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* A seal makes new nonces; an open has the last one, over and over. */
static double sample(const struct peer *p, size_t size)
{
    static uint64_t counter;
    int seal = strcmp(p->op, "open"), rc = 0;
    const struct message m = { .keys = &keys, .nonce = nonce, .aad = aad,
                               .in = seal ? plain : cipher,
                               .out = seal ? cipher : out, .tag = tag,
                               .len = size };
    unsigned int i, n = SAMPLE_BYTES / size;
    uint64_t start = tsc();

    for ( i = 0; i < n; i++ )
    {
        counter += !!seal;
        memcpy(nonce, &counter, sizeof(counter));
        rc |= p->run(&m);
    }
    start = tsc() - start;

    if ( rc )
    {
        fprintf(stderr, "%s %s %zu failed\n", p->name, p->op, size);
        exit(1);
    }

    return (double)start / n / size;
}

static void measure(unsigned int s)
{
    unsigned int i, c;

    for ( i = 0; i < SAMPLES; i++ )
        for ( c = 0; c < nr_peers; c++ )
            if ( peers[c].here() )
                samples[c][i] = sample(&peers[c], sizes[s]);

    for ( c = 0; c < nr_peers; c++ )
    {
        double *v = samples[c];

        if ( !peers[c].here() )
            continue;
        qsort(v, SAMPLES, sizeof(*v), ascending);
        median[c][s] = v[SAMPLES / 2];
        printf("{\"bench\":\"cipher\",\"impl\":\"%s\",\"op\":\"%s\","
               "\"size\":%zu,\"unit\":\"tsc_cycles_per_byte\","
               "\"median\":%.4f,\"p5\":%.4f,\"p95\":%.4f,\"samples\":%u}\n",
               peers[c].name, peers[c].op, sizes[s], v[SAMPLES / 2],
               v[SAMPLES / 20], v[SAMPLES - SAMPLES / 20], SAMPLES);
    }
}

static void table(void)
{
    double rate = tsc_per_ns();
    unsigned int c, s;

    fprintf(stderr, "AES-256-GCM, TSC cycles per byte, median of %u\n",
            SAMPLES);
    fprintf(stderr, "%-16s %-5s", "", "");
    for ( s = 0; s < ARRAY_SIZE(sizes); s++ )
        fprintf(stderr, " %6zu B", sizes[s]);
    fprintf(stderr, "     GB/s\n");

    for ( c = 0; c < nr_peers; c++ )
    {
        if ( !peers[c].here() )
            continue;
        fprintf(stderr, "%-16s %-5s", peers[c].name, peers[c].op);
        for ( s = 0; s < ARRAY_SIZE(sizes); s++ )
            fprintf(stderr, " %8.3f", median[c][s]);
        fprintf(stderr, " %8.2f\n", rate / median[c][ARRAY_SIZE(sizes) - 1]);
    }
    fprintf(stderr, "TSC %.2f GHz; %s\n", rate, peers_versions());
}

int main(void)
{
    static const uint8_t key[32] = { 1, 8, 15, 22, 29, 36, 43, 50, 57 };
    unsigned int i;

    for ( i = 0; i < MAX_SIZE; i++ )
        plain[i] = i * 131 >> 3;
    peers_key(&keys, key);

    for ( i = 0; i < ARRAY_SIZE(sizes); i++ )
        measure(i);
    table();

    return 0;
}
