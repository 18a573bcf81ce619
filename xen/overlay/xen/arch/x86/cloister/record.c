/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Saving: the record in the HVM context that stands for a sealed domain's
 * state, and says which views of its pages are its memory (abi/record.h).
 */

#include <xen/sched.h>
#include <xen/xvmalloc.h>

#include <asm/hvm/save.h>
#include <asm/p2m.h>
#include <asm/paging.h>

#include <public/domctl.h>
#include <public/sched.h>

#include <cloister/record.h>
#include <cloister/wipe.h>

#include "private.h"
#include "record.h"
#include "abi/record.h"

#define DESC    sizeof(struct hvm_save_descriptor)

/* ---- The record ------------------------------------------------------------ */

/*
 * The key, and a number of its counter that nobody else has.  It may be
 * erased at any moment, if the domain is killed: what was made with it is
 * good only if is_valid() says so afterwards.
 */
struct held_key {
    const struct cl_key *key;
    uint64_t epoch;
    uint64_t nonce;
};

static bool hold_key(struct cloister_domain *cd, struct held_key *k)
{
    struct cl_key *key;
    bool ok;

    spin_lock(&cd->lock);
    key = cd->vm.key;
    ok = key && key->epoch && key->counter < CL_DIRTY - 1;
    if ( ok )
        *k = (struct held_key){ key, key->epoch, ++key->counter };
    spin_unlock(&cd->lock);

    return ok;
}

static bool is_valid(struct cloister_domain *cd, const struct held_key *k)
{
    bool ok;

    spin_lock(&cd->lock);
    ok = cd->vm.key == k->key && k->key->epoch == k->epoch;
    spin_unlock(&cd->lock);

    return ok;
}

static int make_head(const struct domain *d, const struct held_key *k,
                     struct cloister_record *head,
                     struct cloister_record_key *wrapped)
{
    const struct cloister_domain *cd = d->arch.cloister;
    uint8_t raw[CL_KEY_SIZE];
    int rc;

    if ( !cloister_host_id(head->host) )
        return -ENOENT;
    head->nonce = k->nonce;
    memcpy(head->uuid, d->handle, sizeof(head->uuid));
    memcpy(head->instance, cd->instance, sizeof(head->instance));
    cl_key_raw(k->key, raw);
    rc = cloister_wrap(head, raw, wrapped);
    cl_wipe(raw, sizeof(raw));

    return rc;
}

/* Writes the record to buf; its length to *length. */
static enum cloister_reason make_record(struct domain *d, bool dump,
                                        const struct hvm_domain_context *hvm,
                                        void *buf, size_t room,
                                        size_t *length, uint64_t *nonce,
                                        uint64_t *detail)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cloister_record head = {};
    struct cloister_record_state state = {};
    enum cloister_reason why;
    struct cloister_simd simd;
    struct held_key k;
    struct cl_record r;

    if ( !hold_key(cd, &k) ||
         cl_record_begin(&r, buf, room, hvm->cur, cd->log_size,
                         cloister_record_most(cd),
                         dump ? 0 : cd->vm.since) ||
         make_head(d, &k, &head, cl_record_keys(&r)) )
        return CLOISTER_WHY_save_failed;
    why = cloister_record_pages(d, dump, &r, detail);
    if ( why )
        return why;
    memcpy(r.hvm, hvm->data, hvm->cur);
    memcpy(r.log, cd->log, cd->log_size);
    cloister_record_state(d, k.epoch, &state);

    cloister_simd_begin(&simd);
    *length = cl_record_seal(&r, k.key, &head, &state);
    cloister_simd_end(&simd);
    if ( !*length || !is_valid(cd, &k) )
        return CLOISTER_WHY_save_failed;

    *nonce = head.nonce;

    return CLOISTER_WHY_none;
}

/*
 * An image of the same moment that was saved before is worth nothing now; if
 * it was used already, there may be no other.
 */
static enum cloister_reason enter_image(struct cloister_domain *cd,
                                        uint64_t nonce)
{
    unsigned int ticket;

    if ( cd->exported &&
         !cloister_image_void(cd->instance, cd->exported, &ticket) )
        return CLOISTER_WHY_resumed;
    cd->exported = nonce;
    cloister_image_add(cd->instance, nonce);

    return CLOISTER_WHY_none;
}

/* Header, record, end mark; `hvm` is all state in the clear. */
static enum cloister_reason fill_context(struct domain *d,
                                         const struct hvm_domain_context *hvm,
                                         struct hvm_domain_context *h,
                                         uint64_t *detail)
{
    const size_t header = DESC + sizeof(struct hvm_save_header);
    struct hvm_save_descriptor *desc = (void *)(h->data + header);
    struct hvm_save_end end;
    enum cloister_reason why;
    uint64_t nonce;
    size_t length;

    if ( h->size < header + 2 * DESC || hvm->cur < header )
        return CLOISTER_WHY_save_failed;

    memcpy(h->data, hvm->data, header);
    why = make_record(d, false, hvm, desc + 1, h->size - header - 2 * DESC,
                      &length, &nonce, detail);
    why = why ?: enter_image(d->arch.cloister, nonce);
    if ( why )
        return why;
    cloister_release_expect(d->arch.cloister, desc + 1, length);

    *desc = (struct hvm_save_descriptor){
        .typecode = CLOISTER_HVM_CODE,
        .length = length,
    };
    h->cur = header + DESC + length;

    return hvm_save_entry(END, 0, h, &end) ? CLOISTER_WHY_save_failed
                                           : CLOISTER_WHY_none;
}

