/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding the keeper's lines (lab/keeper.c), in Linux and in programs.
 *
 * The marker is veiled, or a search of all memory would find the searcher.
 */
#ifndef LINES_H
#define LINES_H

#define LINE 64

/* "CLOISTER-SECRET-", each byte exclusive-or 0x55. */
static const volatile unsigned long long veiled_marker[2] = {
    0x071001061c1a1916, 0x7801100716100678,
};

/* How many lines there are in SIZE bytes. */
static inline unsigned long lines_in(const void *memory, unsigned long size)
{
    const volatile unsigned long long *word = memory;
    const volatile unsigned long long *end = word + size / sizeof(*word);
    unsigned long long veil = 0x5555555555555555;
    unsigned long long first = veiled_marker[0];
    unsigned long lines = 0;

    for ( ; word < end; word += LINE / sizeof(*word) )
        if ( (word[0] ^ veil) == first &&
             (word[1] ^ veil) == veiled_marker[1] )
            lines++;
    return lines;
}

#endif /* LINES_H */
