/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Seal: from now on nobody but the guest sees its memory.
 *
 * Runs at the unpause that would run the domain for the first time, with the
 * domain paused and under the domctl lock.  Either everything on the list
 * holds and the domain is sealed, or it is as it was before and the reason
 * is on record.
 */

#include <xen/event.h>
#include <xen/guest_access.h>
#include <xen/iocap.h>
#include <xen/ioreq.h>
#include <xen/softirq.h>
#include <xen/vm_event.h>
#include <xen/domain_page.h>

#include <asm/altp2m.h>
#include <asm/flushtlb.h>
#include <asm/hvm/nestedhvm.h>
#include <asm/p2m.h>
#include <asm/paging.h>

#include "private.h"

#define TPM_PATIENCE    SECONDS(20)
#define RING            32

static const char *const reason_texts[] = {
#define CLOISTER_REASON_TEXT(nr, name, what, mend) [nr] = what,
    CLOISTER_REASONS(CLOISTER_REASON_TEXT)
#undef CLOISTER_REASON_TEXT
};

static DEFINE_SPINLOCK(ring_lock);
static struct cloister_refusal ring[RING];
static uint64_t newest;

const char *cloister_reason_text(enum cloister_reason why)
{
    return why < ARRAY_SIZE(reason_texts) ? reason_texts[why] : "?";
}

uint64_t cloister_refusals(void)
{
    return read_atomic(&newest);
}

int cloister_refusal_get(struct cloister_refusal *r)
{
    int rc = -ENOENT;
    uint64_t nr = r->number;

    spin_lock(&ring_lock);
    if ( nr && nr <= newest && newest - nr < RING )
    {
        *r = ring[nr % RING];
        rc = 0;
    }
    spin_unlock(&ring_lock);

    return rc;
}

void cloister_refuse(struct domain *d, enum cloister_reason why,
                     uint64_t detail)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cloister_refusal *r;

    if ( cd )
    {
        cd->reason = why;
        cd->detail = detail;
    }

    spin_lock(&ring_lock);
    r = &ring[++newest % RING];
    *r = (struct cloister_refusal){
        .revision = CLOISTER_ABI_REVISION,
        .domid = d->domain_id,
        .number = newest,
        .time = NOW(),
        .reason = why,
        .detail = detail,
    };
    memcpy(r->uuid, d->handle, sizeof(r->uuid));
    spin_unlock(&ring_lock);

    printk(XENLOG_G_WARNING "Cloister: %pd %s: %s (%#lx)\n", d,
           cloister_sealed(d) ? "is refused" : "is not protected",
           cloister_reason_text(why), detail);
}

/*
 * References that others hold.  The domain's own may be gone: a page that was
 * taken out of its map lives as long as somebody maps it, and can be Xen's own.
 */
static unsigned int others_refs(const struct page_info *pg)
{
    unsigned long info = read_atomic(&pg->count_info);

    return (info & PGC_count_mask) - !!(info & PGC_allocated);
}

static bool is_allocated(const struct page_info *pg)
{
    return read_atomic(&pg->count_info) & PGC_allocated;
}

/* ---- The list, but for the pages -------------------------------------- */

static bool has_device(const struct domain *d)
{
    return !list_empty(&d->pdev_list) ||
           !rangeset_is_empty(d->iomem_caps) ||
           !rangeset_is_empty(d->irq_caps) ||
           !rangeset_is_empty(d->arch.ioport_caps) ||
           !list_empty(&d->arch.hvm.g2m_ioport_list);
}

/* It is under, or over, another domain. */
static bool has_target(const struct domain *d)
{
    const struct domain *other;
    bool found = d->target;

    rcu_read_lock(&domlist_read_lock);
    for_each_domain ( other )
        found |= other->target == d;
    rcu_read_unlock(&domlist_read_lock);

    return found;
}

/* Settings need no ring, and Xen acts by them. */
static bool is_monitored(const struct domain *d)
{
    return vm_event_check_ring(d->vm_event_monitor) ||
           d->monitor.guest_request_enabled ||
           memchr_inv(&d->arch.monitor, 0, sizeof(d->arch.monitor));
}

static bool is_watched(const struct domain *d)
{
    return d->debugger_attached || is_monitored(d) ||
           p2m_get_hostp2m(d)->default_access != p2m_access_rwx;
}

