/* SPDX-License-Identifier: BSD-2-Clause */
/* Secure I/O management with a faked NIC: the device side. */

#include <string.h>

#include "model_guest.h"
#include "test.h"

#define F_V1 (1ull << 32)
#define F_CSUM (1ull << 0)

static struct cl_siom siom;
static struct guest a, b;
static struct guest *const both[] = {&a, &b};

/* ---- The NIC -------------------------------------------------------------
 */

static struct
{
    enum cl_nic_state state;
    struct cl_nic_rx in[64];
    unsigned int ins, taken, refilled;
    uint8_t out[64][CL_NIC_FRAME];
    unsigned int len[64], outs, room, kicks;
    unsigned int filters; /* set and not taken back */
} dev;

static enum cl_nic_state nic_poll(struct cl_nic *nic)
{
    (void)nic;

    return dev.state;
}

static unsigned int nic_rx_burst(struct cl_nic *nic, struct cl_nic_rx *f,
                                 unsigned int n)
{
    (void)nic;
    n = n < dev.ins - dev.taken ? n : dev.ins - dev.taken;
    memcpy(f, dev.in + dev.taken, n * sizeof(*f));
    dev.taken += n;

    return n;
}

static void nic_rx_refill(struct cl_nic *nic, unsigned int n)
{
    (void)nic;
    dev.refilled += n;
}

static unsigned int nic_tx_reap(struct cl_nic *nic)
{
    (void)nic;

    return dev.room;
}

static void *nic_tx_buffer(struct cl_nic *nic)
{
    (void)nic;

    return dev.out[dev.outs];
}

static void nic_tx_queue(struct cl_nic *nic, unsigned int len)
{
    (void)nic;
    dev.len[dev.outs++] = len;
    dev.room--;
}

static void nic_tx_kick(struct cl_nic *nic)
{
    (void)nic;
    dev.kicks++;
}

static void nic_set_filter(struct cl_nic *nic, const uint8_t mac[6], bool on)
{
    (void)nic;
    (void)mac;
    dev.filters += on ? 1 : -1u;
}

static const struct cl_nic_ops ops = {
    .name = "fake",
    .poll = nic_poll,
    .rx_burst = nic_rx_burst,
    .rx_refill = nic_rx_refill,
    .tx_reap = nic_tx_reap,
    .tx_buffer = nic_tx_buffer,
    .tx_queue = nic_tx_queue,
    .tx_kick = nic_tx_kick,
    .set_filter = nic_set_filter,
};
static struct cl_nic nic = {.ops = &ops};

static void start(const struct cl_siom_config *ca, uint16_t uplink)
{
    memset(&dev, 0, sizeof(dev));
    dev.state = CL_NIC_UP;
    dev.room = 60;
    memset(&siom, 0, sizeof(siom));
    cl_siom_init(&siom, &guest_platform, &nic, uplink);
    guest_start(&a, &siom, 1, ca);
    guest_start(&b, &siom, 2, NULL);
    guest_driver(&a, F_V1 | F_CSUM);
    guest_driver(&b, F_V1 | F_CSUM);
    guest_fill(&a, 16, 2048);
    guest_fill(&b, 16, 2048);
}

static void stop(void)
{
    guest_stop(&a);
    guest_stop(&b);
}

/* A frame from MAC `from` to `to`; 0: broadcast. */
static uint8_t *frame(uint8_t from, uint8_t to)
{
    static uint8_t f[2][1600];
    static unsigned int turn;
    uint8_t *p = f[turn++ % 2];
    unsigned int i;

    for ( i = 0; i < 1600; i++ )
        p[i] = (uint8_t)(i * 5 + from);
    memset(p, to ? 0 : 0xff, 6);
    memset(p + 6, 0, 6);
    if ( to )
        p[0] = 2;
    if ( to )
        p[5] = to;
    p[6] = 2;
    p[11] = from;
    p[12] = 8;
    p[13] = 0;

    return p;
}

static void arrives(const void *data, uint32_t len, uint16_t vlan)
{
    dev.in[dev.ins++] =
        (struct cl_nic_rx){.data = data, .len = len, .vlan = vlan};
    guest_run(&siom, both, 2);
}

/* ---- In ------------------------------------------------------------------
 */

TEST(in_by_address)
{
    uint8_t *f = frame(9, 2);

    start(NULL, 0);
    arrives(f, 100, 0);
    CHECK(b.port.stats.rx_frames == 1 && a.port.stats.rx_frames == 0);
    CHECK(!memcmp(b.mem + GUEST_BUFFERS + 12, f, 100));
    arrives(frame(9, 0), 60, 0);
    CHECK(b.port.stats.rx_frames == 2 && a.port.stats.rx_frames == 1);
    arrives(frame(9, 7), 60, 0);
    CHECK(siom.unclaimed.rx_frames == 1);
    CHECK(dev.refilled == 3);
    stop();
}

