/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secure I/O management with a faked guest: the virtual PCI bus, the virtio
 * device, and frames from guest to guest.
 */

#include <stdlib.h>
#include <string.h>

#include "model_guest.h"
#include "test.h"

#define F_CSUM (1ull << 0)
#define F_GUEST_CSUM (1ull << 1)
#define F_MRG (1ull << 15)
#define F_EVENT (1ull << 29)
#define F_V1 (1ull << 32)
#define ALL (F_V1 | F_MRG | F_EVENT | F_CSUM | F_GUEST_CSUM | 1ull << 5)

static struct cl_siom siom;
static struct guest a, b, c;
static struct guest *const both[] = {&a, &b}, *const three[] = {&a, &b, &c};

static void start(const struct cl_siom_config *ca,
                  const struct cl_siom_config *cb, uint64_t features)
{
    memset(&siom, 0, sizeof(siom));
    cl_siom_init(&siom, &guest_platform, NULL, 0);
    guest_start(&a, &siom, 1, ca);
    guest_start(&b, &siom, 2, cb);
    guest_driver(&a, features);
    guest_driver(&b, features);
}

static void stop(void)
{
    guest_stop(&a);
    guest_stop(&b);
}

/* A frame from MAC `from` to MAC `to` (0: broadcast), of len bytes. */
static uint8_t *frame(uint8_t from, uint8_t to, uint32_t len)
{
    static uint8_t f[CL_SIOM_FRAME + 64];
    uint32_t i;

    for ( i = 0; i < len; i++ )
        f[i] = (uint8_t)(i * 7 + len + from);
    memset(f, to ? 0 : 0xff, 6);
    if ( to )
    {
        f[0] = 2;
        f[5] = to;
    }
    memset(f + 6, 0, 6);
    f[6] = 2;
    f[11] = from;
    f[12] = 8;
    f[13] = 0;

    return f;
}

/* Reads a received frame, merged buffers and all; its length or -1. */
static int receive(struct guest *g, uint8_t hdr[12], uint8_t *out)
{
    uint32_t len, n = 0;
    unsigned int parts, i;
    int d = guest_used(g, CL_QUEUE_RX, &len);

    if ( d < 0 || len < 12 )
        return -1;
    memcpy(hdr, g->mem + guest_desc_addr(g, CL_QUEUE_RX, d), 12);
    parts = hdr[10] | hdr[11] << 8;
    memcpy(out, g->mem + guest_desc_addr(g, CL_QUEUE_RX, d) + 12, len - 12);
    n = len - 12;
    for ( i = 1; i < parts; i++ )
    {
        d = guest_used(g, CL_QUEUE_RX, &len);
        if ( d < 0 )
            return -1;
        memcpy(out + n, g->mem + guest_desc_addr(g, CL_QUEUE_RX, d), len);
        n += len;
    }

    return (int)n;
}

static uint8_t got[CL_SIOM_FRAME + 64], hdr[12];

static bool zero(const struct cl_memory *m)
{
    uint32_t i;

    for ( i = 0; i < m->size; i++ )
        if ( m->base[i] )
            return false;

    return true;
}

/* ---- The bus ------------------------------------------------------------ */

TEST(cf8_reads_back_and_a_bridge_is_there)
{
    start(NULL, NULL, ALL);
    guest_out(&a, 0xcf8, 4, 0x80000000);
    CHECK(guest_in(&a, 0xcf8, 4) == 0x80000000);
    guest_out(&a, 0xcfb, 1, 1); /* ignored */
    CHECK(guest_in(&a, 0xcf8, 4) == 0x80000000);
    CHECK(guest_cfg_read(&a, 0, 8) >> 16 == 0x0600);
    CHECK(guest_cfg_read(&a, 8, 0) == 0x10411af4);
    CHECK(guest_cfg_read(&a, 16, 0) == UINT32_MAX);
    CHECK(guest_cfg_read(&a, 9, 0) == UINT32_MAX);
    guest_out(&a, 0xcf8, 4, 0x80010000); /* bus 1 */
    CHECK(guest_in(&a, 0xcfc, 4) == UINT32_MAX);
    guest_out(&a, 0xcf8, 4, 0x80000000);
    CHECK(guest_in(&a, 0xcfe, 2) == 0x1237);
    CHECK(guest_in(&a, 0xcff, 1) == 0x12);
    CHECK(!cl_siom_io_ours(&a.port, 0xcf7, 1));
    CHECK(!cl_siom_io_ours(&a.port, 0xd00, 1));
    CHECK(!cl_siom_io_ours(&a.port, 0xcfe, 4));
    stop();
}

