/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Restoring: a record comes with sethvmcontext, after the pages.
 *
 * Then it is authenticated, and kept.  All that it says is done when the
 * domain is sealed, that is, before it first runs: until then dom0 may do to
 * the domain what it likes, since pages are ciphertext, vCPUs are blank, and
 * the seal compares everything with the record.
 */

#include <xen/init.h>
#include <xen/domain_page.h>
#include <xen/sched.h>
#include <xen/sha2.h>
#include <xen/vmap.h>
#include <xen/xvmalloc.h>

#include <asm/hvm/save.h>
#include <asm/p2m.h>

#include <public/hvm/params.h>

#include <cloister/measure.h>
#include <cloister/record.h>
#include <cloister/siom.h>
#include <cloister/wipe.h>

#include "private.h"
#include "abi/record.h"

#define DESC    sizeof(struct hvm_save_descriptor)
#define HEADER  (DESC + sizeof(struct hvm_save_header))

struct cloister_restore {
    uint8_t instance[16];
    uint64_t nonce;
    uint8_t header[HEADER];     /* the context's, in the clear */
    bool foreign;               /* saved on another host, on whose list it is */
    bool checking;              /* what hvm_load() sees was sealed by Xen */
    void *sealed;               /* the record, until its key has come; or NULL */
    size_t length;              /* of sealed */
    struct cloister_offer offer;        /* of sealed */
    size_t size;                /* of body */
    void *body;                 /* the record in the clear */
    struct cl_record_body b;
    uint32_t next;              /* page to be put in place */
    bool cut;                   /* nobody else can see any of them */
    bool taken;                 /* the image, by this restore */
    unsigned int ticket;        /* ... which it may use once this is passed */
};

enum cloister_reason cloister_restore_take(struct cloister_domain *cd,
                                           int *rc)
{
    struct cloister_restore *r = cd->restore;
    enum cloister_reason why;

    *rc = 0;
    if ( !r || r->foreign )
        return CLOISTER_WHY_none;
    if ( !r->taken )
    {
        why = cloister_image_take(r->instance, r->nonce, &r->ticket);
        if ( why )
            return why;
        r->taken = true;
    }
    *rc = cloister_counter_pass(r->ticket);
    if ( !*rc || *rc == -ERESTART )
        return CLOISTER_WHY_none;
    *rc = 0;

    return CLOISTER_WHY_no_counter;
}

void cloister_restore_untake(struct cloister_domain *cd)
{
    struct cloister_restore *r = cd->restore;

    if ( r && r->taken )
        cloister_image_end(r->instance, r->nonce, false);
    if ( r )
        r->taken = false;
}

void cloister_restore_wipe(struct cloister_domain *cd)
{
    struct cloister_restore *r = cd->restore;

    if ( r && r->body )
        cl_wipe(r->body, r->size);
}

void cloister_restore_drop(struct cloister_domain *cd)
{
    struct cloister_restore *r = cd->restore;

    if ( !r )
        return;

    cloister_restore_untake(cd);
    cloister_siom_forget(cd);
    cd->restore = NULL;
    /* The key is needed for pages that nobody has touched yet. */
    if ( !cd->vm.pages[CL_PAGE_INCOMING] )
        cloister_key_disown(cd);
    if ( r->body )
    {
        cl_wipe(r->body, r->size);
        xvfree(r->body);
    }
    xvfree(r->sealed);
    xfree(r);
}

/* ---- The record arrives ------------------------------------------------------ */

static enum cloister_reason head_reason(int rc)
{
    switch ( rc )
    {
    case 0:
        return CLOISTER_WHY_none;

    case -EOPNOTSUPP:
        return CLOISTER_WHY_rec_revision;

    case -EMSGSIZE:
        return CLOISTER_WHY_rec_length;

    case -EBADMSG:
        return CLOISTER_WHY_rec_forged;
    }

    return CLOISTER_WHY_rec_bad;
}

