/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that are encrypted in place: those of a saved guest that has not
 * touched them yet, and those of a guest that has not run for a while.
 *
 * Such a page has the type p2m_ram_asleep in the memory map, which no
 * hardware can use, or is going to have it: whenever the type of an entry of a
 * restored guest's map is computed anew, cloister_type() has a say in it.
 * Whoever wants the page, the guest or Xen, comes through
 * p2m_get_gfn_type_access(), which calls cloister_wake().  Both ways are
 * gone under the p2m lock, so that nobody sees a page half-way.
 *
 * A guest rests page by page, in a tasklet that stops for others after a few
 * of them; when the guest wants to run meanwhile, it just does.
 */

#include <xen/domain_page.h>
#include <xen/init.h>
#include <xen/param.h>
#include <xen/tasklet.h>
#include <xen/timer.h>

#include <asm/p2m.h>
#include <asm/paging.h>

#include "private.h"

#define PERIOD      SECONDS(1)
#define PAUSE       MILLISECS(5)    /* for others, after so many pages: */
#define PAGES_MOST  128
#define READING     SECONDS(30)     /* since somebody last took a view */

/* Seconds without running after which a guest rests; 0: never. */
static unsigned int __read_mostly opt_rest;
integer_param("smm-rest", opt_rest);

static struct cl_page *entry(mfn_t mfn)
{
    return cl_ppt_find(&cloister_ppt, mfn_x(mfn));
}

static int set_type(struct domain *d, gfn_t gfn, mfn_t mfn, p2m_type_t t)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(d);

    return p2m_set_entry(p2m, gfn, mfn, PAGE_ORDER_4K, t,
                         p2m->default_access);
}

static p2m_type_t awake(const struct domain *d)
{
    return paging_mode_log_dirty(d) ? p2m_ram_logdirty : p2m_ram_rw;
}

/* ---- The types of a restored guest's pages -------------------------------- */

bool cloister_is_mixed(const struct domain *d)
{
    const struct cloister_domain *cd = d->arch.cloister;

    return cd && read_atomic(&cd->vm.pages[CL_PAGE_INCOMING]);
}

unsigned int cloister_type(const struct domain *d, mfn_t mfn,
                           unsigned int type)
{
    const struct cl_page *p;

    if ( likely(!cloister_is_mixed(d)) || !mfn_valid(mfn) ||
         (type != p2m_ram_rw && type != p2m_ram_logdirty) )
        return type;

    cloister_table_lock();
    p = entry(mfn);
    type = p && p->state == CL_PAGE_INCOMING ? p2m_ram_asleep : type;
    cloister_table_unlock();

    return type;
}

/* ---- Waking up ---------------------------------------------------------- */

static int decrypt(struct cloister_domain *cd, mfn_t mfn, bool *last)
{
    void *mem = map_domain_page(mfn);
    struct cloister_simd simd;
    bool incoming;
    int rc;

    spin_lock(&cd->lock);
    incoming = entry(mfn)->state == CL_PAGE_INCOMING;
    cloister_simd_begin(&simd);
    rc = cl_page_open(&cd->vm, entry(mfn), mem);
    cloister_simd_end(&simd);
    *last = incoming && !cd->vm.pages[CL_PAGE_INCOMING];
    spin_unlock(&cd->lock);
    unmap_domain_page(mem);

    return rc;
}

/* The map may say that it is asleep, or not have come to that yet. */
static int set_awake(struct domain *d, gfn_t gfn, mfn_t mfn)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(d);
    p2m_type_t t;
    p2m_access_t a;

    p2m->get_entry(p2m, gfn, &t, &a, 0, NULL, NULL);

    return t == p2m_ram_asleep ? set_type(d, gfn, mfn, awake(d)) : 0;
}

int cloister_open_page(struct domain *d, gfn_t gfn, mfn_t mfn)
{
    struct cloister_domain *cd = d->arch.cloister;
    bool last;
    int rc;

    if ( !cd || !mfn_valid(mfn) || !entry(mfn) )
        return -EINVAL;
    /* Its guest only puts a page elsewhere when it is awake; but then it rests. */
    if ( entry(mfn)->state == CL_PAGE_INCOMING &&
         entry(mfn)->gfn != gfn_x(gfn) )
        return -EBADMSG;
    rc = decrypt(cd, mfn, &last) ?: set_awake(d, gfn, mfn);
    /* The saved guest's key has done its work. */
    if ( !rc && last )
        cloister_key_disown(cd);

    return rc;
}

int cloister_wake(struct domain *d, gfn_t gfn, mfn_t mfn)
{
    bool incoming = mfn_valid(mfn) && entry(mfn) &&
                    read_atomic(&entry(mfn)->state) == CL_PAGE_INCOMING;
    int rc;

    /* Somebody may still have a page in his TLB: none is woken yet. */
    if ( !read_atomic(&d->arch.cloister->cut) )
        return -EAGAIN;

    rc = cloister_open_page(d, gfn, mfn);
    /* Once is enough: the domain may come back to it as it dies. */
    if ( rc && !d->is_shutting_down && !d->is_dying )
    {
        cloister_refuse(d, rc != -EBADMSG ? CLOISTER_WHY_no_memory
                           : incoming ? CLOISTER_WHY_rec_page
                                      : CLOISTER_WHY_rest_forged, gfn_x(gfn));
        domain_crash(d);
    }

    return rc;
}

