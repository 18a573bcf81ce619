/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The launch measurement: all that the guest starts from, item by item
 * (abi/evidence.h).  Runs at the end of a seal, when nobody but Xen can change
 * any of it; comes back to let others have the CPU.
 */

#include <xen/domain_page.h>
#include <xen/event.h>
#include <xen/sha2.h>
#include <xen/vmap.h>

#include <asm/hvm/save.h>
#include <asm/p2m.h>

#include <public/hvm/params.h>

#include <cloister/measure.h>

#include "private.h"

#include "abi/evidence.h"

/* Hashed before anybody else is asked; 64 KiB. */
#define BATCH       16

/* Of the HVM parameters, an array that Xen allocates. */
#define PARAMS_SIZE (HVM_NR_PARAMS * sizeof(uint64_t))

/* For memory maps with holes: each run is an item. */
#define ITEMS_SPARE 1024

struct cloister_measuring {
    struct cl_measure m;
    unsigned long gfn;          /* next */
};

void cl_sha256_init(struct cl_sha256 *s)
{
    BUILD_BUG_ON(sizeof(*s) < sizeof(struct sha2_256_state));
    sha2_256_init((void *)s->opaque);
}

/* A guest starts from tens of MiB: whole blocks go the fast way. */
static size_t update_ni(struct sha2_256_state *s, const void *data, size_t len)
{
    size_t blocks = s->count % 64 ? 0 : len / 64;
    struct cloister_simd simd;

    if ( !blocks || !cpu_has_sha )
        return 0;

    cloister_simd_begin(&simd);
    cl_sha256_ni(s->state, data, blocks);
    cloister_simd_end(&simd);
    s->count += blocks * 64;

    return blocks * 64;
}

void cl_sha256_update(struct cl_sha256 *s, const void *data, size_t len)
{
    size_t done = update_ni((void *)s->opaque, data, len);

    sha2_256_update((void *)s->opaque, data + done, len - done);
}

void cl_sha256_final(struct cl_sha256 *s, uint8_t digest[CL_SHA256_SIZE])
{
    sha2_256_final((void *)s->opaque, digest);
}

static void measure_config(struct domain *d, struct cl_measure *m)
{
    const struct cloister_launch_config c = {
        .revision = CLOISTER_LOG_REVISION,
        .vcpus = d->max_vcpus,
        .options = d->options,
        .emulation = d->arch.emulation_flags,
        .tsc_mode = d->arch.tsc_mode,
        .pages = domain_tot_pages(d),
    };

    cl_measure_item(m, CLOISTER_ITEM_config, 0, 0, &c, sizeof(c));
}

/* Of one type's bytes in the order of the format. */
struct cpu_item {
    struct cpuid_leaf basic[CPUID_GUEST_NR_BASIC];
    struct cpuid_leaf cache[CPUID_GUEST_NR_CACHE];
    struct cpuid_leaf feat[CPUID_GUEST_NR_FEAT];
    struct cpuid_leaf topo[CPUID_GUEST_NR_TOPO];
    struct cpuid_leaf xstate[CPUID_GUEST_NR_XSTATE];
    struct cpuid_leaf extd[CPUID_GUEST_NR_EXTD];
    uint64_t platform_info, arch_caps;
};

static int measure_cpu(const struct domain *d, struct cl_measure *m)
{
    const struct cpu_policy *p = d->arch.cpu_policy;
    struct cpu_item *c = xzalloc(struct cpu_item);

    if ( !c )
        return -ENOMEM;

#define COPY(part)                                                      \
    BUILD_BUG_ON(sizeof(c->part) != sizeof(p->part.raw));               \
    memcpy(c->part, p->part.raw, sizeof(c->part))
    COPY(basic);
    COPY(cache);
    COPY(feat);
    COPY(topo);
    COPY(xstate);
    COPY(extd);
#undef COPY
    c->platform_info = p->platform_info.raw;
    c->arch_caps = p->arch_caps.raw;
    cl_measure_item(m, CLOISTER_ITEM_cpu, 0, 0, c, sizeof(*c));
    xfree(c);

    return 0;
}

/* What differs from host to host, or with time, is not measured. */
static void measure_record(struct cl_measure *m,
                           const struct hvm_save_descriptor *desc, void *data)
{
    struct hvm_hw_cpu *cpu = data;

    switch ( desc->typecode )
    {
    case HVM_SAVE_CODE(HEADER):
    case HVM_SAVE_CODE(END):
        return;

    case HVM_SAVE_CODE(CPU):
        if ( desc->length >= sizeof(*cpu) )
            cpu->tsc = 0;
        break;
    }

    cl_measure_item(m, CLOISTER_ITEM_state, desc->instance, desc->typecode,
                    data, desc->length);
}

static int measure_state(struct domain *d, struct cl_measure *m)
{
    struct hvm_domain_context c = { .size = hvm_save_size(d) };
    const struct hvm_save_descriptor *desc;
    uint32_t at = 0;
    int rc;

    c.data = vzalloc(c.size);
    if ( !c.data )
        return -ENOMEM;

    rc = hvm_save(d, &c);

    /* Written by Xen itself just now: no length needs doubt. */
    for ( ; !rc && at < c.cur; at += sizeof(*desc) + desc->length )
    {
        desc = (void *)(c.data + at);
        measure_record(m, desc, c.data + at + sizeof(*desc));
    }
    vfree(c.data);

    return rc;
}

static void measure_map(struct domain *d, struct cl_measure *m)
{
    spin_lock(&d->arch.e820_lock);
    cl_measure_item(m, CLOISTER_ITEM_map, 0, 0, d->arch.e820,
                    d->arch.nr_e820 * sizeof(*d->arch.e820));
    spin_unlock(&d->arch.e820_lock);
}

