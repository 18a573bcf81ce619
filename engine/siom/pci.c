/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual PCI bus: a host bridge, without which no guest believes in the
 * bus, and one network card.  PCI Local Bus Specification 3.0, section 6, and
 * virtio 1.2, section 4.1.
 */

#include "private.h"

/* One 32-bit register: value after reset, bits that the guest may write. */
struct reg {
    uint8_t off;
    uint32_t value, mask;
};

#define COMMAND_IO     1u
#define COMMAND_MEMORY 2u
#define COMMAND_MASTER 4u

#define R_COMMAND 0x04
#define R_BAR_IO  0x10
#define R_BAR_MEM 0x14
#define R_MSIX    0x40
#define R_WINDOW  0x94 /* VIRTIO_PCI_CAP_PCI_CFG */

/* Where PVH guests have nothing, so that they need not move them. */
#define BAR_IO_BASE  0xc000u
#define BAR_MEM_BASE 0xfd000000u

/* struct virtio_pci_cap, 4.1.4: id, next, length, type. */
#define CAP(next, len, type) (0x09u | (next) << 8 | (len) << 16 | (type) << 24)

static const struct reg bridge[] = {
    { 0x00, 0x12378086, 0 }, /* Intel 440FX, which everybody knows */
    { 0x04, 0x00000000, 0x00000007 },
    { 0x08, 0x06000002, 0 },
};

static const struct reg network[] = {
    { 0x00, 0x10411af4, 0 }, /* virtio network device, non-transitional */
    { R_COMMAND, 0x00100003, 0x00000407 },
    { 0x08, 0x02000001, 0 },
    { 0x0c, 0, 0x000000ff },
    { R_BAR_IO, BAR_IO_BASE | 1, ~(BAR_IO_SIZE - 1) & 0xffff },
    { R_BAR_MEM, BAR_MEM_BASE, ~(CL_SIOM_BAR_SIZE - 1) },
    { 0x2c, 0x10411af4, 0 },
    { 0x34, R_MSIX, 0 },
    { 0x3c, 0, 0x000000ff }, /* no interrupt pin: MSI-X only */
    /* MSI-X: vectors - 1; table and pending bits in BAR 1. */
    { R_MSIX, 0x00005011 | (CL_MSIX_VECTORS - 1) << 16, 0xc0000000 },
    { 0x44, BAR_MEM_MSIX | 1, 0 },
    { 0x48, BAR_MEM_PENDING | 1, 0 },
    /* Common configuration, BAR 1. */
    { 0x50, CAP(0x60, 16, 1), 0 },
    { 0x54, 1, 0 },
    { 0x58, BAR_MEM_COMMON, 0 },
    { 0x5c, 56, 0 },
    /* Notification, BAR 0; one port for all queues. */
    { 0x60, CAP(0x74, 20, 2), 0 },
    { 0x68, BAR_IO_NOTIFY, 0 },
    { 0x6c, 4, 0 },
    { 0x70, 0, 0 },
    /* ISR status, BAR 0. */
    { 0x74, CAP(0x84, 16, 3), 0 },
    { 0x7c, BAR_IO_ISR, 0 },
    { 0x80, 1, 0 },
    /* Device configuration, BAR 1. */
    { 0x84, CAP(R_WINDOW, 16, 4), 0 },
    { 0x88, 1, 0 },
    { 0x8c, BAR_MEM_CONFIG, 0 },
    { 0x90, 12, 0 },
    /* Access to the BARs through configuration space. */
    { R_WINDOW, CAP(0, 20, 5), 0 },
    { R_WINDOW + 4, 0, 0x000000ff },
    { R_WINDOW + 8, 0, 0xffffffff },
    { R_WINDOW + 12, 0, 0xffffffff },
    { R_WINDOW + 16, 0, 0 }, /* the window itself */
};

static const struct {
    const struct reg *reg;
    unsigned int nr;
} functions[CL_PCI_FUNCTIONS] = {
    { bridge, sizeof(bridge) / sizeof(bridge[0]) },
    { network, sizeof(network) / sizeof(network[0]) },
};

#define NETWORK 1u

static uint32_t value(const struct cl_port *port, unsigned int off)
{
    return port->pci.cfg[NETWORK][off / 4];
}

/* What is in no table is zero, and stays so. */
static uint32_t mask_of(unsigned int fn, unsigned int off)
{
    unsigned int i;

    for ( i = 0; i < functions[fn].nr; i++ )
        if ( functions[fn].reg[i].off == off )
            return functions[fn].reg[i].mask;

    return 0;
}

