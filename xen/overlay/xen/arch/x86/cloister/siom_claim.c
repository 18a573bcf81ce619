/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The physical NIC of secure I/O management is taken before there is a dom0,
 * hidden from it, and confined to the packet pool by an IOMMU context of its
 * own->
 */

#include <xen/acpi.h>
#include <xen/err.h>
#include <xen/init.h>
#include <xen/iocap.h>
#include <xen/iommu.h>
#include <xen/irq.h>
#include <xen/msi.h>
#include <xen/pci_regs.h>
#include <xen/vmap.h>

#include "siom_nic.h"

/* Like dom_view: owns the NIC and its IOMMU context; nothing can name it. */
#define DOMID_NIC       0x7FF7

/* Where the NIC sees the pool; away from 0 and from the interrupt range. */
#define POOL_IOVA       0x10000000UL
#define BAR_MAX         MB(1)           /* flash and the like is not mapped */

static struct cloister_nic *const own = &cloister_nic;

/* ---- Hiding it -------------------------------------------------------- */

static void __init hide(paddr_t addr, paddr_t size)
{
    ASSERT(own->nr_hidden < ARRAY_SIZE(own->hidden));
    own->hidden[own->nr_hidden].first = PFN_DOWN(addr);
    own->hidden[own->nr_hidden++].last = PFN_DOWN(addr + size - 1);
}

/* The device's page of the memory-mapped configuration space. */
static void __init hide_configuration(void)
{
    int i;

    for ( i = 0; i < pci_mmcfg_config_num; i++ )
    {
        const struct acpi_mcfg_allocation *c = &pci_mmcfg_config[i];

        if ( c->pci_segment == own->sbdf.seg &&
             own->sbdf.bus >= c->start_bus_number &&
             own->sbdf.bus <= c->end_bus_number )
            hide(c->address + ((paddr_t)own->sbdf.bdf << PAGE_SHIFT),
                 PAGE_SIZE);
    }
}

int __init cloister_nic_dom0_permissions(struct domain *d)
{
    unsigned int i;
    int rc = 0;

    for ( i = 0; i < own->nr_hidden && !rc; i++ )
        rc = iomem_deny_access(d, own->hidden[i].first,
                               own->hidden[i].last);
    for ( i = 0; i < ARRAY_SIZE(own->bar) && !rc; i++ )
        if ( own->bar[i].port )
            rc = ioports_deny_access(d, own->bar[i].port,
                                     own->bar[i].port + own->bar[i].size - 1);

    return rc;
}

/* ---- Taking it -------------------------------------------------------- */

/* The next two: with decoding off.  All ones written read back as the size. */
static void __init size_ports(unsigned int pos, struct cloister_nic_bar *b)
{
    uint32_t bar = pci_conf_read32(own->sbdf, pos), mask;

    pci_conf_write32(own->sbdf, pos, ~0);
    mask = pci_conf_read32(own->sbdf, pos) & PCI_BASE_ADDRESS_IO_MASK;
    pci_conf_write32(own->sbdf, pos, bar);
    b->port = bar & PCI_BASE_ADDRESS_IO_MASK;
    b->size = (uint16_t)-mask;
}

/*
 * The device says where its registers are: not in memory, which writes to them
 * would change.
 */
static bool __init is_ram(uint64_t addr, uint64_t size)
{
    unsigned long mfn;

    for ( mfn = PFN_DOWN(addr); mfn <= PFN_DOWN(addr + size - 1); mfn++ )
        if ( page_is_ram_type(mfn, RAM_TYPE_CONVENTIONAL | RAM_TYPE_ACPI) )
            return true;

    return false;
}