static enum cloister_reason kind_reason(const struct domain *d)
{
    if ( !is_hvm_domain(d) )
        return CLOISTER_WHY_pv_guest;
    if ( d->arch.emulation_flags != X86_EMU_LAPIC )
        return CLOISTER_WHY_device_model;
    if ( !hap_enabled(d) )
        return CLOISTER_WHY_no_hap;
    /* Else a device could be given to the domain at any time. */
    if ( is_iommu_enabled(d) )
        return CLOISTER_WHY_passthrough;
    if ( nestedhvm_enabled(d) )
        return CLOISTER_WHY_nested;
    if ( d->arch.hvm.params[HVM_PARAM_ALTP2M] || altp2m_active(d) )
        return CLOISTER_WHY_altp2m;

    return CLOISTER_WHY_none;
}

/* It would come before the guest's first instruction. */
static bool has_event(struct vcpu *v)
{
    struct x86_event info;

    return alternative_call(hvm_funcs.get_pending_event, v, &info) ||
           v->arch.hvm.inject_event.vector != HVM_EVENT_VECTOR_UNSET ||
           v->arch.nmi_pending || v->arch.mce_pending ||
           v->arch.hvm.single_step || v->arch.hvm.fast_single_step.enabled;
}

/*
 * What is not measured.  Registers of a vCPU that is down are not: there must
 * be none but the first's, nor have been any, as a reset leaves some.  How the
 * guest gets its events, the parameter does not always say.
 */
static bool has_other_state(const struct domain *d)
{
    const struct cloister_domain *cd = d->arch.cloister;
    struct vcpu *v;

    if ( !d->vcpu || !d->vcpu[0] || cd->loaded_others ||
         hvm_domain_irq(d)->callback_via_type != HVMIRQ_callback_none )
        return true;

    for_each_vcpu ( d, v )
        if ( (v->vcpu_id && v->is_initialised) || has_event(v) )
            return true;

    return false;
}

static bool only_rings_granted(struct domain *d)
{
    const struct page_info *shared = virt_to_page(d->shared_info);

    return is_allocated(shared) && !others_refs(shared) &&
           gnttab_ready_to_seal(d, d->arch.hvm.params[HVM_PARAM_CONSOLE_PFN],
                                d->arch.hvm.params[HVM_PARAM_STORE_PFN]);
}

static enum cloister_reason domain_reason(struct domain *d)
{
    const struct p2m_domain *p2m = p2m_get_hostp2m(d);
    enum cloister_reason why = kind_reason(d);

    if ( why )
        return why;
    if ( p2m->pod.entry_count || p2m->pod.count )
        return CLOISTER_WHY_pod;
    if ( has_device(d) )
        return CLOISTER_WHY_passthrough;
    if ( d->vmtrace_size )
        return CLOISTER_WHY_vmtrace;
    if ( has_target(d) )
        return CLOISTER_WHY_target;
    if ( is_watched(d) )
        return CLOISTER_WHY_introspection;
    if ( domain_has_ioreq_server(d) )
        return CLOISTER_WHY_ioreq;
    if ( paging_mode_log_dirty(d) )
        return CLOISTER_WHY_log_dirty;
    if ( has_other_state(d) )
        return CLOISTER_WHY_vcpu_state;
    if ( !only_rings_granted(d) )
        return CLOISTER_WHY_grants;

    return CLOISTER_WHY_none;
}

/* ---- Pages ------------------------------------------------------------ */

static void limit_pages(struct domain *d, int change)
{
    nrspin_lock(&d->page_alloc_lock);
    if ( d->max_pages + change > 0 && d->max_pages < UINT_MAX )
        d->max_pages += change;
    nrspin_unlock(&d->page_alloc_lock);
}

/*
 * A page more than the domain may have: the old frame counts as the domain's
 * until its mappers let go of it.  (The limit stays where it is then, until
 * the toolstack sets it again: it is the toolstack's affair anyway.)
 */
static struct page_info *spare_page(struct domain *d)
{
    struct page_info *pg;

    limit_pages(d, 1);
    pg = alloc_domheap_page(d, 0);
    if ( !pg )
        limit_pages(d, -1);

