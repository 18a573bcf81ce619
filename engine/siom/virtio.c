/* SPDX-License-Identifier: BSD-2-Clause */
/* The device as its driver sees it: virtio 1.2, sections 2.1 and 4.1.4.3. */

#include "private.h"

#define ISR_CONFIG 2u

void cl_virtio_reset(struct cl_port *port)
{
    struct cl_virtio *v = &port->virtio;
    unsigned int i;

    store_release(&port->up, false);
    for ( i = 0; i < CL_QUEUES; i++ )
        cl_guest_unpin(port, &v->queue[i]);
    *v = (struct cl_virtio){ .config_vector = CL_NO_VECTOR };
    for ( i = 0; i < CL_QUEUES; i++ )
        v->queue[i] = (struct cl_queue){ .size = CL_QUEUE_SIZE,
                                         .vector = CL_NO_VECTOR };
    cl_memory_empty(&port->rx);
}

bool cl_virtio_enter(struct cl_port *port, struct cl_queue *q)
{
    const uint8_t want = VIRTIO_DRIVER_OK | VIRTIO_FEATURES_OK;

    cl_guest_enter(port);
    if ( !q->enabled || !cl_pci_master(port) ||
         (port->virtio.status & (want | VIRTIO_NEEDS_RESET)) != want )
        return false;
    cl_guest_pin(port, q);

    return true;
}

int cl_virtio_broken(struct cl_port *port)
{
    struct cl_virtio *v = &port->virtio;

    if ( v->status & VIRTIO_NEEDS_RESET )
        return -EBADMSG;
    v->status |= VIRTIO_NEEDS_RESET;
    v->isr |= ISR_CONFIG;
    store_release(&port->up, false);
    port->stats.violations++;
    if ( v->status & VIRTIO_DRIVER_OK )
        cl_msix_send(port, v->config_vector);

    return -EBADMSG;
}

uint32_t cl_virtio_isr(struct cl_port *port)
{
    uint32_t isr = port->virtio.isr;

    port->virtio.isr = 0; /* reading clears it: 4.1.4.5 */

    return isr;
}

static bool features_ok(uint64_t f)
{
    return (f & VIRTIO_F_VERSION_1) && !(f & ~VIRTIO_FEATURES) &&
           (!(f & VIRTIO_NET_F_CTRL_RX) || (f & VIRTIO_NET_F_CTRL_VQ));
}

void cl_virtio_up(struct cl_port *port)
{
    if ( (port->virtio.status & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET)) !=
         VIRTIO_DRIVER_OK )
        return;
    port->takes_csum = cl_virtio_has(port, VIRTIO_NET_F_GUEST_CSUM);
    store_release(&port->up, true);
}

static void set_status(struct cl_port *port, uint8_t value)
{
    struct cl_virtio *v = &port->virtio;

    if ( !value )
    {
        port->stats.resets++;
        cl_virtio_reset(port);
        return;
    }

    if ( !(v->status & VIRTIO_FEATURES_OK) && !features_ok(v->features) )
        value &= ~VIRTIO_FEATURES_OK;
    if ( !(value & VIRTIO_FEATURES_OK) )
        value &= ~VIRTIO_DRIVER_OK;
    /* Bits are only ever added, and NEEDS_RESET is the device's. */
    v->status |= value & ~VIRTIO_NEEDS_RESET;

    cl_virtio_up(port);
}

static void set_features(struct cl_virtio *v, uint32_t value)
{
    unsigned int shift = v->driver_select * 32;

    if ( v->driver_select > 1 || (v->status & VIRTIO_FEATURES_OK) )
        return;
    v->features &= ~((uint64_t)UINT32_MAX << shift);
    v->features |= (uint64_t)value << shift;
}

static struct cl_queue *selected(struct cl_port *port)
{
    unsigned int nr = port->virtio.queue_select;

    return nr < CL_QUEUES ? &port->virtio.queue[nr] : NULL;
}

static uint16_t vector(uint64_t value)
{
    return value < CL_MSIX_VECTORS ? (uint16_t)value : CL_NO_VECTOR;
}

static void set_size(struct cl_queue *q, uint16_t size)
{
    if ( size && size <= CL_QUEUE_SIZE && !(size & (size - 1)) )
        q->size = size;
}

static bool aligned(const struct cl_queue *q) /* 2.7 */
{
    return !(q->desc % 16) && !(q->avail % 2) && !(q->used % 4);
}

static bool queue_valid(const struct cl_queue *q)
{
    return q->size && q->size <= CL_QUEUE_SIZE && !(q->size & (q->size - 1)) &&
           (q->vector < CL_MSIX_VECTORS || q->vector == CL_NO_VECTOR) &&
           (!q->enabled || aligned(q));
}

