/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * I/O memory of the host that only Xen uses, and the chipset's configuration:
 * by them dom0 could get below Xen, or have the machine wake up without it.
 * What dom0 gets instead.
 */

#include <xen/acpi.h>
#include <xen/init.h>
#include <xen/iocap.h>
#include <xen/pci.h>
#include <xen/pci_ids.h>
#include <xen/pci_regs.h>
#include <xen/sched.h>

#include <asm/trampoline.h>

#include "host.h"
#include "policy_table.h"
#include "private.h"

#define RANGES  64

/*
 * dom0 has no right to these (iomem_caps), but its memory map does not say
 * so: a driver that maps them with others in one go would give up.  It gets
 * another page instead: of ones, or, of what it must read, a copy.
 */
static struct {
    unsigned long first, last;
    mfn_t copy;
} hidden[RANGES] __ro_after_init;
static unsigned int __ro_after_init nr_hidden;
static mfn_t __ro_after_init io_sink = INVALID_MFN_INITIALIZER;

static void __init add_hidden(unsigned long first, unsigned long last,
                              mfn_t copy)
{
    /* Firmware describes its memory in many pieces. */
    if ( nr_hidden && first == hidden[nr_hidden - 1].last + 1 &&
         mfn_eq(copy, INVALID_MFN) &&
         mfn_eq(hidden[nr_hidden - 1].copy, INVALID_MFN) )
    {
        hidden[nr_hidden - 1].last = last;
        return;
    }

    if ( nr_hidden == RANGES )
        panic("Cloister: more than %u ranges of memory to keep from dom0: "
              "boot with cloister=off, and report it\n", RANGES);
    hidden[nr_hidden].first = first;
    hidden[nr_hidden].last = last;
    hidden[nr_hidden++].copy = copy;
}

void __init cloister_hide_io(unsigned long first, unsigned long last)
{
    if ( cloister_mode != CLOISTER_MODE_off )
        add_hidden(first, last, INVALID_MFN);
}

/* The range that a frame is in, or nr_hidden. */
static unsigned int find_hidden(unsigned long mfn)
{
    unsigned int i;

    for ( i = 0; i < nr_hidden; i++ )
        if ( mfn >= hidden[i].first && mfn <= hidden[i].last )
            break;

    return i;
}

/* Called for every page that a PV dom0 maps: its memory is told fast. */
bool cloister_hides_io(mfn_t mfn)
{
    if ( mfn_valid(mfn) && page_get_owner(mfn_to_page(mfn)) != dom_io )
        return false;

    return find_hidden(mfn_x(mfn)) < nr_hidden ||
           cloister_nic_hides_io(mfn_x(mfn));
}

mfn_t cloister_io_sink(mfn_t mfn)
{
    unsigned int i = find_hidden(mfn_x(mfn));

    return i < nr_hidden && !mfn_eq(hidden[i].copy, INVALID_MFN)
           ? hidden[i].copy : io_sink;
}

/*
 * What dom0 writes there only dom0 sees.  A page of I/O memory to everyone, as
 * arch_init_memory() makes them; `mem` is from the Xen heap.
 */
static mfn_t __init make_io_page(void *mem)
{
    struct page_info *pg = virt_to_page(mem);

    set_gpfn_from_mfn(virt_to_mfn(mem), INVALID_M2P_ENTRY);
    pg->u.inuse.type_info = PGT_writable_page | PGT_validated | 1;
    page_set_owner(pg, dom_io);
    pg->count_info |= PGC_allocated | 1;

    return _mfn(virt_to_mfn(mem));
}

/* As absent hardware reads. */
static int __init make_io_sink(void)
{
    void *mem = alloc_xenheap_page();

    if ( !mem )
        return -ENOMEM;

    io_sink = make_io_page(memset(mem, 0xff, PAGE_SIZE));

    return 0;
}

/*
 * The firmware's control structure (FACS) says where it resumes the host.
 * dom0 reads the page, which may have other tables, and takes the global lock
 * in it: in its copy, that is.
 */
static int __init copy_facs(paddr_t facs)
{
    unsigned long frame = PFN_DOWN(facs);
    void *mem, *page;

    if ( !facs || find_hidden(frame) < nr_hidden )
        return 0;

    mem = alloc_xenheap_page();
    page = mem ? acpi_os_map_memory(pfn_to_paddr(frame), PAGE_SIZE) : NULL;
    if ( !page )
        return -ENOMEM;

    memcpy(mem, page, PAGE_SIZE);
    acpi_os_unmap_memory(page, PAGE_SIZE);
    add_hidden(frame, frame, make_io_page(mem));

    return 0;
}

