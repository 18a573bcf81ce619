/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lateattach DOMID: dom0 attaches something to a guest that runs already.
 *
 * Claim:  what a guest must not have when it is sealed it cannot get later:
 *         a device's memory or ports, a device model, a monitor, a debugger.
 * Method: asks Xen for each of them, and takes it back.
 * Stock:  every one is given.
 *
 * Prints NAME 1 (given) or 0 (refused) for each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <xenctrl.h>
#include <xendevicemodel.h>

#include "guestmem.h"

#define HOLE     0x30000ul      /* a gfn where the tiny guest has nothing */
#define VGA      0xa0ul         /* mfn: dom0's to give */
#define PORT     0x3e8          /* the same */
#define PORTS    8

static void say(const char *name, int rc)
{
    printf("%s %d\n", name, rc >= 0);
}

static void device(xc_interface *xch, uint32_t domid)
{
    int rc = xc_domain_iomem_permission(xch, domid, VGA, 1, 1);

    if ( !rc )
        rc = xc_domain_memory_mapping(xch, domid, HOLE, VGA, 1, 1);
    say("iomem", rc);
    if ( !rc )
        xc_domain_memory_mapping(xch, domid, HOLE, VGA, 1, 0);
    xc_domain_iomem_permission(xch, domid, VGA, 1, 0);

    rc = xc_domain_ioport_mapping(xch, domid, PORT, PORT, PORTS, 1);
    say("ioports", rc);
    if ( !rc )
        xc_domain_ioport_mapping(xch, domid, PORT, PORT, PORTS, 0);
}

static void device_model(uint32_t domid)
{
    xendevicemodel_handle *dmod = xendevicemodel_open(NULL, 0);
    ioservid_t id;
    int rc;

    if ( !dmod )
        fail("xendevicemodel_open");
    rc = xendevicemodel_create_ioreq_server(dmod, domid, 0, &id);
    say("device_model", rc);
    if ( !rc )
        xendevicemodel_destroy_ioreq_server(dmod, domid, id);
}

static void monitor(xc_interface *xch, uint32_t domid)
{
    uint32_t port;
    void *ring = xc_monitor_enable(xch, domid, &port);

    say("monitor", ring ? 0 : -1);
    if ( !ring )
        return;
    xc_monitor_disable(xch, domid);
    munmap(ring, PAGE);
}

static void debugger(xc_interface *xch, uint32_t domid)
{
    int rc = xc_domain_setdebugging(xch, domid, 1);

    say("debugger", rc);
    if ( !rc )
        xc_domain_setdebugging(xch, domid, 0);
}

int main(int argc, char *argv[])
{
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);
    uint32_t domid;

    if ( argc != 2 || !xch )
    {
        fprintf(stderr, "usage: lateattach DOMID\n");
        return 2;
    }
    domid = strtoul(argv[1], NULL, 0);
    device(xch, domid);
    device_model(domid);
    monitor(xch, domid);
    debugger(xch, domid);
    xc_interface_close(xch);

    return 0;
}