bool cl_virtio_valid(const struct cl_virtio *v)
{
    unsigned int i;

    for ( i = 0; i < CL_QUEUES; i++ )
        if ( !queue_valid(&v->queue[i]) )
            return false;

    return (v->config_vector < CL_MSIX_VECTORS ||
            v->config_vector == CL_NO_VECTOR) &&
           (!(v->status & VIRTIO_FEATURES_OK) || features_ok(v->features)) &&
           (!(v->status & VIRTIO_DRIVER_OK) ||
            (v->status & VIRTIO_FEATURES_OK));
}

static void enable(struct cl_port *port, struct cl_queue *q, uint64_t value)
{
    if ( value != 1 || q->enabled )
        return;
    if ( !aligned(q) )
        cl_virtio_broken(port);
    else
        q->enabled = true;
}

static uint64_t *queue_part(struct cl_queue *q, uint32_t off)
{
    switch ( off & ~7u )
    {
    case VIRTIO_QUEUE_DESC:
        return &q->desc;

    case VIRTIO_QUEUE_AVAIL:
        return &q->avail;

    case VIRTIO_QUEUE_USED:
        return &q->used;
    }

    return NULL;
}

static uint64_t queue_read(const struct cl_queue *q, uint32_t off)
{
    uint64_t *part = queue_part((struct cl_queue *)q, off);

    if ( part )
        return *part >> (off % 8 * 8);
    switch ( off )
    {
    case VIRTIO_QUEUE_SIZE:
        return q->size;

    case VIRTIO_QUEUE_VECTOR:
        return q->vector;

    case VIRTIO_QUEUE_ENABLE:
        return q->enabled;
    }

    return 0; /* VIRTIO_QUEUE_NOTIFY: all queues ring at the same port */
}

static uint64_t common_field(const struct cl_port *port, uint32_t off)
{
    const struct cl_virtio *v = &port->virtio;

    switch ( off )
    {
    case VIRTIO_DEVICE_SELECT:
        return v->device_select;

    case VIRTIO_DEVICE_FEATURE:
        return v->device_select < 2
                   ? VIRTIO_FEATURES >> (v->device_select * 32)
                   : 0;

    case VIRTIO_DRIVER_SELECT:
        return v->driver_select;

    case VIRTIO_DRIVER_FEATURE:
        return v->driver_select < 2 ? v->features >> (v->driver_select * 32)
                                    : 0;

    case VIRTIO_CONFIG_VECTOR:
        return v->config_vector;

    case VIRTIO_NUM_QUEUES:
        return CL_QUEUES;

    case VIRTIO_STATUS:
        return v->status;

    case VIRTIO_GENERATION:
        return v->generation;

    case VIRTIO_QUEUE_SELECT:
        return v->queue_select;
    }

    return v->queue_select < CL_QUEUES
               ? queue_read(&v->queue[v->queue_select], off)
               : 0;
}

uint64_t cl_common_read(const struct cl_port *port, uint32_t off,
                        unsigned int size)
{
    uint64_t value = common_field(port, off);

    return size < 8 ? value & ((1ULL << (size * 8)) - 1) : value;
}

static void queue_write(struct cl_port *port, struct cl_queue *q, uint32_t off,
                        unsigned int size, uint64_t value)
{
    uint64_t *part = queue_part(q, off);

    if ( off == VIRTIO_QUEUE_VECTOR )
        q->vector = vector(value);
    else if ( q->enabled || port->virtio.status & VIRTIO_DRIVER_OK )
        return; /* not any more: 4.1.4.3.2 */
    else if ( off == VIRTIO_QUEUE_SIZE )
        set_size(q, (uint16_t)value);
    else if ( off == VIRTIO_QUEUE_ENABLE )
        enable(port, q, value);
    else if ( part && size == 8 && off % 8 == 0 )
        *part = value;
    else if ( part && size == 4 && off % 4 == 0 )
    {
        unsigned int shift = off % 8 * 8;

        *part &= ~((uint64_t)UINT32_MAX << shift);
        *part |= (value & UINT32_MAX) << shift;
    }
}

void cl_common_write(struct cl_port *port, uint32_t off, unsigned int size,
                     uint64_t value)
{
    struct cl_virtio *v = &port->virtio;
    struct cl_queue *q = selected(port);

    switch ( off )
    {
    case VIRTIO_DEVICE_SELECT:
        v->device_select = (uint32_t)value;
        break;

    case VIRTIO_DRIVER_SELECT:
        v->driver_select = (uint32_t)value;
        break;

    case VIRTIO_DRIVER_FEATURE:
        set_features(v, (uint32_t)value);
        break;

    case VIRTIO_CONFIG_VECTOR:
        v->config_vector = vector(value);
        break;

    case VIRTIO_STATUS:
        set_status(port, (uint8_t)value);
        break;

    case VIRTIO_QUEUE_SELECT:
        v->queue_select = (uint16_t)value;
        break;

    default:
        if ( q && off >= VIRTIO_QUEUE_SIZE )
            queue_write(port, q, off, size, value);
        break;
    }
}
