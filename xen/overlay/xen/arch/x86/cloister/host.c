/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of the host only Xen uses: memory and ports by which dom0 could get
 * below Xen, or have the machine wake up without it.
 */

#include <xen/acpi.h>
#include <xen/cpuidle.h>
#include <xen/delay.h>
#include <xen/domain_page.h>
#include <xen/init.h>
#include <xen/iocap.h>
#include <xen/pci.h>
#include <xen/pci_ids.h>
#include <xen/pci_regs.h>

#include <asm/hvm/io.h>
#include <asm/io.h>
#include <asm/trampoline.h>
#include <asm/xstate.h>

#include <cloister/wipe.h>

#include <public/sched.h>

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

/* ---- Ports ------------------------------------------------------------ */

#define SCI_EN          (1u << 0)       /* ACPI 6.5, 4.8.3.2.1 */
#define SLP_EN          (1u << 13)
#define ACPI_PATIENCE   3000            /* ms, as ACPICA has it */

static bool is_port(const struct acpi_generic_address *a)
{
    return a->address && a->space_id == ACPI_ADR_SPACE_SYSTEM_IO;
}

/* dom0 would switch it on by a port that it no longer has. */
static void __init enable_acpi(void)
{
    const struct acpi_generic_address *cnt = &acpi_sinfo.pm1a_cnt_blk;
    unsigned int ms = ACPI_PATIENCE;

    if ( !is_port(cnt) || !acpi_smi_cmd || !acpi_enable_value ||
         (inw(cnt->address) & SCI_EN) )
        return;

    outb(acpi_enable_value, acpi_smi_cmd);
    while ( !(inw(cnt->address) & SCI_EN) && ms-- )
        mdelay(1);
}

static int __init deny_block(struct domain *d,
                             const struct acpi_generic_address *a)
{
    if ( is_port(a) )
        return ioports_deny_access(d, a->address, a->address + 1);
    if ( !a->address || a->space_id != ACPI_ADR_SPACE_SYSTEM_MEMORY )
        return 0;

    cloister_hide_io(PFN_DOWN(a->address), PFN_DOWN(a->address));

    return iomem_deny_access(d, PFN_DOWN(a->address), PFN_DOWN(a->address));
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

/*
 * A PVH dom0 switches the machine off by the port, not by hypercall.  While
 * protected guests run that is its own end only.  Every other write is dropped.
 */
static int cf_check pm1_cnt(int dir, unsigned int port, unsigned int bytes,
                            uint32_t *val)
{
    if ( dir == IOREQ_READ )
        *val = inw(port);
    else if ( bytes == 2 && (*val & SLP_EN) )
    {
        acpi_sinfo.pm1a_cnt_val = *val;
        if ( !cloister_dom0_powers_off() )
            cloister_power_off();
    }

    return X86EMUL_OKAY;
}

#define KBD_COMMAND     0x64
#define KBD_PULSE       0xf0            /* 1111xxxx: lines whose bit is 0 */
#define KBD_NO_RESET    0x01
#define KBD_OUTPUT      0xd1            /* what comes next sets all lines */

bool cloister_watches_port(unsigned int first, unsigned int nr)
{
    return first <= KBD_COMMAND && first + nr > KBD_COMMAND;
}

bool cloister_resets_host(unsigned int port, unsigned int bytes,
                          uint32_t data)
{
    uint8_t command;

    if ( !cloister_watches_port(port, bytes) ||
         cloister_mode == CLOISTER_MODE_off )
        return false;

    command = data >> (8 * (KBD_COMMAND - port));
    if ( command == KBD_OUTPUT )
        return true;
    if ( (command & KBD_PULSE) != KBD_PULSE || (command & KBD_NO_RESET) )
        return false;

    domain_shutdown(current->domain, SHUTDOWN_reboot);

    return true;
}

static int cf_check keyboard(int dir, unsigned int port, unsigned int bytes,
                             uint32_t *val)
{
    if ( dir == IOREQ_READ )
        *val = inb(port);
    else if ( !cloister_resets_host(port, 1, *val) )
        outb(*val, port);

    return X86EMUL_OKAY;
}

/* Ports that a PVH dom0 has directly unless it is denied them. */
static int __init emulate_ports(struct domain *d)
{
    if ( !is_hvm_domain(d) )
        return 0;

    if ( is_port(&acpi_sinfo.pm1a_cnt_blk) )
        register_portio_handler(d, acpi_sinfo.pm1a_cnt_blk.address, 2,
                                pm1_cnt);
    register_portio_handler(d, KBD_COMMAND, 1, keyboard);

    return ioports_deny_access(d, KBD_COMMAND, KBD_COMMAND);
}

/* The next place that this host has, or NULL. */
static const struct cloister_place *__init next_place(unsigned int *nr)
{
    const struct cloister_place *p;

    do
        p = cloister_place((*nr)++);
    while ( p && p->amd && !(boot_cpu_data.x86_vendor &
                             (X86_VENDOR_AMD | X86_VENDOR_HYGON)) );

    return p;
}

static void __init hide_places(void)
{
    const struct cloister_place *p;
    unsigned int nr = 0;

    while ( (p = next_place(&nr)) )
        if ( p->frames )
            cloister_hide_io(p->first, p->last);
}

static int __init deny_places(struct domain *d)
{
    const struct cloister_place *p;
    unsigned int nr = 0;
    int rc = 0;

    while ( (p = next_place(&nr)) )
        if ( !p->frames )
            rc |= ioports_deny_access(d, p->first, p->last);

    return rc;
}

/* Sleep states, and what runs firmware at dom0's wish. */
static int __init deny_ports(struct domain *d)
{
    int rc = deny_block(d, &acpi_sinfo.pm1a_cnt_blk) |
             deny_block(d, &acpi_sinfo.pm1b_cnt_blk) |
             deny_block(d, &acpi_sinfo.sleep_control) |
             deny_block(d, &acpi_gbl_FADT.reset_register);

    if ( acpi_smi_cmd )
        rc |= ioports_deny_access(d, acpi_smi_cmd, acpi_smi_cmd);

    return rc | deny_places(d) | emulate_ports(d);
}

int __init cloister_dom0_permissions(struct domain *d)
{
    int rc;

    if ( cloister_mode == CLOISTER_MODE_off )
        return 0;

    hide_memory_controller();
    hide_chipset();
    hide_places();
    cloister_hide_io(PFN_DOWN(trampoline_phys),
                     PFN_DOWN(trampoline_phys + TRAMPOLINE_SIZE - 1));

    rc = make_io_sink() ?:
         copy_facs(acpi_gbl_FADT.facs) ?: copy_facs(acpi_gbl_FADT.Xfacs) ?:
         deny_hidden(d);
    enable_acpi();

    return rc ?: deny_ports(d) ?: cloister_nic_dom0_permissions(d);
}

/* ---- When the host goes down ------------------------------------------ */

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
        }
        if ( cloister_sealed(d) )
            wipe_domain(d);
    }
}
