/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dom0's end is not the host's.
 *
 *   dom0 lives --crash, shutdown, watchdog; no protected guest runs--> stock
 *       |
 *       | the same, but a protected guest runs (dom0-crash=survive)
 *       v
 *   stopped: its vCPUs are paused for good
 *       | undertaker, in slices
 *       v
 *   buried: devices quarantined, event channels closed, grants unmapped,
 *       |   memory free.  The empty struct domain stays: it keeps number 0
 *       |   from being anyone else's, and hardware_domain valid.
 *       | guests go on; who ends is destroyed here, not by a toolstack
 *       v
 *   the last protected guest ends: what dom0 asked for, as stock
 */

#include <xen/init.h>
#include <xen/param.h>
#include <xen/pci.h>
#include <xen/pci_regs.h>
#include <xen/shutdown.h>
#include <xen/tasklet.h>
#include <xen/timer.h>

#include <asm/irq.h>

#include <public/sched.h>

#include "private.h"

/*
 * Clearing away half a dom0 takes a second or more.  A tasklet keeps guests
 * off its CPU, hence slices, and at least as much time between them.
 */
#define SLICE       MILLISECS(1)
#define PAUSE       MILLISECS(1)

static bool __ro_after_init opt_survive = true;

static bool dom0_stopped;       /* never back; dom0's shutdown_lock */
static uint8_t dom0_reason;     /* SHUTDOWN_*, valid once it has stopped */
static bool dom0_buried;        /* domctl lock, as what follows */
static unsigned int dom0_pages, dom0_devices;

static struct timer slice, again;

static int __init cf_check parse_dom0_crash(const char *s)
{
    if ( !cmdline_strcmp(s, "survive") )
        opt_survive = true;
    else if ( !cmdline_strcmp(s, "reboot") )
        opt_survive = false;
    else
        return -EINVAL;

    return 0;
}
custom_param("dom0-crash", parse_dom0_crash);

/* Suspended guests do not count: nobody is left to resume or restore them. */
static unsigned int protected_running(void)
{
    const struct domain *d;
    unsigned int n = 0;

    rcu_read_lock(&domlist_read_lock);
    for_each_domain ( d )
        n += cloister_sealed(d) && !d->is_dying && !d->is_shut_down;
    rcu_read_unlock(&domlist_read_lock);

    return n;
}

static const char *reason_text(uint8_t reason)
{
    static const char *const texts[] = {
        [SHUTDOWN_poweroff] = "has shut down",
        [SHUTDOWN_reboot] = "wants to reboot",
        [SHUTDOWN_crash] = "has crashed",
        [SHUTDOWN_watchdog] = "hangs",
    };

    return reason < ARRAY_SIZE(texts) && texts[reason] ? texts[reason]
                                                       : "has ended";
}

/* ---- Burying dom0 ----------------------------------------------------- */

/*
 * dom0's devices may not write to what was dom0's memory.  The IOMMU sees to
 * that when they are quarantined; this silences them before, and them only:
 * a bridge may have SIOM's NIC behind it.
 */
static void silence_devices(const struct domain *d)
{
    const struct pci_dev *pdev;

    pcidevs_lock();
    for_each_pdev ( d, pdev )
    {
        uint16_t command = pci_conf_read16(pdev->sbdf, PCI_COMMAND);

        dom0_devices++;
        if ( (pci_conf_read8(pdev->sbdf, PCI_HEADER_TYPE) & 0x7f) ==
             PCI_HEADER_TYPE_NORMAL )
            pci_conf_write16(pdev->sbdf, PCI_COMMAND,
                             (command & ~PCI_COMMAND_MASTER) |
                             PCI_COMMAND_INTX_DISABLE);
    }
    pcidevs_unlock();
}

static void tell_burial(const struct domain *d, int rc)
{
    if ( rc )
        printk(XENLOG_ERR
               "Cloister: dom0's memory is kept: its devices cannot be"
               " confined (%d)\n", rc);
    else
        printk("Cloister: dom0 is gone: %u MiB freed, %u pages remain,"
               " %u devices quarantined\n",
               (dom0_pages - domain_tot_pages(d)) >> (20 - PAGE_SHIFT),
               domain_tot_pages(d), dom0_devices);
}