/* With the instance's key, which is wiped: the record in the clear. */
static enum cloister_reason decrypt(struct cloister_domain *cd,
                                    const void *buf, size_t len,
                                    uint8_t raw[CL_KEY_SIZE])
{
    struct cloister_restore *r = cd->restore;
    enum cloister_reason why;
    struct cloister_simd simd;
    uint8_t id[16];
    int rc;

    /* Else it would pass for another guest: to SIOM, for one. */
    cloister_instance_id(raw, id);
    if ( memcmp(id, r->instance, sizeof(id)) )
    {
        cl_wipe(raw, CL_KEY_SIZE);
        return CLOISTER_WHY_rec_forged;
    }
    /* Its epoch is not known yet; any will do until then. */
    why = cloister_key_adopt(cd, raw, ~0UL);
    if ( why )
        return why;

    cloister_simd_begin(&simd);
    rc = cl_record_open(buf, len, &cd->vm.from->gcm, r->body, &r->b);
    cloister_simd_end(&simd);
    if ( !rc )
        cloister_keys.slot[cd->from].epoch = r->b.state.epoch;

    return head_reason(rc);
}

static enum cloister_reason open_record(struct cloister_domain *cd,
                                        const void *buf, size_t len,
                                        const struct cloister_record *head,
                                        const struct cloister_record_key *keys)
{
    uint8_t raw[CL_KEY_SIZE];

    if ( !cloister_host_is(head->host) )
        return CLOISTER_WHY_rec_host;
    if ( cloister_unwrap(head, keys, raw) )
        return CLOISTER_WHY_rec_forged;

    return decrypt(cd, buf, len, raw);
}

const uint8_t *cloister_restore_source(const struct cloister_domain *cd)
{
    return cd && cd->restore && cd->restore->checking ? cd->restore->instance
                                                      : NULL;
}

/* Bounded: what Xen sealed is what hvm_save() writes. */
static enum cloister_reason check_state(struct domain *d,
                                        struct hvm_domain_context *hvm)
{
    struct cloister_restore *r = d->arch.cloister->restore;
    int rc;

    r->checking = true;
    rc = hvm_load(d, false, hvm);
    r->checking = false;

    return !rc ? CLOISTER_WHY_none
               : rc == -ENODEV ? CLOISTER_WHY_net_none
                               : CLOISTER_WHY_rec_failed;
}

/* What can be told before the pages are looked at. */
static enum cloister_reason fits(struct domain *d,
                                 const struct cloister_record *head)
{
    struct cloister_restore *r = d->arch.cloister->restore;
    struct hvm_domain_context hvm = {
        .size = r->b.state.hvm,
        .data = r->b.hvm,
    };
    enum cloister_reason why;

    /* The header in the clear, which hvm_load() acts on, too. */
    if ( hvm.size < HEADER || memcmp(r->header, hvm.data, HEADER) )
        return CLOISTER_WHY_rec_forged;
    if ( memcmp(head->uuid, d->handle, sizeof(head->uuid)) )
        return CLOISTER_WHY_rec_guest;
    why = r->foreign ? CLOISTER_WHY_none
                     : cloister_image_ask(r->instance, r->nonce);
    if ( why )
        return why;
    if ( r->b.state.vcpus != d->max_vcpus )
        return CLOISTER_WHY_rec_vcpus;

    return check_state(d, &hvm);
}

/* From another host: nobody can tell yet what it is worth. */
static enum cloister_reason keep(struct cloister_restore *r, const void *buf,
                                 size_t len)
{
    uint64_t challenge[4];

    BUILD_BUG_ON(sizeof(challenge) != sizeof(r->offer.challenge));
    if ( !cloister_cpu_random(challenge, ARRAY_SIZE(challenge)) )
        return CLOISTER_WHY_no_random;
    r->sealed = xvmalloc_array(uint8_t, len);
    if ( !r->sealed )
        return CLOISTER_WHY_no_memory;

    memcpy(r->offer.challenge, challenge, sizeof(challenge));
    memcpy(r->sealed, buf, len);
    sha2_256_digest(r->offer.record, r->sealed, len);
    r->length = len;
    r->foreign = true;

    return CLOISTER_WHY_none;
}

