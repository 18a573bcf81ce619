/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames from the wire, and a NIC that is hostile: its descriptors and rings,
 * what its registers and its configuration space read, frames that it cuts or
 * claims to be longer.  On the other side two guests, each in a VLAN of its
 * own, that behave.  The first byte picks the device (model_nic.h).
 *
 *   memory     after each step: nothing was written to either guest but to used
 *              rings and posted buffers
 *   frames     the driver gives out no more than asked for, 14 to CL_NIC_FRAME
 *              bytes long and in its buffers, and gets back what it gave; it
 *              takes no more than it said, of lengths that there are
 *   counters   are those of what was given out and taken (received ones of a
 *              hostile device no less)
 *   bounds     no poll makes more accesses than some
 *   receivers  a guest gets what is for it or for all, of its VLAN alone
 *   wire       while the device is honest, DMA is to the pool alone, and only
 *              frames of the two guests go out
 *   after all  a device that behaves again comes up, and passes frames
 *
 * Sources: nic/*.c siom/*.c /tests/unit/model_guest.c /tests/unit/watch_guest.c
 * Sources: /tests/unit/model_nic.c
 * Runs: 600
 */
#include "input.h"

#include "model_nic.h"
#include "watch_guest.h"

#define FEATURES (1ull << 32 | 1ull << 15)
#define BURST    64u
#define ACCESSES 4096u /* of one poll, whatever the device says */
#define RINGS    16384u
#define WIRE     0x99

static struct cl_siom siom;
static struct model_nic m;
static struct cl_nic_ops ops;
static const struct cl_nic_ops *driver;
static struct guest a, b;
static struct guest *const both[] = {&a, &b};
static const uint16_t vlans[] = {0, 7};
static struct watch watch[2];
static struct input in;
static bool tampered; /* the device is not what the model makes of it */
static uint8_t cfg[256];

/* ---- Between the driver and the engine -------------------------------- */

static struct cl_nic_stats seen; /* what passed here */
static unsigned int out, room;   /* frames not given back; to be taken */

static void *in_pool(const void *p, uint32_t len)
{
    const uint8_t *at = p;

    MUST(at >= m.pool + RINGS && at + len <= m.pool + driver->pool_size);

    return (void *)(uintptr_t)p;
}

static unsigned int rx_burst(struct cl_nic *nic, struct cl_nic_rx *f,
                             unsigned int n)
{
    unsigned int got = driver->rx_burst(nic, f, n), i;

    MUST(got <= n);
    for ( i = 0; i < got; i++ )
    {
        MUST(f[i].len >= 14 && f[i].len <= CL_NIC_FRAME);
        in_pool(f[i].data, f[i].len);
        seen.rx_bytes += f[i].len;
    }
    seen.rx_frames += got;
    out += got;

    return got;
}

static void rx_refill(struct cl_nic *nic, unsigned int n)
{
    MUST(n <= out);
    out -= n;
    driver->rx_refill(nic, n);
}

static unsigned int tx_reap(struct cl_nic *nic)
{
    room = driver->tx_reap(nic);
    MUST(room <= 256);

    return room;
}

static void *tx_buffer(struct cl_nic *nic)
{
    return in_pool(driver->tx_buffer(nic), CL_NIC_FRAME);
}

static void tx_queue(struct cl_nic *nic, unsigned int len)
{
    MUST(room-- > 0 && len >= 14 && len <= CL_NIC_FRAME);
    seen.tx_frames++;
    seen.tx_bytes += len;
    driver->tx_queue(nic, len);
}

/* ---- What must hold --------------------------------------------------- */

static void check_counters(void)
{
    struct cl_nic_stats s;

    driver->stats(&m.nic, &s);
    /* The driver also counts those that it throws away with a reset. */
    MUST(s.rx_frames >= seen.rx_frames && s.rx_bytes >= seen.rx_bytes);
    MUST(tampered ||
         (s.rx_frames == seen.rx_frames && s.rx_bytes == seen.rx_bytes));
    MUST(s.tx_frames == seen.tx_frames && s.tx_bytes == seen.tx_bytes);
    MUST(siom.unclaimed.rx_frames + siom.unclaimed.rx_errors <=
         seen.rx_frames);
    MUST(a.port.stats.rx_frames + b.port.stats.rx_frames <=
         seen.rx_frames + a.port.stats.tx_frames + b.port.stats.tx_frames);
    MUST(!out);
    MUST(tampered || !m.violations);
}

