/* SPDX-License-Identifier: GPL-2.0-only */
/* The host: what the files of it share.  Others have private.h. */
#ifndef CLOISTER_PORT_HOST_H
#define CLOISTER_PORT_HOST_H

#include <xen/acpi.h>

struct cloister_place;
struct domain;

#define SLP_EN          (1u << 13)      /* ACPI 6.5, 4.8.3.2.1 */

static inline bool is_port(const struct acpi_generic_address *a)
{
    return a->address && a->space_id == ACPI_ADR_SPACE_SYSTEM_IO;
}

/* All below: at boot, as dom0 is built; nothing runs beside, no locks. */

/* ---- host.c ------------------------------------------------------------- */

/*
 * The next place of policy_table.c's, from *nr on, that this host has, or
 * NULL; *nr moves behind it.
 */
const struct cloister_place *cloister_next_place(unsigned int *nr);

/* ---- host_memory.c ------------------------------------------------------ */

/*
 * Hides what cloister_hide_io() has not been told of, and takes the rights to
 * all of it from dom0: 0, -ENOMEM, or of iomem_deny_access().  Panics if there
 * is more to hide than there is room to note it.
 */
int cloister_deny_memory(struct domain *d);

/* ---- host_ports.c ------------------------------------------------------- */

/*
 * Switches ACPI on, as dom0 would by a port that it no longer has; waits at
 * most three seconds for it.
 */
void cloister_enable_acpi(void);

/* Takes the ports from dom0: 0 or -errno of ioports_deny_access(). */
int cloister_deny_ports(struct domain *d);

#endif /* CLOISTER_PORT_HOST_H */