TEST(bars_size_and_move)
{
    start(NULL, NULL, ALL);
    guest_cfg_write(&a, 8, 0x10, UINT32_MAX);
    CHECK(guest_cfg_read(&a, 8, 0x10) == 0xffe1);
    guest_cfg_write(&a, 8, 0x14, UINT32_MAX);
    CHECK(guest_cfg_read(&a, 8, 0x14) == 0xfffff000);
    guest_cfg_write(&a, 8, 0x18, UINT32_MAX);
    CHECK(guest_cfg_read(&a, 8, 0x18) == 0);
    guest_cfg_write(&a, 8, 0x10, 0xd000);
    guest_cfg_write(&a, 8, 0x14, 0xe0000000);
    CHECK(cl_siom_mem_base(&a.port) == 0xe0000000);
    CHECK(cl_siom_io_ours(&a.port, 0xd000, 2));
    CHECK(!cl_siom_io_ours(&a.port, 0xc000, 2));
    CHECK(guest_out(&a, 0xd000, 2, CL_QUEUE_TX) == CL_QUEUE_TX);
    CHECK(guest_out(&a, 0xd000, 2, 77) == -1);
    guest_cfg_write(&a, 8, 4, 0);
    CHECK(!cl_siom_io_ours(&a.port, 0xd000, 2));
    CHECK(cl_siom_mem_base(&a.port) == 0);
    stop();
}

TEST(identity_cannot_be_written)
{
    unsigned int reg;

    start(NULL, NULL, ALL);
    for ( reg = 0; reg < 256; reg += 4 )
    {
        uint32_t before = guest_cfg_read(&a, 8, reg);

        if ( reg == 4 || reg == 0x0c || reg == 0x10 || reg == 0x14 ||
             reg == 0x3c || reg == 0x40 || reg >= 0x98 )
            continue;
        guest_cfg_write(&a, 8, reg, ~before);
        CHECK(guest_cfg_read(&a, 8, reg) == before);
        guest_cfg_write(&a, 0, reg, UINT32_MAX);
    }
    CHECK(guest_cfg_read(&a, 0, 0) == 0x12378086);
    stop();
}

TEST(capabilities_are_a_list_that_ends)
{
    unsigned int at, n = 0, types = 0;

    start(NULL, NULL, ALL);
    at = guest_cfg_read(&a, 8, 0x34) & 0xff;
    while ( at && n++ < 16 )
    {
        uint32_t v = guest_cfg_read(&a, 8, at);

        if ( (v & 0xff) == 9 )
            types |= 1u << (v >> 24);
        at = (v >> 8) & 0xff;
    }
    CHECK(!at && n == 6 && types == 0x3e);
    stop();
}

TEST(window_reaches_the_bars)
{
    start(NULL, NULL, ALL);
    guest_cfg_write(&a, 8, 0x98, 1);
    guest_cfg_write(&a, 8, 0x9c, 20);
    guest_cfg_write(&a, 8, 0xa0, 1);
    CHECK(guest_cfg_read(&a, 8, 0xa4) == 15);
    guest_cfg_write(&a, 8, 0xa4, 0);
    CHECK(guest_cfg_read(&a, 8, 0xa4) == 0);
    guest_cfg_write(&a, 8, 0x9c, 0xfffffffc);
    guest_cfg_write(&a, 8, 0xa0, 4);
    guest_cfg_write(&a, 8, 0xa4, 1);
    CHECK(guest_cfg_read(&a, 8, 0xa4) == 0);
    stop();
}

/* ---- The device --------------------------------------------------------- */

TEST(features_are_negotiated)
{
    start(NULL, NULL, ALL);
    CHECK(!guest_driver(&a, F_MRG));             /* without VERSION_1 */
    CHECK(!guest_driver(&a, F_V1 | 1ull << 11)); /* not offered */
    CHECK(!guest_driver(&a, F_V1 | 1ull << 18)); /* CTRL_RX, no CTRL_VQ */
    CHECK(guest_driver(&a, F_V1));
    guest_mem_write(&a, 12, 4, 1); /* too late */
    CHECK(a.port.virtio.features == F_V1);
    CHECK(guest_mem_read(&a, 18, 2) == CL_QUEUES);
    CHECK(guest_mem_read(&a, 0x100, 4) == 0x00000002); /* MAC */
    CHECK(guest_mem_read(&a, 0x106, 2) == 1);          /* link */
    CHECK(guest_mem_read(&a, 0x10a, 2) == 1500);
    stop();
}

TEST(queues_do_not_change_while_in_use)
{
    start(NULL, NULL, ALL);
    guest_mem_write(&a, 22, 2, 1);
    guest_mem_write(&a, 24, 2, 8);
    guest_mem_write(&a, 32, 8, 0x4000);
    CHECK(guest_mem_read(&a, 24, 2) == CL_QUEUE_SIZE);
    CHECK(guest_mem_read(&a, 32, 8) == GUEST_RING(1));
    guest_mem_write(&a, 22, 2, 9);
    CHECK(guest_mem_read(&a, 24, 2) == 0);
    guest_mem_write(&a, 26, 2, 1);
    CHECK(guest_mem_read(&a, 26, 2) == 0);
    stop();
}

TEST(frame_from_guest_to_guest)
{
    unsigned int len;

    start(NULL, NULL, ALL);
    for ( len = 14; len <= 1514; len += 75 )
    {
        uint8_t *f = frame(1, 2, len);

        guest_fill(&b, 1, 2048);
        guest_offer(&a, NULL, f, len);
        guest_run(&siom, both, 2);
        CHECK(receive(&b, hdr, got) == (int)len);
        CHECK(!memcmp(got, f, len));
        CHECK(hdr[0] == 0 && hdr[10] == 1);
    }
    CHECK(b.msis == 21 && b.msi_data == 0x40);
    CHECK(a.port.stats.tx_frames == 21 && b.port.stats.rx_frames == 21);
    CHECK(zero(&a.port.tx) && zero(&b.port.rx));
    CHECK(a.held && b.held);
    stop();
    CHECK(!a.held && !b.held);
}

