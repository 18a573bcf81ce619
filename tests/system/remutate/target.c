/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains, with as little as libxc needs of them. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <time.h>

#include "remutate.h"

#define PAGING_MEMORY (4 << 20)
#define TIMER_MODE    1         /* as xl has it: no_delay_for_missed_ticks */

xc_interface *xch;
xenforeignmemory_handle *fmem;

static int memory_file(void)
{
    int fd = memfd_create("image", 0);

    if ( fd < 0 )
    {
        perror("memfd");
        exit(1);
    }

    return fd;
}

static uint32_t saving;

/* The guest does so itself, every few seconds; nobody else may. */
static int suspend(void *data)
{
    unsigned int left = 60000;
    xc_domaininfo_t info;

    (void)data;
    while ( left-- && !xc_domain_getinfo_single(xch, saving, &info) )
    {
        if ( info.flags & XEN_DOMINF_shutdown )
            return 1;
        usleep(1000);
    }

    return 0;
}

static int log_dirty(uint32_t domid, unsigned int enable, void *data)
{
    (void)domid;
    (void)enable;
    (void)data;

    return 0;
}

int target_save(uint32_t domid)
{
    struct save_callbacks callbacks = {
        .suspend = suspend,
        .switch_qemu_logdirty = log_dirty,
    };
    int fd = memory_file();

    saving = domid;
    if ( xc_domain_save(xch, fd, domid, 0, &callbacks, XC_STREAM_PLAIN, -1) )
    {
        fprintf(stderr, "remutate: the guest cannot be saved: %s\n",
                strerror(errno));
        close(fd);
        return -1;
    }

    return fd;
}

uint32_t target_create(const xc_domaininfo_t *like)
{
    struct xen_domctl_createdomain config = {
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
        .max_vcpus = like->max_vcpu_id + 1,
        .max_evtchn_port = -1,
        .max_grant_frames = -1,
        .max_maptrack_frames = -1,
        .grant_opts = XEN_DOMCTL_GRANT_version(1),
        .arch.emulation_flags = XEN_X86_EMU_LAPIC,
    };
    uint32_t domid = 0;

    memcpy(config.handle, like->handle, sizeof(config.handle));
    if ( xc_domain_create(xch, &domid, &config) ||
         xc_domain_max_vcpus(xch, domid, config.max_vcpus) ||
         xc_set_paging_mempool_size(xch, domid, PAGING_MEMORY) ||
         xc_domain_setmaxmem(xch, domid, like->max_pages * (PAGE / 1024)) ||
         xc_hvm_param_set(xch, domid, HVM_PARAM_TIMER_MODE, TIMER_MODE) )
    {
        perror("remutate: no domain");
        exit(1);
    }

    return domid;
}

/*
 * dom0 asks for each page: Xen verifies it then, if it has not been touched
 * before.  0, or -1 if the domain was stopped for it.
 */
static int touch_all(uint32_t domid)
{
    xc_domaininfo_t info;
    xen_pfn_t gfn;
    int err;

    if ( xc_domain_getinfo_single(xch, domid, &info) )
        return -1;
    /* Its memory begins at 0; the rings, below 4 GiB, are in no image. */
    for ( gfn = 0; gfn < info.tot_pages; gfn++ )
    {
        void *p = xenforeignmemory_map(fmem, domid, PROT_READ, 1, &gfn, &err);

        if ( p && !err )
            xenforeignmemory_unmap(fmem, p, 1);
    }

    return xc_domain_getinfo_single(xch, domid, &info) ||
           (info.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying)) ? -1 : 0;
}

double target_restored_ms, target_unpaused_ms;

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);

    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int target_restore(uint32_t domid, const struct image *im)
{
    double start = now_ms();

    struct restore_callbacks callbacks = { 0 };
    unsigned long store, console;
    int fd = memory_file(), rc = -1;

    if ( write(fd, im->data, im->size) != (ssize_t)im->size ||
         lseek(fd, 0, SEEK_SET) )
        perror("write");
    else
        rc = xc_domain_restore(xch, fd, domid,
                               xc_evtchn_alloc_unbound(xch, domid, 0),
                               &store, 0,
                               xc_evtchn_alloc_unbound(xch, domid, 0),
                               &console, 0, XC_STREAM_PLAIN, &callbacks, -1);
    close(fd);
    if ( rc )
        return -1;

    target_restored_ms = now_ms() - start;
    if ( xc_domain_unpause(xch, domid) )
        return -2;
    target_unpaused_ms = now_ms() - start - target_restored_ms;

    return touch_all(domid) ? -3 : 0;
}

void target_destroy(uint32_t domid)
{
    if ( xc_domain_destroy(xch, domid) )
        perror("remutate: destroy");
}