/*
 * A PVH dom0 finds the copies in its map where the firmware's pages are: they
 * are put there when these are (set_mmio_p2m_entry).
 */
static int __init deny_hidden(struct domain *d)
{
    unsigned int i;
    int rc = 0;

    for ( i = 0; i < nr_hidden && !rc; i++ )
        if ( !is_hvm_domain(d) || mfn_eq(hidden[i].copy, INVALID_MFN) )
            rc = iomem_deny_access(d, hidden[i].first, hidden[i].last);

    return rc;
}

/* All that bootsym() reaches, and the stack behind it. */
#define TRAMPOLINE_SIZE     KB(64)

/* Intel's host bridges: base of the memory controller's registers. */
#define MCHBAR              0x48
#define MCHBAR_ENABLE       1
#define MCHBAR_SIZE         KB(64)
#define MCHBAR_SIZE_NEW     KB(128)     /* two controllers, Tiger Lake on */

static void __init hide_memory_controller(void)
{
    const pci_sbdf_t bridge = PCI_SBDF(0, 0, 0, 0);
    uint64_t bar, size;

    if ( pci_conf_read16(bridge, PCI_VENDOR_ID) != PCI_VENDOR_ID_INTEL )
        return;
    bar = pci_conf_read32(bridge, MCHBAR) |
          ((uint64_t)pci_conf_read32(bridge, MCHBAR + 4) << 32);
    if ( !(bar & MCHBAR_ENABLE) )
        return;
    bar &= ~(uint64_t)(PAGE_SIZE - 1);
    /* A window lies at a multiple of its size: the old ones did not, mostly. */
    size = bar % MCHBAR_SIZE_NEW ? MCHBAR_SIZE : MCHBAR_SIZE_NEW;
    if ( bar >= MB(1) && !mfn_valid(_mfn(PFN_DOWN(bar))) )
        cloister_hide_io(PFN_DOWN(bar), PFN_DOWN(bar + size) - 1);
}

#define PCI_MULTI_FUNCTION  0x80        /* in PCI_HEADER_TYPE */

/*
 * The registers of a server's processor are in configuration space alone; of
 * the same class are devices (DMA engines, Thunderbolt) that dom0 drives.
 */
static bool __init is_device(pci_sbdf_t f, uint16_t class)
{
    unsigned int bar;
    uint32_t all = 0;

    for ( bar = PCI_BASE_ADDRESS_0; bar <= PCI_BASE_ADDRESS_5; bar += 4 )
        all |= pci_conf_read32(f, bar);

    return class == PCI_SYSTEM_OTHER && all;
}

/* Returns whether the device may have more functions. */
static bool __init hide_function(pci_sbdf_t f)
{
    uint16_t vendor = pci_conf_read16(f, PCI_VENDOR_ID);
    uint16_t class = pci_conf_read16(f, PCI_CLASS_DEVICE);

    if ( vendor == 0xffff )
        return f.fn;
    if ( cloister_pci_read_only(vendor, class, !f.seg && !f.bus) &&
         !is_device(f, class) &&
         pci_ro_device(f.seg, f.bus, f.devfn) )
        panic("Cloister: no memory to keep the chipset from dom0\n");

    return f.fn || (pci_conf_read8(f, PCI_HEADER_TYPE) & PCI_MULTI_FUNCTION);
}

/* Every function that is there: Xen looks for dom0's devices later. */
static void __init hide_chipset(void)
{
    unsigned int seg, bdf;

    for ( seg = 0; seg <= 0xffff; seg++ )
        for ( bdf = 0; pci_known_segment(seg) && bdf <= 0xffff; bdf++ )
            if ( !hide_function(PCI_SBDF(seg, bdf)) )
                bdf |= 7;
}

static void __init hide_places(void)
{
    const struct cloister_place *p;
    unsigned int nr = 0;

    while ( (p = cloister_next_place(&nr)) )
        if ( p->frames )
            cloister_hide_io(p->first, p->last);
}

int __init cloister_deny_memory(struct domain *d)
{
    hide_memory_controller();
    hide_chipset();
    hide_places();
    cloister_hide_io(PFN_DOWN(trampoline_phys),
                     PFN_DOWN(trampoline_phys + TRAMPOLINE_SIZE - 1));

    return make_io_sink() ?:
           copy_facs(acpi_gbl_FADT.facs) ?: copy_facs(acpi_gbl_FADT.Xfacs) ?:
           deny_hidden(d);
}