TEST(jumbo_frame_is_merged)
{
    const struct cl_siom_config jumbo = {.mtu = 9000};
    uint8_t *f = frame(1, 2, 9014);
    unsigned int i;

    start(&jumbo, &jumbo, ALL);
    for ( i = 0; i < 20; i++ )
    {
        guest_fill(&b, 6, 1536);
        guest_offer(&a, NULL, f, 9014);
        guest_run(&siom, both, 2);
        CHECK(receive(&b, hdr, got) == 9014);
        CHECK(!memcmp(got, f, 9014) && hdr[10] == 6);
    }
    stop();
}

TEST(frames_wait_for_buffers_and_the_guest_is_asked_to_ring)
{
    uint32_t event = GUEST_RING(CL_QUEUE_RX) + GUEST_USED + 4 + 8 * 256;

    start(NULL, NULL, ALL);
    guest_offer(&a, NULL, frame(1, 2, 1000), 1000);
    guest_run(&siom, both, 2);
    CHECK(receive(&b, hdr, got) == -1);
    CHECK(guest_u16(&b, event) == 0);
    guest_fill(&b, 1, 512); /* too small alone */
    cl_siom_rx(&b.port, 32);
    CHECK(receive(&b, hdr, got) == -1);
    CHECK(guest_u16(&b, event) == 1); /* ring at the second one */
    guest_fill(&b, 1, 512);
    CHECK(cl_siom_rx(&b.port, 32) == 1);
    CHECK(receive(&b, hdr, got) == 1000);
    stop();
}

/* Where the device writes when it wants to hear of what is sent. */
static uint32_t rings_at(uint64_t features)
{
    return GUEST_RING(CL_QUEUE_TX) + GUEST_USED +
           (features & F_EVENT ? 4 + 8 * 256 : 0);
}

struct ring {
    uint64_t features;
    uint16_t rings, does_not, again; /* what is there then */
};

TEST(who_is_polled_does_not_ring)
{
    static const struct ring cases[] = {{ALL, 1, 1, 3}, {F_V1, 0, 1, 0}};
    const struct ring *r;

    for ( r = cases; r < cases + 2; r++ )
    {
        uint32_t event = rings_at(r->features);

        start(NULL, NULL, r->features);
        guest_fill(&b, 8, 2048);
        guest_offer(&a, NULL, frame(1, 2, 100), 100);
        guest_run(&siom, both, 2);
        CHECK(guest_u16(&a, event) == r->rings);
        CHECK(cl_siom_tx_quiet(&a.port, true));
        guest_offer(&a, NULL, frame(1, 2, 100), 100);
        guest_run(&siom, both, 2);
        CHECK(guest_u16(&a, event) == r->does_not);
        CHECK(b.port.stats.rx_frames == 2); /* looked at all the same */
        guest_offer(&a, NULL, frame(1, 2, 100), 100);
        CHECK(cl_siom_tx_quiet(&a.port, false));
        guest_run(&siom, both, 2);
        CHECK(guest_u16(&a, event) == r->again);
        CHECK(b.port.stats.rx_frames == 3);
        CHECK(cl_siom_tx_quiet(&a.port, true));
        guest_driver(&a, r->features); /* a reset: it rings */
        CHECK(cl_siom_tx_quiet(&a.port, false));
        stop();
    }
}

TEST(buffer_too_small_without_merging)
{
    start(NULL, NULL, F_V1);
    guest_fill(&b, 2, 512);
    guest_offer(&a, NULL, frame(1, 2, 1000), 1000);
    guest_run(&siom, both, 2);
    CHECK(b.port.stats.drops[CL_DROP_RX_BUFFER] == 1);
    CHECK(b.port.stats.violations == 0);
    stop();
}

TEST(interrupts_as_asked_for)
{
    uint32_t avail = GUEST_RING(CL_QUEUE_RX) + GUEST_AVAIL;

    start(NULL, NULL, ALL);
    guest_fill(&b, 64, 2048);
    guest_put16(&b, avail + 4 + 512, 2); /* used_event: after the third */
    guest_offer(&a, NULL, frame(1, 2, 100), 100);
    guest_run(&siom, both, 2);
    CHECK(b.msis == 0);
    guest_offer(&a, NULL, frame(1, 2, 100), 100);
    guest_offer(&a, NULL, frame(1, 2, 100), 100);
    guest_run(&siom, both, 2);
    CHECK(b.msis == 1);
    guest_driver(&b, F_V1);
    guest_fill(&b, 4, 2048);
    guest_put16(&b, avail, 1); /* no interrupts */
    guest_offer(&a, NULL, frame(1, 2, 100), 100);
    guest_run(&siom, both, 2);
    CHECK(b.msis == 1 && b.port.stats.rx_frames == 4);
    stop();
}

