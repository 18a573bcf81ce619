/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When the host goes down: nothing of a protected guest stays in memory, and
 * the machine does not come back.
 */

#include <xen/acpi.h>
#include <xen/delay.h>
#include <xen/domain_page.h>
#include <xen/sched.h>
#include <xen/smp.h>

#include <asm/io.h>
#include <asm/xstate.h>

#include <cloister/wipe.h>

#include "host.h"
#include "private.h"

static size_t xsave_size(void)
{
    return cpu_has_xsave ? xstate_uncompressed_size(xfeature_mask)
                         : XSTATE_AREA_MIN_SIZE;
}

/* What Xen has saved of a guest's registers: there are keys in them. */
static void wipe_registers(struct domain *d)
{
    struct vcpu *v;

    for_each_vcpu ( d, v )
    {
        cl_wipe(&v->arch.user_regs, sizeof(v->arch.user_regs));
        cl_wipe(v->arch.dr, sizeof(v->arch.dr));
        if ( v->arch.xsave_area )
            cl_wipe(v->arch.xsave_area, xsave_size());
    }
}

/* Those of who ran last on each processor are on its stack. */
static void wipe_stacks(void)
{
    struct cpu_user_regs *regs;
    unsigned int cpu;

    for ( cpu = 0; cpu < nr_cpu_ids; cpu++ )
    {
        if ( !stack_base[cpu] )
            continue;
        regs = &get_cpu_info_from_stack((unsigned long)stack_base[cpu])
                    ->guest_cpu_user_regs;
        cl_wipe(regs, offsetof(struct cpu_user_regs, error_code));
    }
}

static void wipe_pages(const struct page_list_head *list)
{
    struct page_info *pg;

    page_list_for_each ( pg, list )
        clear_domain_page(page_to_mfn(pg));
}

static void wipe_domain(struct domain *d)
{
    wipe_registers(d);
    wipe_pages(&d->page_list);
    /* Those of one that is being destroyed, and somebody still maps. */
    wipe_pages(&d->arch.relmem_list);
}

#define STOP_PATIENCE   1000            /* ms */

/* What a guest writes behind our back stays.  smp_send_stop() waits 10 ms. */
static void await_others(void)
{
    unsigned int ms = STOP_PATIENCE;

    while ( num_online_cpus() > 1 && ms-- )
        mdelay(1);
}

/*
 * Memory stays readable for whoever boots next.  Keys go first; then the
 * pages of protected guests, unless this is how wiping them ended the first
 * time.  No locks: the others are stopped, or must not be waited for.
 */
void cloister_host_down(void)
{
    static bool begun;
    struct domain *d;

    if ( cloister_mode == CLOISTER_MODE_off || test_and_set_bool(begun) )
        return;

    cloister_keys_wipe();
    await_others();
    cloister_tpm_wipe();
    cloister_provision_wipe();
    cloister_dump_wipe();
    wipe_stacks();
    for_each_domain ( d )
    {
        if ( d->arch.cloister )
        {
            cloister_secret_wipe(d->arch.cloister);
            cloister_restore_wipe(d->arch.cloister);
            cloister_siom_wipe(d);
        }
        if ( cloister_sealed(d) )
            wipe_domain(d);
    }
    cloister_nic_wipe();
}

static void write_control(const struct acpi_generic_address *a, uint16_t val)
{
    if ( is_port(a) && (val & SLP_EN) )
        outw(val, a->address);
}

void cloister_stay_down(void)
{
    if ( cloister_mode == CLOISTER_MODE_off )
        return;

    local_irq_disable();
    for ( ; ; )
        halt();
}

/*
 * dom0 has said how, and may have lied: nothing is left in memory by then, and
 * a host that does not go off does not go on either.
 */
void cloister_power_off(void)
{
    smp_send_stop();
    cloister_host_down();
    write_control(&acpi_sinfo.pm1a_cnt_blk, acpi_sinfo.pm1a_cnt_val);
    write_control(&acpi_sinfo.pm1b_cnt_blk, acpi_sinfo.pm1b_cnt_val);
    cloister_stay_down();
}
