/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of the host only Xen uses, and dom0 loses: in order.  Memory is in
 * host_memory.c, ports are in host_ports.c.
 */

#include <xen/init.h>

#include "host.h"
#include "policy_table.h"
#include "private.h"

const struct cloister_place *__init cloister_next_place(unsigned int *nr)
{
    const struct cloister_place *p;

    do
        p = cloister_place((*nr)++);
    while ( p && p->amd && !(boot_cpu_data.x86_vendor &
                             (X86_VENDOR_AMD | X86_VENDOR_HYGON)) );

    return p;
}

int __init cloister_dom0_permissions(struct domain *d)
{
    int rc;

    if ( cloister_mode == CLOISTER_MODE_off )
        return 0;

    rc = cloister_deny_memory(d);
    cloister_enable_acpi();

    return rc ?: cloister_deny_ports(d) ?: cloister_nic_dom0_permissions(d);
}