TEST(masked_vector_is_pending)
{
    start(NULL, NULL, ALL);
    guest_fill(&b, 2, 2048);
    guest_mem_write(&b, 0x80c, 4, 1);
    guest_offer(&a, NULL, frame(1, 2, 100), 100);
    guest_run(&siom, both, 2);
    CHECK(b.msis == 0 && guest_mem_read(&b, 0xc00, 4) == 1);
    guest_mem_write(&b, 0x80c, 4, 0);
    CHECK(b.msis == 1 && guest_mem_read(&b, 0xc00, 4) == 0);
    guest_mem_write(&b, 0x808, 4, 0x400 | 0x40); /* NMI */
    guest_offer(&a, NULL, frame(1, 2, 100), 100);
    guest_run(&siom, both, 2);
    CHECK(b.msis == 1 && b.port.stats.rx_frames == 2);
    guest_mem_write(&b, 0x808, 4, 0x8000 | 0x40); /* level */
    guest_fill(&b, 1, 2048);
    guest_offer(&a, NULL, frame(1, 2, 100), 100);
    guest_run(&siom, both, 2);
    CHECK(b.msis == 1 && b.port.stats.rx_frames == 3);
    stop();
}

TEST(checksums)
{
    const uint8_t request[12] = {1, 0, 0, 0, 0, 0, 34, 0, 16, 0};
    uint8_t *f = frame(1, 2, 101);
    uint32_t sum = 0, i;

    start(NULL, NULL, ALL);
    guest_fill(&b, 2, 2048);
    guest_offer(&a, request, f, 101);
    guest_run(&siom, both, 2);
    CHECK(receive(&b, hdr, got) == 101 && !memcmp(got, f, 101));
    CHECK(hdr[0] == 1 && hdr[6] == 34 && hdr[8] == 16);

    guest_driver(&b, F_V1 | F_MRG); /* cannot complete it */
    guest_fill(&b, 1, 2048);
    guest_offer(&a, request, f, 101);
    guest_run(&siom, both, 2);
    CHECK(receive(&b, hdr, got) == 101 && hdr[0] == 0);
    f[50] = got[50];
    f[51] = got[51];
    CHECK(!memcmp(got, f, 101));
    f = frame(1, 2, 101); /* what was summed: with the old field's value */
    for ( i = 34; i < 101; i += 2 )
        sum += (uint32_t)f[i] << 8 | (i + 1 < 101 ? f[i + 1] : 0);
    while ( sum >> 16 )
        sum = (sum & 0xffff) + (sum >> 16);
    CHECK((uint32_t)(got[50] << 8 | got[51]) == (~sum & 0xffff));
    stop();
}

TEST(control_queue_answers)
{
    uint32_t ring = GUEST_RING(CL_QUEUE_CTRL), len;

    start(NULL, NULL, ALL | 1ull << 17 | 1ull << 18);
    a.mem[0x9000] = 0; /* class RX, command PROMISC, on */
    a.mem[0x9002] = 1;
    a.mem[0x9003] = 0x55;
    memcpy(a.mem + ring, (uint64_t[]){0x9000, 3 | 1ull << 32 | 1ull << 48},
           16);
    memcpy(a.mem + ring + 16, (uint64_t[]){0x9003, 1 | 2ull << 32}, 16);
    guest_put16(&a, ring + GUEST_AVAIL + 2, 1);
    cl_siom_ctrl(&a.port);
    CHECK(guest_used(&a, CL_QUEUE_CTRL, &len) == 0 && len == 1);
    CHECK(a.mem[0x9003] == 0);
    stop();
}

/* ---- Who gets what ------------------------------------------------------ */

TEST(broadcast_goes_to_all_but_the_sender)
{
    start(NULL, NULL, ALL);
    guest_start(&c, &siom, 3, NULL);
    guest_driver(&c, ALL);
    guest_fill(&a, 1, 2048);
    guest_fill(&b, 1, 2048);
    guest_fill(&c, 1, 2048);
    guest_offer(&a, NULL, frame(1, 0, 60), 60);
    guest_run(&siom, three, 3);
    CHECK(receive(&a, hdr, got) == -1);
    CHECK(receive(&b, hdr, got) == 60 && receive(&c, hdr, got) == 60);
    guest_offer(&a, NULL, frame(1, 3, 60), 60);
    guest_fill(&b, 1, 2048);
    guest_fill(&c, 1, 2048);
    guest_run(&siom, three, 3);
    CHECK(receive(&b, hdr, got) == -1 && receive(&c, hdr, got) == 60);
    guest_stop(&c);
    stop();
}

/* Sends one frame from a; says why it was dropped, -1: it was not. */
static int fate(const void *h, uint8_t *f, uint32_t len)
{
    uint64_t before[2][CL_DROPS];
    int i;

    memcpy(before[0], a.port.stats.drops, sizeof(before[0]));
    memcpy(before[1], b.port.stats.drops, sizeof(before[1]));
    guest_offer(&a, h, f, len);
    guest_run(&siom, both, 2);
    for ( i = 0; i < CL_DROPS; i++ )
        if ( before[0][i] != a.port.stats.drops[i] ||
             before[1][i] != b.port.stats.drops[i] )
            return i;

    return -1;
}