TEST(in_by_vlan)
{
    const struct cl_siom_config v5 = {.vlan = 5};
    uint8_t tagged[104], *f = frame(9, 1);

    memcpy(tagged, f, 12);
    memcpy(tagged + 12, (uint8_t[]){0x81, 0, 0xe0, 5}, 4); /* priority 7 */
    memcpy(tagged + 16, f + 12, 88);
    start(&v5, 0);
    arrives(tagged, 104, 0);
    CHECK(a.port.stats.rx_frames == 1 && a.port.stats.rx_bytes == 100);
    CHECK(!memcmp(a.mem + GUEST_BUFFERS + 12, f, 100));
    arrives(f, 100, 5); /* the NIC took the tag out */
    CHECK(a.port.stats.rx_frames == 2);
    arrives(f, 100, 0);
    arrives(f, 100, 6);
    CHECK(a.port.stats.rx_frames == 2 && siom.unclaimed.rx_frames == 2);
    arrives(frame(9, 0), 60, 5);
    CHECK(a.port.stats.rx_frames == 3 && b.port.stats.rx_frames == 0);
    stop();
}

TEST(in_impossible)
{
    start(NULL, 0);
    arrives(frame(9, 1), 13, 0);
    arrives(frame(9, 1), CL_NIC_FRAME + 1, 0);
    arrives(frame(9, 1), 0xffffffff, 0);
    CHECK(siom.unclaimed.rx_errors == 3 && a.port.stats.rx_frames == 0);
    CHECK(dev.refilled == 3);
    arrives(frame(9, 1), 14, 0);
    CHECK(a.port.stats.rx_frames == 1);
    dev.state = CL_NIC_RESETTING;
    arrives(frame(9, 1), 60, 0);
    CHECK(a.port.stats.rx_frames == 1);
    dev.state = CL_NIC_UP;
    guest_run(&siom, both, 2);
    CHECK(a.port.stats.rx_frames == 2);
    stop();
}

/* ---- Out -----------------------------------------------------------------
 */

TEST(out_to_others_only)
{
    uint8_t *f = frame(1, 9);

    start(NULL, 0);
    guest_offer(&a, NULL, f, 100);
    guest_run(&siom, both, 2);
    CHECK(dev.outs == 1 && dev.len[0] == 100 && dev.kicks == 1);
    CHECK(!memcmp(dev.out[0], f, 100));
    guest_offer(&a, NULL, frame(1, 2), 100);
    guest_run(&siom, both, 2);
    CHECK(dev.outs == 1 && b.port.stats.rx_frames == 1);
    guest_offer(&a, NULL, frame(1, 0), 100);
    guest_run(&siom, both, 2);
    CHECK(dev.outs == 2 && b.port.stats.rx_frames == 2);
    CHECK(dev.filters == 2);
    stop();
    CHECK(dev.filters == 0);
}

TEST(out_with_tag_and_checksum)
{
    const uint8_t request[12] = {1, 0, 0, 0, 0, 0, 34, 0, 16, 0};
    const struct cl_siom_config v5 = {.vlan = 5};
    uint8_t *f = frame(1, 9), *out;
    uint32_t sum = 0, i, first;

    start(&v5, 3);
    guest_offer(&a, request, f, 100);
    guest_offer(&b, NULL, frame(2, 9), 100);
    guest_run(&siom, both, 2);
    first = dev.out[0][11] == 1 ? 0 : 1; /* of a */
    out = dev.out[first];
    CHECK(dev.outs == 2 && dev.len[first] == 104);
    CHECK(!memcmp(out + 12, (uint8_t[]){0x81, 0, 0, 5, 8, 0}, 6));
    CHECK(!memcmp(out + 38, f + 34, 16));
    for ( i = 34; i < 100; i += 2 ) /* with the sum in place of the old */
        sum += (uint32_t)f[i] << 8 | f[i + 1];
    while ( sum >> 16 )
        sum = (sum & 0xffff) + (sum >> 16);
    CHECK((uint32_t)(out[54] << 8 | out[55]) == (~sum & 0xffff));
    CHECK(dev.out[!first][15] == 3); /* the uplink's own VLAN */
    stop();
}

TEST(out_has_to_wait_or_is_dropped)
{
    const struct cl_siom_config jumbo = {.mtu = 9000};
    unsigned int i;

    start(&jumbo, 0);
    dev.room = 3;
    for ( i = 0; i < 5; i++ )
        guest_offer(&a, NULL, frame(1, 9), 100);
    guest_run(&siom, both, 2);
    CHECK(dev.outs == 3 && a.port.stats.tx_frames == 3);
    guest_offer(&b, NULL, frame(2, 1), 100); /* others go on */
    guest_run(&siom, both, 2);
    CHECK(a.port.stats.rx_frames == 1);
    dev.room = 20;
    guest_run(&siom, both, 2);
    CHECK(dev.outs == 5);
    guest_offer(&a, NULL, frame(1, 9), 1519);
    guest_run(&siom, both, 2);
    CHECK(a.port.stats.drops[CL_DROP_TOO_LONG] == 1);
    dev.state = CL_NIC_DOWN;
    guest_offer(&a, NULL, frame(1, 9), 100);
    guest_offer(&a, NULL, frame(1, 2), 100);
    guest_run(&siom, both, 2);
    CHECK(a.port.stats.drops[CL_DROP_LINK] == 1);
    CHECK(b.port.stats.rx_frames == 1 && dev.outs == 5);
    stop();
}