/* What guest i has received: to it, or to all, and from its VLAN. */
static void drain(unsigned int i)
{
    struct guest *g = both[i];
    uint32_t len;
    int d;

    while ( (d = guest_used(g, CL_QUEUE_RX, &len)) >= 0 )
    {
        const uint8_t *f = g->mem + guest_desc_addr(g, CL_QUEUE_RX, d) + 12;

        MUST(len >= 12 + 14 && len <= 12 + CL_NIC_FRAME);
        if ( tampered )
            continue;
        MUST((f[0] & 1) || f[5] == i + 1);
        MUST(f[11] != WIRE || len < 12 + 15 || f[14] == i);
    }
    while ( guest_used(g, CL_QUEUE_TX, &len) >= 0 )
        ;
}

/* ---- Steps ------------------------------------------------------------ */

static void work(uint8_t budget)
{
    unsigned int from = 0, before = m.accesses, i;
    struct cl_port *port;

    for ( i = 0; i < 2; i++ )
        watch_look(&watch[i], both[i]);
    for ( i = 0; i < 2; i++ )
        cl_siom_tx(&both[i]->port, budget % BURST + 1);
    MUST(cl_siom_poll(&siom, budget % BURST + 1) <= 2 * BURST);
    MUST(m.accesses - before <= ACCESSES);
    while ( (port = cl_siom_rx_next(&siom, &from)) != NULL )
        cl_siom_rx(port, BURST);
    for ( i = 0; i < 2; i++ )
        MUST(watch[i].apart && watch_clean(&watch[i]));
}

/* To guest 1 or 2, to all, or to nobody; from a third, tagged or not. */
static uint32_t wire_frame(uint8_t f[2048], uint8_t what)
{
    static const uint8_t tag[] = {0x81, 0, 0, 7};
    uint32_t at = 12, len = take32(&in) % (CL_NIC_FRAME + 13);

    memset(f, 0, 2048);
    f[0] = what & 4 ? 0xff : 2;
    f[5] = what & 3;
    f[6] = 2;
    f[11] = WIRE;
    if ( what & 8 )
    {
        memcpy(f + at, tag, sizeof(tag));
        at += sizeof(tag);
    }
    f[at] = 8;
    f[at + 2] = what & 8 ? 1 : 0;
    take(&in, f + at + 3, what >> 4);

    return len;
}

/* What is written back may be untrue; an honest NIC has no runts either. */
static void wire(uint8_t what)
{
    uint8_t f[2048], how = take8(&in);
    uint32_t len = wire_frame(f, what), said;

    if ( !(how & 1) )
    {
        model_nic_rx(&m, f, len < 18 ? 18 : len);
        return;
    }
    said = take32(&in) & 0xffff;
    model_nic_rx_raw(&m, f, len, said, how & 2, how & 4);
    tampered |= said > len; /* the rest is of a frame before */
}

static void tamper_pool(void)
{
    uint32_t at = take32(&in);
    uint8_t len = take8(&in) % 32 + 1;

    at %= at >> 31 ? driver->pool_size - 32 : RINGS - 32;
    take(&in, m.pool + at, len);
    tampered = true;
}

/* Registers other than rings', and what tells where the registers are. */
static void tamper_registers(uint8_t what)
{
    uint32_t at = take32(&in), value = take32(&in);

    if ( what & 0x80 )
        m.cfg[at % sizeof(m.cfg)] = (uint8_t)value;
    else if ( m.kind == MODEL_VIRTIO )
        m.reg[at % 0x3000 / 4] = value;
    else
        m.reg[(at % 0x2000 + (at >> 31 ? 0x4000 : 0)) / 4] = value;
    tampered = true;
}

static void faults(void)
{
    m.faults = take32(&in) & 0x7ff;
    /* It forgets, or invents, buffers: then its frames are not what they are. */
    tampered |= m.faults & (NF_NO_RESET | NF_FOREIGN | NF_NO_IOMMU);
}

/* A frame of a guest, sometimes not from its own address, or tagged. */
static void send(uint8_t what)
{
    struct guest *g = both[what >> 4 & 1];
    uint8_t f[1600] = {2};
    uint32_t len = take32(&in) % sizeof(f);

    take(&in, f + 12, what >> 5);
    f[0] = what & 0x40 ? 0xff : 2;
    f[5] = take8(&in) & 3;
    f[6] = 2;
    f[11] = (uint8_t)(what & 0x80 ? WIRE : 1 + (what >> 4 & 1));
    guest_offer(g, NULL, f, len < 14 ? 14 : len);
}

static void sent(void)
{
    uint8_t f[2048];
    uint32_t len = model_nic_tx(&m, f, sizeof(f));

    if ( !len || tampered )
        return;
    MUST(len >= 14 && len <= CL_NIC_FRAME);
    MUST(f[6] == 2 && (f[11] == 1 || f[11] == 2));
    MUST((f[11] == 2) == (f[12] == 0x81 && f[13] == 0 && f[15] == 7));
}