static enum cloister_reason take_record(struct domain *d,
                                        const struct hvm_domain_context *h,
                                        const void *buf, size_t len)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cloister_record_key keys;
    struct cloister_record head;
    struct cloister_restore *r;
    enum cloister_reason why = head_reason(cl_record_head(buf, len, &head,
                                                          &keys));

    if ( why )
        return why;

    cloister_request_overwrite();
    cd->restore = r = xzalloc(struct cloister_restore);
    if ( !r )
        return CLOISTER_WHY_no_memory;
    r->size = cl_record_body_size(len);
    r->body = xvmalloc_array(uint8_t, r->size);
    r->nonce = head.nonce;
    memcpy(r->instance, head.instance, sizeof(r->instance));
    memcpy(r->header, h->data, HEADER);

    if ( !r->body )
        why = CLOISTER_WHY_no_memory;
    else if ( !cloister_host_is(head.host) && cloister_owner_any() )
        why = keep(r, buf, len);
    else
        why = open_record(cd, buf, len, &head, &keys) ?: fits(d, &head);
    if ( why )
        cloister_restore_drop(cd);

    return why;
}

/*
 * The context must be header, record, end, and nothing else: what else there
 * is would be loaded, and nobody vouches for it.
 */
static bool is_alone(const struct hvm_domain_context *h)
{
    const struct hvm_save_descriptor *desc = (const void *)(h->data + h->cur);
    const struct hvm_save_descriptor *end;

    if ( h->cur != HEADER || h->size - h->cur < 2 * DESC ||
         h->size - h->cur - 2 * DESC != desc->length )
        return false;
    end = (const void *)(h->data + h->size - DESC);

    return !desc->instance && end->typecode == HVM_SAVE_CODE(END) &&
           !end->instance && !end->length;
}

static enum cloister_reason check_record(struct domain *d,
                                         struct hvm_domain_context *h)
{
    struct cloister_domain *cd = d->arch.cloister;
    const struct hvm_save_descriptor *desc = (const void *)(h->data + h->cur);
    enum cloister_reason why;

    if ( !cd )
        return CLOISTER_WHY_off;
    why = cloister_host_reason();
    if ( why )
        return why;
    if ( cd->state != CLOISTER_DOM_building || cd->restore )
        return CLOISTER_WHY_rec_order;
    if ( desc->length > h->size - h->cur - DESC )
        return CLOISTER_WHY_rec_length;
    if ( !is_alone(h) )
        return CLOISTER_WHY_rec_order;

    return take_record(d, h, desc + 1, desc->length);
}

/*
 * hvm_load() does not look behind the end mark.  Whoever puts it before the
 * record would get a domain without one: no secret in it, and no guest.
 */
int cloister_check_context(struct domain *d,
                           const struct hvm_domain_context *h)
{
    struct cloister_domain *cd = d->arch.cloister;
    const struct hvm_save_descriptor *desc;
    size_t at = 0;

    if ( !cd )
        return 0;

    while ( h->size - at >= DESC )
    {
        desc = (const void *)(h->data + at);
        at += DESC;
        if ( desc->typecode == HVM_SAVE_CODE(END) &&
             !desc->length && at == h->size )
            return 0;
        if ( desc->typecode == HVM_SAVE_CODE(END) ||
             desc->length > h->size - at )
            break;
        at += desc->length;
        if ( desc->typecode == HVM_SAVE_CODE(CPU) && desc->instance )
            cd->loaded_others = true;
        else if ( desc->typecode == HVM_SAVE_CODE(CPU) )
            cd->loaded_first = true;
    }
    cloister_refuse(d, CLOISTER_WHY_rec_order, at);

    return -EINVAL;
}