/* A sum may be stored behind the Ethernet header, and nowhere else. */
TEST(checksums_leave_addresses_and_tags_alone)
{
    static const struct cl_siom_config tagged[] = {
        {.mac = {2, 0, 0, 0, 0, 1}, .vlan = 5, .mtu = 1500},
        {.mac = {2, 0, 0, 0, 0, 2}, .vlan = 5, .mtu = 1500},
    };
    unsigned int with, at, offset;

    for ( with = 0; with < 2; with++ )
    {
        start(with ? &tagged[0] : NULL, with ? &tagged[1] : NULL,
              F_V1 | F_CSUM);
        for ( at = 0; at < 16; at++ )
            for ( offset = 0; offset < 16; offset += 5 )
            {
                const uint8_t hdr[12] = {
                    1, 0, 0, 0, 0, 0, (uint8_t)at, 0, (uint8_t)offset, 0};

                CHECK(fate(hdr, frame(1, 2, 100), 100) ==
                      (at < 14 ? CL_DROP_MALFORMED : -1));
            }
        stop();
    }
}

TEST(what_switches_keep_to_themselves_is_dropped)
{
    static const uint8_t group[] = {0x01, 0x80, 0xc2, 0, 0, 0};
    uint8_t *f;
    unsigned int i;

    start(NULL, NULL, ALL);
    for ( i = 0; i < 17; i++ )
    {
        f = frame(1, 2, 60);
        memcpy(f, group, sizeof(group));
        f[5] = (uint8_t)i;
        CHECK(fate(NULL, f, 60) == (i < 16 ? CL_DROP_NO_TARGET : -1));
    }
    stop();
}

TEST(drops_have_reasons)
{
    const uint8_t far[12] = {1, 0, 0, 0, 0, 0, 90, 0, 9, 0};
    uint8_t *f;

    start(NULL, NULL, ALL);
    CHECK(fate(NULL, frame(9, 2, 60), 60) == CL_DROP_SPOOFED);
    CHECK(fate(NULL, frame(1, 9, 60), 60) == CL_DROP_NO_TARGET);
    f = frame(1, 2, 60);
    f[12] = 0x81;
    CHECK(fate(NULL, f, 60) == CL_DROP_TAGGED);
    f[12] = 0x88;
    f[13] = 0xa8;
    CHECK(fate(NULL, f, 60) == CL_DROP_TAGGED);
    CHECK(fate(NULL, frame(1, 2, 13), 13) == CL_DROP_MALFORMED);
    CHECK(fate(NULL, frame(1, 2, 1515), 1515) == CL_DROP_MALFORMED);
    CHECK(fate(NULL, frame(1, 2, 9019), 9019) == CL_DROP_MALFORMED);
    CHECK(fate(far, frame(1, 2, 100), 100) == CL_DROP_MALFORMED);
    CHECK(zero(&a.port.tx));
    CHECK(fate(far, frame(1, 2, 101), 101) == -1);
    guest_mem_write(&b, 20, 1, 0);
    CHECK(fate(NULL, frame(1, 2, 60), 60) == CL_DROP_RX_DOWN);
    CHECK(a.port.stats.violations == 0);
    stop();
}

TEST(rx_memory_full_loses_only_its_own)
{
    unsigned int i;

    start(NULL, NULL, ALL);
    guest_start(&c, &siom, 3, NULL);
    guest_driver(&c, ALL);
    for ( i = 0; i < 200; i++ ) /* b never posts a buffer */
    {
        guest_fill(&c, 1, 2048);
        guest_offer(&a, NULL, frame(1, 2, 1500), 1500);
        guest_offer(&a, NULL, frame(1, 3, 1500), 1500);
        guest_run(&siom, three, 3);
        CHECK(receive(&c, hdr, got) == 1500);
    }
    CHECK(b.port.stats.drops[CL_DROP_RX_FULL] > 100);
    CHECK(a.port.stats.tx_frames == 400);
    guest_stop(&c);
    stop();
}

TEST(vlans_and_isolation)
{
    const struct cl_siom_config v5 = {.vlan = 5}, alone = {.isolated = true};

    start(&v5, NULL, ALL);
    CHECK(fate(NULL, frame(1, 2, 60), 60) == CL_DROP_NO_TARGET);
    guest_fill(&b, 1, 2048);
    CHECK(fate(NULL, frame(1, 0, 60), 60) == -1);
    CHECK(receive(&b, hdr, got) == -1);
    stop();
    start(&v5, &v5, ALL);
    CHECK(fate(NULL, frame(1, 2, 60), 60) == -1);
    stop();
    start(NULL, &alone, ALL);
    CHECK(fate(NULL, frame(1, 2, 60), 60) == CL_DROP_ISOLATED);
    guest_fill(&b, 1, 2048);
    CHECK(fate(NULL, frame(1, 0, 60), 60) == -1);
    CHECK(receive(&b, hdr, got) == -1);
    stop();
}

