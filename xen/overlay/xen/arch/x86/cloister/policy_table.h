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

#endif /* CLOISTER_POLICY_TABLE_H */
