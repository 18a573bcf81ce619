/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nictouch: dom0 reaches for a NIC past its own kernel.
 *
 *     nictouch BUS DEVICE FUNCTION BAR ECAM
 *
 * Claim:  dom0 neither sees nor changes the NIC that is Xen's, nor gets its
 *         interrupts.
 * Method: configuration space by the ports 0xCF8 and 0xCFC (read, and the
 *         command register and BAR 0 written) and by memory (ECAM: where it
 *         begins); the NIC's registers (BAR: where the firmware has put BAR
 *         0) read, and an address filter written; its MSI mapped to an event
 *         channel's interrupt; the device removed from Xen's list.
 *
 * Prints "NAME VALUE": hexadecimal digits as read after writing, or 1 for a
 * call that succeeded, 0 for one that was refused.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenctrl.h>

#define PAGE 4096u

static unsigned long arg[5];

static uint32_t config(unsigned int reg, int write, uint32_t value)
{
    outl(1u << 31 | arg[0] << 16 | arg[1] << 11 | arg[2] << 8 | reg, 0xcf8);
    if ( write )
        outl(value, 0xcfc);

    return inl(0xcfc);
}

/* A register of I/O memory, and what it is after a write to it. */
static void memory(const char *name, unsigned long at, int write,
                   uint32_t value)
{
    int fd = open("/dev/mem", O_RDWR | O_SYNC);
    volatile uint8_t *p = mmap(NULL, PAGE, PROT_READ | (write ? PROT_WRITE : 0),
                               MAP_SHARED, fd, (off_t)(at & ~(PAGE - 1ul)));
    volatile uint32_t *reg;

    close(fd);
    if ( p == MAP_FAILED )
    {
        printf("%s unmapped\n", name);
        return;
    }
    reg = (volatile uint32_t *)(p + at % PAGE);
    if ( write )
        *reg = value;
    printf("%s %08x\n", name, *reg);
}

static void interrupt(void)
{
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);
    int pirq = -1, rc;

    rc = xch ? xc_physdev_map_pirq_msi(xch, 0, -1, &pirq,
                                       (int)(arg[1] << 3 | arg[2]),
                                       (int)arg[0], 0, 0)
             : -1;
    printf("msi %u\n", !rc);
    if ( !rc )
        xc_physdev_unmap_pirq(xch, 0, pirq);
}

int main(int argc, char **argv)
{
    uint32_t bar;
    int i;

    for ( i = 1; i < argc && i <= 5; i++ )
        arg[i - 1] = strtoul(argv[i], NULL, 0);
    if ( argc != 6 || iopl(3) )
    {
        perror("nictouch");
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("vendor %08x\n", config(0, 0, 0));
    bar = config(0x10, 0, 0);
    printf("bar %08x\n", bar & ~0xfu);
    printf("command %04x\n", config(4, 1, 0x402) & 0xffff);
    memory("ecam", arg[4] + (arg[0] << 20 | arg[1] << 15 | arg[2] << 12), 0,
           0);
    memory("status", arg[3] + 8, 0, 0);
    /* RAL(15), 0x5478: an address that nothing uses yet. */
    memory("register", arg[3] + 0x5478, 1, 0x12345678);
    /* Where Xen gives a page of ones, all pages are the same. */
    memory("elsewhere", arg[3] + 0x1478, 0, 0);
    interrupt();
    printf("moved %08x\n", config(0x10, 1, 0xfe000000) & ~0xfu);
    config(0x10, 1, bar);

    return 0;
}