/* -ERESTART: call again; else 0, and there is nothing more to be done. */
static int bury_dom0(struct domain *d)
{
    int rc;

    if ( dom0_buried )
        return 0;

    if ( !d->is_dying )
    {
        dom0_pages = domain_tot_pages(d);
        silence_devices(d);
    }

    /*
     * An error comes from devices, before any page is freed.  Then all stays
     * as it is: memory that a device may write to must not be anyone's.
     */
    rc = domain_kill(d);
    if ( rc == -ERESTART )
        return rc;

    dom0_buried = true;
    if ( !rc )
        free_domain_pirqs(d);
    tell_burial(d, rc);

    return 0;
}

/* ---- Guests without a toolstack --------------------------------------- */

/* Has ended, or can never run as nobody is left to finish building it. */
static bool must_go(const struct domain *d)
{
    if ( is_hardware_domain(d) || d->is_dying == DOMDYING_dead )
        return false;

    return d->is_dying || !d->creation_finished ||
           (d->is_shut_down && d->shutdown_code != SHUTDOWN_suspend);
}

static struct domain *next_to_go(void)
{
    struct domain *d;

    rcu_read_lock(&domlist_read_lock);
    for_each_domain ( d )
        if ( must_go(d) && get_domain(d) )
            break;
    rcu_read_unlock(&domlist_read_lock);

    return d;
}

static int bury_guests(void)
{
    struct domain *d;

    while ( (d = next_to_go()) != NULL )
    {
        int rc = domain_kill(d);

        if ( rc == -ERESTART )
        {
            put_domain(d);
            return rc;
        }

        printk("Cloister: %pd has ended and is destroyed (%d)\n", d, rc);
        put_domain(d);
        if ( rc )
            return 0;
    }

    return 0;
}

/* ---- The undertaker --------------------------------------------------- */

/* Runs on an idle vCPU; another CPU's domctl may be in the way for a while. */
static void cf_check undertake(void *unused)
{
    int rc = -ERESTART;

    set_timer(&slice, NOW() + SLICE);
    if ( domctl_lock_acquire() )
    {
        rc = bury_dom0(hardware_domain) ?: bury_guests();
        domctl_lock_release();
    }
    stop_timer(&slice);

    if ( rc == -ERESTART )
        set_timer(&again, NOW() + PAUSE);
    else if ( !protected_running() )
    {
        printk("Cloister: no protected guest is left\n");
        if ( dom0_reason == SHUTDOWN_poweroff )
            cloister_power_off();
        hwdom_shutdown(dom0_reason);
    }
}

static DECLARE_TASKLET(undertaker, undertake, NULL);

/* The interrupt is what counts: it makes preemptible work look up. */
static void cf_check slice_over(void *unused)
{
}

static void cf_check call_undertaker(void *unused)
{
    tasklet_schedule(&undertaker);
}

void cloister_domain_ended(const struct domain *d)
{
    if ( dom0_stopped && !is_hardware_domain(d) )
        tasklet_schedule(&undertaker);
}

/* ---- dom0 ends -------------------------------------------------------- */

bool cloister_survives(struct domain *d, uint8_t reason)
{
    unsigned int guests;

    if ( dom0_stopped )
        return true;
    if ( !opt_survive || (guests = protected_running()) == 0 )
        return false;

    get_knownalive_domain(d);
    dom0_reason = reason;
    dom0_stopped = true;
    printk(XENLOG_WARNING
           "Cloister: dom0 %s; Xen goes on for %u protected guest%s\n",
           reason_text(reason), guests, guests > 1 ? "s" : "");

    /* dom0's CPU has just become free. */
    tasklet_schedule_on_cpu(&undertaker, d->vcpu[0]->processor);
    cloister_keep_consoles();

    return true;
}

bool cloister_dom0_ends(uint8_t reason)
{
    if ( !opt_survive || !protected_running() )
        return false;

    domain_shutdown(hardware_domain, reason);

    return true;
}

bool cloister_dom0_powers_off(void)
{
    return cloister_dom0_ends(SHUTDOWN_poweroff);
}

static int __init cf_check survive_init(void)
{
    init_timer(&slice, slice_over, NULL, 0);
    init_timer(&again, call_undertaker, NULL, 0);

    return 0;
}
__initcall(survive_init);