    return pg;
}

/*
 * Somebody still maps the page: the guest gets a copy in a fresh frame, and
 * they keep the old one.  Under the gfn's lock.
 */
static enum cloister_reason move(struct domain *d, unsigned long gfn,
                                 struct page_info **pg)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(d);
    struct page_info *old = *pg, *new = spare_page(d);
    int rc;

    if ( !new )
        return CLOISTER_WHY_foreign_map;

    copy_domain_page(page_to_mfn(new), page_to_mfn(old));
    d->arch.cloister->moving = true;
    rc = p2m_set_entry(p2m, _gfn(gfn), page_to_mfn(new), PAGE_ORDER_4K,
                       p2m_ram_rw, p2m->default_access);
    d->arch.cloister->moving = false;
    if ( rc )
    {
        put_page_alloc_ref(new);
        limit_pages(d, -1);
        return CLOISTER_WHY_foreign_map;
    }
    set_gpfn_from_mfn(mfn_x(page_to_mfn(old)), INVALID_M2P_ENTRY);
    set_gpfn_from_mfn(mfn_x(page_to_mfn(new)), gfn);

    cloister_remove(d, old);
    put_page_alloc_ref(old);
    d->arch.cloister->moved++;
    *pg = new;

    return CLOISTER_WHY_none;
}

/*
 * The console and xenstore daemons have mapped their rings by grant since
 * the build.  Asked before any p2m lock is taken; if they come or go now the
 * seal is refused, and can be tried again.
 */
static void find_rings(struct domain *d)
{
    struct cloister_ring *r = d->arch.cloister->ring;
    unsigned int i;

    for ( i = 0; i < CLOISTER_RINGS; i++ )
        r[i] = (struct cloister_ring){
            .gfn = d->arch.hvm.params[cloister_ring_param[i]] ?: ~0UL,
            .mfn = INVALID_MFN,
        };
    r[CLOISTER_RING_console].pins =
        gnttab_pins(d, GNTTAB_RESERVED_CONSOLE, &r[CLOISTER_RING_console].mfn);
    r[CLOISTER_RING_store].pins =
        gnttab_pins(d, GNTTAB_RESERVED_XENSTORE, &r[CLOISTER_RING_store].mfn);
}

static unsigned int ring_pins(const struct domain *d, unsigned long gfn,
                              const struct page_info *pg)
{
    const struct cloister_domain *cd = d->arch.cloister;
    unsigned int i = cloister_ring(cd, gfn);

    return i < CLOISTER_RINGS && mfn_eq(cd->ring[i].mfn, page_to_mfn(pg))
           ? cd->ring[i].pins : 0;
}

/*
 * Whoever maps the page by anything but a grant must not see what the guest
 * writes from now on.  A granted page cannot be moved under its mapper: that
 * is fine for the rings, as long as grants account for every reference, and
 * for no other page.
 */
enum cloister_reason cloister_cut(struct domain *d, unsigned long gfn,
                                  const struct cl_page *p,
                                  struct page_info **pg)
{
    unsigned int others = others_refs(*pg);

    if ( !others )
        return CLOISTER_WHY_none;
    if ( !p->shares )
        return move(d, gfn, pg);

    return others == ring_pins(d, gfn, *pg) ? CLOISTER_WHY_none
                                            : CLOISTER_WHY_foreign_map;
}

static struct cl_page *entry(const struct page_info *pg)
{
    return cl_ppt_find(&cloister_ppt, mfn_x(page_to_mfn(pg)));
}

/*
 * Of a domain that is restored, all pages but the rings are in place already,
 * each where its record says.
 */
static enum cloister_reason restored_page(const struct cloister_domain *cd,
                                          const struct cl_page *p,
                                          unsigned long gfn)
{
    if ( p->state != CL_PAGE_BUILDING )
        return p->gfn == gfn ? CLOISTER_WHY_none : CLOISTER_WHY_bad_page;

    return CLOISTER_WHY_rec_extra;
}

