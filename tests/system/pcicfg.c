/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcicfg: dom0 asks for a register of a device's configuration space by the
 * I/O ports 0xCF8 and 0xCFC, past its own kernel, or writes to it.
 *
 *     pcicfg BUS DEVICE FUNCTION REGISTER [VALUE]
 *
 * Prints what it reads, 8 hexadecimal digits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>

int main(int argc, char **argv)
{
    unsigned long n[5] = {0};
    int i;

    for ( i = 1; i < argc && i <= 5; i++ )
        n[i - 1] = strtoul(argv[i], NULL, 0);
    if ( argc < 5 || argc > 6 || iopl(3) )
    {
        perror("pcicfg");
        return 1;
    }
    outl(1u << 31 | n[0] << 16 | n[1] << 11 | n[2] << 8 | (n[3] & 0xfc),
         0xcf8);
    if ( argc == 6 )
        outl(n[4], 0xcfc);
    else
        printf("%08x\n", inl(0xcfc));
    return 0;
}
