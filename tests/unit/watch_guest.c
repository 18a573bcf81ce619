/* SPDX-License-Identifier: BSD-2-Clause */
/* See watch_guest.h. */

#include <string.h>

#include "watch_guest.h"

struct desc
{
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

struct range
{
    uint64_t from, to;
};

static struct range range(uint64_t addr, uint64_t len)
{
    struct range r = {addr, addr + len < addr ? UINT64_MAX : addr + len};

    return r;
}

static bool meet(struct range a, struct range b)
{
    return a.from < b.to && b.from < a.to;
}

/* What is in a ring is the engine's to read; true: all of it is memory. */
static bool rings(const struct cl_queue *q, struct range r[3])
{
    r[0] = range(q->desc, 16u * q->size);
    r[1] = range(q->avail, 6 + 2u * q->size);
    r[2] = range(q->used, 6 + 8u * q->size);

    return r[0].to <= GUEST_BYTES && r[1].to <= GUEST_BYTES;
}

static void allow(struct watch *w, struct range r)
{
    if ( r.from >= WATCHED )
        return;
    if ( r.to > WATCHED )
        r.to = WATCHED;
    memset(w->allowed + r.from, 1, r.to - r.from);
}

/* A buffer that may be written to: none of the rings, of any queue. */
static void buffer(struct watch *w, struct range r)
{
    const struct cl_virtio *v = &w->guest->port.virtio;
    struct range ring[3];
    unsigned int i, k;

    for ( i = 0; i < CL_QUEUES; i++ )
    {
        if ( !v->queue[i].enabled )
            continue;
        rings(&v->queue[i], ring);
        for ( k = 0; k < 3; k++ )
            if ( meet(r, ring[k]) )
                w->apart = false;
    }
    allow(w, r);
}

/* Whatever the available ring has, old and new. */
static void buffers(struct watch *w, const struct cl_queue *q)
{
    const uint8_t *mem = w->guest->mem;
    bool seen[CL_QUEUE_SIZE] = {false};
    unsigned int i;
    uint16_t head;

    for ( i = 0; i < q->size; i++ )
    {
        memcpy(&head, mem + q->avail + 4 + 2 * i, 2);
        while ( head < q->size && !seen[head] )
        {
            struct desc d;

            seen[head] = true;
            memcpy(&d, mem + q->desc + 16 * head, 16);
            if ( d.flags & 2 )
                buffer(w, range(d.addr, d.len));
            if ( !(d.flags & 1) )
                break;
            head = d.next;
        }
    }
}

/* The used ring of q is none of the others, which are read. */
static void used_ring(struct watch *w, struct range used)
{
    const struct cl_virtio *v = &w->guest->port.virtio;
    struct range ring[3];
    unsigned int i;

    for ( i = 0; i < CL_QUEUES; i++ )
    {
        if ( !v->queue[i].enabled )
            continue;
        rings(&v->queue[i], ring);
        if ( meet(used, ring[0]) || meet(used, ring[1]) )
            w->apart = false;
    }
    allow(w, used);
}

void watch_look(struct watch *w, const struct guest *g)
{
    struct range ring[3];
    unsigned int i;

    w->guest = g;
    w->apart = true;
    memcpy(w->before, g->mem, WATCHED);
    memset(w->allowed, 0, WATCHED);
    for ( i = 0; i < CL_QUEUES; i++ )
    {
        const struct cl_queue *q = &g->port.virtio.queue[i];

        if ( !q->enabled )
            continue;
        if ( !rings(q, ring) )
            w->apart = false;
        else
            buffers(w, q);
        used_ring(w, ring[2]);
    }
}

bool watch_clean(struct watch *w)
{
    const uint8_t *mem = w->guest->mem;
    unsigned int i;

    if ( !w->apart || !memcmp(w->before, mem, WATCHED) )
        return true;
    for ( i = 0; i < WATCHED; i++ )
        if ( w->before[i] != mem[i] && !w->allowed[i] )
            return false;

    return true;
}
