/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secure I/O management's engine alone: TSC cycles for each frame, with all
 * its checks, for 2, 16 and 64 VMs.
 *
 *   in      from a NIC's ring to the receive queues of the VMs in turn
 *   across  from one VM's transmit queue to the receive queue of the next
 *   copy    memcpy of the same frames: as fast as nothing but moving them is
 *
 * The NIC and the drivers cost next to nothing: their rings are filled before,
 * and go round.  So these are costs of the engine, not a throughput that a
 * machine would reach.  Compiled as inside Xen.  With one argument, N, only
 * N frames of each kind are run once, for an instruction counter.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_guest.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_VMS 64
#define BATCH 32u
#define BUFFERS 64u /* in each VM, used over and over */
#define SAMPLES 1001
#define ROUNDS 8 /* batches in a sample */

#define FEATURES (1ull << 32 | 1ull << 15 | 1ull << 29)

static struct cl_siom siom;
static struct guest vm[MAX_VMS];
static unsigned int vms, size, turn;

static uint64_t tsc(void)
{
    uint32_t lo, hi;

    __asm__ __volatile__("lfence; rdtsc; lfence"
                         : "=a"(lo), "=d"(hi)
                         :
                         : "memory");

    return (uint64_t)hi << 32 | lo;
}

/* ---- A NIC whose ring never ends ---------------------------------------- */

static uint8_t frames[MAX_VMS][2048];
static unsigned int next_frame, left;

static enum cl_nic_state nic_poll(struct cl_nic *nic)
{
    (void)nic;

    return CL_NIC_UP;
}

static unsigned int nic_rx_burst(struct cl_nic *nic, struct cl_nic_rx *f,
                                 unsigned int n)
{
    unsigned int i;

    (void)nic;
    n = n < left ? n : left;
    for ( i = 0; i < n; i++, next_frame++ )
        f[i] =
            (struct cl_nic_rx){.data = frames[next_frame % vms], .len = size};
    left -= n;

    return n;
}

static void nic_rx_refill(struct cl_nic *nic, unsigned int n)
{
    (void)nic;
    (void)n;
}

static unsigned int nic_tx_reap(struct cl_nic *nic)
{
    (void)nic;

    return 0;
}

static const struct cl_nic_ops nic_ops = {
    .name = "model",
    .poll = nic_poll,
    .rx_burst = nic_rx_burst,
    .rx_refill = nic_rx_refill,
    .tx_reap = nic_tx_reap,
};
static struct cl_nic nic = {.ops = &nic_ops};

/* ---- Drivers -------------------------------------------------------------
 */

static void set_up(void)
{
    unsigned int i, j;

    memset(&siom, 0, sizeof(siom));
    cl_siom_init(&siom, &guest_platform, &nic, 0);
    for ( i = 0; i < vms; i++ )
    {
        uint8_t f[2048] = {2, 0, 0, 0, 0, (uint8_t)((i + 1) % vms + 1),
                           2, 0, 0, 0, 0, (uint8_t)(i + 1),
                           8, 0};

        guest_start(&vm[i], &siom, (uint8_t)(i + 1), NULL);
        guest_driver(&vm[i], FEATURES);
        guest_fill(&vm[i], BUFFERS, 2048);
        for ( j = 0; j < BUFFERS; j++ )
            guest_offer(&vm[i], NULL, f, size);
        for ( j = 0; j < CL_QUEUE_SIZE; j++ )
        {
            guest_put16(&vm[i], GUEST_RING(0) + GUEST_AVAIL + 4 + j * 2,
                        (uint16_t)(j % BUFFERS));
            guest_put16(&vm[i], GUEST_RING(1) + GUEST_AVAIL + 4 + j * 2,
                        (uint16_t)(j % BUFFERS * 2));
        }
        guest_put16(&vm[i], GUEST_RING(1) + GUEST_AVAIL + 2, 0);
        vm[i].avail[CL_QUEUE_TX] = 0;
        memcpy(frames[i], f, sizeof(f));
        frames[i][5] = (uint8_t)(i + 1);
        frames[i][11] = 99;
    }
    turn = 0;
}

static void tear_down(void)
{
    while ( vms )
        guest_stop(&vm[--vms]);
}

