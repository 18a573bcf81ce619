/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Restoring: a record comes with sethvmcontext, after the pages.  It is
 * authenticated and kept; restore.c does what it says.
 */

#include <xen/init.h>
#include <xen/sched.h>
#include <xen/sha2.h>
#include <xen/xvmalloc.h>

#include <asm/hvm/save.h>

#include <cloister/record.h>
#include <cloister/siom.h>
#include <cloister/wipe.h>

#include "private.h"
#include "restore.h"
#include "abi/record.h"

enum cloister_reason cloister_record_reason(int rc)
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

enum cloister_reason cloister_record_decrypt(struct cloister_domain *cd,
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

    return cloister_record_reason(rc);
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

    return cloister_record_decrypt(cd, buf, len, raw);
}

bool cloister_restore_is_foreign(const struct cloister_domain *cd)
{
    return cd->restore && cd->restore->foreign;
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

enum cloister_reason cloister_record_fits(struct domain *d,
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
    enum cloister_reason why = cloister_record_reason(
        cl_record_head(buf, len, &head, &keys));

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
        why = open_record(cd, buf, len, &head, &keys) ?:
              cloister_record_fits(d, &head);
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