/* One page of the memory map, under the gfn's lock. */
static enum cloister_reason seal_page(struct domain *d, unsigned long gfn,
                                      mfn_t mfn)
{
    struct cloister_domain *cd = d->arch.cloister;
    enum cloister_reason why;
    struct page_info *pg;
    int rc;

    if ( !mfn_valid(mfn) )
        return CLOISTER_WHY_bad_page;

    pg = mfn_to_page(mfn);
    if ( page_get_owner(pg) != d || is_special_page(pg) || !entry(pg) )
        return CLOISTER_WHY_bad_page;
    if ( cd->restore && cloister_ring(cd, gfn) == CLOISTER_RINGS )
        return restored_page(cd, entry(pg), gfn);

    why = cloister_cut(d, gfn, entry(pg), &pg);
    if ( why )
        return why;
    /* Of a domain that is restored, and nobody's: nothing of dom0's in it. */
    if ( cd->restore && cloister_ring(cd, gfn) >= CLOISTER_RING_ioreq )
        clear_domain_page(page_to_mfn(pg));

    spin_lock(&cd->lock);
    rc = cl_page_seal(&cd->vm, entry(pg), gfn);
    spin_unlock(&cd->lock);

    return rc ? CLOISTER_WHY_bad_page : CLOISTER_WHY_none;
}

/*
 * The entry of the memory map at *gfn, which it moves behind what was sealed:
 * to the page that is the reason, if there is one.
 */
static enum cloister_reason seal_entry(struct domain *d, unsigned long *gfn)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(d);
    enum cloister_reason why = CLOISTER_WHY_none;
    unsigned long first = *gfn, i, nr;
    unsigned int order;
    p2m_type_t t;
    p2m_access_t a;
    mfn_t mfn = get_gfn_type_access(p2m, first, &t, &a, 0, &order);

    nr = (1UL << order) - (first & ((1UL << order) - 1));
    if ( p2m_is_ram(t) && ((t != p2m_ram_rw && t != p2m_ram_asleep) ||
                           a != p2m_access_rwx) )
        why = CLOISTER_WHY_bad_page;
    else if ( p2m_is_ram(t) )
    {
        /* At most one leaf's worth at a time, so that others get a turn. */
        nr = min(nr, 512UL);
        for ( i = 0; i < nr && !why; i++ )
            why = seal_page(d, first + i, mfn_add(mfn, i));
        nr = why ? i - 1 : nr;
    }
    else if ( !p2m_is_hole(t) )
        why = CLOISTER_WHY_bad_page;
    put_gfn(d, first);
    *gfn = first + nr;

    return why;
}

/* The pages that a record vouches for: -ERESTART, or 0 with *why set. */
static int restore_pages(struct domain *d, enum cloister_reason *why)
{
    uint64_t gfn;

    do {
        *why = cloister_restore_page(d, &gfn);
        if ( *why )
            d->arch.cloister->cursor = gfn;
        if ( !*why && hypercall_preempt_check() )
            return -ERESTART;
    } while ( !*why && gfn != CL_GFN_NONE );

    return 0;
}

/*
 * Rings once more: a grant may have been let go of as the page was looked at,
 * in favour of a mapping.  No new mapping can come now.
 */
static bool only_granted(struct domain *d)
{
    const struct cloister_ring *r = d->arch.cloister->ring;
    const struct page_info *pg;
    unsigned int i;

    find_rings(d);
    for ( i = 0; i < CLOISTER_RINGS; i++ )
    {
        if ( mfn_eq(r[i].mfn, INVALID_MFN) )
            continue;
        pg = mfn_to_page(r[i].mfn);
        if ( !is_allocated(pg) || others_refs(pg) != r[i].pins )
            return false;
    }

    return true;
}

/* -ERESTART, or 0 with *why set. */
static int seal_pages(struct domain *d, enum cloister_reason *why)
{
    struct cloister_domain *cd = d->arch.cloister;
    const struct p2m_domain *p2m = p2m_get_hostp2m(d);
    int rc;

    find_rings(d);
    rc = restore_pages(d, why);
    if ( rc || *why )
        return rc;
    while ( cd->cursor <= p2m->max_mapped_pfn )
    {
        *why = seal_entry(d, &cd->cursor);
        if ( *why )
            return 0;
        if ( hypercall_preempt_check() )
            return -ERESTART;
    }

    /*
     * Every page that the domain owns must have been in the map.  Extra
     * pages are Xen's own, frames that were moved are with whoever maps them.
     */
    if ( cd->vm.pages[CL_PAGE_BUILDING] != d->extra_pages )
        *why = CLOISTER_WHY_orphan;

    if ( !*why && !only_granted(d) )
        *why = CLOISTER_WHY_foreign_map;

    return 0;
}

