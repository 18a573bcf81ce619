/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Secrets for guests (abi/secret.h): dom0 brings one that only this TPM can
 * open, for this Xen only; the guest that it is for fetches it, once.
 */

#include <xen/sched.h>
#include <xen/sha2.h>

#include <cloister/wipe.h>

#include "private.h"

#include "abi/secret.h"

/*
 * The object is duplicated to the storage key, and opened under its policy.
 * Load makes sure that what is unsealed is what the public area has a hash of,
 * which the owner's signature relies on.
 */
static const uint8_t steps[] = {
    CLOISTER_STEP_primary, CLOISTER_STEP_import, CLOISTER_STEP_session,
    CLOISTER_STEP_locality, CLOISTER_STEP_pcr, CLOISTER_STEP_load,
    CLOISTER_STEP_unseal, CLOISTER_STEP_clean,
};

/* Protected by cloister_sequence_lock, like the domains' secrets. */
static struct cloister_sequence job;
static bool begun;                      /* its result is for who asks ... */
static struct cloister_provision request;       /* ... for this */
static struct cl_tpm2_slice part[CLOISTER_SECRET_PARTS];

/* Points part[] into the request.  0, or -EBADMSG. */
static int take_apart(uint32_t *mask)
{
    struct cloister_secret_blob h;
    size_t at = sizeof(h);
    unsigned int i;

    if ( request.length < sizeof(h) ||
         request.length > sizeof(request.blob) )
        return -EBADMSG;
    memcpy(&h, request.blob, sizeof(h));
    if ( memcmp(h.signature, CLOISTER_SECRET_SIGNATURE,
                sizeof(h.signature)) ||
         h.revision != CLOISTER_SECRET_REVISION ||
         h.length != request.length || h.mask >> 24 )
        return -EBADMSG;

    for ( i = 0; i < CLOISTER_SECRET_PARTS; i++ )
    {
        part[i] = (struct cl_tpm2_slice){ request.blob + at, h.part[i] };
        at += h.part[i];
    }
    *mask = h.mask;

    return at == request.length &&
           part[CLOISTER_SECRET_public].len +
           part[CLOISTER_SECRET_signature].len <= CLOISTER_SECRET_PROOF
           ? 0 : -EBADMSG;
}

static int begin(const struct cloister_provision *p)
{
    uint32_t mask;
    int rc;

    if ( job.running )
        return -EAGAIN;

    begun = false;
    request = *p;
    rc = take_apart(&mask);
    if ( rc )
        return rc;

    job = (struct cloister_sequence){
        .steps = steps,
        .mask = mask,
        .public = part[CLOISTER_SECRET_public],
        .duplicate = part[CLOISTER_SECRET_duplicate],
        .seed = part[CLOISTER_SECRET_seed],
    };
    rc = cloister_sequence_start(&job, false);
    begun = !rc;

    return rc ?: -EAGAIN;
}

/* What was unsealed is for this domain. */
static int check(const struct cloister_domain *cd)
{
    struct cloister_sealed s;

    if ( job.result )
        return job.result;
    if ( job.size <= sizeof(s) ||
         job.size > sizeof(s) + CLOISTER_SECRET_MAX )
        return -EBADMSG;
    memcpy(&s, job.secret, sizeof(s));
    if ( memcmp(s.signature, CLOISTER_SEALED_SIGNATURE,
                sizeof(s.signature)) ||
         s.revision != CLOISTER_SECRET_REVISION )
        return -EBADMSG;

    return memcmp(s.measurement, cd->measurement, sizeof(s.measurement))
           ? -EXDEV : 0;
}

