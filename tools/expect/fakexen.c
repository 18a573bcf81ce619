/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls and guest memory of make-believe; see fake.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xencall.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/version.h>

#include "fake.h"

#define MAX_GFN (1ull << 28) /* 1 TiB */

struct fake fake;

void fake_unknown(const char *what, unsigned long which)
{
    fprintf(
        stderr,
        "cloister-expect: Xen's libraries want something that is not known "
        "here: %s %lu\n",
        what, which);
    _exit(5);
}

void fake_init(void)
{
    fake.max_gfn = MAX_GFN;
    fake.populated = calloc(1, MAX_GFN / 8);
    fake.memory = memfd_create("guest", MFD_CLOEXEC);
    if ( !fake.populated || fake.memory < 0 ||
         ftruncate(fake.memory, (off_t)(MAX_GFN * FAKE_PAGE)) )
    {
        perror("cloister-expect: memory for the guest");
        exit(1);
    }
    /* As Xen has it for a new domain. */
    fake.params[HVM_PARAM_TRIPLE_FAULT_REASON] = 1;
    fake.mtrr.msr_mtrr_cap = 0x508;
}

bool fake_is_populated(uint64_t gfn)
{
    return gfn < fake.max_gfn && (fake.populated[gfn / 8] >> gfn % 8 & 1);
}

static void populate(uint64_t gfn, uint64_t nr)
{
    for ( ; nr; nr--, gfn++ )
    {
        if ( gfn >= fake.max_gfn )
            fake_unknown("gfn", gfn);
        fake.pages += !fake_is_populated(gfn);
        fake.populated[gfn / 8] |= (uint8_t)(1u << gfn % 8);
    }
}

const void *fake_page(uint64_t gfn)
{
    static uint64_t page[FAKE_PAGE / 8];

    if ( pread(fake.memory, page, sizeof(page), (off_t)(gfn * FAKE_PAGE)) !=
         (ssize_t)sizeof(page) )
        fake_unknown("page", gfn);

    return page;
}

/* ---- libxenforeignmemory -------------------------------------------------
 */

static int handle;

xenforeignmemory_handle *xenforeignmemory_open(struct xentoollog_logger *l,
                                               unsigned int flags)
{
    (void)l;
    (void)flags;

    return (void *)&handle;
}

int xenforeignmemory_close(xenforeignmemory_handle *h)
{
    (void)h;

    return 0;
}

static int map_one(uint8_t *at, xen_pfn_t gfn)
{
    void *p;

    if ( !fake_is_populated(gfn) )
        return EINVAL;
    p = mmap(at, FAKE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
             fake.memory, (off_t)(gfn * FAKE_PAGE));

    return p == MAP_FAILED ? errno : 0;
}