void cl_pci_reset(struct cl_port *port)
{
    unsigned int fn, i;

    port->pci = (struct cl_pci){};
    for ( fn = 0; fn < CL_PCI_FUNCTIONS; fn++ )
        for ( i = 0; i < functions[fn].nr; i++ )
            port->pci.cfg[fn][functions[fn].reg[i].off / 4] =
                functions[fn].reg[i].value;
    for ( i = 0; i < CL_MSIX_VECTORS; i++ )
        port->pci.msix[i].control = 1; /* masked */
}

void cl_pci_load(struct cl_port *port,
                 const uint32_t cfg[CL_PCI_FUNCTIONS][CL_PCI_DWORDS])
{
    unsigned int fn, i;

    for ( fn = 0; fn < CL_PCI_FUNCTIONS; fn++ )
        for ( i = 0; i < functions[fn].nr; i++ )
        {
            const struct reg *r = &functions[fn].reg[i];

            port->pci.cfg[fn][r->off / 4] = (r->value & ~r->mask) |
                                            (cfg[fn][r->off / 4] & r->mask);
        }
}

bool cl_pci_master(const struct cl_port *port)
{
    return value(port, R_COMMAND) & COMMAND_MASTER;
}

uint32_t cl_pci_msix_control(const struct cl_port *port)
{
    return value(port, R_MSIX);
}

/* Where the I/O BAR is, 0: nowhere. */
static uint32_t io_base(const struct cl_port *port)
{
    return value(port, R_COMMAND) & COMMAND_IO ? value(port, R_BAR_IO) & ~3u
                                               : 0;
}

uint64_t cl_siom_mem_base(const struct cl_port *port)
{
    return value(port, R_COMMAND) & COMMAND_MEMORY ? value(port, R_BAR_MEM)
                                                   : 0;
}

/* ---- The BARs ---------------------------------------------------------- */

uint64_t cl_siom_mem_read(struct cl_port *port, uint32_t off,
                          unsigned int size)
{
    uint64_t v;

    if ( off < BAR_MEM_CONFIG )
        return cl_common_read(port, off, size);
    if ( off < BAR_MEM_MSIX )
        return cl_net_config(port, off - BAR_MEM_CONFIG, size);
    if ( off >= BAR_MEM_PENDING )
        return off == BAR_MEM_PENDING ? port->pci.pending : 0;

    off -= BAR_MEM_MSIX;
    if ( off >= CL_MSIX_VECTORS * 16 || size < 4 || off % size )
        return 0;
    v = cl_msix_read(port, off);
    if ( size == 8 )
        v |= (uint64_t)cl_msix_read(port, off + 4) << 32;

    return v;
}

void cl_siom_mem_write(struct cl_port *port, uint32_t off, unsigned int size,
                       uint64_t v)
{
    if ( off < BAR_MEM_CONFIG )
    {
        cl_common_write(port, off, size, v);
        return;
    }
    if ( off < BAR_MEM_MSIX )
        return; /* the device configuration is read-only */

    off -= BAR_MEM_MSIX;
    if ( off >= CL_MSIX_VECTORS * 16 || size < 4 || off % size )
        return;
    cl_msix_write(port, off, (uint32_t)v);
    if ( size == 8 )
        cl_msix_write(port, off + 4, (uint32_t)(v >> 32));
}

static uint32_t bar_io_read(struct cl_port *port, uint32_t off)
{
    return off == BAR_IO_ISR ? cl_virtio_isr(port) : 0;
}

static int bar_io_write(uint32_t off, uint32_t v)
{
    return off == BAR_IO_NOTIFY && (v & 0xffff) < CL_QUEUES ? (int)(v & 0xffff)
                                                            : -1;
}

/* ---- The window: 4.1.4.9 ----------------------------------------------- */

static bool window(const struct cl_port *port, uint32_t *off,
                   unsigned int *size)
{
    uint32_t bar = value(port, R_WINDOW + 4) & 0xff;

    *off = value(port, R_WINDOW + 8);
    *size = value(port, R_WINDOW + 12);

    return bar < 2 && (*size == 1 || *size == 2 || *size == 4) &&
           *off % *size == 0 && *off < (bar ? CL_SIOM_BAR_SIZE : BAR_IO_SIZE);
}

static uint32_t window_read(struct cl_port *port)
{
    uint32_t off, bar = value(port, R_WINDOW + 4) & 0xff;
    unsigned int size;

    if ( !window(port, &off, &size) )
        return 0;

    return bar ? (uint32_t)cl_siom_mem_read(port, off, size)
               : bar_io_read(port, off);
}

