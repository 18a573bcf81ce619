/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cutlate record N | tail N: copies frames of cloister migrate's
 * (docs/formats.md, "Moving to another host") from standard input to standard
 * output, and ends: N bytes into the guest's record, frames' heads not
 * counted, or N bytes behind it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <abi/record.h>

static const char signature[] = CLOISTER_RECORD_SIGNATURE;

/* What has been seen of the frame: its head, then so many bytes. */
static uint8_t head[8];
static uint32_t head_bytes, data_left;

/* What has been seen of the record, from its signature on. */
static struct cloister_record record;
static size_t record_bytes;
static long behind;

/* Whether this is a byte of a frame's data. */
static bool is_data(uint8_t c)
{
    if ( data_left )
    {
        data_left--;
        return true;
    }
    head[head_bytes++] = c;
    if ( head_bytes == sizeof(head) )
    {
        memcpy(&data_left, head + 4, sizeof(data_left));
        head_bytes = 0;
    }

    return false;
}

/* Good enough for a signature whose first letter is in it once. */
static void add(uint8_t c)
{
    if ( record_bytes < sizeof(record.signature) &&
         c != (uint8_t)signature[record_bytes] )
    {
        record_bytes = 0;
        if ( c != (uint8_t)signature[0] )
            return;
    }
    if ( record_bytes < sizeof(record) )
        ((uint8_t *)&record)[record_bytes] = c;
    record_bytes++;
}

static bool is_over(void)
{
    return record_bytes >= sizeof(record) && record_bytes >= record.length;
}

/* Whether the link ends before this byte. */
static bool ends(bool in_record, long n, uint8_t c)
{
    bool data = is_data(c);

    if ( is_over() )
        return in_record || behind++ == n;
    if ( in_record && data && record_bytes >= sizeof(record.signature) &&
         record_bytes - sizeof(record.signature) == (size_t)n )
        return true;
    if ( data )
        add(c);

    return false;
}

static bool put(const uint8_t *p, ssize_t n)
{
    ssize_t w;

    for ( ; n; p += w, n -= w )
    {
        w = write(1, p, (size_t)n);
        if ( w <= 0 )
            return false;
    }

    return true;
}

int main(int argc, char **argv)
{
    static uint8_t buf[65536];
    bool in_record = argc == 3 && !strcmp(argv[1], "record");
    ssize_t n, i;

    if ( argc != 3 || (!in_record && strcmp(argv[1], "tail")) )
        return 2;
    while ( (n = read(0, buf, sizeof(buf))) > 0 )
    {
        for ( i = 0; i < n && !ends(in_record, atol(argv[2]), buf[i]); i++ )
            continue;
        if ( !put(buf, i) || i < n )
            return 1;
    }

    return 0;
}
