/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines that a guest keeps, and that others look for.
 *
 * A line is 64 bytes: marker (16 bytes), line number (10 digits), space, 16
 * hexadecimal digits derived from the number, dots, newline.
 *
 * The marker must not be in any image, and at run time nowhere but in the
 * lines, so that a search of all memory finds exactly as many as there are
 * lines.  So it is kept veiled, unveiled by the store of each line, and
 * compared veiled.
 *
 * For guests and dom0's programs, with or without a C library, and for dom0's
 * kernel, 64 and 32 bits: hence no header and C's own types.
 */
#ifndef LAB_LINES_H
#define LAB_LINES_H

#define LINE        64
#define MARKER      16          /* bytes */
#define LINE_BODY   (LINE - MARKER)
#define LINE_WORD   8

/* Eight bytes of a line, whose other parts are char. */
typedef unsigned long long __attribute__((__may_alias__)) line_word;

/* Volatile, or the compiler would unveil the text in the binary. */
static const volatile line_word line_veil = 0x5555555555555555;

/* "CLOISTER-SECRET-", each byte exclusive-or 0x55. */
static const volatile line_word line_veiled[2] = {
    0x071001061c1a1916,
    0x7801100716100678,
};

/* What follows the marker: depends on nothing but the number. */
static inline void line_body(unsigned long long number, char out[LINE_BODY])
{
    unsigned long long mix = (number + 1) * 0x9e3779b97f4a7c15;
    unsigned int digits = number, i;

    for ( i = 0; i < 10; i++, digits /= 10 )
        out[9 - i] = '0' + digits % 10;
    out[10] = ' ';
    for ( i = 0; i < 16; i++, mix >>= 4 )
        out[11 + i] = "0123456789abcdef"[mix & 15];
    for ( i = 27; i < LINE_BODY - 1; i++ )
        out[i] = '.';
    out[LINE_BODY - 1] = '\n';
}

/* LINE must be aligned to 8 bytes here, and below. */
static inline void line_write(void *line, unsigned long long number)
{
    volatile line_word *word = line;

    word[0] = line_veiled[0] ^ line_veil;
    word[1] = line_veiled[1] ^ line_veil;
    line_body(number, (char *)line + MARKER);
}

/* Does it start with the marker? */
static inline int line_marked(const void *line)
{
    const volatile line_word *word = line;

    return (word[0] ^ line_veil) == line_veiled[0] &&
           (word[1] ^ line_veil) == line_veiled[1];
}

/* Is it line NUMBER, all of it? */
static inline int line_good(const void *line, unsigned long long number)
{
    const line_word *body = (const line_word *)line + MARKER / LINE_WORD;
    line_word want[LINE_BODY / LINE_WORD], differ = 0;
    unsigned int i;

    line_body(number, (char *)want);
    for ( i = 0; i < LINE_BODY / LINE_WORD; i++ )
        differ |= body[i] ^ want[i];

    return !differ && line_marked(line);
}

/* How many lines there are in SIZE bytes, whatever follows the marker. */
static inline unsigned long lines_in(const void *memory, unsigned long size)
{
    const volatile line_word *word = memory;
    line_word veil = line_veil, first = line_veiled[0];
    unsigned long lines = 0;

    /* The first half alone at first, for speed: most memory has none. */
    for ( ; size >= LINE; size -= LINE, word += LINE / LINE_WORD )
        if ( (word[0] ^ veil) == first )
            lines += line_marked((const void *)word);

    return lines;
}

/* For searches at any place: no binary holds it in the clear. */
static inline void line_marker(char out[MARKER])
{
    unsigned int i;

    for ( i = 0; i < MARKER; i++ )
        out[i] = ((const volatile char *)line_veiled)[i] ^ 0x55;
}

#endif /* LAB_LINES_H */