TEST(configuration_is_checked)
{
    struct cl_siom_config bad = {.mac = {1}, .mtu = 1500}, ok;
    static struct cl_port port;

    start(NULL, NULL, ALL);
    CHECK(cl_siom_port_add(&siom, &port, &c, &bad) == -22);
    ok = a.port.config;
    ok.mtu = 9001;
    CHECK(cl_siom_port_add(&siom, &port, &c, &ok) == -22);
    ok.mtu = 1500;
    ok.mac[5] = 2;
    CHECK(cl_siom_port_add(&siom, &port, &c, &ok) == -17);
    ok.vlan = 4095;
    CHECK(cl_siom_port_add(&siom, &port, &c, &ok) == -22);
    CHECK(siom.ports == 2);
    ok.vlan = 7;
    CHECK(cl_siom_port_add(&siom, &port, &c, &ok) == 0);
    cl_siom_port_remove(&port);
    CHECK(siom.ports == 2);
    stop();
}

/* ---- Fairness ----------------------------------------------------------- */

/* Keeps c and a (long and short frames) sending to b; who got how much? */
TEST(turns_are_fair_in_bytes)
{
    unsigned int i, j;
    uint64_t na, nc;

    start(NULL, NULL, ALL);
    guest_start(&c, &siom, 3, NULL);
    guest_driver(&c, ALL);
    for ( i = 0; i < 2000; i++ )
    {
        for ( j = 0; j < 16; j++ )
        {
            guest_offer(&a, NULL, frame(1, 2, 1514), 1514);
            guest_offer(&c, NULL, frame(3, 2, 64), 64);
        }
        while ( cl_siom_tx(&a.port, 16) == 16 && j-- )
            ;
        cl_siom_tx(&c.port, 16);
        cl_siom_poll(&siom, 8);
        a.port.virtio.queue[1].last_avail = a.port.virtio.queue[1].seen_avail =
            a.avail[1]; /* the driver's ring goes round: forget the rest */
        c.port.virtio.queue[1].last_avail = c.port.virtio.queue[1].seen_avail =
            c.avail[1];
    }
    na = a.port.stats.tx_bytes;
    nc = c.port.stats.tx_bytes;
    CHECK(na && nc && na < nc + nc / 10 && nc < na + na / 10);
    guest_stop(&c);
    stop();
}

/* Frames to all of n others count n times. */
TEST(broadcasts_are_paid_for)
{
    static struct guest more[6];
    unsigned int i, j;
    uint64_t na;
    uint8_t *f;

    start(NULL, NULL, ALL);
    guest_start(&c, &siom, 3, NULL);
    guest_driver(&c, ALL);
    for ( i = 0; i < 6; i++ )
        guest_start(&more[i], &siom, (uint8_t)(10 + i), NULL);
    for ( i = 0; i < 2000; i++ )
    {
        for ( j = 0; j < 16; j++ )
        {
            f = frame(1, 2, 1000);
            memset(f, 0xff, 6);
            guest_offer(&a, NULL, f, 1000);
            guest_offer(&c, NULL, frame(3, 2, 1000), 1000);
        }
        cl_siom_tx(&a.port, 16);
        cl_siom_tx(&c.port, 16);
        cl_siom_poll(&siom, 8);
        a.port.virtio.queue[1].last_avail = a.port.virtio.queue[1].seen_avail =
            a.avail[1];
        c.port.virtio.queue[1].last_avail = c.port.virtio.queue[1].seen_avail =
            c.avail[1];
    }
    na = a.port.stats.tx_frames * 8;
    CHECK(na && na < c.port.stats.tx_frames * 11 / 10);
    CHECK(na > c.port.stats.tx_frames * 9 / 10);
    for ( i = 0; i < 6; i++ )
        guest_stop(&more[i]);
    guest_stop(&c);
    stop();
}

TEST(rate_cap)
{
    const struct cl_siom_config slow = {.rate = 1000000};
    unsigned int i;

    start(&slow, NULL, ALL);
    for ( i = 0; i < 1000; i++ ) /* one second */
    {
        guest_now += 1000000;
        guest_offer(&a, NULL, frame(1, 2, 1500), 1500);
        cl_siom_tx(&a.port, 32);
        cl_siom_poll(&siom, 32);
        cl_siom_rx_next(&siom, &(unsigned int){0});
        a.port.virtio.queue[1].last_avail = a.port.virtio.queue[1].seen_avail =
            a.avail[1];
    }
    CHECK(a.port.stats.tx_bytes > 980000 && a.port.stats.tx_bytes < 1050000);
    stop();
}

/* ---- Violations --------------------------------------------------------- */

struct violation
{
    const char *what;
    uint32_t addr, len;
    uint16_t flags, next;
};

static bool breaks(const struct violation *v, unsigned int q)
{
    uint32_t ring = GUEST_RING(q);
    uint64_t d[2] = {v->addr, v->len | (uint64_t)v->flags << 32 |
                                  (uint64_t)v->next << 48};
    bool broken;

    guest_driver(&a, ALL);
    memcpy(a.mem + ring, d, 16);
    guest_put16(&a, ring + GUEST_AVAIL + 2, 1);
    if ( q == CL_QUEUE_RX )
    {
        guest_offer(&b, NULL, frame(2, 1, 1000), 1000);
        guest_run(&siom, both, 2);
    }
    cl_siom_tx(&a.port, 32);
    broken = guest_mem_read(&a, 20, 1) & 64;

    return broken && guest_driver(&a, ALL) &&
           fate(NULL, frame(1, 2, 60), 60) == -1;
}

