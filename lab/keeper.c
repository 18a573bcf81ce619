/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper: the guest that keeps a secret.
 *
 * The only program of a guest: its init.  It fills memory with 64-byte lines
 * that are easy to find for anyone who can read the guest, then checks them
 * for ever, so that anyone who can write to the guest is noticed.
 *
 * Kernel command line: keeper=MIB (default 16); keeper_crash=ROUND has the
 * kernel crash after that round, keeper_exit=ROUND ends the guest;
 * keeper_work=MIB has it walk that much memory before it fills any;
 * keeper_rest=SECONDS is how long it rests between rounds (default 0.2 s).
 * Console: "keeper at gfn N" once, the guest frame of line 0; then "keeper ok
 * ROUND" or "keeper BAD ADDRESS" after each round.
 *
 * The lines: lines.h.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lines.h"
#include "mark.h"

#define MAX_THREADS 64
#define REST_MS     200
#define PASSES      20

struct share {
    char *start;                /* first line of this thread */
    uint64_t number, lines;     /* its number, how many */
    unsigned int cpu, bad;
    const void *where;          /* first bad line of the round */
};

static pthread_barrier_t barrier;

static void fill(const struct share *s)
{
    uint64_t i;

    for ( i = 0; i < s->lines; i++ )
        line_write(s->start + i * LINE, s->number + i);
}

static void check(struct share *s)
{
    uint64_t i;

    s->bad = 0;
    for ( i = 0; i < s->lines; i++ )
    {
        const char *line = s->start + i * LINE;

        if ( !line_good(line, s->number + i) && !s->bad++ )
            s->where = line;
    }
}

static void *keep(void *arg)
{
    struct share *s = arg;
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(s->cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);

    fill(s);
    for ( ; ; )
    {
        /* Begin a round together; report when all have checked. */
        pthread_barrier_wait(&barrier);
        check(s);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

/* Of the guest's frame: dom0 can then look at the lines themselves. */
static void say_where(const void *memory)
{
    uint64_t entry = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY);

    if ( pread(fd, &entry, sizeof(entry), (uintptr_t)memory / 4096 * 8) ==
         sizeof(entry) )
        printf("keeper at gfn %llu\n", entry & ((1ULL << 55) - 1));
    close(fd);
}

static void report(const struct share *s, unsigned int threads,
                   unsigned long round)
{
    unsigned int i, bad = 0;

    for ( i = 0; i < threads; i++ )
    {
        bad += s[i].bad;
        if ( s[i].bad )
            printf("keeper BAD %p (%u lines in round %lu)\n", s[i].where,
                   s[i].bad, round);
    }
    if ( !bad )
        printf("keeper ok %lu\n", round);
    fflush(stdout);
}

/* The number after `name` on the kernel's command line. */
static unsigned long option(const char *name, unsigned long value)
{
    static char line[4096];
    const char *p;
    FILE *f = fopen("/proc/cmdline", "r");

    if ( f && fgets(line, sizeof(line), f) )
    {
        for ( p = line; (p = strstr(p, name)); p += strlen(name) )
            if ( p == line || p[-1] == ' ' )
                value = strtoul(p + strlen(name), NULL, 0);
    }
    if ( f )
        fclose(f);
    return value;
}

static char *allocate(unsigned long mib)
{
    char *memory = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if ( memory == MAP_FAILED )
    {
        printf("keeper: no memory for %lu MiB\n", mib);
        pause();
    }
    return memory;
}

/* Leave lines behind in memory that is nobody's. */
static void fill_and_free(unsigned long mib)
{
    struct share s = { .lines = (mib << 20) / LINE };

    if ( !mib )
        return;
    s.start = allocate(mib);
    fill(&s);
    munmap(s.start, mib << 20);
    printf("keeper freed %lu MiB\n", mib);
}

/*
 * Reads and writes one word of each line of MIB, pages in an order that no
 * processor foresees, PASSES times: next to nothing but memory.
 */
static void work(unsigned long mib)
{
    unsigned long pages = mib << 8, i, at, page = 0;
    volatile uint64_t *memory;

    if ( !mib )
        return;
    memory = (volatile uint64_t *)allocate(mib);
    MARK(11);
    for ( i = 0; i < pages * PASSES; i++ )
    {
        for ( at = 0; at < 4096 / 8; at += LINE / 8 )
            memory[page * 512 + at] += i;
        page = (page + 7919) % pages;
    }
    MARK(12);
    munmap((void *)memory, mib << 20);
    printf("keeper has worked\n");
}

/* Does not come back, unless the kernel has no sysrq. */
static void crash(void)
{
    FILE *f = fopen("/proc/sysrq-trigger", "w");

    if ( f )
    {
        fputc('c', f);
        fclose(f);
    }
    printf("keeper: could not crash\n");
}

static void init(void)
{
    mkdir("/proc", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
}

/*
 * The kernel runs /sbin/poweroff and /sbin/reboot when the toolstack asks
 * for a shutdown: the same file.
 */
static void power(const char *self)
{
    const char *name = strrchr(self, '/') ? strrchr(self, '/') + 1 : self;

    if ( !strcmp(name, "poweroff") )
        reboot(RB_POWER_OFF);
    if ( !strcmp(name, "reboot") )
        reboot(RB_AUTOBOOT);
}

int main(int argc, char *argv[])
{
    static struct share shares[MAX_THREADS];
    unsigned long mib, round, cpus, last, stop, rest;
    uint64_t lines;
    unsigned int i;
    char *memory;
    pthread_t thread;

    (void)argc;
    MARK(10);
    power(argv[0]);
    init();
    work(option("keeper_work=", 0));

    mib = option("keeper=", 16);
    last = option("keeper_crash=", 0);
    stop = option("keeper_exit=", 0);
    rest = option("keeper_rest=", 0);
    cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if ( cpus > MAX_THREADS )
        cpus = MAX_THREADS;
    lines = (mib << 20) / LINE / cpus;

    memory = allocate(mib);
    printf("keeper: %lu MiB, %lu lines, %lu threads, at %p\n", mib,
           (unsigned long)(lines * cpus), cpus, (void *)memory);
    fflush(stdout);

    pthread_barrier_init(&barrier, NULL, cpus + 1);
    for ( i = 0; i < cpus; i++ )
    {
        shares[i].start = memory + i * lines * LINE;
        shares[i].number = i * lines;
        shares[i].lines = lines;
        shares[i].cpu = i;
        pthread_create(&thread, NULL, keep, &shares[i]);
    }
    fill_and_free(option("keeper_free=", 0));

    for ( round = 1; ; round++ )
    {
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        if ( round == 1 )
            say_where(memory);
        report(shares, cpus, round);
        if ( round == last )
            crash();
        if ( round == stop )
            reboot(RB_POWER_OFF);
        if ( rest )
            sleep(rest);
        else
            usleep(REST_MS * 1000);
    }
}
