/* SPDX-License-Identifier: BSD-2-Clause */
/* Xen's log, as dom0 reads it. */
#include <string.h>
#include <time.h>

#include "attack.h"

#define LOG_MAX (512u << 10)

static char text[LOG_MAX + 1];

void msleep(unsigned int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&t, NULL);
}

const char *log_read(unsigned int *at)
{
    unsigned int size, total = 0;

    do
    {
        size = LOG_MAX - total;
        if ( xc_readconsolering(xch, text + total, &size, 0, 1, at) )
            size = 0;
        total += size;
    } while ( size && total < LOG_MAX );
    for ( size = 0; size < total; size++ )
        if ( !text[size] )
            text[size] = '?';
    text[total] = 0;
    return text;
}

unsigned int log_end(void)
{
    unsigned int at = 0;

    log_read(&at);
    return at;
}

unsigned int log_count(unsigned int at, const char *what)
{
    const char *p = log_read(&at);
    unsigned int n = 0;

    while ( (p = strstr(p, what)) )
        n++, p++;
    return n;
}

double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

bool log_wait(unsigned int at, const char *what, unsigned int seconds)
{
    double end = now_s() + seconds;

    while ( !log_count(at, what) )
    {
        if ( now_s() > end )
            return false;
        msleep(100);
    }
    return true;
}
