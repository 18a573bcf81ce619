/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oddmap DOMID: puts a grant table's frame into the memory map of a domain that
 * is being built, at a hole, and takes it out again: as older toolstacks do.
 */
#include <stdio.h>
#include <stdlib.h>

#include <xenctrl.h>

#define HOLE 0xfe000ul

int main(int argc, char **argv)
{
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);
    uint32_t domid;

    if ( argc != 2 || !xch )
        return 2;
    domid = (uint32_t)atoi(argv[1]);
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
