/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NIC drivers against models of their devices that can go wrong.  Every driver
 * goes through the same tests.  Time is virtual.
 */
#include <stdlib.h>
#include <string.h>

#include "model_nic.h"
#include "test.h"

#define RING 256u
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static struct model_nic m;
static uint8_t frame[2048], out[2048];

/* The body runs for each kind of device. */
#define EACH(id)                                                              \
    static void each_##id(struct test *test_self);                            \
    TEST(id)                                                                  \
    {                                                                         \
        unsigned int kind;                                                    \
                                                                              \
        for ( kind = 0; kind < MODEL_KINDS && !test_self->failed; kind++ )    \
        {                                                                     \
            CHECK(model_nic_init(&m, kind));                                  \
            each_##id(test_self);                                             \
            model_nic_free(&m);                                               \
            if ( test_self->failed )                                          \
                printf("# kind %u\n", kind);                                  \
        }                                                                     \
    }                                                                         \
    static void each_##id(struct test *test_self)

static void fill(uint32_t seed, uint32_t len)
{
    uint32_t i;

    for ( i = 0; i < len; i++ )
        frame[i] = seed * 31 + i * 7;
}

static bool bring_up(void)
{
    return !m.nic.ops->reset(&m.nic) && model_nic_until(&m, CL_NIC_UP, 100);
}

/* Takes one frame and gives its buffer back. */
static bool takes(uint32_t seed, uint32_t len)
{
    struct cl_nic_rx f;
    bool same;

    if ( m.nic.ops->rx_burst(&m.nic, &f, 1) != 1 )
        return false;
    fill(seed, len);
    same = f.len == len && !memcmp(f.data, frame, len);
    m.nic.ops->rx_refill(&m.nic, 1);
    return same;
}

static bool receives(uint32_t seed, uint32_t len)
{
    fill(seed, len);
    return model_nic_rx(&m, frame, len) && takes(seed, len);
}

static void queue(uint32_t seed, uint32_t len)
{
    fill(seed, len);
    memcpy(m.nic.ops->tx_buffer(&m.nic), frame, len);
    m.nic.ops->tx_queue(&m.nic, len);
}

static bool sent(uint32_t seed, uint32_t len)
{
    fill(seed, len);
    return model_nic_tx(&m, out, sizeof(out)) == len &&
           !memcmp(out, frame, len);
}

static bool sends(uint32_t seed, uint32_t len)
{
    if ( !m.nic.ops->tx_reap(&m.nic) )
        return false;
    queue(seed, len);
    m.nic.ops->tx_kick(&m.nic);
    return sent(seed, len);
}

static struct cl_nic_stats stats(void)
{
    struct cl_nic_stats s;

    m.nic.ops->stats(&m.nic, &s);
    return s;
}

static void filter(const uint8_t mac[6], bool on)
{
    if ( m.nic.ops->set_filter )
        m.nic.ops->set_filter(&m.nic, mac, on);
}

TEST(nic_unknown)
{
    CHECK(!cl_nic_find(0x8086, 0x1234));
    CHECK(!cl_nic_find(0x10ec, 0x8168));
    CHECK(!cl_nic_find(0x1af4, 0x1000)); /* transitional virtio */
}

EACH(nic_comes_up)
{
    static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    uint64_t start = m.now;

    CHECK(bring_up());
    CHECK(m.now - start <= 30000);
    CHECK(!memcmp(m.nic.mac, mac, 6));
    CHECK(model_nic_room(&m) >= RING - 1);
    CHECK(!m.violations);
}

EACH(nic_passes_frames)
{
    uint32_t i;

    CHECK(bring_up());
    for ( i = 0; i < 3 * RING; i++ )
    {
        CHECK(receives(i, 14 + i % (CL_NIC_FRAME - 13)));
        CHECK(sends(i, 14 + i % (CL_NIC_FRAME - 13)));
    }
    CHECK(receives(1, CL_NIC_FRAME) && sends(2, CL_NIC_FRAME));
    CHECK(model_nic_room(&m) >= RING - 1);
    CHECK(stats().rx_frames == 3 * RING + 1);
    CHECK(stats().tx_frames == 3 * RING + 1);
    CHECK(!stats().rx_errors && !stats().tx_errors && !m.violations);
}

