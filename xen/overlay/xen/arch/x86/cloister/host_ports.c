/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports of the host that only Xen uses: sleep, power, reset, and what runs
 * firmware.  dom0 has the rest of the keyboard controller.
 */

#include <xen/acpi.h>
#include <xen/delay.h>
#include <xen/init.h>
#include <xen/iocap.h>
#include <xen/sched.h>

#include <asm/hvm/io.h>
#include <asm/io.h>

#include <public/sched.h>

#include "host.h"
#include "policy_table.h"
#include "private.h"

#define SCI_EN          (1u << 0)       /* ACPI 6.5, 4.8.3.2.1 */
#define ACPI_PATIENCE   3000            /* ms, as ACPICA has it */

/* dom0 would switch it on by a port that it no longer has. */
void __init cloister_enable_acpi(void)
{
    const struct acpi_generic_address *cnt = &acpi_sinfo.pm1a_cnt_blk;
    unsigned int ms = ACPI_PATIENCE;

    if ( !is_port(cnt) || !acpi_smi_cmd || !acpi_enable_value ||
         (inw(cnt->address) & SCI_EN) )
        return;

    outb(acpi_enable_value, acpi_smi_cmd);
    while ( !(inw(cnt->address) & SCI_EN) && ms-- )
        mdelay(1);
}

static int __init deny_block(struct domain *d,
                             const struct acpi_generic_address *a)
{
    if ( is_port(a) )
        return ioports_deny_access(d, a->address, a->address + 1);
    if ( !a->address || a->space_id != ACPI_ADR_SPACE_SYSTEM_MEMORY )
        return 0;

    cloister_hide_io(PFN_DOWN(a->address), PFN_DOWN(a->address));

    return iomem_deny_access(d, PFN_DOWN(a->address), PFN_DOWN(a->address));
}

/*
 * A PVH dom0 switches the machine off by the port, not by hypercall.  While
 * protected guests run that is its own end only.  Every other write is dropped.
 */
static int cf_check pm1_cnt(int dir, unsigned int port, unsigned int bytes,
                            uint32_t *val)
{
    if ( dir == IOREQ_READ )
        *val = inw(port);
    else if ( bytes == 2 && (*val & SLP_EN) )
    {
        acpi_sinfo.pm1a_cnt_val = *val;
        if ( !cloister_dom0_powers_off() )
            cloister_power_off();
    }

    return X86EMUL_OKAY;
}

#define KBD_COMMAND     0x64
#define KBD_PULSE       0xf0            /* 1111xxxx: lines whose bit is 0 */
#define KBD_NO_RESET    0x01
#define KBD_OUTPUT      0xd1            /* what comes next sets all lines */

bool cloister_watches_port(unsigned int first, unsigned int nr)
{
    return first <= KBD_COMMAND && first + nr > KBD_COMMAND;
}

bool cloister_resets_host(unsigned int port, unsigned int bytes,
                          uint32_t data)
{
    uint8_t command;

    if ( !cloister_watches_port(port, bytes) ||
         cloister_mode == CLOISTER_MODE_off )
        return false;

    command = data >> (8 * (KBD_COMMAND - port));
    if ( command == KBD_OUTPUT )
        return true;
    if ( (command & KBD_PULSE) != KBD_PULSE || (command & KBD_NO_RESET) )
        return false;

    domain_shutdown(current->domain, SHUTDOWN_reboot);

    return true;
}

static int cf_check keyboard(int dir, unsigned int port, unsigned int bytes,
                             uint32_t *val)
{
    if ( dir == IOREQ_READ )
        *val = inb(port);
    else if ( !cloister_resets_host(port, 1, *val) )
        outb(*val, port);

    return X86EMUL_OKAY;
}

/* Ports that a PVH dom0 has directly unless it is denied them. */
static int __init emulate_ports(struct domain *d)
{
    if ( !is_hvm_domain(d) )
        return 0;

    if ( is_port(&acpi_sinfo.pm1a_cnt_blk) )
        register_portio_handler(d, acpi_sinfo.pm1a_cnt_blk.address, 2,
                                pm1_cnt);
    register_portio_handler(d, KBD_COMMAND, 1, keyboard);

    return ioports_deny_access(d, KBD_COMMAND, KBD_COMMAND);
}

static int __init deny_places(struct domain *d)
{
    const struct cloister_place *p;
    unsigned int nr = 0;
    int rc = 0;

    while ( (p = cloister_next_place(&nr)) )
        if ( !p->frames )
            rc |= ioports_deny_access(d, p->first, p->last);

    return rc;
}

/* Sleep states, and what runs firmware at dom0's wish. */
int __init cloister_deny_ports(struct domain *d)
{
    int rc = deny_block(d, &acpi_sinfo.pm1a_cnt_blk) |
             deny_block(d, &acpi_sinfo.pm1b_cnt_blk) |
             deny_block(d, &acpi_sinfo.sleep_control) |
             deny_block(d, &acpi_gbl_FADT.reset_register);

    if ( acpi_smi_cmd )
        rc |= ioports_deny_access(d, acpi_smi_cmd, acpi_smi_cmd);

    return rc | deny_places(d) | emulate_ports(d);
}
