/* SPDX-License-Identifier: BSD-2-Clause */
/* See model_guest.h. */

#include <stdlib.h>
#include <string.h>

#include "model_guest.h"

uint64_t guest_now = 1;

static void *page_get(void *vm, uint64_t gfn, bool write)
{
    struct guest *g = vm;

    (void)write;
    if ( gfn >= GUEST_PAGES )
        return NULL;
    g->held++;

    return g->mem + gfn * 4096;
}

static void page_put(void *vm, void *page)
{
    (void)page;
    ((struct guest *)vm)->held--;
}

static uint32_t generation(void *vm)
{
    return ((struct guest *)vm)->generation;
}

static void msi(void *vm, uint64_t address, uint32_t data)
{
    struct guest *g = vm;

    g->msis++;
    g->msi_address = address;
    g->msi_data = data;
}

static uint64_t now_ns(void)
{
    return guest_now;
}

const struct cl_siom_platform guest_platform = {
    .page_get = page_get,
    .page_put = page_put,
    .generation = generation,
    .msi = msi,
    .now_ns = now_ns,
};

bool guest_plug(struct guest *g, struct cl_siom *s, uint8_t nr,
                const struct cl_siom_config *c)
{
    struct cl_siom_config config = c ? *c : (struct cl_siom_config){};
    const uint8_t mac[6] = {2, 0, 0, 0, 0, nr};
    uint8_t *mem = g->mem, *tx = g->port.tx.base, *rx = g->port.rx.base;

    memset(g, 0, sizeof(*g));
    memcpy(config.mac, mac, sizeof(mac));
    if ( !config.mtu )
        config.mtu = 1500;
    g->mem = mem;
    g->port.tx = (struct cl_memory){.base = tx, .size = GUEST_RINGS};
    g->port.rx = (struct cl_memory){.base = rx, .size = GUEST_RINGS};
    memset(mem, 0, GUEST_BYTES);
    memset(tx, 0, GUEST_RINGS);
    memset(rx, 0, GUEST_RINGS);

    return !cl_siom_port_add(s, &g->port, g, &config);
}

void guest_unplug(struct guest *g)
{
    if ( g->port.siom )
        cl_siom_port_remove(&g->port);
}

bool guest_start(struct guest *g, struct cl_siom *s, uint8_t nr,
                 const struct cl_siom_config *c)
{
    g->mem = aligned_alloc(4096, GUEST_BYTES);
    g->port.tx.base = aligned_alloc(64, GUEST_RINGS);
    g->port.rx.base = aligned_alloc(64, GUEST_RINGS);

    return guest_plug(g, s, nr, c);
}

void guest_stop(struct guest *g)
{
    guest_unplug(g);
    free(g->mem);
    free(g->port.tx.base);
    free(g->port.rx.base);
}

uint32_t guest_in(struct guest *g, uint16_t port, unsigned int size)
{
    uint32_t v = UINT32_MAX;

    cl_siom_io_read(&g->port, port, size, &v);

    return v;
}

int guest_out(struct guest *g, uint16_t port, unsigned int size, uint32_t v)
{
    int doorbell = -1;

    cl_siom_io_write(&g->port, port, size, v, &doorbell);

    return doorbell;
}

uint32_t guest_cfg_read(struct guest *g, unsigned int devfn, unsigned int reg)
{
    guest_out(g, 0xcf8, 4, 0x80000000u | devfn << 8 | (reg & 0xfc));

    return guest_in(g, 0xcfc, 4);
}

void guest_cfg_write(struct guest *g, unsigned int devfn, unsigned int reg,
                     uint32_t v)
{
    guest_out(g, 0xcf8, 4, 0x80000000u | devfn << 8 | (reg & 0xfc));
    guest_out(g, 0xcfc, 4, v);
}

uint64_t guest_mem_read(struct guest *g, uint32_t off, unsigned int size)
{
    return cl_siom_mem_read(&g->port, off, size);
}

void guest_mem_write(struct guest *g, uint32_t off, unsigned int size,
                     uint64_t v)
{
    cl_siom_mem_write(&g->port, off, size, v);
}

static void set_queue(struct guest *g, unsigned int q)
{
    guest_mem_write(g, 22, 2, q);
    guest_mem_write(g, 26, 2, q); /* vector */
    guest_mem_write(g, 32, 4, GUEST_RING(q));
    guest_mem_write(g, 40, 4, GUEST_RING(q) + GUEST_AVAIL);
    guest_mem_write(g, 48, 8, GUEST_RING(q) + GUEST_USED);
    guest_mem_write(g, 28, 2, 1);
    memset(g->mem + GUEST_RING(q), 0, 0x3000);
    g->avail[q] = g->used[q] = 0;
}

static void set_msix(struct guest *g)
{
    unsigned int i;

    for ( i = 0; i < CL_MSIX_VECTORS; i++ )
    {
        guest_mem_write(g, 0x800 + i * 16, 4, 0xfee00000);
        guest_mem_write(g, 0x808 + i * 16, 4, 0x40 + i);
        guest_mem_write(g, 0x80c + i * 16, 4, 0);
    }
    guest_cfg_write(g, 8, 0x40, 0x80000000);
}

