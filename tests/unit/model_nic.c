/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "model_nic.h"

/* Written from the specifications, not from the drivers' headers. */
#define RING 256u

#define DEVICE_OF(kind)                                                       \
    ((const uint16_t[]){0x10d3, 0x15b8, 0x10c9, 0x1041}[kind])

static bool intel(const struct model_nic *m)
{
    return m->kind != MODEL_VIRTIO;
}

static bool igb(const struct model_nic *m)
{
    return m->kind == MODEL_IGB;
}

static void *dma(struct model_nic *m, uint64_t iova, uint32_t len)
{
    if ( iova < MODEL_IOVA || len > m->nic.ops->pool_size ||
         iova - MODEL_IOVA > m->nic.ops->pool_size - len )
    {
        m->violations++;
        return NULL;
    }
    return m->pool + (iova - MODEL_IOVA);
}

static uint32_t *reg(struct model_nic *m, uint32_t off)
{
    return &m->reg[off / 4];
}

static uint32_t rxq(const struct model_nic *m)
{
    return igb(m) ? 0xc000 : 0x2800;
}

static uint32_t txq(const struct model_nic *m)
{
    return igb(m) ? 0xe000 : 0x3800;
}

/* ---- Intel registers -------------------------------------------------- */

static void intel_defaults(struct model_nic *m)
{
    memset(m->reg, 0, sizeof(m->reg));
    *reg(m, 0x10) = 1u << 9; /* NVM is read */
    m->rx_head = m->tx_head = 0;
    if ( m->faults & NF_NO_MAC )
        return;
    *reg(m, 0x5400) = 0x12005452;
    *reg(m, 0x5404) = 0x80005634;
}

static uint32_t intel_read(struct model_nic *m, uint32_t off)
{
    uint32_t value = *reg(m, off);

    switch ( off )
    {
    case 0x08: /* STATUS: link, if it was set up */
        return (*reg(m, 0) & 1u << 6) &&
                       !(m->faults & (NF_NO_LINK | NF_ASLEEP))
                   ? 2
                   : 0;
    case 0xc0: /* ICR is cleared by reading */
        *reg(m, off) = 0;
        return value;
    case 0x4010:
        value = m->missed;
        m->missed = 0;
        return value;
    }
    if ( (off == rxq(m) + 0x28 || off == txq(m) + 0x28) && igb(m) &&
         (m->faults & NF_NO_ENABLE) )
        return value & ~(1u << 25);
    return value;
}

static void intel_write(struct model_nic *m, uint32_t off, uint32_t value)
{
    switch ( off )
    {
    case 0x00:
        if ( !(value & 1u << 26) )
            break;
        if ( m->faults & NF_NO_RESET )
        {
            memset(m->reg, 0xff, sizeof(m->reg));
            return;
        }
        intel_defaults(m);
        return;
    case 0x20: /* MDIC: PHY 1's control register, restart negotiation */
        if ( (value >> 16 & 0xfff) == 0x420 && (value & 0x1200) == 0x1200 )
            m->faults &= ~NF_ASLEEP;
        return;
    case 0xd0:
        *reg(m, 0xd0) |= value;
        return;
    case 0xd8:
        *reg(m, 0xd0) &= ~value;
        return;
    }
    *reg(m, off) = value;
}

/* ---- virtio registers ------------------------------------------------- */

static const uint8_t virtio_mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

static uint32_t virtio_read(struct model_nic *m, uint32_t off)
{
    uint64_t offers = 1ull << 5 | 1ull << 16 | 1ull << 32 |
                      (m->faults & NF_NO_IOMMU ? 0 : 1ull << 33);

    switch ( off )
    {
    case 0x04:
        return *reg(m, 0) == 1 ? offers >> 32 : (uint32_t)offers;
    case 0x14:
        return m->faults & NF_NO_RESET && !m->status ? 0x80 : m->status;
    case 0x18:
        return m->select < 2 ? RING : 0;
    case 0x1e:
        return m->select;
    }
    if ( off >= 0x2000 && off < 0x2006 )
        return virtio_mac[off - 0x2000];
    if ( off == 0x2006 )
        return !(m->faults & NF_NO_LINK);
    return *reg(m, off);
}