/* Descriptor i of queue q: one byte at 0x8000, and the next one. */
static void byte_desc(unsigned int q, unsigned int i, unsigned int flags)
{
    memcpy(a.mem + GUEST_RING(q) + 16 * i,
           (uint64_t[]){0x8000 + i % 2 * 0x1000,
                        1 | (uint64_t)flags << 32 | (uint64_t)(i + 1) << 48},
           16);
}

/* `entries` chains on queue q, each of all its descriptors. */
static void long_chains(unsigned int q, unsigned int entries)
{
    unsigned int i;

    guest_driver(&a, ALL | 1ull << 17 | 1ull << 18);
    for ( i = 0; i < CL_QUEUE_SIZE; i++ )
        byte_desc(q, i, i + 1 < CL_QUEUE_SIZE);
    for ( i = 0; i < entries; i++ )
        guest_put16(&a, GUEST_RING(q) + GUEST_AVAIL + 4 + 2 * i, 0);
    guest_put16(&a, GUEST_RING(q) + GUEST_AVAIL + 2, (uint16_t)entries);
}

TEST(work_is_bounded_by_pieces_too)
{
    unsigned int calls = 0;

    start(NULL, NULL, ALL);
    long_chains(CL_QUEUE_TX, 64);
    while ( cl_siom_tx(&a.port, 64) == 64 && ++calls < 100 )
    {
        CHECK(a.port.virtio.queue[CL_QUEUE_TX].used_idx == calls);
        cl_siom_poll(&siom, 64);
    }
    CHECK(calls == 63 && !a.port.stats.violations); /* and one for the last */
    CHECK(a.port.virtio.queue[CL_QUEUE_TX].used_idx == 64);
    long_chains(CL_QUEUE_CTRL, 64);
    byte_desc(CL_QUEUE_CTRL, CL_QUEUE_SIZE - 1, 2);
    cl_siom_ctrl(&a.port);
    CHECK(a.port.stats.violations == 1);
    CHECK(a.port.virtio.queue[CL_QUEUE_CTRL].used_idx == 4);
    stop();
}

/* Room for nothing, in many pieces: it is waited for, not looked at again. */
TEST(empty_buffers_are_no_work)
{
    unsigned int i, from = 0;

    start(NULL, NULL, ALL);
    for ( i = 0; i < CL_QUEUE_SIZE; i++ )
        memcpy(a.mem + GUEST_RING(CL_QUEUE_RX) + 16 * i,
               (uint64_t[]){0x8000, (i + 1 < CL_QUEUE_SIZE ? 3ull : 2ull) << 32 |
                                        (uint64_t)(i + 1) << 48},
               16);
    guest_put16(&a, GUEST_RING(CL_QUEUE_RX) + GUEST_AVAIL + 4, 0);
    guest_put16(&a, GUEST_RING(CL_QUEUE_RX) + GUEST_AVAIL + 2, 1);
    guest_offer(&b, NULL, frame(2, 0, 100), 100);
    cl_siom_tx(&b.port, 64);
    cl_siom_poll(&siom, 64);
    CHECK(cl_siom_rx_next(&siom, &from) == &a.port);
    CHECK(cl_siom_rx(&a.port, 64) == 0);
    CHECK(!cl_siom_rx_next(&siom, &from) && !a.port.stats.violations);
    stop();
}

TEST(violations_need_a_reset_and_get_one)
{
    static const struct violation tx[] = {
        {"device-writable", 0x8000, 100, 2, 0},
        {"indirect", 0x8000, 16, 4, 0},
        {"circle", 0x8000, 10, 1, 0},
        {"next too large", 0x8000, 10, 1, 256},
        {"no memory there", GUEST_BYTES, 100, 0, 0},
        {"no header", 0x8000, 11, 0, 0},
        {"nothing at all", 0x8000, 0, 0, 0},
    };
    static const struct violation rx[] = {
        {"not device-writable", 0x8000, 2000, 0, 0},
        {"no memory there", GUEST_BYTES - 100, 2000, 2, 0},
        {"circle", 0x8000, 1, 3, 0},
    };
    unsigned int i;

    start(NULL, NULL, ALL);
    for ( i = 0; i < sizeof(tx) / sizeof(tx[0]); i++ )
        CHECK(breaks(&tx[i], CL_QUEUE_TX));
    for ( i = 0; i < sizeof(rx) / sizeof(rx[0]); i++ )
        CHECK(breaks(&rx[i], CL_QUEUE_RX));

    guest_driver(&a, ALL);
    guest_put16(&a, GUEST_RING(1) + GUEST_AVAIL + 2, 300); /* too many */
    cl_siom_tx(&a.port, 32);
    CHECK(guest_mem_read(&a, 20, 1) & 64);
    guest_driver(&a, ALL);
    guest_put16(&a, GUEST_RING(1) + GUEST_AVAIL + 4, 256); /* head too large */
    guest_put16(&a, GUEST_RING(1) + GUEST_AVAIL + 2, 1);
    cl_siom_tx(&a.port, 32);
    CHECK(guest_mem_read(&a, 20, 1) & 64);
    CHECK(a.port.stats.violations == 12);
    stop();
}