EACH(nic_rx_bursts)
{
    struct cl_nic_rx f[64];
    uint32_t i, n, in = 0, taken = 0;

    CHECK(bring_up());
    for ( i = 0; i < 40; i++ )
    {
        for ( n = 0; n < 50; n++, in++ )
        {
            fill(in, 100);
            CHECK(model_nic_rx(&m, frame, 100));
        }
        n = m.nic.ops->rx_burst(&m.nic, f, 64);
        CHECK(n == 50);
        for ( n = 0; n < 50; n++, taken++ )
        {
            fill(taken, 100);
            CHECK(!memcmp(f[n].data, frame, 100));
        }
        /* In two portions. */
        m.nic.ops->rx_refill(&m.nic, 20);
        m.nic.ops->rx_refill(&m.nic, 30);
    }
    CHECK(!m.violations);
}

/* Who gives nothing back gets nothing more, and nothing is overwritten. */
EACH(nic_rx_full)
{
    static struct cl_nic_rx f[2 * RING];
    uint32_t i, n = 0, in = 0;

    CHECK(bring_up());
    for ( i = 0; i < 2 * RING; i++ )
    {
        fill(i, 64);
        in += model_nic_rx(&m, frame, 64);
        n += m.nic.ops->rx_burst(&m.nic, f + n, 8);
    }
    CHECK(in == n && n >= RING - 1 && n <= RING);
    for ( i = 0; i < n; i++ )
    {
        fill(i, 64);
        CHECK(!memcmp(f[i].data, frame, 64));
    }
    m.nic.ops->rx_refill(&m.nic, n);
    CHECK(receives(77, 200));
}

EACH(nic_tx_full)
{
    uint32_t i, room;

    CHECK(bring_up());
    room = m.nic.ops->tx_reap(&m.nic);
    CHECK(room >= RING - 1);
    for ( i = 0; i < room; i++ )
        queue(i, 300);
    m.nic.ops->tx_kick(&m.nic);
    CHECK(!m.nic.ops->tx_reap(&m.nic));
    for ( i = 0; i < room; i++ )
        CHECK(sent(i, 300));
    CHECK(m.nic.ops->tx_reap(&m.nic) == room);
    CHECK(!m.violations);
}

/* What the device says of a frame is not true: it is dropped, none else. */
EACH(nic_rx_garbage)
{
    static const uint32_t bad[] = {0, 1, 13, CL_NIC_FRAME + 1, 2048, 65535};
    unsigned int i;

    CHECK(bring_up());
    for ( i = 0; i < 3 * RING; i++ )
    {
        fill(0, 64);
        CHECK(model_nic_rx_raw(&m, frame, 64, bad[i % ARRAY_SIZE(bad)], true,
                               false));
        CHECK(receives(i, 99));
    }
    CHECK(stats().rx_errors == 3 * RING);
    CHECK(model_nic_room(&m) >= RING - 1);
    CHECK(!m.violations);
}

/* The same without a good frame in between, more than the ring holds. */
EACH(nic_rx_all_garbage)
{
    struct cl_nic_rx f[8];
    unsigned int i;

    CHECK(bring_up());
    fill(0, 64);
    for ( i = 0; i < 3 * RING; i++ )
    {
        CHECK(model_nic_rx_raw(&m, frame, 64, 3, true, false));
        if ( i % 100 == 0 )
            CHECK(!m.nic.ops->rx_burst(&m.nic, f, 8));
    }
    CHECK(!m.nic.ops->rx_burst(&m.nic, f, 8));
    CHECK(receives(5, 500));
}

/* Pieces and errors, which only Intel's descriptors have. */
EACH(nic_rx_pieces)
{
    struct cl_nic_rx f;

    if ( m.kind == MODEL_VIRTIO )
        return;
    CHECK(bring_up());
    CHECK(model_nic_rx_raw(&m, frame, 64, 1000, false, false));
    CHECK(model_nic_rx_raw(&m, frame, 64, 1000, false, false));
    CHECK(model_nic_rx_raw(&m, frame, 64, 1000, true, false));
    CHECK(model_nic_rx_raw(&m, frame, 64, 64, true, true));
    CHECK(!m.nic.ops->rx_burst(&m.nic, &f, 1));
    CHECK(receives(3, 64));
    CHECK(stats().rx_errors == 4);
}

