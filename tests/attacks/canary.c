/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attack canary: searches everything that dom0 can read for a victim's marker:
 * all pages that can be mapped of it, the file it is saved to, Xen's log (as
 * text, and its words as Xen prints registers), frames of DOMID_XEN (trace
 * buffers and table of machine frames) and DOMID_IO (the lowest megabyte).
 * A Xen whose keys are planted (a debug build, cloister-plant) has the marker
 * in its key table, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attack.h"

#define LOW_FRAMES 0x100
#define EXTENTS 32
#define EXTENT_FRAMES 512 /* 2 MiB */

/* What is found in NR frames from FIRST on; adds to *PAGES what is mapped. */
static unsigned long in_frames(uint32_t domid, unsigned long first,
                               unsigned long nr, unsigned long *pages)
{
    unsigned long i, found = 0;

    for ( i = 0; i < nr; i++ )
    {
        void *page = map_page(domid, first + i, false);

        if ( !page )
            continue;
        found += markers_in(page, PAGE);
        ++*pages;
        unmap_page(page);
    }
    return found;
}

/* RAM, the shared page and grants behind it, and the special pages. */
static unsigned long in_maps(struct victim *v, unsigned long *pages)
{
    return in_frames(v->id, 0, GUEST_MIB << 8, pages) +
           in_frames(v->id, VICTIM_SHARED / PAGE, 4, pages) +
           in_frames(v->id, 0xfeff0, 0x10, pages);
}

static unsigned long in_log(void)
{
    uint32_t word[VICTIM_WORDS];
    unsigned int at = 0, i;
    const char *text = log_read(&at);
    unsigned long found = markers_in(text, strlen(text));
    char number[16];

    marker_words(word);
    for ( i = 0; i < 3; i++ )
    {
        snprintf(number, sizeof(number), "%08x", word[i]);
        found += !!strstr(text, number);
    }
    return found;
}

/* The whole table of machine frames, and what tracing has left. */
static unsigned long in_xen(unsigned long *pages)
{
    xen_pfn_t *first = xen_buffer(EXTENTS * sizeof(*first));
    struct xen_machphys_mfn_list op = {.max_extents = EXTENTS};
    unsigned long found = markers_traced(pages);
    unsigned int i;

    set_xen_guest_handle_raw(op.extent_start, first);
    if ( memory_op(XENMEM_machphys_mfn_list, &op, sizeof(op)) )
        op.nr_extents = 0;
    for ( i = 0; i < op.nr_extents; i++ )
        found += in_frames(DOMID_XEN, first[i], EXTENT_FRAMES, pages);
    return found + in_frames(DOMID_IO, 0, LOW_FRAMES, pages);
}

/* Of another victim, which ends with it; -1: it cannot be saved. */
static long in_saved(unsigned long *kib)
{
    struct victim v;
    long found;

    if ( victim_start(&v, "suspend") )
        return -1;
    found = markers_saved(&v, kib);
    victim_destroy(&v);
    return found;
}

int canary(void)
{
    unsigned long maps, xen, log, pages = 0, others = 0, kib = 0;
    long saved;
    struct victim v;

    saved = in_saved(&kib);
    if ( victim_start(&v, NULL) )
        return -1;
    maps = in_maps(&v, &pages);
    xen = in_xen(&others);
    log = in_log();
    printf("canary maps %lu pages %lu saved %ld saved_kib %lu xen %lu "
           "xen_pages %lu log %lu well %d\n",
           maps, pages, saved, kib, xen, others, log, victim_healthy(&v, 30));
    victim_destroy(&v);
    return 0;
}