/* Of a context that libxc, and Xen (0012), take back: some 20 GiB of guest. */
#define CONTEXT_LIMIT   MB(128)

size_t cloister_record_room(struct domain *d)
{
    size_t size = cl_record_size(hvm_save_size(d), d->arch.cloister->log_size,
                                 domain_tot_pages(d));

    /* libxc's limit. */
    return size > CONTEXT_LIMIT - KB(4) ? 0 : size;
}

/* Of what is too large, nothing: the save is refused. */
uint32_t cloister_hvm_size(struct domain *d)
{
    return cloister_record_room(d) + 3 * DESC + sizeof(struct hvm_save_header);
}

/* Under the domctl lock, domain paused. */
static enum cloister_reason save_reason(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    bool still;

    if ( cd->state != CLOISTER_DOM_sealed || cd->cancelled ||
         d->shutdown_code != SHUTDOWN_suspend )
        return CLOISTER_WHY_save_running;
    if ( !cloister_record_room(d) )
        return CLOISTER_WHY_save_large;

    /* Writes that the CPU has logged and nobody has looked at. */
    if ( paging_mode_log_dirty(d) )
        p2m_flush_hardware_cached_dirty(d);

    spin_lock(&cd->lock);
    still = cloister_is_still(d);
    if ( still )
        cl_vm_still(&cd->vm, true);
    spin_unlock(&cd->lock);

    return still ? CLOISTER_WHY_none : CLOISTER_WHY_save_running;
}

int cloister_hvm_save(struct domain *d, struct hvm_domain_context *h)
{
    struct hvm_domain_context hvm = { .size = hvm_save_size(d) };
    enum cloister_reason why = save_reason(d);
    uint64_t detail = 0;

    hvm.data = xvmalloc_array(uint8_t, hvm.size);
    if ( !hvm.data )
        return -ENOMEM;

    if ( !why && hvm_save(d, &hvm) )
        why = CLOISTER_WHY_save_failed;
    why = why ?: fill_context(d, &hvm, h, &detail);

    cl_wipe(hvm.data, hvm.size);
    xvfree(hvm.data);
    if ( !why )
        return 0;

    /* Nothing leaves half-made. */
    cl_wipe(h->data, h->size);
    h->cur = 0;
    cloister_refuse(d, why, detail);

    return -EPERM;
}

int cloister_record_dump(struct domain *d, void *buf, size_t room,
                         size_t *length)
{
    struct hvm_domain_context hvm = { .size = hvm_save_size(d) };
    enum cloister_reason why = CLOISTER_WHY_none;
    uint64_t nonce, detail = 0;
    int rc;

    hvm.data = xvmalloc_array(uint8_t, hvm.size);
    if ( !hvm.data )
        return -ENOMEM;

    rc = hvm_save(d, &hvm);
    if ( !rc )
        why = make_record(d, true, &hvm, buf, room, length, &nonce, &detail);
    cl_wipe(hvm.data, hvm.size);
    xvfree(hvm.data);

    if ( why == CLOISTER_WHY_dump_asleep )
    {
        cloister_refuse(d, why, detail);
        return -ENODATA;
    }

    return why ? -EAGAIN : rc;
}

/* ---- The guest goes on ------------------------------------------------------ */

int cloister_resume(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    unsigned int ticket;
    int rc;

    /* What ended in any other way does not expect to go on. */
    if ( cloister_sealed(d) && d->shutdown_code != SHUTDOWN_suspend )
    {
        cloister_note(d, CLOISTER_CALL_domctl, XEN_DOMCTL_resumedomain,
                      CLOISTER_WHY_suspend, d->shutdown_code);
        return -EPERM;
    }

    if ( !cd || !cd->exported )
        return 0;

    cloister_release_cancel(cd);
    if ( !cloister_image_void(cd->instance, cd->exported, &ticket) )
    {
        cloister_refuse(d, CLOISTER_WHY_resumed, 0);
        return -EPERM;
    }
    rc = cloister_counter_pass(ticket);
    if ( rc == -ERESTART )
        return rc;
    if ( rc )
    {
        cloister_refuse(d, CLOISTER_WHY_no_counter, 0);
        return -EPERM;
    }
    cd->exported = 0;
    cloister_key_renew(cd);

    return 0;
}

void cloister_resumed(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;

    if ( !cd )
        return;

    /* Under the lock: whoever asks cloister_is_still() there, sees this. */
    spin_lock(&cd->lock);
    cl_vm_still(&cd->vm, false);
    cd->cancelled = false;
    spin_unlock(&cd->lock);
}
