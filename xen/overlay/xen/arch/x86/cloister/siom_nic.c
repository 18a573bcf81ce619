/* SPDX-License-Identifier: GPL-2.0-only */
/* The physical NIC of secure I/O management, at work. */

#include <xen/init.h>
#include <xen/param.h>
#include <xen/pci_regs.h>
#include <xen/timer.h>

#include <asm/io.h>

#include "siom_nic.h"

#define RESET_PAUSE     MILLISECS(100)  /* between resets for DMA faults */
#define RESET_CALM      SECONDS(5)      /* without one: they are forgotten */
#define RESETS_MOST     8
#define RETRY_FAILED    SECONDS(60)

struct cloister_nic cloister_nic;
static struct cloister_nic *const own = &cloister_nic;

/* ---- What the driver needs -------------------------------------------- */

static void __iomem *reg(unsigned int bar, uint32_t off, unsigned int size)
{
    const struct cloister_nic_bar *b = &own->bar[bar];

    if ( bar >= ARRAY_SIZE(own->bar) || !b->va || off > b->size ||
         size > b->size - off )
        return NULL;

    return b->va + off;
}

static uint32_t cf_check nic_read(void *ctx, unsigned int bar, uint32_t off,
                                  unsigned int size)
{
    const void __iomem *p = reg(bar, off, size);

    if ( !p )
        return ~0u;

    return size == 1 ? readb(p) : size == 2 ? readw(p) : readl(p);
}

static void cf_check nic_write(void *ctx, unsigned int bar, uint32_t off,
                               unsigned int size, uint32_t value)
{
    void __iomem *p = reg(bar, off, size);

    if ( !p )
        return;
    if ( size == 1 )
        writeb(value, p);
    else if ( size == 2 )
        writew(value, p);
    else
        writel(value, p);
}

static uint32_t cf_check cfg_read(void *ctx, unsigned int at,
                                  unsigned int size)
{
    return size == 1 ? pci_conf_read8(own->sbdf, at)
         : size == 2 ? pci_conf_read16(own->sbdf, at)
                     : pci_conf_read32(own->sbdf, at);
}

static void cf_check cfg_write(void *ctx, unsigned int at, unsigned int size,
                               uint32_t value)
{
    if ( size == 1 )
        pci_conf_write8(own->sbdf, at, value);
    else if ( size == 2 )
        pci_conf_write16(own->sbdf, at, value);
    else
        pci_conf_write32(own->sbdf, at, value);
}

static uint64_t cf_check now_us(void *ctx)
{
    return NOW() / MICROSECS(1);
}

static void cf_check nic_log(void *ctx, const char *what, uint32_t value)
{
    if ( printk_ratelimit() )
        printk(XENLOG_WARNING "Cloister: NIC %pp: %s %#x\n", &own->sbdf, what,
               value);
}

const struct cl_nic_platform cloister_nic_platform = {
    .read = nic_read,
    .write = nic_write,
    .cfg_read = cfg_read,
    .cfg_write = cfg_write,
    .now_us = now_us,
    .log = nic_log,
};

/* ---- Hiding it -------------------------------------------------------- */

bool cloister_hides_pci(pci_sbdf_t sbdf)
{
    return unlikely(own->claimed) && sbdf.sbdf == own->sbdf.sbdf;
}

bool cloister_nic_hides_io(unsigned long mfn)
{
    unsigned int i;

    for ( i = 0; i < own->nr_hidden; i++ )
        if ( mfn >= own->hidden[i].first && mfn <= own->hidden[i].last )
            return true;

    return false;
}

/* ---- Interrupt -------------------------------------------------------- */

void cf_check cloister_nic_interrupt(int irq, void *dev)
{
    own->fired = true;
    cloister_siom_kick();
}

/* ---- At work ---------------------------------------------------------- */

