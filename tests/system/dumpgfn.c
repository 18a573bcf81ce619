/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dumpgfn DOMID GFN COUNT: a stretch of a guest's memory, raw, as dom0 gets
 * it: a foreign mapping of COUNT gfns from GFN on, written to standard
 * output.  All pages or none: fails if one of them is not there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "guestmem.h"

int main(int argc, char *argv[])
{
    static struct batch b;
    struct guestmem g;
    size_t count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;

    if ( !count || count > BATCH )
    {
        fprintf(stderr, "usage: dumpgfn DOMID GFN COUNT (at most %d)\n",
                BATCH);
        return 2;
    }

    guestmem_open(&g, argv[1]);
    if ( !batch_map(&g, &b, strtoul(argv[2], NULL, 10), count, PROT_READ) ||
         b.good != count )
        fail("a page of the stretch");
    if ( fwrite(b.mem, PAGE, count, stdout) != count || fflush(stdout) )
        fail("standard output");

    return 0;
}
