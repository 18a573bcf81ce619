/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory.  Translations are expensive for the platform, so pages are
 * held across calls, in a direct-mapped cache, until the platform says that
 * something has changed.
 */

#include "private.h"

static void put(struct cl_port *port, struct cl_held_page *h)
{
    if ( h->tag )
        port->siom->platform->page_put(port->vm, h->page);
    *h = (struct cl_held_page){};
}

void cl_siom_release(struct cl_port *port)
{
    unsigned int i;

    for ( i = 0; i < CL_QUEUES; i++ )
        cl_guest_unpin(port, &port->virtio.queue[i]);
    for ( i = 0; i < CL_HELD_PAGES; i++ )
        put(port, &port->held[i]);
}

void cl_guest_enter(struct cl_port *port)
{
    uint32_t now = port->siom->platform->generation(port->vm);

    if ( now == port->generation )
        return;
    cl_siom_release(port);
    port->generation = now;
}

uint8_t *cl_guest_hold(struct cl_port *port, uint64_t gpa, bool write)
{
    uint64_t gfn = gpa / PAGE_BYTES;
    struct cl_held_page *h = &port->held[gfn % CL_HELD_PAGES];
    uint8_t *page;

    put(port, h);
    page = port->siom->platform->page_get(port->vm, gfn, write);
    if ( !page )
        return NULL;
    *h = (struct cl_held_page){ .tag = gfn * 2 + 2 + write, .page = page };

    return page + gpa % PAGE_BYTES;
}

static uint8_t *pin(struct cl_port *port, uint64_t gpa, uint32_t len,
                    bool write)
{
    uint8_t *page = NULL;

    if ( gpa % PAGE_BYTES + len <= PAGE_BYTES )
        page = port->siom->platform->page_get(port->vm, gpa / PAGE_BYTES,
                                              write);

    return page ? page + gpa % PAGE_BYTES : NULL;
}

void cl_guest_pin(struct cl_port *port, struct cl_queue *q)
{
    if ( q->pinned )
        return;
    q->pinned = true;
    q->va[CL_RING_DESC] = pin(port, q->desc, 16u * q->size, false);
    q->va[CL_RING_AVAIL] = pin(port, q->avail, 6 + 2u * q->size, false);
    q->va[CL_RING_USED] = pin(port, q->used, 6 + 8u * q->size, true);
}

void cl_guest_unpin(struct cl_port *port, struct cl_queue *q)
{
    unsigned int i;

    for ( i = 0; i < CL_RINGS; i++ )
    {
        if ( q->va[i] )
            port->siom->platform->page_put(
                port->vm,
                (void *)((uintptr_t)q->va[i] & ~(uintptr_t)(PAGE_BYTES - 1)));
        q->va[i] = NULL;
    }
    q->pinned = false;
}
