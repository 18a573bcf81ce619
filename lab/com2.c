/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * com2: copy standard input to the second serial port.
 *
 * Not by way of /dev/ttyS1, whose interrupt gets lost on the emulated machine
 * when Xen remaps it: output then stops after one FIFO.  This polls.
 */

#define _GNU_SOURCE
#include <stdio.h>
#include <sys/io.h>
#include <unistd.h>

#define PORT      0x2f8
#define DATA      (PORT + 0)
#define FCR       (PORT + 2)    /* FIFO control: 1 enables */
#define LCR       (PORT + 3)    /* line control: 3 is 8n1, 0x80 the divisor */
#define LSR       (PORT + 5)    /* line status */
#define LSR_THRE  0x20          /* transmit FIFO is empty */
#define FIFO      16            /* bytes it holds */
#define POLLS     100000        /* then the port is taken for absent */

static int transmit(const char *data, size_t size)
{
    unsigned int polls = POLLS;

    while ( !(inb(LSR) & LSR_THRE) )
        if ( !--polls )
            return -1;
    outsb(DATA, data, size);
    return 0;
}

int main(void)
{
    char buffer[4096];
    ssize_t size, at;

    if ( iopl(3) )
    {
        perror("com2: iopl");
        return 1;
    }
    outb(0x83, LCR);
    outb(1, PORT);              /* divisor 1: 115200 baud */
    outb(0, PORT + 1);
    outb(3, LCR);
    outb(1, FCR);

    while ( (size = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0 )
        for ( at = 0; at < size; at += FIFO )
            if ( transmit(buffer + at, size - at < FIFO ? size - at : FIFO) )
                return 1;
    return 0;
}
