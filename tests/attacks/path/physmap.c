/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: the guest's memory map, changed from outside
 *
 * Claim:  dom0 takes pages of a running guest away, puts others in their
 *         place, or exchanges them: the guest computes with what is not its.
 * Method: XENMEM_populate_physmap, _decrease_reservation, _remove_from_physmap
 *         and _add_to_physmap with the victim's domain id and a guest frame
 *         that holds lines.
 * Stock:  all of them, on a domain that runs.
 */
#include "../attack.h"

static enum verdict populate(struct victim *v)
{
    xen_pfn_t gfn = LINES_GFN;

    xc_domain_setmaxmem(xch, v->id, -1);
    if ( xc_domain_populate_physmap(xch, v->id, 1, 0, 0, &gfn) != 1 )
        return verdict(FAILURE, "refused");
    return victim_complains(v, "BAD");
}
ATTACK(populate, .needs = SHARED);

static enum verdict decrease_reservation(struct victim *v)
{
    xen_pfn_t gfn = LINES_GFN;

    if ( xc_domain_decrease_reservation(xch, v->id, 1, 0, &gfn) != 1 )
        return verdict(FAILURE, "refused");
    return victim_complains(v, "BAD");
}
ATTACK(decrease_reservation, .needs = SHARED);

/*
 * A page that goes, and another that comes: the guest finds zeroes where its
 * data was.  Between the two, somebody else gets the frame, which would come
 * back with all that is in it.
 */
static enum verdict replace_page(struct victim *v)
{
    xen_pfn_t gfn = LINES_GFN, other = VICTIM_SHARED / PAGE + 64;

    xc_domain_setmaxmem(xch, v->id, -1);
    if ( xc_domain_decrease_reservation(xch, v->id, 1, 0, &gfn) != 1 ||
         xc_domain_populate_physmap(xch, v->id, 1, 0, 0, &other) != 1 ||
         xc_domain_populate_physmap(xch, v->id, 1, 0, 0, &gfn) != 1 )
        return verdict(FAILURE, "refused");
    return victim_complains(v, "BAD");
}
ATTACK(replace_page, .needs = SHARED);

static enum verdict remove_from_physmap(struct victim *v)
{
    struct xen_remove_from_physmap op = {.domid = v->id, .gpfn = LINES_GFN};
    long rc = memory_op(XENMEM_remove_from_physmap, &op, sizeof(op));

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, "BAD");
}
ATTACK(remove_from_physmap, .needs = SHARED);

/* Over the first page of lines. */
static enum verdict add(struct victim *v, unsigned int space,
                        unsigned long index)
{
    struct xen_add_to_physmap op = {
        .domid = v->id,
        .space = space,
        .idx = index,
        .gpfn = LINES_GFN,
    };
    long rc = memory_op(XENMEM_add_to_physmap, &op, sizeof(op));

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, "BAD");
}

static enum verdict add_shared_info(struct victim *v)
{
    return add(v, XENMAPSPACE_shared_info, 0);
}
ATTACK(add_shared_info, .needs = SHARED);

static enum verdict add_grant_table(struct victim *v)
{
    return add(v, XENMAPSPACE_grant_table, 0);
}
ATTACK(add_grant_table, .needs = SHARED);

static enum verdict add_gmfn(struct victim *v)
{
    return add(v, XENMAPSPACE_gmfn, SPARE_GFN);
}
ATTACK(add_gmfn, .needs = SHARED);

/* The same for many pages in one call, which has a path of its own. */
static enum verdict add_batch(struct victim *v)
{
    xen_ulong_t *index = xen_buffer(sizeof(*index));
    xen_pfn_t *gfn = xen_buffer(sizeof(*gfn));
    int *error = xen_buffer(sizeof(*error));
    struct xen_add_to_physmap_batch op = {
        .domid = v->id,
        .space = XENMAPSPACE_gmfn,
        .size = 1,
    };
    long rc;

    *index = SPARE_GFN;
    *gfn = LINES_GFN;
    set_xen_guest_handle_raw(op.idxs, index);
    set_xen_guest_handle_raw(op.gpfns, gfn);
    set_xen_guest_handle_raw(op.errs, error);
    rc = memory_op(XENMEM_add_to_physmap_batch, &op, sizeof(op));
    if ( rc || *error )
        return verdict(FAILURE, "refused: %ld, %d", rc, *error);
    return victim_complains(v, "BAD");
}
ATTACK(add_batch, .needs = SHARED);

/*
 * Claim: dom0 gives a running guest memory that it has not asked for.  (It is
 * the guest's, without a place in its map: who counts pages, miscounts.)
 */
static enum verdict increase_reservation(struct victim *v)
{
    xc_domaininfo_t before, after;

    xc_domain_setmaxmem(xch, v->id, -1);
    if ( xc_domain_getinfo_single(xch, v->id, &before) ||
         xc_domain_increase_reservation(xch, v->id, 1, 0, 0, NULL) != 1 ||
         xc_domain_getinfo_single(xch, v->id, &after) )
        return verdict(FAILURE, "refused");
    return verdict(after.tot_pages > before.tot_pages ? SUCCESS : FAILURE,
                   "%llu pages, then %llu",
                   (unsigned long long)before.tot_pages,
                   (unsigned long long)after.tot_pages);
}
ATTACK(increase_reservation, .needs = SHARED);

/*
 * Claim: dom0 changes what a running guest is told of its memory map.
 */
static enum verdict set_memory_map(struct victim *v)
{
    struct
    {
        uint64_t start, size;
        uint32_t type;
    } __attribute__((packed)) *entries = xen_buffer(sizeof(*entries));
    struct xen_foreign_memory_map op = {
        .domid = v->id,
        .map.nr_entries = 1,
    };
    long rc;

    entries[0].size = 4ul << 20;
    entries[0].type = 1;
    set_xen_guest_handle_raw(op.map.buffer, (void *)entries);
    rc = memory_op(XENMEM_set_memory_map, &op, sizeof(op));
    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, "MAP");
}
ATTACK(set_memory_map, .needs = SHARED);

/*
 * Claim: Xen itself overwrites a page of a running guest for dom0, with
 * hypercall entries (XEN_DOMCTL_hypercall_init).
 */
static enum verdict hypercall_init(struct victim *v)
{
    struct xen_domctl op = {.u.hypercall_init.gmfn = LINES_GFN};
    long rc = domctl(v->id, XEN_DOMCTL_hypercall_init, &op);

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, "BAD");
}
ATTACK(hypercall_init, .needs = SHARED);

/*
 * Claim: dom0 declares a guest's page broken; the guest dies when it touches
 * it (XEN_DOMCTL_set_broken_page_p2m), with its registers in Xen's log.
 */
static enum verdict set_broken_page(struct victim *v)
{
    struct xen_domctl op = {.u.set_broken_page_p2m.pfn = LINES_GFN};
    long rc = domctl(v->id, XEN_DOMCTL_set_broken_page_p2m, &op);
    xc_domaininfo_t info;

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    msleep(1500);
    if ( xc_domain_getinfo_single(xch, v->id, &info) ||
         (info.flags & XEN_DOMINF_shutdown) )
        return verdict(SUCCESS, "the guest has crashed");
    return victim_complains(v, "BAD");
}
ATTACK(set_broken_page, .needs = SHARED);