static int window_write(struct cl_port *port, uint32_t v)
{
    uint32_t off, bar = value(port, R_WINDOW + 4) & 0xff;
    unsigned int size;

    if ( !window(port, &off, &size) )
        return -1;
    if ( !bar )
        return bar_io_write(off, v);
    if ( size < 4 )
        v &= (1u << (size * 8)) - 1;
    cl_siom_mem_write(port, off, size, v);

    return -1;
}

/* ---- Configuration space ----------------------------------------------- */

/* Configuration mechanism 1: 0x80000000 | bus | device | function | register
 */
static int target(const struct cl_port *port, unsigned int *off)
{
    uint32_t a = port->pci.address;
    unsigned int devfn = (a >> 8) & 0xff;

    *off = a & 0xfc;
    if ( !(a & 0x80000000u) || (a & 0x7fff0000u) || (devfn & 7) ||
         devfn / 8 >= CL_PCI_FUNCTIONS )
        return -1;

    return (int)(devfn / 8);
}

static uint32_t cfg_read(struct cl_port *port)
{
    unsigned int off;
    int fn = target(port, &off);

    if ( fn < 0 )
        return UINT32_MAX;
    if ( fn == NETWORK && off == R_WINDOW + 16 )
        return window_read(port);

    return port->pci.cfg[fn][off / 4];
}

/* `bytes`: ones in the bytes of the register that are written. */
static int cfg_write(struct cl_port *port, uint32_t v, uint32_t bytes)
{
    unsigned int off;
    int fn = target(port, &off);
    uint32_t mask;

    if ( fn < 0 )
        return -1;
    if ( fn == NETWORK && off == R_WINDOW + 16 )
        return window_write(port, v);

    mask = mask_of((unsigned int)fn, off) & bytes;
    port->pci.cfg[fn][off / 4] = (port->pci.cfg[fn][off / 4] & ~mask) |
                                 (v & mask);
    if ( fn != NETWORK )
        return -1;
    if ( off == R_MSIX )
        cl_msix_unmasked(port);

    return -1;
}

/* ---- Ports ------------------------------------------------------------- */

#define CFG_ADDRESS 0xcf8u
#define CFG_DATA    0xcfcu

/*
 * All of 0xcf8 to 0xcff is ours: bytes written to the middle of the address
 * register (0xcfb, by which old chipsets were switched over) go nowhere.
 */
static bool is_cfg(uint16_t addr, unsigned int size)
{
    return addr >= CFG_ADDRESS && addr + size <= CFG_DATA + 4;
}

static bool is_bar(const struct cl_port *port, uint16_t addr,
                   unsigned int size)
{
    uint32_t base = io_base(port);

    return base && addr >= base && addr + size <= base + BAR_IO_SIZE;
}

bool cl_siom_io_ours(const struct cl_port *port, uint16_t addr,
                     unsigned int size)
{
    return is_bar(port, addr, size) || is_cfg(addr, size);
}

bool cl_siom_io_read(struct cl_port *port, uint16_t addr, unsigned int size,
                     uint32_t *v)
{
    uint32_t ones = size < 4 ? (1u << (size * 8)) - 1 : UINT32_MAX;

    if ( is_bar(port, addr, size) )
        *v = bar_io_read(port, addr - io_base(port)) & ones;
    else if ( !is_cfg(addr, size) )
        return false;
    else if ( addr >= CFG_DATA )
        *v = (cfg_read(port) >> (addr % 4 * 8)) & ones;
    else
        *v = addr == CFG_ADDRESS && size == 4 ? port->pci.address : ones;

    return true;
}

bool cl_siom_io_write(struct cl_port *port, uint16_t addr, unsigned int size,
                      uint32_t v, int *doorbell)
{
    uint32_t ones = size < 4 ? (1u << (size * 8)) - 1 : UINT32_MAX;
    unsigned int shift = addr % 4 * 8;

    *doorbell = -1;
    if ( is_bar(port, addr, size) )
        *doorbell = bar_io_write(addr - io_base(port), v & ones);
    else if ( !is_cfg(addr, size) )
        return false;
    else if ( addr >= CFG_DATA )
        *doorbell = cfg_write(port, v << shift, ones << shift);
    else if ( addr == CFG_ADDRESS && size == 4 )
        port->pci.address = v & 0x80fffffcu;

    return true;
}