/* False: memory that the firmware has not placed, or not well. */
static bool __init map_bars(void)
{
    unsigned int i, step;

    for ( i = 0; i < ARRAY_SIZE(own->bar); i += step )
    {
        unsigned int pos = PCI_BASE_ADDRESS_0 + i * 4;
        uint64_t addr, size;

        step = 1;
        if ( pci_conf_read32(own->sbdf, pos) & PCI_BASE_ADDRESS_SPACE_IO )
        {
            size_ports(pos, &own->bar[i]);
            continue;
        }
        step = pci_size_mem_bar(own->sbdf, pos, &addr, &size,
                                i == 5 ? PCI_BAR_LAST : 0);
        if ( !size )
            continue;
        own->bar[i].size = min(size, (uint64_t)BAR_MAX);
        if ( !addr || is_ram(addr, own->bar[i].size) )
            return false;

        hide(addr, size);
        own->bar[i].va = ioremap(addr, own->bar[i].size);
    }

    return true;
}

static int __init make_domain(void)
{
    struct domain *d = domain_create(DOMID_NIC, NULL, 0);

    if ( IS_ERR(d) )
        return PTR_ERR(d);
    d->options |= XEN_DOMCTL_CDF_iommu;
    own->d = d;

    return iommu_domain_init(d, 0);
}

/* From here on all that the device can reach is what make_pool() maps. */
static int __init confine(void)
{
    const struct domain_iommu *hd = dom_iommu(own->d);
    uint8_t devfn = own->pdev->devfn;

    own->pdev->domain = own->d;
    list_add(&own->pdev->domain_list, &own->d->pdev_list);

    return iommu_call(hd->platform_ops, add_device, devfn,
                      pci_to_dev(own->pdev));
}

static int __init map_page(unsigned long i, mfn_t *mfn, unsigned int *flush)
{
    struct page_info *pg = alloc_domheap_page(NULL, 0);

    if ( !pg )
        return -ENOMEM;
    clear_domain_page(page_to_mfn(pg));
    *mfn = page_to_mfn(pg);

    return iommu_map(own->d, _dfn(PFN_DOWN(POOL_IOVA) + i), *mfn, 1,
                     IOMMUF_readable | IOMMUF_writable, flush);
}

static int __init make_pool(void)
{
    unsigned long i, n = PFN_UP(own->nic.ops->pool_size);
    mfn_t *mfns = xmalloc_array(mfn_t, n);
    unsigned int flush = 0;
    int rc = mfns ? 0 : -ENOMEM;

    for ( i = 0; i < n && !rc; i++ )
        rc = map_page(i, &mfns[i], &flush);
    rc = rc ?: iommu_iotlb_flush_all(own->d, flush);
    if ( !rc )
        own->nic.pool = vmap(mfns, n);
    xfree(mfns);
    own->nic.iova = POOL_IOVA;
    own->nic.priv = _xzalloc(own->nic.ops->priv_size, SMP_CACHE_BYTES);

    return rc ?: own->nic.pool && own->nic.priv ? 0 : -ENOMEM;
}

/*
 * Who can number the buses above the NIC anew can reach it by another name:
 * dom0 may not write to the bridges on the way.  True: there is one.
 */
static bool __init freeze_bridge(unsigned int bus, unsigned int *above)
{
    unsigned int bdf;

    for ( bdf = 0; bdf < (bus << 8); bdf++ )
    {
        const pci_sbdf_t f = { .seg = own->sbdf.seg, .bdf = bdf };
        unsigned int type = pci_conf_read8(f, PCI_HEADER_TYPE) & 0x7f;

        if ( pci_conf_read16(f, PCI_VENDOR_ID) == 0xffff ||
             (type != PCI_HEADER_TYPE_BRIDGE &&
              type != PCI_HEADER_TYPE_CARDBUS) ||
             pci_conf_read8(f, PCI_SECONDARY_BUS) != bus )
            continue;
        *above = f.bus;

        return !pci_ro_device(f.seg, f.bus, f.devfn);
    }

    return false;
}

static bool __init freeze_bridges(void)
{
    unsigned int bus = own->sbdf.bus, above;

    /* Towards bus 0: each bridge is on a bus with a lower number. */
    for ( ; bus; bus = above )
        if ( !freeze_bridge(bus, &above) )
            return false;

    return true;
}