TEST(pages_go_back_when_the_memory_map_changes)
{
    start(NULL, NULL, ALL);
    guest_fill(&b, 1, 2048);
    guest_offer(&a, NULL, frame(1, 2, 100), 100);
    guest_run(&siom, both, 2);
    CHECK(a.held > 0);
    a.generation++;
    guest_cfg_write(&a, 8, 4, 3); /* no bus master: no access at all */
    cl_siom_tx(&a.port, 32);
    CHECK(a.held == 0);
    guest_offer(&a, NULL, frame(1, 2, 100), 100);
    CHECK(cl_siom_tx(&a.port, 32) == 0 && a.held == 0);
    stop();
}

TEST(saved_state_goes_on_in_another_port)
{
    struct cl_siom_saved saved;
    struct cl_siom_config config;
    unsigned int used;

    start(NULL, NULL, ALL);
    guest_fill(&b, 8, 2048);
    guest_offer(&a, NULL, frame(1, 2, 100), 100);
    guest_run(&siom, both, 2);
    guest_cfg_write(&b, 8, 0x14, 0xe0000000);
    cl_siom_save(&b.port, &saved);

    /* Another host: the same memory, a port as new. */
    cl_siom_saved_config(&saved, &config);
    CHECK(!memcmp(config.mac, b.port.config.mac, sizeof(config.mac)) &&
          config.vlan == b.port.config.vlan &&
          config.mtu == b.port.config.mtu &&
          config.isolated == b.port.config.isolated &&
          config.rate == b.port.config.rate);
    cl_siom_port_remove(&b.port);
    used = b.port.virtio.queue[CL_QUEUE_RX].used_idx;
    CHECK(used == 0 && !b.held);
    memset(&b.port.stats, 0, sizeof(b.port.stats));
    CHECK(!cl_siom_port_add(&siom, &b.port, &b, &config));
    CHECK(!cl_siom_load(&b.port, &saved));
    CHECK(cl_siom_mem_base(&b.port) == 0xe0000000);
    CHECK(receive(&b, hdr, got) == 100);
    guest_offer(&a, NULL, frame(1, 2, 200), 200);
    guest_run(&siom, both, 2);
    CHECK(receive(&b, hdr, got) == 200);
    CHECK(b.msis == 2 && b.port.stats.violations == 0);
    stop();
}

/* "Do not tell me of buffers" stands in the guest's memory, and is saved. */
TEST(saved_state_asks_for_buffers_again)
{
    struct cl_siom_saved saved;
    const uint8_t *flags;
    struct cl_siom_config config;

    start(NULL, NULL, ALL & ~F_EVENT);
    flags = b.mem + GUEST_RING(CL_QUEUE_RX) + GUEST_USED;
    guest_fill(&b, 1, 2048);
    guest_offer(&a, NULL, frame(1, 2, 100), 100);
    guest_run(&siom, both, 2);
    CHECK(*flags == 1);

    cl_siom_save(&b.port, &saved);
    cl_siom_saved_config(&saved, &config);
    cl_siom_port_remove(&b.port);
    CHECK(!cl_siom_port_add(&siom, &b.port, &b, &config));
    CHECK(!cl_siom_load(&b.port, &saved));
    guest_offer(&a, NULL, frame(1, 2, 100), 100);
    guest_run(&siom, both, 2);
    CHECK(*flags == 0);
    stop();
}

TEST(saved_while_polled_rings_again)
{
    struct cl_siom_saved saved;
    struct cl_siom_config config;
    const uint8_t *flags;

    start(NULL, NULL, F_V1);
    flags = a.mem + GUEST_RING(CL_QUEUE_TX) + GUEST_USED;
    CHECK(cl_siom_tx_quiet(&a.port, true) && *flags == 1);
    cl_siom_save(&a.port, &saved);
    cl_siom_saved_config(&saved, &config);
    cl_siom_port_remove(&a.port);
    CHECK(!cl_siom_port_add(&siom, &a.port, &a, &config));
    CHECK(!cl_siom_load(&a.port, &saved));
    guest_run(&siom, both, 2);
    CHECK(*flags == 0);
    stop();
}

TEST(impossible_saved_state_is_refused)
{
    struct cl_siom_saved saved, bad;
    struct cl_port before;

    start(NULL, NULL, ALL);
    cl_siom_save(&b.port, &saved);
    before = b.port;
#define REFUSED(change)                                                       \
    (bad = saved, (change),                                                   \
     cl_siom_load(&b.port, &bad) == -22 &&                                    \
         !memcmp(&before, &b.port, sizeof(before)))
    CHECK(REFUSED(bad.revision = 2));
    CHECK(REFUSED(bad.features |= 1ull << 60));
    CHECK(REFUSED(bad.status &= ~8));
    CHECK(REFUSED(bad.config_vector = 9));
    CHECK(REFUSED(bad.queue[1].size = 512));
    CHECK(REFUSED(bad.queue[1].size = 3));
    CHECK(REFUSED(bad.queue[2].desc = 8));
    CHECK(REFUSED(bad.queue[0].vector = 4));
#undef REFUSED
    bad = saved;
    bad.cfg[1][0] = 0x12345678; /* what no guest can change stays */
    CHECK(!cl_siom_load(&b.port, &bad));
    CHECK(guest_cfg_read(&b, 8, 0) == 0x10411af4);
    stop();
}
