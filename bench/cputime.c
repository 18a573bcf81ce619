/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cputime DOMID: waits until the domain has shut down (it must be kept:
 * on_poweroff="preserve"), and prints the processor time that its vCPUs have
 * used in all, in nanoseconds: with -icount, a count of instructions.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <xenctrl.h>

#define SECONDS 600

int main(int argc, char **argv)
{
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);
    uint32_t domid = argc == 2 ? (uint32_t)atoi(argv[1]) : 0;
    xc_domaininfo_t info;
    unsigned int i;

    if ( !xch || !domid )
    {
        fprintf(stderr, "usage: cputime DOMID\n");
        return 2;
    }
    for ( i = 0; i < SECONDS; i++ )
    {
        if ( xc_domain_getinfo_single(xch, domid, &info) )
            return 1;
        if ( info.flags & XEN_DOMINF_shutdown )
        {
            printf("%llu\n", (unsigned long long)info.cpu_time);
            return 0;
        }
        sleep(1);
    }

    return 1;
}