/* hvm_load() has made sure that there is a descriptor. */
static int cf_check check(const struct domain *cd,
                          struct hvm_domain_context *h)
{
    struct domain *d = (struct domain *)cd;
    const struct hvm_save_descriptor *desc = (const void *)(h->data + h->cur);
    enum cloister_reason why;

    if ( desc->instance == CLOISTER_HVM_CARD )
        return cloister_siom_check(cd, h);

    why = check_record(d, h);
    if ( why )
    {
        cloister_refuse(d, why, 0);
        return -EPERM;
    }
    d->arch.cloister->wanted = true;
    h->cur += DESC + desc->length;

    return 0;
}

/* Not now: when the domain is sealed. */
static int cf_check load(struct domain *d, struct hvm_domain_context *h)
{
    const struct hvm_save_descriptor *desc = (const void *)(h->data + h->cur);

    h->cur += DESC + desc->length;

    return 0;
}

static int __init cf_check register_record(void)
{
    BUILD_BUG_ON(CLOISTER_HVM_CODE > HVM_SAVE_CODE_MAX);
    hvm_register_savevm(CLOISTER_HVM_CODE, "CLOISTER", cloister_siom_save,
                        check, load, DESC + sizeof(struct cl_siom_saved),
                        HVMSR_PER_DOM);

    return 0;
}
__initcall(register_record);

/* ---- Its key arrives, from another host -------------------------------------- */

int cloister_restore_offer(const struct cloister_domain *cd,
                           struct cloister_offer *offer)
{
    const struct cloister_restore *r = cd->restore;

    /* A guest that was built here has no key of another host's. */
    if ( r ? !r->sealed : cd->arrived && cd->state == CLOISTER_DOM_sealed )
        return -EEXIST;
    if ( !r )
        return -EINVAL;
    *offer = r->offer;

    return 0;
}

/* What a record that was saved here is asked at once. */
static enum cloister_reason accept(struct domain *d, uint8_t raw[CL_KEY_SIZE],
                                   const uint8_t owner[32])
{
    struct cloister_restore *r = d->arch.cloister->restore;
    struct cloister_record_key keys;
    struct cloister_record head;
    enum cloister_reason why;

    why = head_reason(cl_record_head(r->sealed, r->length, &head, &keys)) ?:
          decrypt(d->arch.cloister, r->sealed, r->length, raw);
    if ( why )
        return why;
    xvfree(r->sealed);
    r->sealed = NULL;
    /* Whoever has a migration key on this host can have made the record. */
    if ( cl_measure_check(r->b.log, r->b.state.log, r->b.state.measurement) )
        return CLOISTER_WHY_rec_forged;
    /* Others' hosts have no say about this guest. */
    if ( !cloister_log_names(r->b.log, r->b.state.log,
                             CLOISTER_MIGRATION_OPTION, owner) )
        return CLOISTER_WHY_rec_owner;

    return fits(d, &head);
}

int cloister_restore_receive(struct domain *d,
                             struct cloister_record_key *key)
{
    const struct cloister_restore *r = d->arch.cloister->restore;
    struct cloister_release what = {};
    uint8_t raw[CL_KEY_SIZE], owner[32];
    enum cloister_reason why;
    int rc;

    if ( !r || !r->sealed )
        return -EINVAL;

    memcpy(what.uuid, d->handle, sizeof(what.uuid));
    memcpy(what.instance, r->instance, sizeof(what.instance));
    memcpy(what.challenge, r->offer.challenge, sizeof(what.challenge));
    what.nonce = r->nonce;
    rc = cloister_release_open(&what, key, raw, owner);
    if ( rc )
        return rc;
    why = accept(d, raw, owner);
    cl_wipe(raw, sizeof(raw));
    if ( !why )
        return 0;
    cloister_refuse(d, why, 0);
    cloister_restore_drop(d->arch.cloister);

    return -EACCES;
}

/* ---- The seal -------------------------------------------------------------- */