static void virtio_status(struct model_nic *m, uint32_t value)
{
    if ( (value & 8) && (m->faults & NF_NO_ENABLE) )
        value &= ~8u;
    m->status = value;
    if ( value )
        return;
    m->rx_head = m->tx_head = 0;
    memset(m->queue, 0, sizeof(m->queue));
}

static void virtio_write(struct model_nic *m, uint32_t off, uint32_t value)
{
    if ( off == 0x14 )
        virtio_status(m, value);
    else if ( off == 0x16 )
        m->select = value;
    else if ( off >= 0x20 && off < 0x38 && m->select < 2 )
    {
        uint64_t *q = &m->queue[m->select][(off - 0x20) / 8];

        *q = off % 8 ? (*q & 0xffffffff) | (uint64_t)value << 32
                     : (*q & ~0xffffffffull) | value;
    }
    else
        *reg(m, off & ~3u) = value;
}

/* One capability for each kind of register, all in BAR 4. */
static void virtio_capabilities(struct model_nic *m)
{
    static const uint32_t cap[][3] = {
        {1, 0x0000, 0x38}, {2, 0x1000, 0x100}, {4, 0x2000, 0x100}};
    unsigned int i, pos = 0x40;

    m->cfg[0x34] = pos;
    for ( i = 0; i < 3; i++, pos += 0x20 )
    {
        m->cfg[pos] = 9;
        m->cfg[pos + 1] = i < 2 ? pos + 0x20 : 0;
        m->cfg[pos + 3] = cap[i][0];
        m->cfg[pos + 4] = 4;
        memcpy(&m->cfg[pos + 8], &cap[i][1], 4);
        memcpy(&m->cfg[pos + 12], &cap[i][2], 4);
        m->cfg[pos + 16] = 4;
    }
}

/* ---- Platform --------------------------------------------------------- */

static uint32_t p_read(void *ctx, unsigned int bar, uint32_t off,
                       unsigned int size)
{
    struct model_nic *m = ctx;

    m->accesses++;
    if ( bar != (intel(m) ? 0u : 4u) || off + size > MODEL_REGS )
    {
        m->violations++;
        return 0;
    }
    if ( m->faults & NF_ABSENT )
        return size == 4 ? 0xffffffff : (1u << 8 * size) - 1;
    return intel(m) ? intel_read(m, off) : virtio_read(m, off);
}

static void p_write(void *ctx, unsigned int bar, uint32_t off,
                    unsigned int size, uint32_t value)
{
    struct model_nic *m = ctx;

    m->accesses++;
    if ( bar != (intel(m) ? 0u : 4u) || off + size > MODEL_REGS )
        m->violations++;
    else if ( m->faults & NF_ABSENT )
        return;
    else if ( intel(m) )
        intel_write(m, off, value);
    else
        virtio_write(m, off, value);
}

static uint32_t p_cfg_read(void *ctx, unsigned int at, unsigned int size)
{
    struct model_nic *m = ctx;
    uint32_t value = 0;

    if ( at + size <= sizeof(m->cfg) )
        memcpy(&value, &m->cfg[at], size);
    return value;
}

static void p_cfg_write(void *ctx, unsigned int at, unsigned int size,
                        uint32_t value)
{
    struct model_nic *m = ctx;

    if ( at + size <= sizeof(m->cfg) )
        memcpy(&m->cfg[at], &value, size);
}

static uint64_t p_now_us(void *ctx)
{
    return ((struct model_nic *)ctx)->now;
}

static void p_log(void *ctx, const char *what, uint32_t value)
{
    (void)what, (void)value;
    ((struct model_nic *)ctx)->logged++;
}

static const struct cl_nic_platform platform = {
    .read = p_read,
    .write = p_write,
    .cfg_read = p_cfg_read,
    .cfg_write = p_cfg_write,
    .now_us = p_now_us,
    .log = p_log,
};

bool model_nic_init(struct model_nic *m, enum model_kind kind)
{
    return model_nic_init_in(m, kind, NULL);
}