/* Buffers' addresses come from the driver alone. */
EACH(nic_scribbled_addresses)
{
    unsigned int i;

    if ( m.kind == MODEL_VIRTIO )
        return;
    CHECK(bring_up());
    m.faults = NF_SCRIBBLE;
    for ( i = 0; i < 3 * RING; i++ )
        CHECK(receives(i, 100));
    CHECK(!m.violations);
}

EACH(nic_foreign_buffers)
{
    struct cl_nic_rx f;
    unsigned int i;

    if ( m.kind != MODEL_VIRTIO )
        return;
    CHECK(bring_up());
    m.faults = NF_FOREIGN;
    for ( i = 0; i < 2; i++ )
    {
        fill(i, 64);
        CHECK(model_nic_rx(&m, frame, 64));
    }
    /* id + 7 may be one that it has; the second is none at all. */
    m.nic.ops->rx_burst(&m.nic, &f, 1);
    m.nic.ops->rx_burst(&m.nic, &f, 1);
    CHECK(stats().rx_errors == 1 && stats().resets == 2);
    m.faults = 0;
    CHECK(model_nic_until(&m, CL_NIC_UP, 100));
    CHECK(receives(9, 64) && sends(9, 64));
}

/* A frame that is not sent, though there is link: reset, and on it goes. */
EACH(nic_tx_hang)
{
    uint64_t start;

    CHECK(bring_up());
    CHECK(sends(1, 64));
    m.faults = NF_TX_HANG;
    m.nic.ops->tx_reap(&m.nic);
    queue(2, 64);
    m.nic.ops->tx_kick(&m.nic);
    CHECK(model_nic_until(&m, CL_NIC_RESETTING, 1000));
    m.faults = 0;
    start = m.now;
    CHECK(!m.nic.ops->tx_reap(&m.nic));
    CHECK(model_nic_until(&m, CL_NIC_UP, 100));
    CHECK(m.now - start <= 30000);
    CHECK(stats().resets == 2 && m.logged);
    CHECK(receives(3, 64) && sends(4, 64));
    CHECK(!m.violations);
}

/* What was sent, but not reaped for long, is no hang. */
EACH(nic_tx_not_reaped)
{
    CHECK(bring_up());
    CHECK(sends(1, 64));
    m.now += 5000000;
    CHECK(m.nic.ops->poll(&m.nic) == CL_NIC_UP);
    CHECK(stats().resets == 1 && !m.logged);
}

/* No link, no hang; and when it is back, frames get their time again. */
EACH(nic_link)
{
    CHECK(bring_up());
    m.faults = NF_NO_LINK | NF_TX_HANG;
    m.now += 200000;
    CHECK(m.nic.ops->poll(&m.nic) == CL_NIC_DOWN);
    m.nic.ops->tx_reap(&m.nic);
    queue(2, 64);
    m.nic.ops->tx_kick(&m.nic);
    m.now += 5000000;
    CHECK(m.nic.ops->poll(&m.nic) == CL_NIC_DOWN);
    m.faults = 0;
    m.now += 200000;
    CHECK(m.nic.ops->poll(&m.nic) == CL_NIC_UP);
    CHECK(sent(2, 64));
    CHECK(stats().link_changes == 3 && stats().resets == 1);
}

EACH(nic_link_asleep)
{
    if ( m.kind != MODEL_IGB )
        return;
    m.faults = NF_ASLEEP;
    CHECK(bring_up());
    CHECK(receives(1, 64) && sends(1, 64));
}

EACH(nic_rx_hang)
{
    unsigned int i;

    if ( m.kind == MODEL_VIRTIO )
        return;
    CHECK(bring_up());
    m.faults = NF_RX_STUCK;
    for ( i = 0; i < 10 && stats().resets == 1; i++ )
    {
        model_nic_rx(&m, frame, 64);
        m.now += 150000;
        m.nic.ops->poll(&m.nic);
    }
    CHECK(stats().resets == 2);
    m.faults = 0;
    CHECK(model_nic_until(&m, CL_NIC_UP, 100));
    CHECK(receives(1, 64));
}

