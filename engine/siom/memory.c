/* SPDX-License-Identifier: BSD-2-Clause */
/* VM Tx memory and VM Rx memory: rings of frames, wiped as they empty. */

#include "private.h"

/* Spans are multiples of the header, so that a pad always has room for one. */
static uint32_t span_of(uint32_t len)
{
    return (sizeof(struct cl_frame) * 2 - 1 + len) &
           ~((uint32_t)sizeof(struct cl_frame) - 1);
}

static struct cl_frame *frame_at(const struct cl_memory *m, uint32_t pos)
{
    return (struct cl_frame *)(m->base + (pos & (m->size - 1)));
}

uint8_t *cl_memory_reserve(struct cl_memory *m, uint32_t max)
{
    uint32_t lap = m->size - (m->head & (m->size - 1));
    uint32_t room = m->size - (m->head - load_acquire(&m->tail));
    uint32_t need = span_of(max);

    if ( need > lap )
    {
        if ( room < lap + need )
            return NULL;
        *frame_at(m, m->head) = (struct cl_frame){ .flags = CL_FRAME_PAD,
                                                   .span = lap };
        store_release(&m->head, m->head + lap);
    }
    else if ( room < need )
        return NULL;

    return (uint8_t *)(frame_at(m, m->head) + 1);
}

void cl_memory_commit(struct cl_memory *m, struct cl_frame f)
{
    f.span = span_of(f.len);
    *frame_at(m, m->head) = f;
    store_release(&m->head, m->head + f.span);
}

void cl_memory_cancel(struct cl_memory *m, uint32_t written)
{
    memset(frame_at(m, m->head) + 1, 0, written);
}

const struct cl_frame *cl_memory_peek(struct cl_memory *m)
{
    while ( load_acquire(&m->head) != m->tail )
    {
        struct cl_frame *f = frame_at(m, m->tail);

        if ( !(f->flags & CL_FRAME_PAD) )
            return f;
        cl_memory_drop(m); /* at most one between two frames */
    }

    return NULL;
}

void cl_memory_drop(struct cl_memory *m)
{
    struct cl_frame *f = frame_at(m, m->tail);
    uint32_t span = f->span;

    memset(f, 0, sizeof(*f) + f->len);
    store_release(&m->tail, m->tail + span);
}

void cl_memory_empty(struct cl_memory *m)
{
    while ( cl_memory_peek(m) )
        cl_memory_drop(m);
}
