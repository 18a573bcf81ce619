/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy tables, the very file that is in the hypervisor: each operation
 * that Xen has is decided, nothing else is allowed, and what would undo the
 * protection stays refused.
 */
#include <stddef.h>
#include <stdint.h>

#include "policy_table.h"

#include <public/xen.h>
#include <public/domctl.h>
#include <public/hvm/dm_op.h>
#include <public/hvm/hvm_op.h>
#include <public/memory.h>
#include <public/platform.h>
#include <public/sysctl.h>

#include "test.h"

#define OPS 4096

/* How many operations of a table are allowed, or asked about. */
static unsigned int permitted(unsigned int table)
{
    unsigned int op, nr = 0;

    for ( op = 0; op < OPS; op++ )
        nr += cloister_rule(table, op) == CLOISTER_RULE_allow ||
              cloister_rule(table, op) == CLOISTER_RULE_ask;

    return nr;
}

static int is_refusal(unsigned int rule)
{
    return rule == CLOISTER_RULE_unknown ||
           (rule >= CLOISTER_COUNT_FIRST &&
            rule < CLOISTER_COUNT_FIRST + CLOISTER_COUNTS);
}

/* Every rule is one of the three words, or a reason that can be counted. */
TEST(rules_are_rules)
{
    unsigned int table, op;

    for ( table = 0; table < CLOISTER_TABLES; table++ )
        for ( op = 0; op < OPS; op++ )
        {
            unsigned int rule = cloister_rule(table, op);

            CHECK(is_refusal(rule) || rule == CLOISTER_RULE_allow ||
                  rule == CLOISTER_RULE_ask);
        }
}

TEST(beyond_the_tables_nothing_is_known)
{
    unsigned int table;

    for ( table = 0; table < CLOISTER_TABLES + 3; table++ )
    {
        CHECK(cloister_rule(table, OPS) == CLOISTER_RULE_unknown);
        CHECK(cloister_rule(table, ~0u) == CLOISTER_RULE_unknown);
        CHECK(cloister_rule(table, 1u << 31) == CLOISTER_RULE_unknown);
    }
    CHECK(cloister_rule(CLOISTER_TABLES, 1) == CLOISTER_RULE_unknown);
    CHECK(cloister_rule(~0u, 1) == CLOISTER_RULE_unknown);
    /* What is a hook's own has no table. */
    CHECK(permitted(CLOISTER_CALL_map) == 0);
    CHECK(permitted(CLOISTER_CALL_p2m) == 0);
    CHECK(permitted(CLOISTER_CALL_dma) == 0);
}

/* Numbers that Xen has given up, or never gave. */
TEST(unknown_operations)
{
    static const unsigned int ops[] = {6, 7, 8, 26, 30, 31, 32, 41, 44, 49,
                                       51, 52, 53, 58, 70, 76, 80, 90, 999};
    unsigned int i;

    for ( i = 0; i < sizeof(ops) / sizeof(ops[0]); i++ )
        CHECK(cloister_rule(CLOISTER_CALL_domctl, ops[i]) ==
              CLOISTER_RULE_unknown);
    for ( i = XEN_DOMCTL_gdbsx_guestmemio; i <= XEN_DOMCTL_gdbsx_domstatus;
          i++ )
        CHECK(cloister_rule(CLOISTER_CALL_domctl, i) == CLOISTER_RULE_unknown);
}

/* The lists of what is allowed grow only with this test. */
TEST(sizes_of_the_lists)
{
    CHECK(permitted(CLOISTER_CALL_domctl) == 26);
    CHECK(permitted(CLOISTER_CALL_memory) == 8);
    CHECK(permitted(CLOISTER_CALL_hvm) == 2);
    CHECK(permitted(CLOISTER_CALL_dm) == 1);
    CHECK(permitted(CLOISTER_CALL_grant) == 2);
    CHECK(permitted(CLOISTER_CALL_event) == 1);
    CHECK(permitted(CLOISTER_CALL_physdev) == 0);
    CHECK(permitted(CLOISTER_CALL_sysctl) == 20);
    CHECK(permitted(CLOISTER_CALL_platform) == 17);
    CHECK(permitted(CLOISTER_CALL_kexec) == 3);
    CHECK(permitted(CLOISTER_CALL_mca) == 3);
    CHECK(permitted(CLOISTER_CALL_pmu) == 6);
    CHECK(permitted(CLOISTER_CALL_hypfs) == 2);
    CHECK(permitted(CLOISTER_TABLE_shadow) == 6);
    CHECK(permitted(CLOISTER_TABLE_trigger) == 2);
    CHECK(permitted(CLOISTER_TABLE_hotplug) == 3);
    CHECK(permitted(CLOISTER_TABLE_key) == 10);
    CHECK(permitted(CLOISTER_TABLE_sleep) == 1);
    CHECK(permitted(CLOISTER_TABLE_efi) == 9);
}

