/* SPDX-License-Identifier: BSD-2-Clause */
#include "tiny.h"

#include <stdarg.h>

/* Xen's debug console: it logs what comes here, a line at a time. */
#define PORT 0xe9

static void put(char c)
{
    asm volatile ( "outb %0, %w1" :: "a" (c), "Nd" (PORT) );
}

static void put_text(const char *text)
{
    while ( *text )
        put(*text++);
}

static void put_number(uint32_t number)
{
    char digits[11], *p = digits + sizeof(digits) - 1;

    *p = 0;
    do
        *--p = '0' + number % 10;
    while ( number /= 10 );
    put_text(p);
}

void print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    for ( ; *format; format++ )
    {
        if ( *format != '%' )
            put(*format);
        else if ( *++format == 'u' )
            put_number(va_arg(args, uint32_t));
        else
            put_text(va_arg(args, const char *));
    }
    va_end(args);
    put('\n');
}