void cloister_nic_command(uint16_t clear, uint16_t set)
{
    uint16_t command = pci_conf_read16(own->sbdf, PCI_COMMAND);

    pci_conf_write16(own->sbdf, PCI_COMMAND, (command & ~clear) | set);
}

static struct timer starter;

/*
 * DMA is translated only since dom0's devices were set up: the NIC may not
 * begin before.
 */
static void cf_check start_dma(void *unused)
{
    if ( system_state < SYS_STATE_active )
    {
        set_timer(&starter, NOW() + MILLISECS(100));
        return;
    }
    cloister_nic_command(0, PCI_COMMAND_MASTER);
    own->works = true;
    own->fired = true;
    cloister_siom_kick();
}

bool cloister_nic_fault(pci_sbdf_t sbdf)
{
    if ( !cloister_hides_pci(sbdf) )
        return false;
    /* At once: each access would be a fault, and keep the processor busy. */
    cloister_nic_command(PCI_COMMAND_MASTER, 0);
    own->faulted = true;
    cloister_siom_kick();

    return true;
}

/* DMA stays off if resets do not help. */
static void reset_after_fault(void)
{
    own->faulted = false;
    own->faults = NOW() - own->reset > RESET_CALM ? 1 : own->faults + 1;
    own->reset = NOW();
    if ( own->faults > RESETS_MOST )
    {
        nic_log(NULL, "is left without DMA: faults in a row", own->faults);
        return;
    }
    nic_log(NULL, "reset after a DMA fault", 0);
    own->nic.ops->reset(&own->nic);
    cloister_nic_command(0, PCI_COMMAND_MASTER);
}

/* The driver has given it up; it may have been the cable, or the switch. */
static void retry_failed(void)
{
    if ( cloister_siom->link != CL_NIC_FAILED ||
         own->faults > RESETS_MOST || NOW() - own->retry < RETRY_FAILED )
        return;
    own->retry = NOW();
    nic_log(NULL, "is tried once more", 0);
    own->nic.ops->reset(&own->nic);
}

/*
 * For tests, and in debug builds only: siom-corrupt=SECONDS has the Rx ring
 * point at this very file's data now and then.
 */
static unsigned int __ro_after_init opt_corrupt;
#ifdef CONFIG_DEBUG
integer_param("siom-corrupt", opt_corrupt);
#endif

static void corrupt_ring(void)
{
    static s_time_t next;
    uint64_t *ring = own->nic.pool;
    unsigned int i;

    if ( !opt_corrupt || NOW() < next )
        return;
    if ( next )
    {
        for ( i = 0; i < PAGE_SIZE / 16; i++ )
            ring[2 * i] = virt_to_maddr(own);
        nic_log(NULL, "Rx ring corrupted, as asked", opt_corrupt);
    }
    next = NOW() + SECONDS(opt_corrupt);
}

void cloister_nic_attend(void)
{
    if ( !own->works )
        return;

    corrupt_ring();

    if ( own->faulted && NOW() - own->reset > RESET_PAUSE )
        reset_after_fault();
    retry_failed();
    /* Before the engine looks: what comes afterwards interrupts anew. */
    if ( own->fired && own->irq >= 0 )
    {
        own->fired = false;
        own->nic.ops->set_irq(&own->nic, true);
    }
}

void cloister_nic_wipe(void)
{
    if ( !own->works )
        return;
    /* First, as the other may wait for a lock that nobody gives back. */
    memset(own->nic.pool, 0, own->nic.ops->pool_size);
    cloister_nic_command(PCI_COMMAND_MASTER, 0);
    memset(own->nic.pool, 0, own->nic.ops->pool_size);
}

s_time_t cloister_nic_period(void)
{
    return own->irq >= 0 && cloister_siom->link != CL_NIC_RESETTING
           ? MILLISECS(10) : MICROSECS(200);
}

void __init cloister_nic_start(void)
{
    init_timer(&starter, start_dma, NULL, 0);
    set_timer(&starter, NOW() + MILLISECS(100));
}
