/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linescan FILE: how often the keeper's marker is in a file, wherever it
 * starts: in what xl save or xl dump-core has written, or in a machine's memory.
 * Prints "lines N", and "registers N": how often its first two words of four
 * bytes are where Xen has a guest's RSI and RDI (as the attacks' victim does).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guestmem.h"

#define CHUNK (1u << 20)

static uint64_t count(const char *from, const char *end, const char *marker)
{
    uint64_t found = 0;

    while ( (from = memmem(from, end - from, marker, MARKER)) )
    {
        found++;
        from += MARKER;
    }

    return found;
}

static uint64_t count_registers(const char *from, const char *end,
                                const char *marker)
{
    uint32_t word[2];
    uint64_t pair[2], found = 0;

    memcpy(word, marker, sizeof(word));
    pair[0] = word[0];
    pair[1] = word[1];
    while ( (from = memmem(from, end - from, pair, sizeof(pair))) )
    {
        found++;
        from += sizeof(pair);
    }

    return found;
}

int main(int argc, char *argv[])
{
    static char buffer[MARKER + CHUNK];
    char marker[MARKER];
    uint64_t lines = 0, registers = 0;
    size_t kept = 0;
    ssize_t got;
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;

    if ( fd < 0 )
        fail("usage: linescan FILE");

    line_marker(marker);
    while ( (got = read(fd, buffer + kept, CHUNK)) > 0 )
    {
        size_t have = kept + got;

        lines += count(buffer, buffer + have, marker);
        registers += count_registers(buffer, buffer + have, marker);
        /* What may be the start of a marker: too short to be a whole one. */
        kept = have < MARKER - 1 ? have : MARKER - 1;
        memmove(buffer, buffer + have - kept, kept);
    }
    if ( got < 0 )
        fail(argv[1]);

    printf("lines %" PRIu64 "\nregisters %" PRIu64 "\n", lines, registers);

    return 0;
}
