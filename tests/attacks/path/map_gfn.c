/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest's memory by guest frame number
 *
 * Claim:  dom0 reads, and changes, any page of a running guest.
 * Method: a foreign mapping (MMU_NORMAL_PT_UPDATE of a PV dom0,
 *         XENMAPSPACE_gmfn_foreign of a PVH dom0), as libxc makes it.
 * Stock:  the page itself, writable.
 */
#include "../attack.h"

static enum verdict map_read(struct victim *v)
{
    void *page = map_page(v->id, LINES_GFN, false);
    unsigned long found = page ? markers_in(page, PAGE) : 0;

    unmap_page(page);
    return verdict(found ? SUCCESS : FAILURE, "%lu markers in a page", found);
}
ATTACK(map_read, .needs = SHARED);

static int write_byte(void *page)
{
    *(volatile char *)page = 'X';
    return 0;
}

static enum verdict map_write(struct victim *v)
{
    void *page = map_page(v->id, LINES_GFN, true);

    if ( page && attempt(write_byte, page) )
        return verdict(FAILURE, "the mapping is not writable");
    unmap_page(page);
    return victim_complains(v, "BAD");
}
ATTACK(map_write, .needs = SHARED);

/*
 * Claim: ... of a guest that has suspended itself, or that has crashed and is
 * kept to look at.
 */
static enum verdict map_ended(struct victim *v)
{
    if ( !victim_suspended(v, 30) )
        return verdict(ERROR, "the guest goes on");
    return map_read(v);
}

static enum verdict map_suspended(struct victim *v)
{
    return map_ended(v);
}
ATTACK(map_suspended, .needs = FRESH, .extra = "suspend");

static enum verdict map_crashed(struct victim *v)
{
    return map_ended(v);
}
ATTACK(map_crashed, .needs = FRESH, .extra = "triple");
