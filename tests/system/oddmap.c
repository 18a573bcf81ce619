/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oddmap DOMID: puts a grant table's frame into the memory map of a domain that
 * is being built, at a hole, and takes it out again: as older toolstacks do.
 *
 * oddmap DOMID hole: makes a hole where the domain has memory.
 *
 * Claim  a restored guest has all its memory, or does not run.
 * Bug    the page is still the domain's, and Xen counts it; the guest reads all
 *        ones there, and what it writes is lost.
 * Stock  works.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenctrl.h>
#include <xendevicemodel.h>

#define HOLE 0xfe000ul
#define RAM  0x2345u

static int make_hole(domid_t domid)
{
    xendevicemodel_handle *dm = xendevicemodel_open(NULL, 0);

    if ( !dm || xendevicemodel_set_mem_type(dm, domid, HVMMEM_mmio_dm, RAM,
                                            1) )
    {
        perror("oddmap: making a hole");
        return 1;
    }

    return 0;
}

int main(int argc, char **argv)
{
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);
    uint32_t domid;

    if ( argc < 2 || !xch )
        return 2;
    domid = (uint32_t)atoi(argv[1]);
    if ( argc > 2 && !strcmp(argv[2], "hole") )
        return make_hole((domid_t)domid);
    if ( xc_domain_add_to_physmap(xch, domid, XENMAPSPACE_grant_table, 0,
                                  HOLE) )
    {
        perror("oddmap: putting it in");
        return 1;
    }
    if ( xc_domain_remove_from_physmap(xch, domid, HOLE) )
    {
        perror("oddmap: taking it out");
        return 1;
    }

    return 0;
}