/* What dom0 would take a guest over by, one of each kind. */
TEST(what_must_stay_refused)
{
    static const struct {
        unsigned int table, op, reason;
    } rows[] = {
        {CLOISTER_CALL_domctl, XEN_DOMCTL_sethvmcontext,
         CLOISTER_WHY_registers},
        {CLOISTER_CALL_domctl, XEN_DOMCTL_getvcpuextstate,
         CLOISTER_WHY_registers},
        {CLOISTER_CALL_domctl, XEN_DOMCTL_debug_op, CLOISTER_WHY_observation},
        {CLOISTER_CALL_domctl, XEN_DOMCTL_monitor_op,
         CLOISTER_WHY_observation},
        {CLOISTER_CALL_domctl, XEN_DOMCTL_set_target, CLOISTER_WHY_master},
        {CLOISTER_CALL_domctl, XEN_DOMCTL_memory_mapping, CLOISTER_WHY_device},
        {CLOISTER_CALL_domctl, XEN_DOMCTL_hypercall_init,
         CLOISTER_WHY_parameter},
        {CLOISTER_CALL_memory, XENMEM_populate_physmap,
         CLOISTER_WHY_memory_map},
        {CLOISTER_CALL_memory, XENMEM_add_to_physmap, CLOISTER_WHY_memory_map},
        {CLOISTER_CALL_memory, XENMEM_acquire_resource, CLOISTER_WHY_xen_page},
        {CLOISTER_CALL_hvm, HVMOP_set_param, CLOISTER_WHY_parameter},
        {CLOISTER_CALL_hvm, HVMOP_altp2m, CLOISTER_WHY_memory_map},
        {CLOISTER_CALL_dm, XEN_DMOP_inject_event, CLOISTER_WHY_registers},
        {CLOISTER_CALL_dm, XEN_DMOP_relocate_memory, CLOISTER_WHY_memory_map},
        {CLOISTER_CALL_sysctl, XEN_SYSCTL_livepatch_op, CLOISTER_WHY_xen_code},
        {CLOISTER_CALL_sysctl, XEN_SYSCTL_tbuf_op, CLOISTER_WHY_trace},
        {CLOISTER_CALL_platform, XENPF_mem_hotadd, CLOISTER_WHY_memory_kind},
        {CLOISTER_CALL_platform, XENPF_microcode_update,
         CLOISTER_WHY_xen_code},
        {CLOISTER_CALL_kexec, 4, CLOISTER_WHY_kexec},
    };
    size_t i;

    for ( i = 0; i < sizeof(rows) / sizeof(rows[0]); i++ )
        CHECK(cloister_rule(rows[i].table, rows[i].op) == rows[i].reason);

    for ( i = 0; i < sizeof("dv0DqegIiMzoVQCRNA*G+-"); i++ )
        CHECK(is_refusal(cloister_rule(CLOISTER_TABLE_key,
                                       "dv0DqegIiMzoVQCRNA*G+-"[i])));
    for ( i = 0; i < 5; i++ )
        CHECK(is_refusal(cloister_rule(CLOISTER_TABLE_sleep, i)));
}

/* Is it in a row, of those for AMD or of the others? */
static int hidden(int amd, int frames, uint32_t nr)
{
    const struct cloister_place *p;
    unsigned int i;

    for ( i = 0; (p = cloister_place(i)); i++ )
        if ( p->amd == amd && p->frames == frames && nr >= p->first &&
             nr <= p->last )
            return 1;

    return 0;
}