static void step(void)
{
    uint8_t what = take8(&in);

    switch ( what & 15 )
    {
    case 0: tamper_pool(); break;
    case 1: tamper_registers(what); break;
    case 2: faults(); break;
    case 3: m.nic.ops->reset(&m.nic); break;
    case 4: m.nic.ops->set_irq(&m.nic, what & 16); break;
    case 5:
    case 6: send(what); break;
    case 7: sent(); break;
    case 8: guest_fill(both[what >> 4 & 1], what >> 5, 2048); break;
    case 9:
        m.now += 1ull << (what >> 4) << take8(&in) % 8;
        guest_now = m.now * 1000;
        break;
    case 10:
    case 11: work(take8(&in)); break;
    default: wire(take8(&in)); break;
    }
    drain(0);
    drain(1);
    check_counters();
}

/* ---- From the beginning to the end ------------------------------------ */

static void plug(unsigned int i)
{
    struct cl_siom_config c = {.vlan = vlans[i]};
    struct guest *g = both[i];

    if ( !g->mem )
    {
        g->mem = aligned_alloc(4096, GUEST_BYTES);
        g->port.tx.base = aligned_alloc(64, GUEST_RINGS);
        g->port.rx.base = aligned_alloc(64, GUEST_RINGS);
    }
    MUST(guest_plug(g, &siom, (uint8_t)(i + 1), &c));
    MUST(guest_driver(g, FEATURES));
    guest_fill(g, 8, 2048);
}

static void begin(enum model_kind kind)
{
    static uint8_t *pool;

    MUST(model_nic_init_in(&m, kind, pool));
    pool = m.pool;
    memcpy(cfg, m.cfg, sizeof(cfg));
    driver = m.nic.ops;
    ops = *driver;
    ops.rx_burst = rx_burst;
    ops.rx_refill = rx_refill;
    ops.tx_reap = tx_reap;
    ops.tx_buffer = tx_buffer;
    ops.tx_queue = tx_queue;
    m.nic.ops = &ops;
    memset(&seen, 0, sizeof(seen));
    memset(&siom, 0, sizeof(siom));
    out = room = 0;
    tampered = false;
    MUST(!m.nic.ops->reset(&m.nic));
    cl_siom_init(&siom, &guest_platform, &m.nic, 0);
    plug(0);
    plug(1);
    MUST(model_nic_until(&m, CL_NIC_UP, 100));
}

/* A frame of guest 1 goes out as it is; others may come before it. */
static void sends(void)
{
    uint8_t f[64] = {2, 0, 0, 0, 0, 77, 2, 0, 0, 0, 0, 1, 8, 6}, got[2048];
    unsigned int i;
    uint32_t len = 0;

    guest_offer(&a, NULL, f, sizeof(f));
    for ( i = 0; i < 1000; i++ )
    {
        work(BURST - 1);
        drain(0);
        while ( (len = model_nic_tx(&m, got, sizeof(got))) != 0 )
            if ( len == sizeof(f) && !memcmp(f, got, len) )
                return;
    }
    MUST(false);
}

static void receives(void)
{
    uint8_t f[64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 77, 8, 6};
    unsigned int i;
    uint32_t len;
    int d;

    for ( i = 0; i < 1000; i++ )
    {
        (void)model_nic_rx(&m, f, sizeof(f));
        guest_fill(&a, 4, 2048);
        cl_siom_rx(&a.port, BURST); /* it rings */
        work(BURST - 1);
        while ( (d = guest_used(&a, CL_QUEUE_RX, &len)) >= 0 )
            if ( !memcmp(a.mem + guest_desc_addr(&a, 0, d) + 12, f,
                         sizeof(f)) )
                return;
    }
    MUST(false);
}

static void end(void)
{
    m.faults = 0;
    memcpy(m.cfg, cfg, sizeof(cfg));
    memset(m.reg, 0, sizeof(m.reg));
    MUST(!m.nic.ops->reset(&m.nic));
    MUST(model_nic_until(&m, CL_NIC_UP, 100));
    m.violations = 0;
    receives();
    sends();
    MUST(!m.violations);
    guest_unplug(&a);
    guest_unplug(&b);
    MUST(!a.held && !b.held);
    free(m.priv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned int steps;

    in = (struct input){data, size};
    begin(take8(&in) % MODEL_KINDS);
    for ( steps = 0; in.left && steps < 400; steps++ )
        step();
    end();

    return 0;
}