static void measure_start(struct domain *d, struct cl_measure *m)
{
    unsigned long gfn = (uint32_t)d->vcpu[0]->arch.user_regs.rbx >> PAGE_SHIFT;
    struct page_info *pg = get_page_from_gfn(d, gfn, NULL, P2M_ALLOC);
    void *p;

    if ( !pg )
    {
        cl_measure_item(m, CLOISTER_ITEM_start, 0, gfn, NULL, 0);
        return;
    }

    p = __map_domain_page(pg);
    cl_measure_item(m, CLOISTER_ITEM_start, 0, gfn, p, PAGE_SIZE);
    unmap_domain_page(p);
    put_page(pg);
}

/* Everything but memory; the state says how long it may be. */
static size_t log_bound(struct domain *d)
{
    return hvm_save_size(d) + d->max_vcpus * HVM_SAVE_CODE_MAX * 64 +
           sizeof(struct cpu_item) + PARAMS_SIZE +
           d->arch.nr_e820 * sizeof(*d->arch.e820) + PAGE_SIZE +
           (domain_tot_pages(d) / CLOISTER_RUN_PAGES * 2 + ITEMS_SPARE) *
           sizeof(struct cloister_item);
}

static int begin(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    size_t cap = log_bound(d);
    struct cl_measure *m;
    void *log;

    cd->measuring = xzalloc(struct cloister_measuring);
    log = vzalloc(cap);
    if ( !cd->measuring || !log )
    {
        vfree(log);
        XFREE(cd->measuring);
        return -ENOMEM;
    }

    m = &cd->measuring->m;
    cl_measure_init(m, log, cap);
    measure_config(d, m);

    return measure_cpu(d, m) ?: measure_state(d, m);
}

static bool is_ring(const struct domain *d, unsigned long gfn)
{
    return gfn == d->arch.hvm.params[HVM_PARAM_CONSOLE_PFN] ||
           gfn == d->arch.hvm.params[HVM_PARAM_STORE_PFN];
}

static void measure_page(const struct domain *d, struct cl_measure *m,
                         unsigned long gfn, mfn_t mfn)
{
    const void *p = is_ring(d, gfn) ? NULL : map_domain_page(mfn);

    cl_measure_page(m, gfn, p);
    if ( p )
        unmap_domain_page(p);
}

/* A few entries of the memory map. */
static void measure_entry(struct domain *d, struct cloister_measuring *g)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(d);
    unsigned long first = g->gfn, i, nr;
    unsigned int order;
    p2m_type_t t;
    p2m_access_t a;
    mfn_t mfn = get_gfn_type_access(p2m, first, &t, &a, 0, &order);

    nr = (1UL << order) - (first & ((1UL << order) - 1));
    if ( t == p2m_ram_rw )
    {
        nr = min(nr, 0UL + BATCH);
        for ( i = 0; i < nr; i++ )
            measure_page(d, &g->m, first + i, mfn_add(mfn, i));
    }
    put_gfn(d, first);
    g->gfn = first + nr;
}

static void measure_net(const struct domain *d, struct cl_measure *m)
{
    struct cloister_launch_net net;

    if ( cloister_net_settled(d, &net) )
        cl_measure_item(m, CLOISTER_ITEM_net, 0, 0, &net, sizeof(net));
}

/* Keeps no more memory than the log needs. */
static int finish(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cl_measure *m = &cd->measuring->m;
    void *log;

    measure_net(d, m);
    if ( cl_measure_finish(m, cd->measurement) )
        return -ENOSPC;

    log = vzalloc(m->used);
    if ( !log )
        return -ENOMEM;
    memcpy(log, m->log, m->used);
    cd->log_size = m->used;
    smp_wmb();
    write_atomic(&cd->log, log);

    return 0;
}

static enum cloister_reason reason(int rc)
{
    switch ( rc )
    {
    case 0:
        return CLOISTER_WHY_none;
    case -ENOSPC:
        return CLOISTER_WHY_log_full;
    case -ENOMEM:
        return CLOISTER_WHY_no_log_memory;
    default:
        return CLOISTER_WHY_no_state;
    }
}

int cloister_measure(struct domain *d, enum cloister_reason *why)
{
    struct cloister_domain *cd = d->arch.cloister;
    int rc = 0;

    if ( cd->log )
        return 0;

    if ( !cd->measuring )
    {
        rc = begin(d);
        if ( !rc )
        {
            struct cl_measure *m = &cd->measuring->m;

            cl_measure_item(m, CLOISTER_ITEM_params, 0, 0, d->arch.hvm.params,
                            PARAMS_SIZE);
            measure_map(d, m);
            measure_start(d, m);
        }
    }

    while ( !rc && !cd->measuring->m.full &&
            cd->measuring->gfn <= p2m_get_hostp2m(d)->max_mapped_pfn )
    {
        measure_entry(d, cd->measuring);
        if ( hypercall_preempt_check() )
            return -ERESTART;
    }

    rc = rc ?: finish(d);
    cloister_measure_stop(cd);
    *why = reason(rc);

    return 0;
}

void cloister_measure_stop(struct cloister_domain *cd)
{
    if ( cd->measuring )
        vfree(cd->measuring->m.log);
    XFREE(cd->measuring);
}

/* After a refusal: the next attempt measures again. */
void cloister_measure_drop(struct cloister_domain *cd)
{
    void *log = cd->log;

    cloister_measure_stop(cd);
    spin_lock(&cd->lock);
    cd->log = NULL;
    cd->log_size = 0;
    spin_unlock(&cd->lock);
    vfree(log);
}
