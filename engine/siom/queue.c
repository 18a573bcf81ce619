/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Split virtqueues, the device's side (virtio 1.2, section 2.7).
 *
 * The driver may write to all three parts at any time.  Each descriptor is
 * read once, into port->seg, checked there, and used from there.
 */

#include "private.h"

/* Where things are in the rings: 2.7.6 and 2.7.8. */
static uint32_t avail_entry(const struct cl_queue *q, uint16_t i)
{
    return 4 + 2u * (i & (q->size - 1u));
}

static uint32_t used_entry(const struct cl_queue *q, uint16_t i)
{
    return 4 + 8u * (i & (q->size - 1u));
}

static uint32_t used_event(const struct cl_queue *q)
{
    return 4 + 2u * q->size;
}

static uint32_t avail_event(const struct cl_queue *q)
{
    return 4 + 8u * q->size;
}

#define IDX 2u /* of both rings, behind their flags */

static uint64_t base(const struct cl_queue *q, enum cl_ring ring)
{
    return ring == CL_RING_DESC    ? q->desc
           : ring == CL_RING_AVAIL ? q->avail
                                   : q->used;
}

/* Naturally aligned fields lie in one page: the parts are aligned. */
static inline void *at(struct cl_port *port, const struct cl_queue *q,
                       enum cl_ring ring, uint32_t off)
{
    if ( q->va[ring] )
        return q->va[ring] + off;

    return cl_guest_at(port, base(q, ring) + off, ring == CL_RING_USED);
}

static inline int get16(struct cl_port *port, const struct cl_queue *q,
                        enum cl_ring ring, uint32_t off, uint16_t *value)
{
    const uint16_t *p = at(port, q, ring, off);

    if ( !p )
        return cl_virtio_broken(port);
    *value = load_acquire(p);

    return 0;
}

static int put16(struct cl_port *port, const struct cl_queue *q, uint32_t off,
                 uint16_t value)
{
    uint16_t *p = at(port, q, CL_RING_USED, off);

    if ( !p )
        return cl_virtio_broken(port);
    store_release(p, value);
    cl_guest_wrote(port, q->used + off);

    return 0;
}

static inline int put32(struct cl_port *port, const struct cl_queue *q,
                        uint32_t off, uint32_t value)
{
    volatile uint32_t *p = at(port, q, CL_RING_USED, off);

    if ( !p )
        return cl_virtio_broken(port);
    *p = value;
    if ( !q->va[CL_RING_USED] ) /* else one page, and put16() comes */
        cl_guest_wrote(port, q->used + off);

    return 0;
}

static inline int get_desc(struct cl_port *port, const struct cl_queue *q,
                           uint16_t i, struct virtio_desc *d)
{
    const uint64_t *p = at(port, q, CL_RING_DESC, 16u * i);
    uint64_t word[2];

    if ( !p )
        return cl_virtio_broken(port);
    word[0] = load_acquire(p);
    word[1] = load_acquire(p + 1);
    memcpy(d, word, sizeof(*d));

    return 0;
}

bool cl_queue_has(struct cl_port *port, struct cl_queue *q)
{
    uint16_t idx = 0;

    if ( q->seen_avail != q->last_avail )
        return true;
    if ( get16(port, q, CL_RING_AVAIL, IDX, &idx) )
        return false;
    if ( (uint16_t)(idx - q->last_avail) > q->size )
    {
        cl_virtio_broken(port);
        return false;
    }
    q->seen_avail = idx;

    return idx != q->last_avail;
}

/*
 * A chain of more descriptors than the queue has runs in a circle; that and
 * everything else that 2.7.5 forbids the driver ends here.
 */
int cl_queue_take(struct cl_port *port, struct cl_queue *q,
                  enum cl_chain_kind kind, unsigned int *segs, uint16_t *head,
                  uint32_t *len)
{
    bool write = kind == CL_CHAIN_WRITE, seen = false;
    uint16_t next = 0;
    uint64_t total = 0;
    struct virtio_desc d = {};

    if ( get16(port, q, CL_RING_AVAIL, avail_entry(q, q->last_avail), &next) )
        return -EBADMSG;
    *head = next;
    do
    {
        if ( next >= q->size || *segs >= CL_QUEUE_SIZE )
            return cl_virtio_broken(port);
        if ( get_desc(port, q, next, &d) )
            return -EBADMSG;
        seen |= d.flags & VIRTIO_DESC_WRITE;
        if ( kind == CL_CHAIN_MIXED )
            write = seen; /* those for the device to write come last */
        if ( (d.flags & ~VIRTIO_DESC_NEXT) !=
                 (write ? VIRTIO_DESC_WRITE : 0) ||
             d.addr + d.len < d.addr )
            return cl_virtio_broken(port);
        port->seg[(*segs)++] = (struct cl_seg){ .addr = d.addr,
                                                .len = d.len,
                                                .write = write };
        total += d.len;
        next = d.next;
    } while ( d.flags & VIRTIO_DESC_NEXT );

    if ( total > UINT32_MAX )
        return cl_virtio_broken(port);
    *len = (uint32_t)total;
    q->last_avail++;

    return 0;
}

