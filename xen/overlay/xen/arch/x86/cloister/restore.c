/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Restoring: what the seal does with a record (restore_record.c).
 *
 * All that it says is done when the domain is sealed, that is, before it first
 * runs: until then dom0 may do to the domain what it likes, since pages are
 * ciphertext, vCPUs are blank, and the seal compares everything with the
 * record.
 */

#include <xen/sched.h>
#include <xen/vmap.h>
#include <xen/xvmalloc.h>

#include <asm/hvm/save.h>

#include <public/hvm/params.h>

#include <cloister/record.h>
#include <cloister/wipe.h>

#include "private.h"
#include "restore.h"
#include "abi/record.h"

/* ---- The image, and the record in memory ------------------------------ */

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
    xvfree(r->placed);
    xvfree(r->index);
    xfree(r);
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
