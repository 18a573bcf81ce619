/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attack noisy SECONDS: dom0 as a noisy neighbour, all at once: refused calls
 * in a loop, views of all pages of a victim, guests created and destroyed at
 * full speed.  Then: how much of it there was, what is missing of Xen's
 * memory, how long Xen's log has become by Cloister (stock Xen has its own to
 * say on each guest that is made), and whether the victim is well.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"

#include <abi/hypercall.h>

#define PAGES_MAPPED 2048
#define KINDS 3

/* What each has come to: shared with the children. */
static volatile unsigned long *done;

/* How many are refused, and not for want of an argument. */
static unsigned long refused_calls(struct victim *v)
{
    struct xen_domctl op = {.u.hypercall_init.gmfn = LINES_GFN};
    uint8_t state[64] = {0};
    unsigned long n;

    n = domctl(v->id, XEN_DOMCTL_hypercall_init, &op) == -EPERM;
    memset(&op.u, 0, sizeof(op.u));
    op.u.setdebugging.enable = 0;
    n += domctl(v->id, XEN_DOMCTL_setdebugging, &op) == -EPERM;
    n += set_param(v->id, HVM_PARAM_STORE_PFN, LINES_GFN) == -EPERM;
    n += xc_domain_hvm_setcontext(xch, v->id, state, sizeof(state)) &&
         errno == EPERM;
    return n;
}

/* How many pages are mapped. */
static unsigned long all_views(struct victim *v)
{
    static xen_pfn_t gfn[PAGES_MAPPED];
    static int err[PAGES_MAPPED];
    unsigned long n = 0;
    unsigned int i;
    void *mem;

    for ( i = 0; i < PAGES_MAPPED; i++ )
        gfn[i] = i;
    mem = xenforeignmemory_map(fmem, v->id, PROT_READ, PAGES_MAPPED, gfn, err);
    if ( !mem )
        return 0;
    for ( i = 0; i < PAGES_MAPPED; i++ )
        n += !err[i];
    xenforeignmemory_unmap(fmem, mem, PAGES_MAPPED);
    return n;
}

static bool is_sealed(const struct victim *v)
{
    struct cloister_domain_info info = {
        .revision = CLOISTER_ABI_REVISION,
        .domid = v->id,
    };

    return !cloister_op(CLOISTER_OP_domain, &info, sizeof(info)) &&
           info.state == CLOISTER_DOM_sealed;
}

/* One that runs and is protected, or none. */
static unsigned long another_guest(struct victim *v)
{
    struct victim other;
    bool runs;

    (void)v;
    if ( victim_create(&other, NULL) )
        return 0;
    runs = !victim_unpause(&other) && is_sealed(&other);
    victim_destroy(&other);
    return runs;
}

static unsigned long (*const kinds[KINDS])(struct victim *v) = {
    refused_calls,
    all_views,
    another_guest,
};

static pid_t loop(unsigned int kind, struct victim *v)
{
    pid_t pid = fork();

    if ( pid )
        return pid;
    /* Buffers for hypercalls are shared with the parent: get others. */
    lib_init();
    for ( ;; )
        done[kind] += kinds[kind](v);
}

/* Xen's free memory, KiB, when it has come to rest. */
static long free_kib(void)
{
    xc_physinfo_t info = {0};
    unsigned long last;
    unsigned int i;

    for ( i = 0; i < 20; i++ )
    {
        last = info.free_pages + info.scrub_pages;
        xc_physinfo(xch, &info);
        if ( i && last == info.free_pages + info.scrub_pages )
            break;
        msleep(1000);
    }
    return (info.free_pages + info.scrub_pages) * (PAGE / 1024);
}

/* Bytes of Xen's log behind AT that are Cloister's. */
static unsigned long log_bytes(unsigned int at)
{
    static const char ours[] = "(XEN) Cloister: ";
    const char *line = log_read(&at), *end;
    unsigned long bytes = 0;

    for ( ; (end = strchr(line, '\n')); line = end + 1 )
        if ( !strncmp(line, ours, sizeof(ours) - 1) )
            bytes += end - line;
    return bytes;
}

/* A guest that was being made when its maker was stopped. */
static void sweep(struct victim *v)
{
    xc_domaininfo_t info[64];
    int i, n = xc_domain_getinfolist(xch, 1, 64, info);

    for ( i = 0; i < n; i++ )
        if ( info[i].domain != v->id )
            xc_domain_destroy(xch, info[i].domain);
}

int noisy(unsigned int seconds)
{
    unsigned int i, from;
    struct victim v;
    pid_t pid[KINDS];
    long before, after;
    bool well;

    done = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                -1, 0);
    if ( done == MAP_FAILED || victim_start(&v, NULL) )
        return -1;
    another_guest(&v);
    before = free_kib();
    from = log_end();
    for ( i = 0; i < KINDS; i++ )
        pid[i] = loop(i, &v);
    sleep(seconds);
    for ( i = 0; i < KINDS; i++ )
    {
        kill(pid[i], SIGKILL);
        waitpid(pid[i], NULL, 0);
    }
    sweep(&v);
    well = victim_healthy(&v, 30);
    after = free_kib();
    printf("noisy refused %lu views %lu guests %lu leak_kib %ld log_bytes %lu "
           "well %d\n",
           done[0], done[1], done[2], before - after,
           log_bytes(from), well);
    victim_destroy(&v);
    return 0;
}