TEST(places_of_the_chipset)
{
    uint32_t i;

    for ( i = 0; i < 0x10000; i++ )
        CHECK(hidden(1, 0, i) == (i == 0xcd6 || i == 0xcd7));
    for ( i = 0xfec00; i < 0xfef00; i++ )
    {
        CHECK(hidden(1, 1, i) == (i == 0xfed80));
        CHECK(hidden(0, 1, i) == (i >= 0xfed41 && i <= 0xfed44));
    }
    /* Port by port each is the firmware's to say, on every other host. */
    for ( i = 0; i < 0x10000; i++ )
        CHECK(!hidden(0, 0, i));
    for ( i = 0; cloister_place(i); i++ )
        CHECK(cloister_place(i)->first <= cloister_place(i)->last);
    CHECK(!cloister_place(~0u));
}

/* Vendor, class and place of real functions. */
TEST(functions_of_the_chipset)
{
    enum { INTEL = 0x8086, AMD = 0x1022, OTHER = 0x1b36 };

    /* Host bridges wherever they are, and of whomever. */
    CHECK(cloister_pci_read_only(INTEL, 0x0600, true));
    CHECK(cloister_pci_read_only(AMD, 0x0600, false));
    CHECK(cloister_pci_read_only(OTHER, 0x0600, false));
    /* LPC, power management, P2SB; SMBus and LPC of AMD's hub. */
    CHECK(cloister_pci_read_only(INTEL, 0x0601, true));
    CHECK(cloister_pci_read_only(INTEL, 0x0580, true));
    CHECK(cloister_pci_read_only(INTEL, 0x0680, true));
    CHECK(cloister_pci_read_only(AMD, 0x0601, true));
    CHECK(cloister_pci_read_only(AMD, 0x0c05, true));
    /* A card's functions are its driver's. */
    CHECK(!cloister_pci_read_only(INTEL, 0x0601, false));
    CHECK(!cloister_pci_read_only(AMD, 0x0680, true));
    CHECK(!cloister_pci_read_only(INTEL, 0x0c05, true));
    CHECK(!cloister_pci_read_only(OTHER, 0x0601, true));
    CHECK(!cloister_pci_read_only(INTEL, 0x0200, true));
    CHECK(!cloister_pci_read_only(INTEL, 0x0106, true));
    CHECK(!cloister_pci_read_only(OTHER, 0x0604, true));
}

/* As struct xenpf_efi_guid has them. */
TEST(variables_of_the_firmware)
{
    struct xenpf_efi_guid clear = {
        0xe20939be, 0x32d4, 0x41be,
        {0xa1, 0x50, 0x89, 0x7f, 0x85, 0xd4, 0x98, 0x29},
    };
    const struct xenpf_efi_guid lock = {
        0xbb983ccf, 0x151d, 0x40e1,
        {0xa0, 0x7b, 0x4a, 0x17, 0xbe, 0x16, 0x82, 0x92},
    };
    /* The boot order's. */
    const struct xenpf_efi_guid global = {
        0x8be4df61, 0x93ca, 0x11d2,
        {0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c},
    };

    CHECK(cloister_efi_reserved(&clear) && cloister_efi_reserved(&lock));
    CHECK(!cloister_efi_reserved(&global));
    clear.data4[7] ^= 1;
    CHECK(!cloister_efi_reserved(&clear));
}

/* What xl needs for a protected guest's everyday life. */
TEST(what_must_stay_allowed)
{
    static const unsigned int ops[] = {
        XEN_DOMCTL_destroydomain,   XEN_DOMCTL_pausedomain,
        XEN_DOMCTL_unpausedomain,   XEN_DOMCTL_getdomaininfo,
        XEN_DOMCTL_getvcpucontext,  XEN_DOMCTL_gethvmcontext,
        XEN_DOMCTL_resumedomain,    XEN_DOMCTL_scheduler_op,
        XEN_DOMCTL_setvcpuaffinity, XEN_DOMCTL_max_mem,
        XEN_DOMCTL_getpageframeinfo3,
    };
    unsigned int i;

    for ( i = 0; i < sizeof(ops) / sizeof(ops[0]); i++ )
        CHECK(cloister_rule(CLOISTER_CALL_domctl, ops[i]) ==
              CLOISTER_RULE_allow);
    CHECK(cloister_rule(CLOISTER_CALL_hvm, HVMOP_get_param) ==
          CLOISTER_RULE_allow);
}
