/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flipafter TEXT N: copies standard input to standard output; of the byte
 * that is N behind the end of the first TEXT one bit is changed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static const char *text;
static long behind, left = -1; /* bytes to the one; -1: text to be seen yet */
static size_t seen;            /* of the text */

/* Good enough for a text whose first letter is in it once. */
static uint8_t look(uint8_t c)
{
    if ( left < -1 )
        return c;
    if ( left == -1 )
    {
        seen = c == text[seen] ? seen + 1 : c == text[0];
        left = text[seen] ? -1 : behind;
        return c;
    }
    if ( left-- )
        return c;
    left = -2;

    return c ^ 1;
}

int main(int argc, char **argv)
{
    static uint8_t buf[65536];
    ssize_t n, i, w;

    if ( argc != 3 )
        return 2;
    text = argv[1];
    behind = atol(argv[2]);
    while ( (n = read(0, buf, sizeof(buf))) > 0 )
    {
        for ( i = 0; i < n; i++ )
            buf[i] = look(buf[i]);
        for ( i = 0; i < n; i += w )
        {
            w = write(1, buf + i, (size_t)(n - i));
            if ( w <= 0 )
                return 1;
        }
    }

    return 0;
}
