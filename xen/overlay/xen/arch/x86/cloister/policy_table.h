/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What may be asked about a sealed domain, and of a host that protects some.
 *
 * Const tables by kind of call, of one byte for each operation, and nothing
 * else: the same file is compiled into the unit tests.  An operation that has
 * no row is refused.
 */
#ifndef CLOISTER_POLICY_TABLE_H
#define CLOISTER_POLICY_TABLE_H

#include <stdbool.h>

#include "abi/hypercall.h"
#include "abi/reason.h"

/*
 * A rule: refuse for a reason (its number, 31 or above), or one of these.
 * unknown is what a table says of an operation that it does not have.
 */
#define CLOISTER_RULE_unknown   0
#define CLOISTER_RULE_allow     1
#define CLOISTER_RULE_ask       2       /* depends on the arguments */

/* Tables for arguments, after those for CLOISTER_CALL_*. */
enum {
    CLOISTER_TABLE_shadow = CLOISTER_CALLS, /* XEN_DOMCTL_SHADOW_OP_* */
    CLOISTER_TABLE_trigger,     /* XEN_DOMCTL_SENDTRIGGER_* */
    CLOISTER_TABLE_hotplug,     /* XEN_SYSCTL_CPU_HOTPLUG_* */
    CLOISTER_TABLE_key,         /* character of a debug key */
    CLOISTER_TABLE_sleep,       /* ACPI sleep state */
    CLOISTER_TABLE_efi,         /* XEN_EFI_* */
    CLOISTER_TABLES
};

/*
 * The rule for an operation: of CLOISTER_CALL_* by any domain but the sealed
 * one itself (up to physdev), or by any domain about the host.
 */
unsigned int cloister_rule(unsigned int table, unsigned int op);

/*
 * Where the chipset has, at places that no table of the firmware names, what
 * dom0 must not reach: ports, or pages of its registers (frame numbers).
 */
struct cloister_place {
    bool amd;                   /* only with a processor of AMD's, or Hygon's */
    bool frames;                /* else ports */
    uint32_t first, last;
};

/* The row of that number, or NULL: there are no more. */
const struct cloister_place *cloister_place(unsigned int nr);

#define PCI_SYSTEM_OTHER    0x0880

/*
 * Is the configuration of a PCI function with these registers (vendor, class
 * and subclass) read-only for dom0?  root: it is on segment 0, bus 0, where
 * the chipset's functions are.
 */
bool cloister_pci_read_only(uint16_t vendor, uint16_t class, bool root);

/*
 * Are EFI variables of this vendor (an EFI_GUID, 16 bytes as in memory) for
 * dom0 to read only?
 */
bool cloister_efi_reserved(const void *guid);

#endif /* CLOISTER_POLICY_TABLE_H */