static void unseal_pages(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct page_info *pg;

    nrspin_lock(&d->page_alloc_lock);
    spin_lock(&cd->lock);
    page_list_for_each ( pg, &d->page_list )
        cl_page_unseal(&cd->vm, entry(pg));
    spin_unlock(&cd->lock);
    nrspin_unlock(&d->page_alloc_lock);
}

/* ---- The seal --------------------------------------------------------- */

static void set_state(struct cloister_domain *cd, unsigned int state)
{
    spin_lock(&cd->lock);
    write_atomic(&cd->state, state);
    cd->vm.sealed = state == CLOISTER_DOM_sealed;
    spin_unlock(&cd->lock);
    /* Before any page's references are looked at: see views.c. */
    smp_mb();
}

/* Reasons that come with the gfn of a page. */
static bool is_about_page(enum cloister_reason why)
{
    return why == CLOISTER_WHY_bad_page || why == CLOISTER_WHY_foreign_map ||
           why == CLOISTER_WHY_rec_page || why == CLOISTER_WHY_rec_missing ||
           why == CLOISTER_WHY_rec_extra;
}

static int refuse(struct domain *d, enum cloister_reason why)
{
    struct cloister_domain *cd = d->arch.cloister;
    uint64_t detail = is_about_page(why) ? cd->cursor : 0;

    if ( cd->state == CLOISTER_DOM_sealing && cd->restore )
    {
        /* It may hold saved pages in the clear: closed to all, for good. */
        set_state(cd, CLOISTER_DOM_dying);
        cloister_restore_drop(cd);
    }
    else if ( cd->state == CLOISTER_DOM_sealing )
    {
        unseal_pages(d);
        set_state(cd, CLOISTER_DOM_building);
    }
    cloister_restore_untake(cd);
    cloister_event_end(d);
    cloister_measure_drop(cd);
    cloister_key_drop(cd);
    cd->cursor = 0;
    cd->deadline = 0;
    cd->grace = 0;
    cloister_refuse(d, why, detail);

    return -EOPNOTSUPP;
}

/*
 * Is everybody through who asked about the domain while it was open, and does
 * what they asked for only now?  They hold the RCU lock for all of that: a
 * grace period that begins now is the answer.  All under the domctl lock, but
 * for end_grace().
 */
static uint64_t grace_begun, grace_ended;

static void cf_check end_grace(struct rcu_head *head)
{
    write_atomic(&grace_ended, grace_begun);
}

static bool is_settled(struct cloister_domain *cd)
{
    static struct rcu_head head;

    if ( !cd->grace )
        cd->grace = grace_begun + 1;
    if ( read_atomic(&grace_ended) >= cd->grace )
        return true;

    if ( read_atomic(&grace_ended) == grace_begun )
    {
        grace_begun++;
        call_rcu(&head, end_grace);
    }
    raise_softirq(SCHEDULE_SOFTIRQ);

    return false;
}

/* The TPM may need a while: the hypercall comes back until it is too late. */
static int wait_for_tpm(struct cloister_domain *cd)
{
    if ( !cd->deadline )
        cd->deadline = NOW() + TPM_PATIENCE;
    if ( NOW() > cd->deadline )
        return 0;

    /* After others have had the CPU. */
    raise_softirq(SCHEDULE_SOFTIRQ);

    return -ERESTART;
}

static int take_key(struct cloister_domain *cd, enum cloister_reason *why)
{
    if ( cd->slot >= 0 )
        return 0;

    *why = cloister_key_take(cd);
    if ( *why != CLOISTER_WHY_tpm_busy || !wait_for_tpm(cd) )
        return 0;

    *why = CLOISTER_WHY_none;

    return -ERESTART;
}

/* The PCR knows of the launch before the guest runs. */
static int record_launch(struct domain *d, enum cloister_reason *why)
{
    struct cloister_domain *cd = d->arch.cloister;

    if ( cloister_event_launch(d) )
    {
        *why = CLOISTER_WHY_events_full;
        return 0;
    }
    if ( cloister_events_settled() || cloister_unsafe_lab )
        return 0;

    if ( wait_for_tpm(cd) )
        return -ERESTART;

    *why = CLOISTER_WHY_pcr_busy;

    return 0;
}

