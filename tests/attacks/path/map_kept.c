/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a mapping from before the guest first ran
 *
 * Claim:  dom0 reads, and changes, a running guest's page without asking Xen
 *         for anything any more.
 * Method: a foreign mapping made while the guest is being built, when dom0
 *         must be allowed to, and kept over its first unpause.
 * Stock:  a mapping takes no reference that anything would notice: it lives.
 */
#include "../attack.h"

static enum verdict map_kept_read(struct victim *v)
{
    void *page = map_page(v->id, LINES_GFN, true);
    unsigned long found;

    if ( !page )
        return verdict(ERROR, "no mapping in the building");
    if ( !victim_runs(v) )
        return verdict(FAILURE, "the guest does not run");
    found = markers_in(page, PAGE);
    unmap_page(page);
    return verdict(found ? SUCCESS : FAILURE, "%lu markers in a page", found);
}
ATTACK(map_kept_read, .needs = BUILT);

static enum verdict map_kept_write(struct victim *v)
{
    char *page = map_page(v->id, LINES_GFN, true);

    if ( !page )
        return verdict(ERROR, "no mapping in the building");
    if ( !victim_runs(v) )
        return verdict(FAILURE, "the guest does not run");
    page[0] = 'X';
    return victim_complains(v, "BAD");
}
ATTACK(map_kept_write, .needs = BUILT);

/*
 * Claim: ... after the guest's end, when its memory is nobody's any more: the
 * mapping keeps the frame, and what the guest left in it.
 */
static enum verdict map_kept_destroyed(struct victim *v)
{
    void *page = map_page(v->id, LINES_GFN, false);
    unsigned long found;

    if ( !page )
        return verdict(FAILURE, "no mapping");
    victim_destroy(v);
    found = markers_in(page, PAGE);
    unmap_page(page);
    return verdict(found ? SUCCESS : FAILURE, "%lu markers in a page", found);
}
ATTACK(map_kept_destroyed, .needs = FRESH);
