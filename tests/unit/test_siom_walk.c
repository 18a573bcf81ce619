/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile guest: walks the PCI and virtio state machines at random, with
 * rings and descriptors of random contents, beside a well-behaved pair whose
 * frames must all arrive.  After every step, what the engine wrote to the
 * hostile guest's memory must lie in a used ring or in a buffer that was
 * posted for the device to write to.
 *
 *   WALK_STEPS, WALK_SEED in the environment: 30000 and 1 without
 */

#include <stdlib.h>
#include <string.h>

#include "model_guest.h"
#include "test.h"
#include "watch_guest.h"

#define F_V1 (1ull << 32)
#define LITTLE WATCHED

static struct cl_siom siom;
static struct guest bad, good, peer;
static struct watch watch;

/* Whether rings and buffers are kept apart, see watch_guest.h. */
static bool apart;
#define BUFFERS 0xc000u

static uint64_t state;

static uint32_t rnd(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;

    return below ? (uint32_t)(state >> 16) % below : (uint32_t)state;
}

struct desc
{
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

/* An address in watched memory, with luck; aligned, mostly. */
static uint64_t any_address(void)
{
    uint64_t a = apart ? BUFFERS + rnd(LITTLE - BUFFERS) : rnd(LITTLE);

    switch ( rnd(8) )
    {
    case 0:
        return a;

    case 1:
        return (uint64_t)rnd(0) << 32 | rnd(0);

    case 2:
        return LITTLE - rnd(64);
    }

    return a & ~15ull;
}

static void any_desc(void)
{
    const struct cl_queue *q = &bad.port.virtio.queue[rnd(CL_QUEUES)];
    struct desc d = {any_address(), rnd(4) ? rnd(3000) : rnd(0),
                     (uint16_t)(rnd(16) ? rnd(4) : rnd(0)),
                     (uint16_t)(rnd(16) ? rnd(q->size) : rnd(0))};
    uint64_t at = q->desc + 16u * rnd(rnd(2) ? 8 : q->size);

    if ( at + 16 <= LITTLE )
        memcpy(bad.mem + at, &d, 16);
}

static void any_avail(void)
{
    const struct cl_queue *q = &bad.port.virtio.queue[rnd(CL_QUEUES)];
    uint64_t at = q->avail + 4 + 2u * ((q->last_avail + rnd(4)) % q->size);
    uint16_t idx = (uint16_t)(q->last_avail + (rnd(32) ? rnd(4) : rnd(0)));
    uint16_t head = (uint16_t)rnd(rnd(16) ? 8 : 0);

    if ( at + 2 <= LITTLE )
        memcpy(bad.mem + at, &head, 2);
    if ( q->avail + 4 <= LITTLE )
        memcpy(bad.mem + q->avail + 2, &idx, 2);
}

/* One proper buffer, for reception or with a frame to good or to all. */
static void proper(void)
{
    unsigned int nr = rnd(2);
    const struct cl_queue *q = &bad.port.virtio.queue[nr];
    uint16_t i = (uint16_t)rnd(q->size), idx;
    struct desc d = {BUFFERS + rnd(LITTLE - BUFFERS - 2048),
                     12 + 60 + rnd(1400), nr == CL_QUEUE_RX ? 2 : 0, 0};
    uint8_t f[26] = {[12] = 2, [17] = 2, [18] = 2, [23] = 1};

    if ( !apart || !q->enabled )
        return;
    memcpy(&idx, bad.mem + q->avail + 2, 2);
    if ( nr == CL_QUEUE_TX )
        memcpy(bad.mem + d.addr, f, sizeof(f));
    memcpy(bad.mem + q->desc + i * 16, &d, 16);
    memcpy(bad.mem + q->avail + 4 + 2 * (idx % q->size), &i, 2);
    idx++;
    memcpy(bad.mem + q->avail + 2, &idx, 2);
}

static void any_register(void)
{
    static const unsigned int sizes[] = {1, 2, 4, 8};
    unsigned int size = sizes[rnd(4)];

    guest_mem_write(&bad, rnd(4096) & ~(size - 1), size,
                    apart || rnd(2) ? rnd(16) : any_address());
    guest_mem_read(&bad, rnd(4096) & ~(size - 1), size);
}

static void any_port(void)
{
    static const unsigned int sizes[] = {1, 2, 4};

    guest_out(&bad, (uint16_t)(rnd(2) ? 0xcf8 + rnd(8) : 0xc000 + rnd(40)),
              sizes[rnd(3)], rnd(2) ? 0x80000800u | rnd(256) : rnd(0));
    guest_in(&bad, (uint16_t)(0xcf8 + rnd(8)), sizes[rnd(3)]);
}

/* Part 0, 1 or 2 of queue q: in a page of its own, or anywhere. */
static uint64_t place(unsigned int q, unsigned int part)
{
    return apart ? (q * 4 + part) * 0x1000u + rnd(64) * 16 : any_address();
}

/* Sets the device up, with queues of a random size in random places. */
static void set_up(void)
{
    unsigned int q;

    guest_mem_write(&bad, 20, 1, 0);
    apart = rnd(2);
    guest_driver(&bad,
                 F_V1 | (rnd(2) ? 1ull << 15 : 0) | (rnd(2) ? 1ull << 29 : 0));
    if ( !rnd(4) )
        return;
    guest_mem_write(&bad, 20, 1, 0);
    guest_mem_write(&bad, 20, 1, 3);
    guest_mem_write(&bad, 8, 4, 1);
    guest_mem_write(&bad, 12, 4, 1);
    guest_mem_write(&bad, 20, 1, 11);
    for ( q = 0; q < CL_QUEUES; q++ )
    {
        guest_mem_write(&bad, 22, 2, q);
        guest_mem_write(&bad, 24, 2, 1u << rnd(8));
        guest_mem_write(&bad, 32, 8, place(q, 0));
        guest_mem_write(&bad, 40, 8, place(q, 1));
        guest_mem_write(&bad, 48, 8, place(q, 2));
        guest_mem_write(&bad, 28, 2, 1);
    }
    guest_mem_write(&bad, 20, 1, 15);
}

static void work(void)
{
    struct cl_port *port;
    unsigned int from = 0;

    switch ( rnd(3) )
    {
    case 0:
        cl_siom_tx(&bad.port, 1 + rnd(64));
        break;

    case 1:
        cl_siom_rx(&bad.port, 1 + rnd(64));
        break;

    default:
        cl_siom_ctrl(&bad.port);
        break;
    }
    cl_siom_poll(&siom, 64);
    while ( (port = cl_siom_rx_next(&siom, &from)) != NULL )
        if ( port != &peer.port )
            cl_siom_rx(port, 64);
}

/* A frame like f has come to peer. */
static bool arrived(const uint8_t *f, uint32_t size)
{
    uint32_t len;
    int d;

    while ( (d = guest_used(&peer, CL_QUEUE_RX, &len)) >= 0 )
        if ( !memcmp(peer.mem + guest_desc_addr(&peer, 0, d) + 12, f, size) )
            return true;

    return false;
}

/*
 * good sends a frame to peer and one to bad; peer's must arrive.  bad may have
 * sent some to peer, too, which take up buffers.
 */
static bool others_go_on(void)
{
    struct guest *const pair[] = {&good, &peer};
    uint8_t f[200] = {2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 2, 8, 0};
    uint32_t len, i;
    bool ok = false;

    for ( i = 14; i < sizeof(f); i++ )
        f[i] = (uint8_t)rnd(256);
    guest_offer(&good, NULL, f, sizeof(f));
    for ( i = 0; i < 8 && !ok; i++ )
    {
        guest_fill(&peer, 1, 1024);
        cl_siom_rx(&peer.port, 64); /* it rings */
        guest_run(&siom, pair, 2);
        ok = arrived(f, sizeof(f));
    }
    while ( guest_used(&good, CL_QUEUE_TX, &len) >= 0 )
        ;
    f[5] = 1;
    guest_offer(&good, NULL, f, sizeof(f));

    return ok;
}

static void step(void)
{
    switch ( rnd(64) )
    {
    case 0:
        any_register();
        break;

    case 1:
    case 2:
        any_port();
        break;

    case 3:
        if ( !rnd(8) )
            set_up();
        break;

    case 4:
        bad.generation += !rnd(16);
        break;

    case 5:
    case 6:
    case 7:
    case 8:
        any_desc();
        break;

    case 9:
    case 10:
        any_avail();
        break;

    default:
        proper();
        break;
    }
}

static unsigned long env(const char *name, unsigned long otherwise)
{
    const char *v = getenv(name);

    return v ? strtoul(v, NULL, 0) : otherwise;
}

TEST(random_walk)
{
    unsigned long i, watched = 0, steps = env("WALK_STEPS", 30000);

    state = 0x9e3779b97f4a7c15ull * env("WALK_SEED", 1);
    cl_siom_init(&siom, &guest_platform, NULL, 0);
    CHECK(guest_start(&bad, &siom, 1, NULL));
    CHECK(guest_start(&good, &siom, 2, NULL));
    CHECK(guest_start(&peer, &siom, 3, NULL));
    CHECK(guest_driver(&good, F_V1) && guest_driver(&peer, F_V1));
    set_up();
    for ( i = 0; i < steps; i++ )
    {
        guest_now += 1000;
        if ( bad.port.virtio.status & 64 && !rnd(4) )
            set_up();
        step();
        watch_look(&watch, &bad);
        work();
        CHECK(watch_clean(&watch));
        watched += watch.apart;
        if ( i % 16 == 0 )
            CHECK(others_go_on());
    }
    CHECK(watched > steps / 2);
    CHECK(bad.port.stats.violations > steps / 1000);
    CHECK(bad.port.stats.rx_frames > steps / 100);
    CHECK(bad.port.stats.tx_frames > steps / 100);
    printf("%lu steps, %lu watched, %lu violations, %lu resets, %lu frames in, %lu out\n",
           steps, watched, (unsigned long)bad.port.stats.violations,
           (unsigned long)bad.port.stats.resets,
           (unsigned long)bad.port.stats.rx_frames,
           (unsigned long)bad.port.stats.tx_frames);
    guest_stop(&bad);
    guest_stop(&good);
    guest_stop(&peer);
    CHECK(!bad.held && !good.held && !peer.held);
}