void *xenforeignmemory_map(xenforeignmemory_handle *h, uint32_t dom, int prot,
                           size_t pages, const xen_pfn_t arr[], int err[])
{
    uint8_t *base;
    size_t i;
    int rc;

    (void)h;
    (void)prot;
    if ( dom != FAKE_DOMID )
        fake_unknown("mapping of domain", dom);
    base = mmap(NULL, pages * FAKE_PAGE, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for ( i = 0; base != MAP_FAILED && i < pages; i++ )
    {
        rc = map_one(base + i * FAKE_PAGE, arr[i]);
        if ( err )
            err[i] = -rc;
        else if ( rc )
        {
            munmap(base, pages * FAKE_PAGE);
            errno = rc;
            return NULL;
        }
    }

    return base == MAP_FAILED ? NULL : base;
}

int xenforeignmemory_unmap(xenforeignmemory_handle *h, void *addr,
                           size_t pages)
{
    (void)h;

    return munmap(addr, pages * FAKE_PAGE);
}

/* The grant table, which is not measured. */
static uint8_t resource[16 * FAKE_PAGE];

xenforeignmemory_resource_handle *
xenforeignmemory_map_resource(xenforeignmemory_handle *h, domid_t domid,
                              unsigned int type, unsigned int id,
                              unsigned long frame, unsigned long nr_frames,
                              void **paddr, int prot, int flags)
{
    (void)h;
    (void)domid;
    (void)type;
    (void)id;
    (void)frame;
    (void)prot;
    (void)flags;
    if ( nr_frames > sizeof(resource) / FAKE_PAGE )
        fake_unknown("frames of a resource", nr_frames);
    *paddr = resource;

    return (void *)&resource;
}

int xenforeignmemory_unmap_resource(xenforeignmemory_handle *h,
                                    xenforeignmemory_resource_handle *res)
{
    (void)h;
    (void)res;

    return 0;
}

/* ---- Others that are opened, and not used --------------------------------
 */

void *xendevicemodel_open(void *logger, unsigned int flags)
{
    (void)logger;
    (void)flags;

    return &handle;
}

int xendevicemodel_close(void *h)
{
    (void)h;

    return 0;
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger,
                                 unsigned int flags)
{
    (void)logger;
    (void)flags;

    return (void *)&handle;
}

int xenevtchn_close(xenevtchn_handle *h)
{
    (void)h;

    return 0;
}

int xenevtchn_fd(xenevtchn_handle *h)
{
    (void)h;

    return -1;
}

/* ---- libxencall ----------------------------------------------------------
 */

xencall_handle *xencall_open(struct xentoollog_logger *logger, unsigned flags)
{
    (void)logger;
    (void)flags;

    return (void *)&handle;
}

int xencall_close(xencall_handle *h)
{
    (void)h;

    return 0;
}

int xencall_fd(xencall_handle *h)
{
    (void)h;

    return -1;
}

int xencall_buffers_never_fault(xencall_handle *h)
{
    (void)h;

    return 1;
}

void *xencall_alloc_buffer_pages(xencall_handle *h, size_t pages)
{
    void *p = NULL;

    (void)h;
    if ( posix_memalign(&p, FAKE_PAGE, pages * FAKE_PAGE) )
        return NULL;

    return memset(p, 0, pages * FAKE_PAGE);
}

void xencall_free_buffer_pages(xencall_handle *h, void *p, size_t pages)
{
    (void)h;
    (void)pages;
    free(p);
}

void *xencall_alloc_buffer(xencall_handle *h, size_t size)
{
    return xencall_alloc_buffer_pages(h, (size + FAKE_PAGE - 1) / FAKE_PAGE);
}

void xencall_free_buffer(xencall_handle *h, void *p)
{
    (void)h;
    free(p);
}

static void domain_info(uint32_t domid, struct xen_domctl_getdomaininfo *i)
{
    memset(i, 0, sizeof(*i));
    i->domain = (domid_t)domid;
    i->flags = domid
                   ? XEN_DOMINF_paused | XEN_DOMINF_hvm_guest | XEN_DOMINF_hap
                   : XEN_DOMINF_running;
    i->max_vcpu_id = domid && fake.vcpus ? fake.vcpus - 1 : 0;
    i->tot_pages = domid ? fake.pages : 0;
}

static long domain_list(struct xen_sysctl_getdomaininfolist *l)
{
    l->num_domains = 0;
    for ( uint32_t id = l->first_domain;
          id <= FAKE_DOMID && l->num_domains < l->max_domains; id++ )
        domain_info(id, &l->buffer.p[l->num_domains++]);

    return 0;
}

/* 0, a positive value, or -errno. */
static long sysctl(struct xen_sysctl *s)
{
    struct xen_sysctl_physinfo *p = &s->u.physinfo;

    switch ( s->cmd )
    {
    case XEN_SYSCTL_physinfo:
        memset(p, 0, sizeof(*p));
        p->threads_per_core = p->cores_per_socket = 1;
        p->nr_cpus = p->nr_nodes = 1;
        p->cpu_khz = 1000000;
        p->capabilities = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_pv |
                          XEN_SYSCTL_PHYSCAP_hap;
        p->total_pages = p->free_pages = MAX_GFN;
        return 0;

    case XEN_SYSCTL_getdomaininfolist:
        return domain_list(&s->u.getdomaininfolist);

    case XEN_SYSCTL_get_cpu_policy:
        s->u.cpu_policy.nr_leaves = s->u.cpu_policy.nr_msrs = 0;
        return 0;

    case XEN_SYSCTL_cpupool_op:
        if ( s->u.cpupool_op.op == XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN )
            return 0;
        s->u.cpupool_op.cpupool_id = 0;
        s->u.cpupool_op.sched_id = XEN_SCHEDULER_CREDIT;
        s->u.cpupool_op.n_dom = 1;
        return 0;

    case XEN_SYSCTL_get_cpu_levelling_caps:
        return -EOPNOTSUPP;

    /* The CPU policy is not measured here: a CPU without any feature. */
    case XEN_SYSCTL_get_cpu_featureset:
        if ( s->u.cpu_featureset.features.p )
            memset(s->u.cpu_featureset.features.p, 0,
                   s->u.cpu_featureset.nr_features * sizeof(uint32_t));
        else
            s->u.cpu_featureset.nr_features = 32;
        return 0;

    case XEN_SYSCTL_numainfo:
        s->u.numainfo.num_nodes = 1;
        return 0;

    case XEN_SYSCTL_cputopoinfo:
        s->u.cputopoinfo.num_cpus = 1;
        return 0;
    }
    fake_unknown("sysctl", s->cmd);
}

/* The header and the MTRRs are all that libxc looks at. */
static long get_context(struct xen_domctl_hvmcontext *c)
{
    struct __attribute__((packed))
    {
        struct hvm_save_descriptor header_d;
        HVM_SAVE_TYPE(HEADER) header;
        struct hvm_save_descriptor mtrr_d;
        HVM_SAVE_TYPE(MTRR) mtrr;
        struct hvm_save_descriptor end_d;
    } all = {
        .header_d = {HVM_SAVE_CODE(HEADER), 0, HVM_SAVE_LENGTH(HEADER)},
        .mtrr_d = {HVM_SAVE_CODE(MTRR), 0, HVM_SAVE_LENGTH(MTRR)},
        .mtrr = fake.mtrr,
    };

    if ( c->buffer.p && c->size >= sizeof(all) )
        memcpy(c->buffer.p, &all, sizeof(all));
    c->size = sizeof(all);

    return 0;
}

static long set_context(const struct xen_domctl_hvmcontext *c)
{
    const uint8_t *at = c->buffer.p, *end = at + c->size;
    struct hvm_save_descriptor d;

    while ( (size_t)(end - at) >= sizeof(d) )
    {
        memcpy(&d, at, sizeof(d));
        at += sizeof(d);
        if ( d.typecode == HVM_SAVE_CODE(CPU) )
            memcpy(&fake.cpu, at, sizeof(fake.cpu));
        else if ( d.typecode == HVM_SAVE_CODE(MTRR) )
            memcpy(&fake.mtrr, at, sizeof(fake.mtrr));
        at += d.length;
    }

    return 0;
}

static long domctl(struct xen_domctl *d)
{
    switch ( d->cmd )
    {
    case XEN_DOMCTL_createdomain:
        fake.config = d->u.createdomain;
        d->domain = FAKE_DOMID;
        return 0;

    case XEN_DOMCTL_getdomaininfo:
        if ( d->domain > FAKE_DOMID )
            return -ESRCH;
        domain_info(d->domain, &d->u.getdomaininfo);
        return 0;

    case XEN_DOMCTL_max_vcpus:
        fake.vcpus = d->u.max_vcpus.max;
        return 0;

    case XEN_DOMCTL_settscinfo:
        fake.tsc_mode = d->u.tsc_info.tsc_mode;
        return 0;

    case XEN_DOMCTL_gethvmcontext:
        return get_context(&d->u.hvmcontext);

    case XEN_DOMCTL_sethvmcontext:
        return set_context(&d->u.hvmcontext);

    case XEN_DOMCTL_get_cpu_policy:
        d->u.cpu_policy.nr_leaves = d->u.cpu_policy.nr_msrs = 0;
        return 0;

    case XEN_DOMCTL_get_paging_mempool_size:
        d->u.paging_mempool.size = 0;
        return 0;

    case XEN_DOMCTL_shadow_op:
    case XEN_DOMCTL_max_mem:
    case XEN_DOMCTL_set_cpu_policy:
    case XEN_DOMCTL_set_paging_mempool_size:
    case XEN_DOMCTL_setvcpuaffinity:
    case XEN_DOMCTL_setnodeaffinity:
    case XEN_DOMCTL_setvnumainfo:
    case XEN_DOMCTL_ioport_permission:
    case XEN_DOMCTL_iomem_permission:
    case XEN_DOMCTL_scheduler_op:
    case XEN_DOMCTL_set_llc_colors:
        return 0;

    /* What libxl does when it gives up; it has said why. */
    case XEN_DOMCTL_pausedomain:
    case XEN_DOMCTL_destroydomain:
        fputs("cloister-expect: the guest cannot be built\n", stderr);
        _exit(1);
    }
    fake_unknown("domctl", d->cmd);
}

static long populate_physmap(struct xen_memory_reservation *r)
{
    for ( unsigned long i = 0; i < r->nr_extents; i++ )
        populate(r->extent_start.p[i], 1ull << r->extent_order);

    return (long)r->nr_extents;
}

static long set_memory_map(const struct xen_foreign_memory_map *m)
{
    if ( m->map.nr_entries > FAKE_E820_MAX )
        fake_unknown("entries of a memory map", m->map.nr_entries);
    fake.nr_map = m->map.nr_entries;
    memcpy(fake.map, m->map.buffer.p, fake.nr_map * sizeof(fake.map[0]));

    return 0;
}

static long memory_op(unsigned int cmd, void *arg)
{
    switch ( cmd )
    {
    case XENMEM_populate_physmap:
        return populate_physmap(arg);

    case XENMEM_set_memory_map:
        return set_memory_map(arg);

    case XENMEM_get_sharing_freed_pages:
    case XENMEM_get_sharing_shared_pages:
    case XENMEM_claim_pages:
    case XENMEM_add_to_physmap:
        return 0;

    case XENMEM_reserved_device_memory_map:
        return -ENOENT;
    }
    fake_unknown("memory_op", cmd);
}

static long hvm_op(unsigned int cmd, struct xen_hvm_param *p)
{
    if ( (cmd != HVMOP_set_param && cmd != HVMOP_get_param) ||
         p->index >= HVM_NR_PARAMS )
        fake_unknown("hvm_op", cmd);
    if ( cmd == HVMOP_set_param )
        fake.params[p->index] = p->value;
    else
        p->value = fake.params[p->index];

    return 0;
}

static long event_channel_op(unsigned int cmd, void *arg)
{
    struct evtchn_alloc_unbound *alloc = arg;

    if ( cmd != EVTCHNOP_alloc_unbound )
        fake_unknown("event_channel_op", cmd);
    alloc->port = ++fake.ports;

    return 0;
}

static long xen_version(unsigned int cmd, void *arg)
{
    switch ( cmd )
    {
    case XENVER_version:
        return 4 << 16 | 20;
    case XENVER_pagesize:
        return FAKE_PAGE;
    case XENVER_capabilities:
        strcpy(arg, "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p "
                    "hvm-3.0-x86_64 ");
        return 0;
    case XENVER_extraversion:
    case XENVER_changeset:
    case XENVER_commandline:
        *(char *)arg = '\0';
        return 0;
    case XENVER_compile_info:
        memset(arg, 0, sizeof(xen_compile_info_t));
        return 0;
    case XENVER_platform_parameters:
        memset(arg, 0, sizeof(xen_platform_parameters_t));
        return 0;
    case XENVER_build_id:
        return -ENODATA;
    case XENVER_get_features:
        ((xen_feature_info_t *)arg)->submap = 0;
        return 0;
    }
    fake_unknown("xen_version", cmd);
}

static int answer(long rc)
{
    if ( rc >= 0 )
        return (int)rc;
    errno = (int)-rc;

    return -1;
}

static long two(unsigned int op, uint64_t a, uint64_t b);

static long multicall(struct multicall_entry *e, uint64_t nr)
{
    for ( ; nr; nr--, e++ )
        e->result =
            (xen_ulong_t)two((unsigned int)e->op, e->args[0], e->args[1]);

    return 0;
}

static long two(unsigned int op, uint64_t a, uint64_t b)
{
    switch ( op )
    {
    case __HYPERVISOR_sysctl:
        return sysctl((void *)a);
    case __HYPERVISOR_domctl:
        return domctl((void *)a);
    case __HYPERVISOR_memory_op:
        return memory_op((unsigned int)a, (void *)b);
    case __HYPERVISOR_hvm_op:
        return hvm_op((unsigned int)a, (void *)b);
    case __HYPERVISOR_event_channel_op:
        return event_channel_op((unsigned int)a, (void *)b);
    case __HYPERVISOR_xen_version:
        return xen_version((unsigned int)a, (void *)b);
    case __HYPERVISOR_xsm_op:
        return -ENOSYS;
    case __HYPERVISOR_multicall:
        return multicall((void *)a, b);
    }
    fake_unknown("hypercall", op);
}

int xencall1(xencall_handle *h, unsigned int op, uint64_t a)
{
    (void)h;

    return answer(two(op, a, 0));
}

int xencall2(xencall_handle *h, unsigned int op, uint64_t a, uint64_t b)
{
    (void)h;

    return answer(two(op, a, b));
}

int xencall3(xencall_handle *h, unsigned int op, uint64_t a, uint64_t b,
             uint64_t c)
{
    (void)h;
    (void)a;
    (void)b;
    (void)c;
    fake_unknown("hypercall with three arguments", op);
}

int xencall4(xencall_handle *h, unsigned int op, uint64_t a, uint64_t b,
             uint64_t c, uint64_t d)
{
    (void)h;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    fake_unknown("hypercall with four arguments", op);
}
