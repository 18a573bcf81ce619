/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * granted DOMID REF GFN: a page that a guest grants to dom0, and takes back.
 *
 * Claim:  a grant gives dom0 the page for as long as it lasts, and nothing
 *         else does: a foreign mapping of the same page is a view, during the
 *         grant and after it.
 * Method: the tiny guest grants a page of 64 lines (grant=REF).  dom0 maps
 *         the grant, copies from it, maps the page as foreign memory, and
 *         writes to it what the guest waits for; lets go of it, and when the
 *         guest has ended the grant, tries again.
 * Stock:  the foreign mapping has all lines, too.
 *
 * Prints map, copy, foreign (lines), wrote (1); after the guest's answer on
 * standard input, after_map (1: still possible) and after_foreign (lines).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xengnttab.h>

#include "guestmem.h"

#define END_OF_GRANT 0x444e4521u

struct grant {
    xengnttab_handle *gnttab;
    uint32_t domid, ref;
};

static void say(const char *name, unsigned long value)
{
    printf("%s %lu\n", name, value);
    fflush(stdout);
}

static unsigned long foreign_lines(const struct guestmem *g, xen_pfn_t gfn)
{
    static struct batch b;
    unsigned long lines;

    if ( !batch_map(g, &b, gfn, 1, PROT_READ) )
        return 0;
    lines = batch_lines(&b);
    batch_unmap(g, &b);

    return lines;
}

static unsigned long copied_lines(const struct grant *gr)
{
    static char page[PAGE] __attribute__((aligned(PAGE)));
    xengnttab_grant_copy_segment_t segment = {
        .source.foreign = { .domid = gr->domid, .ref = gr->ref },
        .dest.virt = page,
        .len = PAGE,
        .flags = GNTCOPY_source_gref,
    };

    if ( xengnttab_grant_copy(gr->gnttab, 1, &segment) || segment.status )
        return 0;

    return lines_in(page, PAGE);
}

static void use(const struct grant *gr, const struct guestmem *g,
                xen_pfn_t gfn)
{
    volatile uint32_t *page =
        xengnttab_map_grant_ref(gr->gnttab, gr->domid, gr->ref,
                                PROT_READ | PROT_WRITE);

    say("map", page ? lines_in((void *)page, PAGE) : 0);
    say("copy", copied_lines(gr));
    say("foreign", foreign_lines(g, gfn));
    if ( !page )
        return;
    page[PAGE / sizeof(*page) - 1] = END_OF_GRANT;
    say("wrote", page[PAGE / sizeof(*page) - 1] == END_OF_GRANT);
    xengnttab_unmap(gr->gnttab, (void *)page, 1);
}

int main(int argc, char *argv[])
{
    struct guestmem g;
    struct grant gr;
    xen_pfn_t gfn;

    if ( argc != 4 )
    {
        fprintf(stderr, "usage: granted DOMID REF GFN\n");
        return 2;
    }
    guestmem_open(&g, argv[1]);
    gr.gnttab = xengnttab_open(NULL, 0);
    if ( !gr.gnttab )
        fail("xengnttab_open");
    gr.domid = g.domid;
    gr.ref = strtoul(argv[2], NULL, 0);
    gfn = strtoul(argv[3], NULL, 0);

    use(&gr, &g, gfn);
    if ( getchar() == EOF )
        return 1;
    say("after_map", !!xengnttab_map_grant_ref(gr.gnttab, gr.domid, gr.ref,
                                               PROT_READ));
    say("after_foreign", foreign_lines(&g, gfn));

    return 0;
}