/* Loaded before; of a type that is not saved of a vCPU that has nothing in it. */
static bool has_loaded(struct domain *d, const struct vcpu *v,
                       unsigned int type)
{
    XEN_GUEST_HANDLE_64(uint8) none = {};
    uint64_t size = 0;

    return hvm_save_one(d, type, v->vcpu_id, none, &size) != -ENODATA;
}

/*
 * A state that the record may not overwrite must not be there.  Asked before
 * the seal: then nobody can load any more.
 */
static bool is_fresh(struct domain *d)
{
    const struct vcpu *v;

    if ( d->arch.cloister->state != CLOISTER_DOM_building )
        return true;
    if ( d->arch.cloister->loaded_first )
        return false;
    for_each_vcpu ( d, v )
        if ( v->is_initialised || has_loaded(d, v, CPU_MSR_CODE) ||
             has_loaded(d, v, CPU_XSAVE_CODE) )
            return false;

    return true;
}

/* As it was measured: what of it a record's state and parameters do not say. */
static bool is_config(const struct domain *d, const struct cl_record_body *b)
{
    struct cloister_launch_config c;

    if ( !cloister_log_config(b->log, b->state.log, &c) )
        return false;

    return c.options == d->options && c.tsc_mode == d->arch.tsc_mode &&
           c.emulation == d->arch.emulation_flags;
}

enum cloister_reason cloister_restore_check(struct domain *d)
{
    const struct cloister_restore *r = d->arch.cloister->restore;
    uint8_t cpu[32];
    unsigned int i;

    if ( !r )
        return CLOISTER_WHY_none;
    if ( r->sealed )
        return CLOISTER_WHY_rec_waiting;

    for ( i = 0; i < HVM_NR_PARAMS; i++ )
        if ( cloister_param(d, i) != r->b.state.params[i] )
            return CLOISTER_WHY_rec_params;
    /* What libxc does not carry over, nor anybody else. */
    if ( d->arch.hvm.params[HVM_PARAM_CALLBACK_IRQ] || d->arch.nr_e820 )
        return CLOISTER_WHY_rec_params;
    cloister_cpu_digest(d, cpu);
    if ( memcmp(cpu, r->b.state.cpu, sizeof(cpu)) )
        return CLOISTER_WHY_rec_cpu;
    if ( !is_config(d, &r->b) )
        return CLOISTER_WHY_rec_params;

    return is_fresh(d) ? CLOISTER_WHY_none : CLOISTER_WHY_rec_state;
}

static enum cloister_reason page_reason(int rc)
{
    switch ( rc )
    {
    case 0:
        return CLOISTER_WHY_none;

    case -EBADMSG:
        return CLOISTER_WHY_rec_page;

    case -EBUSY:
        return CLOISTER_WHY_foreign_map;
    }

    return CLOISTER_WHY_bad_page;
}

static int expect_page(struct cloister_domain *cd, mfn_t mfn,
                       const struct cl_record_page *e)
{
    int rc;

    spin_lock(&cd->lock);
    rc = cl_page_expect(&cd->vm, cl_ppt_find(&cloister_ppt, mfn_x(mfn)),
                        e->gfn, e->version, e->tag);
    spin_unlock(&cd->lock);

    return rc;
}

static int open_page(struct cloister_domain *cd, mfn_t mfn)
{
    void *mem = map_domain_page(mfn);
    struct cloister_simd simd;
    int rc;

    spin_lock(&cd->lock);
    cloister_simd_begin(&simd);
    rc = cl_page_open(&cd->vm, cl_ppt_find(&cloister_ppt, mfn_x(mfn)), mem);
    cloister_simd_end(&simd);
    spin_unlock(&cd->lock);
    unmap_domain_page(mem);

    return rc;
}

/* Nobody else can see the page any more: it becomes what it was, or will. */
static int put_in_place(struct domain *d, mfn_t mfn,
                        const struct cl_record_page *e)
{
    struct cloister_domain *cd = d->arch.cloister;
    int rc = expect_page(cd, mfn, e);

    if ( rc || (cloister_restore_lazy &&
                !cloister_expect_page(d, _gfn(e->gfn), mfn)) )
        return rc;

    return open_page(cd, mfn);
}

