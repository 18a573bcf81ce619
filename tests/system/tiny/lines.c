/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper's lines, see lab/keeper.c: marker (16 bytes), line number (10
 * digits), space, 16 hexadecimal digits derived from the number, dots,
 * newline.
 *
 * Nothing but the lines must hold the marker, so it is kept veiled and also
 * compared veiled.
 */

#include "tiny.h"

/* "CLOISTER-SECRET-", each byte exclusive-or 0x55. */
static const volatile uint32_t veiled[4] = {
    0x1c1a1916, 0x07100106, 0x16100678, 0x78011007,
};
/* Volatile, or the compiler would unveil the text in the binary. */
static const volatile uint32_t veil = 0x55555555;

/* What follows the marker: 48 bytes that depend on nothing but the number. */
static void body(uint32_t number, char out[48])
{
    uint64_t mix = (number + 1) * 0x9e3779b97f4a7c15;
    unsigned int i;

    for ( i = 0; i < 10; i++, number /= 10 )
        out[9 - i] = '0' + number % 10;
    out[10] = ' ';
    for ( i = 0; i < 16; i++, mix >>= 4 )
        out[11 + i] = "0123456789abcdef"[mix & 15];
    for ( i = 27; i < 47; i++ )
        out[i] = '.';
    out[47] = '\n';
}

static bool marked(const char *line)
{
    const volatile uint32_t *word = (const volatile uint32_t *)line;

    return (word[0] ^ veil) == veiled[0] && (word[1] ^ veil) == veiled[1] &&
           (word[2] ^ veil) == veiled[2] && (word[3] ^ veil) == veiled[3];
}

void lines_fill(char *start, uint32_t count)
{
    uint32_t i, w;

    for ( i = 0; i < count; i++, start += LINE )
    {
        for ( w = 0; w < 4; w++ )
            ((volatile uint32_t *)start)[w] = veiled[w] ^ veil;
        body(i, start + 16);
    }
}

uint32_t lines_check(const char *start, uint32_t count)
{
    uint32_t i, b, bad = 0;
    char want[48];

    for ( i = 0; i < count; i++, start += LINE )
    {
        body(i, want);
        for ( b = 0; b < sizeof(want) && start[16 + b] == want[b]; b++ )
            ;
        bad += b < sizeof(want) || !marked(start);
    }
    return bad;
}

uint32_t lines_count(const char *start, const char *end)
{
    uint32_t found = 0, first = veiled[0] ^ 0x55555555;

    for ( ; (size_t)(end - start) >= LINE; start += LINE )
        /* A guess first, for speed: most memory is empty */
        if ( *(const volatile uint32_t *)start == first )
            found += marked(start);
    return found;
}
