/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * losekey: copies frames of cloister migrate's (docs/formats.md, "Moving to
 * another host") from standard input to standard output, up to the guest's key,
 * and ends: a link that is cut in just that moment.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define KEY 3

int main(void)
{
    static uint8_t data[1 << 16];
    uint32_t head[2];

    setvbuf(stdin, NULL, _IONBF, 0);
    while ( fread(head, sizeof(head), 1, stdin) == 1 && head[0] != KEY &&
            head[1] <= sizeof(data) &&
            fread(data, 1, head[1], stdin) == head[1] )
    {
        if ( fwrite(head, sizeof(head), 1, stdout) != 1 ||
             fwrite(data, 1, head[1], stdout) != head[1] || fflush(stdout) )
            return 1;
    }

    return 0;
}