/*
 * Under the gfn's lock.  First all pages are taken from whoever maps them, then
 * they are decrypted: in between TLBs are flushed, which references do not
 * tell of.
 */
static enum cloister_reason place(struct domain *d,
                                  const struct cl_record_page *e,
                                  p2m_type_t t, mfn_t mfn)
{
    const struct cl_page *p;
    enum cloister_reason why;
    struct page_info *pg;

    if ( t != p2m_ram_rw || !mfn_valid(mfn) )
        return CLOISTER_WHY_rec_missing;
    pg = mfn_to_page(mfn);
    p = cl_ppt_find(&cloister_ppt, mfn_x(mfn));
    if ( page_get_owner(pg) != d || is_special_page(pg) || !p )
        return CLOISTER_WHY_bad_page;

    why = cloister_cut(d, e->gfn, p, &pg);
    if ( why || !d->arch.cloister->restore->cut )
        return why;

    return page_reason(put_in_place(d, page_to_mfn(pg), e));
}

enum cloister_reason cloister_restore_page(struct domain *d, uint64_t *gfn)
{
    struct cloister_restore *r = d->arch.cloister->restore;
    enum cloister_reason why;
    struct cl_record_page e;
    p2m_type_t t;
    mfn_t mfn;

    *gfn = CL_GFN_NONE;
    if ( r && !r->cut && r->next == r->b.state.pages )
    {
        flush_all(FLUSH_TLB_GLOBAL | FLUSH_HVM_ASID_CORE);
        r->cut = true;
        r->next = 0;
    }
    if ( !r || r->next == r->b.state.pages )
        return CLOISTER_WHY_none;

    cl_record_page(&r->b, r->next++, &e);
    *gfn = e.gfn;
    mfn = get_gfn_query(d, e.gfn, &t);
    why = place(d, &e, t, mfn);
    put_gfn(d, e.gfn);

    return why;
}

enum cloister_reason cloister_restore_log(struct cloister_domain *cd)
{
    const struct cl_record_body *b = &cd->restore->b;
    uint8_t *log;

    if ( cd->log )
        return CLOISTER_WHY_none;
    if ( !b->state.log )
        return CLOISTER_WHY_rec_failed;
    log = vzalloc(b->state.log);
    if ( !log )
        return CLOISTER_WHY_no_log_memory;

    memcpy(log, b->log, b->state.log);
    memcpy(cd->measurement, b->state.measurement, sizeof(cd->measurement));
    cd->log_size = b->state.log;
    smp_wmb();
    write_atomic(&cd->log, log);

    return CLOISTER_WHY_none;
}

enum cloister_reason cloister_restore_finish(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cloister_restore *r = cd->restore;
    struct hvm_domain_context hvm = {};
    enum cloister_reason why;
    struct vcpu *v;

    /* Once more, as the hypercall may have come back many times. */
    why = cloister_restore_check(d);
    if ( why )
        return why;

    hvm.size = r->b.state.hvm;
    hvm.data = r->b.hvm;
    /* Interrupts that were posted before: what is loaded does not replace them. */
    for_each_vcpu ( d, v )
        hvm_sync_pir_to_irr(v);
    if ( hvm_load(d, true, &hvm) )
        return CLOISTER_WHY_rec_failed;
    /* Forgotten by now, as 1,024 others have been saved meanwhile? */
    if ( !r->foreign && !cloister_image_end(r->instance, r->nonce, true) )
        return CLOISTER_WHY_rec_unknown;
    r->taken = false;
    why = cloister_siom_attach(d);
    if ( why )
        return why;
    cd->arrived = r->foreign;
    cloister_restore_drop(cd);
    /* It has had its time for secrets, in its first life. */
    cd->had_secret = true;

    return CLOISTER_WHY_none;
}