static void announce_sealed(const struct domain *d)
{
    const struct cloister_domain *cd = d->arch.cloister;

    printk(XENLOG_G_INFO "Cloister: %pd sealed: %lu pages, epoch %lu%s\n", d,
           cd->vm.pages[CL_PAGE_PRIVATE], cd->vm.key->epoch,
           cloister_unsafe_lab ? ", UNSAFE LAB MODE" : "");
}

int cloister_seal_could(struct domain *d, enum cloister_reason *why)
{
    struct cloister_domain *cd = d->arch.cloister;
    int rc;

    *why = cloister_host_reason() ?: domain_reason(d);
    rc = *why ? 0 : take_key(cd, why);
    if ( !rc )
        cd->deadline = 0;

    return rc;
}

/* Nothing has been done to it yet: -ERESTART, or 0 with *why set. */
static int begin(struct domain *d, enum cloister_reason *why)
{
    struct cloister_domain *cd = d->arch.cloister;
    int rc;

    *why = cloister_host_reason() ?: domain_reason(d) ?:
           cloister_restore_check(d);
    rc = *why ? 0 : take_key(cd, why);
    if ( !rc && !*why )
        *why = cloister_restore_take(cd, &rc);
    if ( !rc && !*why )
        set_state(cd, CLOISTER_DOM_sealing);

    return rc;
}

/* What it starts from, for those who ask: -ERESTART, or 0 with *why set. */
static int measure(struct domain *d, enum cloister_reason *why)
{
    struct cloister_domain *cd = d->arch.cloister;
    int rc = 0;

    /* A restored guest was measured when it was launched. */
    if ( cd->restore )
        *why = cloister_restore_log(cd);
    else
        rc = cloister_measure(d, why);
    if ( !rc && !*why )
        rc = record_launch(d, why);

    return rc;
}

static enum cloister_reason finish(struct domain *d)
{
    enum cloister_reason why = cloister_siom_prepare(d);

    if ( !why )
        why = d->arch.cloister->restore ? cloister_restore_finish(d)
                                        : cloister_siom_attach(d);
    if ( why )
        cloister_siom_detach(d);

    return why;
}

/* Nobody need ask for the protection of a guest that xl builds anew. */
static int want_recalled(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;

    if ( !cloister_recalled(d) )
        return 0;
    if ( cd )
    {
        cd->wanted = true;
        return 0;
    }

    cloister_refuse(d, CLOISTER_WHY_pv_guest, 0);

    return -EOPNOTSUPP;
}

int cloister_seal(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    enum cloister_reason why = CLOISTER_WHY_none;
    int rc = want_recalled(d);

    if ( rc || likely(!cd) || !cd->wanted ||
         cd->state == CLOISTER_DOM_sealed )
        return rc;
    if ( d->is_dying )
        return 0;
    if ( cd->state == CLOISTER_DOM_dying )
        return refuse(d, CLOISTER_WHY_rec_failed);

    if ( cd->state == CLOISTER_DOM_building )
        rc = begin(d, &why);
    if ( rc || why )
        return rc ?: refuse(d, why);
    if ( !is_settled(cd) )
        return -ERESTART;

    if ( !cd->measuring && !cd->log )
    {
        cd->deadline = 0;
        rc = seal_pages(d, &why);
        if ( rc )
            return rc;
        /*
         * A PV domain's mapping may be gone from its tables, and so from the
         * count of references, and still be in a TLB.
         */
        flush_all(FLUSH_TLB_GLOBAL | FLUSH_HVM_ASID_CORE);
    }

    /* Once more, as nobody can map anything of the domain any longer. */
    why = why ?: domain_reason(d);
    rc = why ? 0 : measure(d, &why);
    if ( rc )
        return rc;
    why = why ?: finish(d);
    if ( why )
        return refuse(d, why);

    cloister_request_overwrite();
    cd->reason = CLOISTER_WHY_none;
    set_state(cd, CLOISTER_DOM_sealed);
    announce_sealed(d);

    return 0;
}