/* ---- Going to sleep -------------------------------------------------------- */

/* Nobody but the domain has a reference. */
static bool is_alone(mfn_t mfn)
{
    return (read_atomic(&mfn_to_page(mfn)->count_info) & PGC_count_mask) == 1;
}

/*
 * Whoever makes a view takes a reference first and the lock then: he is seen
 * here, or finds a page at rest.
 */
static int encrypt(struct cloister_domain *cd, mfn_t mfn)
{
    void *mem = map_domain_page(mfn);
    struct cloister_simd simd;
    int rc = -EBUSY;

    spin_lock(&cd->lock);
    if ( is_alone(mfn) )
    {
        cloister_simd_begin(&simd);
        rc = cl_page_rest(&cd->vm, entry(mfn), mem);
        cloister_simd_end(&simd);
    }
    spin_unlock(&cd->lock);
    unmap_domain_page(mem);

    return rc;
}

/*
 * Under the gfn's lock.  Out of the map first, so that nobody writes to it;
 * and then only if nobody had got hold of it before.
 */
static void rest_page(struct domain *d, gfn_t gfn, mfn_t mfn, p2m_type_t t)
{
    const struct cl_page *p = entry(mfn);

    if ( !p || read_atomic(&p->state) != CL_PAGE_PRIVATE )
        return;
    if ( set_type(d, gfn, mfn, p2m_ram_asleep) )
        return;
    p2m_tlb_flush_sync(p2m_get_hostp2m(d));
    if ( encrypt(d->arch.cloister, mfn) )
        set_type(d, gfn, mfn, t);
}

/* The page or hole at *gfn, which is moved behind it. */
static void rest_entry(struct domain *d, unsigned long *gfn)
{
    unsigned int order;
    p2m_type_t t;
    p2m_access_t a;
    mfn_t mfn = get_gfn_type_access(p2m_get_hostp2m(d), *gfn, &t, &a, 0,
                                    &order);
    unsigned long nr = 1;

    /* Under the lock: the map is torn down only after the domain dies. */
    if ( d->is_dying )
        ;
    else if ( t == p2m_ram_rw && mfn_valid(mfn) &&
              page_get_owner(mfn_to_page(mfn)) == d )
        rest_page(d, _gfn(*gfn), mfn, t);
    else if ( !mfn_valid(mfn) )
        nr = (1UL << order) - (*gfn & ((1UL << order) - 1));
    put_gfn(d, *gfn);
    *gfn += nr;
}

/* No vCPU has run for so long. */
static bool is_idle(const struct domain *d)
{
    s_time_t since = NOW() - SECONDS(opt_rest);
    const struct vcpu *v;

    if ( d->arch.cloister->last_run > since )
        return false;
    /* It is being saved: its pages must stay what their views show. */
    if ( read_atomic(&d->arch.cloister->last_view) &&
         NOW() - read_atomic(&d->arch.cloister->last_view) < READING )
        return false;
    for_each_vcpu ( d, v )
        if ( v->is_running || v->runstate.state_entry_time > since )
            return false;

    return true;
}

static bool may_rest(const struct domain *d)
{
    const struct cloister_domain *cd = d->arch.cloister;

    return cd && cd->state == CLOISTER_DOM_sealed && !d->is_dying &&
           d->creation_finished && !paging_mode_log_dirty(d) && is_idle(d);
}

/*
 * Some pages of d, which may rest; false: it is through.  A domain that has
 * run meanwhile, or whose pages others have asked for, is gone through again.
 */
static bool rest_some(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    unsigned long end = p2m_get_hostp2m(d)->max_mapped_pfn;
    unsigned int left = PAGES_MOST;

    if ( !cd->rest.next )
    {
        if ( cd->rest.done == cd->last_run &&
             cd->rest.left == cd->vm.pages[CL_PAGE_PRIVATE] )
            return false;
        cd->rest.run = cd->last_run;
    }
    while ( left-- && cd->rest.next <= end )
        rest_entry(d, &cd->rest.next);
    if ( cd->rest.next <= end )
        return true;
    cd->rest.next = 0;
    cd->rest.done = cd->rest.run;
    cd->rest.left = cd->vm.pages[CL_PAGE_PRIVATE];

    return false;
}

static struct timer rest_timer;

/* One domain's turn; soon again if there is more to do. */
static void cf_check rest_all(void *unused)
{
    struct domain *d;
    bool more = false;

    rcu_read_lock(&domlist_read_lock);
    for_each_domain ( d )
        if ( may_rest(d) && rest_some(d) )
        {
            more = true;
            break;
        }
    rcu_read_unlock(&domlist_read_lock);

    set_timer(&rest_timer, NOW() + (more ? PAUSE : PERIOD));
}
static DECLARE_TASKLET(rest_tasklet, rest_all, NULL);

static void cf_check rest_tick(void *unused)
{
    tasklet_schedule(&rest_tasklet);
}

static int __init cf_check rest_init(void)
{
    if ( !opt_rest || cloister_mode == CLOISTER_MODE_off )
        return 0;

    init_timer(&rest_timer, rest_tick, NULL, 0);
    set_timer(&rest_timer, NOW() + PERIOD);

    return 0;
}
__initcall(rest_init);
