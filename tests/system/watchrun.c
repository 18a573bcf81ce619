/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watchrun DOMID SECONDS: when the guest, and those that take its place with
 * the same UUID, come, run and stop.  Prints "MS DOMID WHAT", MS since its
 * start, for each that it sees, looking about once a millisecond: created,
 * runs (has executed something), stands (is suspended).  Ends when a new one
 * runs, or after SECONDS.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <xenctrl.h>

#define MOST 16

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);

    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

struct seen {
    uint32_t domid;
    int ran, stood;
};

static struct seen list[MOST];
static unsigned int count;
static double start, looked;    /* in the beginning, and last */

static void tell(uint32_t domid, const char *what, double before)
{
    printf("%.1f %u %s\n", now_ms() - start - before, domid, what);
}

/* For how long it may have run since the last look, in ms. */
static double ran_before(const xc_domaininfo_t *i)
{
    double ran = (double)i->cpu_time / 1e6 / (i->max_vcpu_id + 1);

    return ran < now_ms() - looked ? ran : now_ms() - looked;
}

/* 1: a domain that was not there in the beginning has run. */
static int look_at(const xc_domaininfo_t *i, unsigned int old)
{
    unsigned int n;

    for ( n = 0; n < count && list[n].domid != i->domain; n++ )
        ;
    if ( n == MOST )
        return 1;
    if ( n == count )
    {
        list[count++] = (struct seen){ .domid = i->domain };
        tell(i->domain, "created", 0);
    }
    if ( !list[n].ran && i->cpu_time )
    {
        list[n].ran = 1;
        /* On the only processor it may have been before this program. */
        tell(i->domain, "runs", ran_before(i));
    }
    if ( !list[n].stood && (i->flags & XEN_DOMINF_shutdown) )
    {
        list[n].stood = 1;
        tell(i->domain, "stands", 0);
    }

    return n >= old && list[n].ran;
}

int main(int argc, char **argv)
{
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);
    xc_domaininfo_t first, all[MOST];
    double end;
    int n, i, done = 0;

    if ( argc != 3 || !xch ||
         xc_domain_getinfo_single(xch, (uint32_t)atoi(argv[1]), &first) )
    {
        fprintf(stderr, "usage: watchrun DOMID SECONDS\n");
        return 1;
    }
    setlinebuf(stdout);
    start = now_ms();
    end = start + atof(argv[2]) * 1e3;
    looked = start;
    look_at(&first, MOST);
    while ( !done && now_ms() < end )
    {
        usleep(1000);
        n = xc_domain_getinfolist(xch, 1, MOST, all);
        for ( i = 0; i < n; i++ )
            if ( !memcmp(all[i].handle, first.handle, sizeof(first.handle)) )
                done |= look_at(&all[i], 1);
        looked = now_ms();
    }
    xc_interface_close(xch);

    return 0;
}