bool model_nic_init_in(struct model_nic *m, enum model_kind kind, void *pool)
{
    memset(m, 0, sizeof(*m));
    m->kind = kind;
    m->now = 1000000;
    m->nic.vendor = intel(m) ? 0x8086 : 0x1af4;
    m->nic.device = DEVICE_OF(kind);
    m->nic.ops = cl_nic_find(m->nic.vendor, m->nic.device);
    if ( !m->nic.ops )
        return false;

    m->nic.platform = &platform;
    m->nic.ctx = m;
    m->pool = pool ? pool
                   : aligned_alloc(4096, (m->nic.ops->pool_size + 4095) &
                                             ~4095u);
    memset(m->pool, 0, m->nic.ops->pool_size);
    m->nic.pool = m->pool;
    m->nic.iova = MODEL_IOVA;
    m->nic.priv = m->priv = calloc(1, m->nic.ops->priv_size);
    if ( intel(m) )
        intel_defaults(m);
    else
        virtio_capabilities(m);
    return true;
}

void model_nic_free(struct model_nic *m)
{
    free(m->pool);
    free(m->priv);
}

bool model_nic_until(struct model_nic *m, enum cl_nic_state want, uint64_t us)
{
    uint64_t end = m->now + 1000000;

    while ( m->now < end )
    {
        if ( m->nic.ops->poll(&m->nic) == want )
            return true;
        m->now += us;
    }
    return false;
}

/* ---- Frames, Intel ---------------------------------------------------- */

static uint32_t entries(struct model_nic *m, uint32_t q, uint32_t head)
{
    uint32_t size = *reg(m, q + 8) / 16;

    return size ? (*reg(m, q + 0x18) + size - head) % size : 0;
}

static uint64_t *intel_desc(struct model_nic *m, uint32_t q, uint32_t at)
{
    uint64_t base = *reg(m, q) | (uint64_t)*reg(m, q + 4) << 32;

    return dma(m, base + at * 16, 16);
}

static void scribble(struct model_nic *m)
{
    unsigned int i;

    for ( i = 0; i < RING; i++ )
    {
        uint64_t *d = intel_desc(m, rxq(m), i);

        if ( d && d[1] )
            d[0] = 0xdead0000ull + i;
    }
}

static bool intel_rx(struct model_nic *m, const void *data, uint32_t copy,
                     uint32_t len, bool last, bool error)
{
    uint64_t *d, bits;
    void *buf;

    if ( (m->faults & NF_RX_STUCK) || !(*reg(m, 0x100) & 2) ||
         !entries(m, rxq(m), m->rx_head) )
    {
        m->missed++;
        return false;
    }
    d = intel_desc(m, rxq(m), m->rx_head);
    buf = d ? dma(m, d[0], copy) : NULL;
    if ( !buf )
        return false;

    memcpy(buf, data, copy);
    bits = 1 | (last ? 2 : 0);
    if ( igb(m) )
        d[1] = bits | (error ? 1u << 31 : 0) | (uint64_t)(uint16_t)len << 32;
    else
        d[1] = (uint16_t)len | bits << 32 | (error ? 1ull << 40 : 0);
    if ( igb(m) )
        d[0] = 0x0bad0bad0badull; /* the advanced format's write-back */
    m->rx_head = (m->rx_head + 1) % RING;
    *reg(m, 0xc0) |= 1u << 7;
    if ( m->faults & NF_SCRIBBLE )
        scribble(m);
    return true;
}

static uint32_t intel_tx(struct model_nic *m, void *out, uint32_t room)
{
    uint64_t *d;
    uint32_t len;
    void *buf;

    if ( (m->faults & NF_TX_HANG) || !(*reg(m, 0x400) & 2) ||
         !entries(m, txq(m), m->tx_head) )
        return 0;

    d = intel_desc(m, txq(m), m->tx_head);
    len = d ? d[1] & 0xffff : 0;
    buf = d ? dma(m, d[0], len) : NULL;
    if ( !buf || len > room || !(d[1] & 1u << 24) ||
         (igb(m) && (d[1] >> 20 & 0x20f) != 0x203) ||
         (igb(m) && d[1] >> 46 != len) )
    {
        m->violations++;
        return 0;
    }
    memcpy(out, buf, len);
    d[1] |= 1ull << 32;
    m->tx_head = (m->tx_head + 1) % RING;
    return len;
}

/* ---- Frames, virtio --------------------------------------------------- */