int cl_queue_done(struct cl_port *port, struct cl_queue *q, uint16_t head,
                  uint32_t len)
{
    uint32_t off = used_entry(q, q->used_idx);

    if ( put32(port, q, off, head) || put32(port, q, off + 4, len) )
        return -EBADMSG;
    q->used_idx++;

    return 0;
}

/* 2.7.7.2: has used_idx passed what the driver asked to hear of? */
static bool wants_interrupt(struct cl_port *port, struct cl_queue *q)
{
    uint16_t v = 0;

    if ( cl_virtio_has(port, VIRTIO_F_EVENT_IDX) )
        return !get16(port, q, CL_RING_AVAIL, used_event(q), &v) &&
               (uint16_t)(q->used_idx - v - 1) <
                   (uint16_t)(q->used_idx - q->signalled);

    return !get16(port, q, CL_RING_AVAIL, 0, &v) &&
           !(v & VIRTIO_AVAIL_NO_INTERRUPT);
}

void cl_queue_signal(struct cl_port *port, struct cl_queue *q)
{
    if ( q->used_idx == q->signalled || put16(port, q, IDX, q->used_idx) )
        return;

    /* The index must be out before the driver's wish is read. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if ( wants_interrupt(port, q) )
        cl_msix_send(port, q->vector);
    q->signalled = q->used_idx;
}

/*
 * With EVENT_IDX "no notifications" is an index that was passed already: the
 * one that is there.  Else the driver is to tell of anything that has not been
 * seen yet, even where some that was seen is still to be taken.
 */
void cl_queue_quiet(struct cl_port *port, struct cl_queue *q, bool quiet)
{
    if ( cl_virtio_has(port, VIRTIO_F_EVENT_IDX) )
    {
        if ( !quiet )
            put16(port, q, avail_event(q), q->seen_avail);
    }
    else if ( !quiet || !q->quiet ) /* a restored driver may have been told */
        put16(port, q, 0, quiet ? VIRTIO_USED_NO_NOTIFY : 0);
    q->quiet = quiet;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/*
 * The next stretch of buffer in one page, at most *len bytes, which becomes
 * its length.  NULL: there is none, or no memory.
 */
static inline uint8_t *stretch(struct cl_port *port, struct cl_cursor *c,
                               uint32_t *len, bool write)
{
    uint64_t gpa;
    uint32_t n = *len, left;

    while ( c->at < c->segs && c->off == port->seg[c->at].len )
    {
        c->at++;
        c->off = 0;
    }
    if ( c->at >= c->segs )
        return NULL;
    gpa = port->seg[c->at].addr + c->off;
    left = port->seg[c->at].len - c->off;
    n = n < left ? n : left;
    left = PAGE_BYTES - gpa % PAGE_BYTES;
    *len = n < left ? n : left;
    c->off += *len;

    return cl_guest_at(port, gpa, write);
}

int cl_gather(struct cl_port *port, struct cl_cursor *c, void *buf,
              uint32_t len)
{
    uint8_t *to = buf;

    while ( len )
    {
        uint32_t n = len;
        const uint8_t *from = stretch(port, c, &n, false);

        if ( !from )
            return cl_virtio_broken(port);
        memcpy(to, from, n);
        to += n;
        len -= n;
    }

    return 0;
}

int cl_scatter(struct cl_port *port, struct cl_cursor *c, const void *buf,
               uint32_t len)
{
    const uint8_t *from = buf;

    while ( len )
    {
        uint32_t n = len;
        uint8_t *to = stretch(port, c, &n, true);

        if ( !to )
            return cl_virtio_broken(port);
        memcpy(to, from, n);
        cl_guest_wrote(port, port->seg[c->at].addr + c->off - n);
        from += n;
        len -= n;
    }

    return 0;
}