bool guest_driver(struct guest *g, uint64_t features)
{
    unsigned int q;

    guest_mem_write(g, 20, 1, 0);
    guest_mem_write(g, 20, 1, 3);
    guest_mem_write(g, 8, 4, 0);
    guest_mem_write(g, 12, 4, (uint32_t)features);
    guest_mem_write(g, 8, 4, 1);
    guest_mem_write(g, 12, 4, (uint32_t)(features >> 32));
    guest_mem_write(g, 20, 1, 11);
    if ( !(guest_mem_read(g, 20, 1) & 8) )
        return false;
    g->features = features;
    g->next_desc = 0;
    guest_cfg_write(g, 8, 4, 7);
    set_msix(g);
    for ( q = 0; q < CL_QUEUES; q++ )
        set_queue(g, q);
    guest_mem_write(g, 20, 1, 15);

    return guest_mem_read(g, 20, 1) == 15;
}

uint16_t guest_u16(const struct guest *g, uint32_t addr)
{
    uint16_t v;

    memcpy(&v, g->mem + addr, 2);

    return v;
}

void guest_put16(struct guest *g, uint32_t addr, uint16_t v)
{
    memcpy(g->mem + addr, &v, 2);
}

static void set_desc(struct guest *g, unsigned int q, unsigned int i,
                     uint32_t addr, uint32_t len, uint16_t flags,
                     uint16_t next)
{
    struct
    {
        uint64_t addr;
        uint32_t len;
        uint16_t flags, next;
    } d = {addr, len, flags, next};

    memcpy(g->mem + GUEST_RING(q) + i * 16, &d, 16);
}

static void publish(struct guest *g, unsigned int q, uint16_t head)
{
    uint32_t avail = GUEST_RING(q) + GUEST_AVAIL;

    guest_put16(g, avail + 4 + g->avail[q] % CL_QUEUE_SIZE * 2, head);
    guest_put16(g, avail + 2, ++g->avail[q]);
}

void guest_post(struct guest *g, uint32_t addr, uint32_t len)
{
    uint16_t i = g->avail[CL_QUEUE_RX] % CL_QUEUE_SIZE;

    set_desc(g, CL_QUEUE_RX, i, addr, len, 2, 0);
    publish(g, CL_QUEUE_RX, i);
}

void guest_fill(struct guest *g, unsigned int nr, uint32_t len)
{
    unsigned int i;

    for ( i = 0; i < nr; i++ )
        guest_post(g,
                   GUEST_BUFFERS + g->avail[CL_QUEUE_RX] % CL_QUEUE_SIZE * len,
                   len);
}

/* Header and frame in a chain of two, in the upper half of memory. */
void guest_offer(struct guest *g, const void *hdr, const void *frame,
                 uint32_t len)
{
    static const uint8_t none[12];
    uint16_t i = g->next_desc;
    uint32_t at = GUEST_BYTES / 2 + i / 2 % 16 * 12288u;

    memcpy(g->mem + at, hdr ? hdr : none, 12);
    memcpy(g->mem + at + 64, frame, len);
    set_desc(g, CL_QUEUE_TX, i, at, 12, 1, (uint16_t)(i + 1));
    set_desc(g, CL_QUEUE_TX, i + 1u, at + 64, len, 0, 0);
    publish(g, CL_QUEUE_TX, i);
    g->next_desc = (uint16_t)((i + 2) % CL_QUEUE_SIZE);
}

int guest_used(struct guest *g, unsigned int q, uint32_t *len)
{
    uint32_t used = GUEST_RING(q) + GUEST_USED, id;

    if ( guest_u16(g, used + 2) == g->used[q] )
        return -1;
    used += 4 + g->used[q]++ % CL_QUEUE_SIZE * 8;
    memcpy(&id, g->mem + used, 4);
    memcpy(len, g->mem + used + 4, 4);
    guest_put16(g, GUEST_RING(q) + GUEST_AVAIL + 4 + 2 * CL_QUEUE_SIZE,
                g->used[q]); /* used_event: tell me of the next */

    return (int)id;
}

uint32_t guest_desc_addr(const struct guest *g, unsigned int q, int desc)
{
    uint32_t addr;

    memcpy(&addr, g->mem + GUEST_RING(q) + desc * 16, 4);

    return addr;
}

void guest_run(struct cl_siom *s, struct guest *const *g, unsigned int nr)
{
    struct cl_port *port;
    unsigned int i, from = 0, left = 1000;
    bool more;

    do
    {
        more = false;
        for ( i = 0; i < nr; i++ )
            more |= cl_siom_tx(&g[i]->port, 32) != 0;
        more |= cl_siom_poll(s, 32) != 0;
        while ( (port = cl_siom_rx_next(s, &from)) != NULL )
            while ( cl_siom_rx(port, 32) == 32 )
                more = true;
    } while ( more && --left );
}