/* The rings go round: n more of the same, and nobody wants an interrupt. */
static void more(struct guest *g, unsigned int q, uint16_t n)
{
    uint32_t avail = GUEST_RING(q) + GUEST_AVAIL;

    g->avail[q] = (uint16_t)(g->avail[q] + n);
    guest_put16(g, avail + 2, g->avail[q]);
    guest_put16(g, avail + 4 + 2 * CL_QUEUE_SIZE,
                (uint16_t)(g->avail[q] + 1000));
}

static unsigned int receive(void)
{
    struct cl_port *port;
    unsigned int from = 0, n = 0;

    while ( (port = cl_siom_rx_next(&siom, &from)) != NULL )
    {
        unsigned int got = cl_siom_rx(port, BATCH);

        more((struct guest *)port, CL_QUEUE_RX, (uint16_t)got);
        n += got;
    }

    return n;
}

/* ---- What is measured ----------------------------------------------------
 */

static unsigned int in(void)
{
    left = BATCH;
    cl_siom_poll(&siom, BATCH);

    return receive();
}

static unsigned int across(void)
{
    struct guest *g = &vm[turn++ % vms];

    more(g, CL_QUEUE_TX, BATCH);
    cl_siom_tx(&g->port, BATCH);
    cl_siom_poll(&siom, BATCH);

    return receive();
}

static unsigned int copy(void)
{
    unsigned int i;

    for ( i = 0; i < BATCH; i++, next_frame++ )
        memcpy(vm[next_frame % vms].mem + GUEST_BUFFERS +
                   next_frame / vms % BUFFERS * 2048,
               frames[next_frame % vms], size);

    return BATCH;
}

static const struct candidate
{
    const char *name;
    unsigned int (*run)(void);
} candidates[] = {{"in", in}, {"across", across}, {"copy", copy}};

static double samples[ARRAY_SIZE(candidates)][SAMPLES];

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double sample(const struct candidate *c)
{
    uint64_t start = tsc();
    unsigned int i, n = 0;

    for ( i = 0; i < ROUNDS; i++ )
        n += c->run();
    start = tsc() - start;
    if ( n != ROUNDS * BATCH )
    {
        fprintf(stderr, "siom %s: %u frames of %u\n", c->name, n,
                ROUNDS * BATCH);
        exit(1);
    }

    return (double)start / n;
}

static void measure(void)
{
    unsigned int i, c;

    for ( i = 0; i < SAMPLES; i++ )
        for ( c = 0; c < ARRAY_SIZE(candidates); c++ )
            samples[c][i] = sample(&candidates[c]);
    for ( c = 0; c < ARRAY_SIZE(candidates); c++ )
    {
        double *v = samples[c];

        qsort(v, SAMPLES, sizeof(*v), ascending);
        printf("{\"bench\":\"siom\",\"path\":\"%s\",\"vms\":%u,\"size\":%u,"
               "\"unit\":\"tsc_cycles_per_frame\",\"median\":%.1f,"
               "\"p5\":%.1f,\"p95\":%.1f,\"samples\":%u}\n",
               candidates[c].name, vms, size, v[SAMPLES / 2], v[SAMPLES / 20],
               v[SAMPLES - SAMPLES / 20], SAMPLES);
        fprintf(stderr, "%-8s %4u VMs %6u B %10.1f\n", candidates[c].name, vms,
                size, v[SAMPLES / 2]);
    }
}

/* Only the frames of one path, so that a counter counts nothing else. */
static int count(const char *path, unsigned int frames_wanted)
{
    unsigned int n = 0, c;

    vms = 16;
    size = 64;
    set_up();
    for ( c = 0; c < ARRAY_SIZE(candidates); c++ )
        while ( !strcmp(candidates[c].name, path) && n < frames_wanted )
            n += candidates[c].run();
    tear_down();

    return n ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const unsigned int numbers[] = {2, 16, 64}, sizes[] = {64, 1500};
    unsigned int i, j;

    if ( argc == 3 )
        return count(argv[1], (unsigned int)atoi(argv[2]));
    fprintf(stderr, "engine alone, TSC cycles per frame, median of %u\n",
            SAMPLES);
    for ( j = 0; j < ARRAY_SIZE(sizes); j++ )
        for ( i = 0; i < ARRAY_SIZE(numbers); i++ )
        {
            vms = numbers[i];
            size = sizes[j];
            set_up();
            measure();
            tear_down();
        }

    return 0;
}