struct desc
{
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

/* The next buffer that the driver offers in queue nr. */
static struct desc *offered(struct model_nic *m, unsigned int nr,
                            uint32_t head, uint16_t *id)
{
    struct desc *table;
    uint16_t *avail;

    if ( !(m->status & 4) )
        return NULL;
    table = dma(m, m->queue[nr][0], RING * 16);
    avail = dma(m, m->queue[nr][1], 4 + RING * 2);
    if ( !table || !avail || avail[1] == (uint16_t)head )
        return NULL;
    *id = avail[2 + head % RING];
    if ( *id >= RING )
    {
        m->violations++;
        return NULL;
    }
    return &table[*id];
}

static void used(struct model_nic *m, unsigned int nr, uint32_t head,
                 uint16_t id, uint32_t len)
{
    uint16_t *ring = dma(m, m->queue[nr][2], 4 + RING * 8);
    uint32_t *entry;

    if ( !ring )
        return;
    entry = (uint32_t *)&ring[2] + 2 * (head % RING);
    entry[0] = m->faults & NF_FOREIGN ? id + (id % 2 ? 1000u : 7u) : id;
    entry[1] = len;
    ring[1] = head + 1;
}

static bool virtio_rx(struct model_nic *m, const void *data, uint32_t copy,
                      uint32_t len)
{
    uint16_t id;
    struct desc *d = offered(m, 0, m->rx_head, &id);
    uint8_t *buf = d && d->len >= 12 + copy ? dma(m, d->addr, d->len) : NULL;

    if ( !buf )
        return false;
    memset(buf, 0, 12);
    memcpy(buf + 12, data, copy);
    used(m, 0, m->rx_head++, id, len);
    return true;
}

static uint32_t virtio_tx(struct model_nic *m, void *out, uint32_t room)
{
    uint16_t id;
    struct desc *d = offered(m, 1, m->tx_head, &id);
    uint8_t *buf;

    if ( !d || (m->faults & NF_TX_HANG) )
        return 0;
    buf = dma(m, d->addr, d->len);
    if ( !buf || d->len < 12 || d->len - 12 > room )
    {
        m->violations++;
        return 0;
    }
    memcpy(out, buf + 12, d->len - 12);
    used(m, 1, m->tx_head++, id, 0);
    return d->len - 12;
}

/* ---- Frames ----------------------------------------------------------- */

bool model_nic_rx_raw(struct model_nic *m, const void *data, uint32_t copy,
                      uint32_t len, bool last, bool error)
{
    return intel(m) ? intel_rx(m, data, copy, len, last, error)
                    : virtio_rx(m, data, copy, len + 12);
}

bool model_nic_rx(struct model_nic *m, const void *data, uint32_t len)
{
    return model_nic_rx_raw(m, data, len, len, true, false);
}

uint32_t model_nic_tx(struct model_nic *m, void *buf, uint32_t room)
{
    return intel(m) ? intel_tx(m, buf, room) : virtio_tx(m, buf, room);
}

uint32_t model_nic_room(const struct model_nic *c)
{
    struct model_nic *m = (struct model_nic *)c;
    const uint16_t *avail;

    if ( intel(m) )
        return entries(m, rxq(m), m->rx_head);
    avail = dma(m, m->queue[0][1], 4);
    return avail ? (uint16_t)(avail[1] - m->rx_head) : 0;
}

bool model_nic_takes(const struct model_nic *m, const uint8_t mac[6])
{
    unsigned int n;

    if ( !intel(m) || (m->reg[0x100 / 4] & 8) )
        return true;
    for ( n = 0; n < 16; n++ )
    {
        const uint8_t *ra = (const uint8_t *)&m->reg[(0x5400 + n * 8) / 4];

        if ( (ra[7] & 0x80) && !memcmp(ra, mac, 6) )
            return true;
    }
    return false;
}

bool model_nic_irq_on(const struct model_nic *c)
{
    struct model_nic *m = (struct model_nic *)c;
    const uint16_t *avail;

    if ( intel(m) )
        return *reg(m, 0xd0) & 1u << 7;
    avail = dma(m, m->queue[0][1], 4);
    return avail && !(avail[0] & 1);
}