/* A device that goes away is given up, and comes back by reset(). */
EACH(nic_vanishes)
{
    uint32_t before;

    CHECK(bring_up());
    m.faults = NF_ABSENT;
    m.now += 200000;
    CHECK(model_nic_until(&m, CL_NIC_FAILED, 10000));
    before = m.accesses;
    m.nic.ops->poll(&m.nic);
    CHECK(m.accesses == before); /* and is left alone */
    CHECK(!m.nic.ops->tx_reap(&m.nic));
    m.faults = 0;
    CHECK(bring_up());
    CHECK(receives(1, 64) && sends(1, 64));
}

/* Resets that come to no end are given up in bounded time. */
EACH(nic_reset_fails)
{
    static const uint32_t faults[] = {NF_NO_RESET, NF_NO_MAC, NF_NO_IOMMU,
                                      NF_NO_ENABLE};
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(faults); i++ )
    {
        uint32_t f = faults[i];
        bool virtio = m.kind == MODEL_VIRTIO;

        if ( (f == NF_NO_MAC && virtio) || (f == NF_NO_IOMMU && !virtio) ||
             (f == NF_NO_ENABLE && m.kind < MODEL_IGB) )
            continue;
        m.faults = f;
        if ( !m.nic.ops->reset(&m.nic) )
            CHECK(model_nic_until(&m, CL_NIC_FAILED, 100));
        CHECK(m.nic.ops->poll(&m.nic) == CL_NIC_FAILED);
        CHECK(m.logged);
        m.faults = 0;
        model_nic_free(&m);
        CHECK(model_nic_init(&m, m.kind));
    }
    CHECK(bring_up());
}

EACH(nic_filters)
{
    uint8_t mac[20][6];
    unsigned int i;

    for ( i = 0; i < 20; i++ )
        memcpy(mac[i], (uint8_t[]){2, 0, 0, 0, 1, i}, 6);
    /* Before it works, and kept over a reset. */
    filter(mac[0], true);
    CHECK(bring_up());
    CHECK(model_nic_takes(&m, mac[0]));
    for ( i = 1; i < 20; i++ )
        filter(mac[i], true);
    CHECK(bring_up());
    for ( i = 0; i < 20; i++ )
        CHECK(model_nic_takes(&m, mac[i]));
    /* Taken back in the same order: nothing is left behind. */
    for ( i = 0; i < 20; i++ )
        filter(mac[i], false);
    if ( m.nic.ops->set_filter )
        for ( i = 0; i < 20; i++ )
            CHECK(!model_nic_takes(&m, mac[i]));
}

EACH(nic_irq)
{
    CHECK(bring_up());
    CHECK(!model_nic_irq_on(&m));
    m.nic.ops->set_irq(&m.nic, true);
    CHECK(model_nic_irq_on(&m));
    CHECK(bring_up()); /* as it was */
    CHECK(model_nic_irq_on(&m));
    m.nic.ops->set_irq(&m.nic, false);
    CHECK(!model_nic_irq_on(&m));
}

/* A device that writes whatever it likes to the pool (seeded). */
EACH(nic_hostile_pool)
{
    struct cl_nic_rx f[16];
    unsigned int i, k, n;

    srand(1);
    CHECK(bring_up());
    for ( i = 0; i < 20000; i++ )
    {
        for ( k = 0; k < 8; k++ )
            m.pool[rand() % 16384] = rand();
        n = m.nic.ops->rx_burst(&m.nic, f, 16);
        CHECK(n <= 16);
        for ( k = 0; k < n; k++ )
            CHECK(f[k].len >= 14 && f[k].len <= CL_NIC_FRAME &&
                  (const uint8_t *)f[k].data >= m.pool + 16384 &&
                  (const uint8_t *)f[k].data + f[k].len <=
                      m.pool + m.nic.ops->pool_size);
        m.nic.ops->rx_refill(&m.nic, n);
        if ( m.nic.ops->tx_reap(&m.nic) )
        {
            queue(i, 64);
            m.nic.ops->tx_kick(&m.nic);
        }
        m.now += 5000;
        m.nic.ops->poll(&m.nic);
    }
    /* And then behaves. */
    CHECK(bring_up());
    CHECK(receives(1, 64) && sends(1, 64));
}