static int give(struct cloister_domain *cd)
{
    struct cloister_secret *s = cd->secret ?: xmalloc(struct cloister_secret);
    const struct cl_tpm2_slice *public = &part[CLOISTER_SECRET_public];
    const struct cl_tpm2_slice *signature = &part[CLOISTER_SECRET_signature];

    if ( !s )
        return -ENOMEM;

    *s = (struct cloister_secret){
        .revision = CLOISTER_ABI_REVISION,
        .length = job.size - sizeof(struct cloister_sealed),
        .public = public->len,
        .signature = signature->len,
    };
    memcpy(s->secret, job.secret + sizeof(struct cloister_sealed), s->length);
    memcpy(s->proof, public->p, public->len);
    memcpy(s->proof + public->len, signature->p, signature->len);
    cd->secret = s;

    return 0;
}

/* An owner's migration key, which Xen itself keeps. */
static int take_owner(void)
{
    struct cloister_sealed s;

    if ( job.result )
        return job.result;
    if ( job.size != sizeof(s) + CLOISTER_MIGRATION_KEY )
        return -EBADMSG;
    memcpy(&s, job.secret, sizeof(s));
    if ( memcmp(s.signature, CLOISTER_SEALED_OWNER, sizeof(s.signature)) ||
         s.revision != CLOISTER_SECRET_REVISION )
        return -EBADMSG;
    cloister_owner_add(job.secret + sizeof(s));

    return 0;
}

/*
 * cd: NULL for the host.  A guest that was restored has had its time for
 * secrets; and only of one that was started here is it known that it had none
 * yet.
 */
static int provision(struct cloister_domain *cd,
                     const struct cloister_provision *p)
{
    int rc;

    if ( cd && cd->had_secret )
        return -EEXIST;
    if ( !begun || memcmp(&request, p, sizeof(*p)) )
        return begin(p);
    if ( job.running )
        return -EAGAIN;

    begun = false;
    rc = !cd ? take_owner() : check(cd) ?: give(cd);
    cl_wipe(job.secret, sizeof(job.secret));

    return rc;
}

static int provision_host(const struct cloister_provision *p)
{
    int rc;

    spin_lock(&cloister_sequence_lock);
    rc = provision(NULL, p);
    spin_unlock(&cloister_sequence_lock);

    return rc;
}

int cloister_provision_op(const struct cloister_provision *p)
{
    struct cloister_domain *cd;
    struct domain *d;
    int rc = -ENOENT;

    cloister_request_overwrite();
    if ( p->domid == CLOISTER_DOMID_HOST )
        return provision_host(p);

    d = rcu_lock_domain_by_id(p->domid);
    if ( !d )
        return -ESRCH;

    cd = d->arch.cloister;
    spin_lock(&cloister_sequence_lock);
    /* While it is being sealed it may turn out to be another guest yet. */
    if ( cd && read_atomic(&cd->state) == CLOISTER_DOM_sealed &&
         cd->launch_epoch )
        rc = provision(cd, p);
    spin_unlock(&cloister_sequence_lock);
    rcu_unlock_domain(d);

    return rc;
}

int cloister_secret_op(struct cloister_secret *s)
{
    struct cloister_domain *cd = current->domain->arch.cloister;
    int rc = 0;

    spin_lock(&cloister_sequence_lock);
    if ( cd->had_secret )
        rc = -EEXIST;
    else if ( !cd->secret )
        rc = -ENOENT;
    else
    {
        *s = *cd->secret;
        cd->had_secret = true;
    }
    spin_unlock(&cloister_sequence_lock);
    if ( !rc )
        cloister_secret_drop(cd);

    return rc;
}

void cloister_provision_wipe(void)
{
    cl_wipe(job.secret, sizeof(job.secret));
}

void cloister_secret_wipe(struct cloister_domain *cd)
{
    if ( cd->secret )
        cl_wipe(cd->secret, sizeof(*cd->secret));
}

void cloister_secret_drop(struct cloister_domain *cd)
{
    spin_lock(&cloister_sequence_lock);
    cloister_secret_wipe(cd);
    XFREE(cd->secret);
    spin_unlock(&cloister_sequence_lock);
}