/* Why the device cannot be taken, or NULL. */
static const char *__init unfit(void)
{
    if ( !iommu_enabled || !iommu_intremap )
        return "refused: it needs an IOMMU with interrupt remapping";
    own->pdev = pci_get_pdev(NULL, own->sbdf);
    if ( !own->pdev )
        return "there is no such device";
    if ( own->pdev->domain )
        return "Xen itself uses this device";

    own->nic.vendor = pci_conf_read16(own->sbdf, PCI_VENDOR_ID);
    own->nic.device = pci_conf_read16(own->sbdf, PCI_DEVICE_ID);
    own->nic.ops = cl_nic_find(own->nic.vendor, own->nic.device);

    return own->nic.ops ? NULL : "there is no driver for this device";
}

static const char *__init take(void)
{
    const char *why = unfit();

    if ( why )
        return why;

    if ( !freeze_bridges() )
        return "there is no way from bus 0 to it by bridges that are kept";
    /* The firmware may have left it running. */
    cloister_nic_command(PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY |
                         PCI_COMMAND_IO, 0);
    own->claimed = true;
    if ( !map_bars() )
        return "the firmware has not placed its registers";
    hide_configuration();
    cloister_nic_command(0, PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE);
    if ( make_domain() || confine() || make_pool() )
        return "the IOMMU cannot confine it, or there is no memory";

    own->nic.platform = &cloister_nic_platform;

    return own->nic.ops->reset(&own->nic) ? "the device does not answer"
                                          : NULL;
}

/* ---- Interrupt -------------------------------------------------------- */

static struct irqaction nic_action = {
    .handler = cloister_nic_interrupt,
    .name = "siom",
};

static int __init enable_msi(struct msi_info *msi)
{
    struct irq_desc *desc = irq_to_desc(msi->irq);
    struct msi_desc *entry = NULL;
    unsigned long flags;
    int rc = pci_enable_msi(own->pdev, msi, &entry);

    if ( rc )
        return rc;

    spin_lock_irqsave(&desc->lock, flags);
    rc = setup_msi_irq(desc, entry);
    spin_unlock_irqrestore(&desc->lock, flags);
    if ( rc )
    {
        pci_disable_msi(entry);
        msi_free_irq(entry);    /* and the irq with it */
        msi->irq = -1;
    }

    return rc;
}

/* Without it the engine polls. */
static bool __init set_up_interrupt(void)
{
    struct msi_info msi = { .sbdf = own->sbdf, .entry_nr = 1 };

    own->irq = create_irq(NUMA_NO_NODE, false);
    if ( own->irq < 0 )
        return false;

    msi.irq = own->irq;
    if ( enable_msi(&msi) )
    {
        if ( msi.irq >= 0 )
            destroy_irq(msi.irq);
        own->irq = -1;
        return false;
    }

    return !setup_irq(own->irq, 0, &nic_action);
}

/* ---- All together ----------------------------------------------------- */

/* A device that could not be taken is dom0's after all, if not confined. */
static void __init give_up(const char *why)
{
    printk(XENLOG_ERR "Cloister: siom=%pp: %s\n", &own->sbdf, why);
    if ( own->pdev && own->pdev->domain == own->d && own->d )
        return;
    own->claimed = false;
    own->nr_hidden = 0;
    memset(own->bar, 0, sizeof(own->bar));
}

struct cl_nic *__init cloister_nic_take(pci_sbdf_t sbdf)
{
    const char *why;

    own->sbdf = sbdf;
    own->irq = -1;
    pcidevs_lock();
    why = take();
    if ( !why )
        set_up_interrupt();
    pcidevs_unlock();
    if ( why )
    {
        give_up(why);
        return NULL;
    }

    printk("Cloister: NIC %pp (%04x:%04x, %s) is Xen's, %s\n", &sbdf,
           own->nic.vendor, own->nic.device, own->nic.ops->name,
           own->irq < 0 ? "polled" : "with an interrupt");
    cloister_nic_start();

    return &own->nic;
}
