/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What Xen says about a guest that asks for it, in a quote of the TPM by a key
 * that only Xen can use (abi/evidence.h).
 *
 * A guest must not keep the TPM from others: one report a second for each, and
 * what dom0 asks of the TPM goes first.
 */

#include <xen/sched.h>
#include <xen/sha2.h>

#include "private.h"

#define PERIOD  SECONDS(1)

static const uint8_t steps[] = {
    CLOISTER_STEP_signer, CLOISTER_STEP_session, CLOISTER_STEP_locality,
    CLOISTER_STEP_quote, CLOISTER_STEP_clean,
};

/* Protected by cloister_sequence_lock. */
static struct cloister_sequence job;
static bool begun;                  /* done is for who asks with done.body ... */
static s_time_t keep;               /* ... and not for others before that */
static uint8_t digest[CL_TPM2_DIGEST];
static struct cloister_report done;

static int quote_rsp(const uint8_t *rsp, size_t len)
{
    struct cl_tpm2_slice quote, signature;
    int rc = cl_tpm2_quote_rsp(rsp, len, &quote, &signature);

    if ( rc )
        return rc;
    if ( quote.len > sizeof(done.quote) ||
         signature.len > sizeof(done.signature) )
        return -EBADMSG;

    done.quote_length = quote.len;
    done.signature_length = signature.len;
    memcpy(done.quote, quote.p, quote.len);
    memcpy(done.signature, signature.p, signature.len);
    keep = NOW() + PERIOD;

    return 0;
}

static void fill_body(const struct domain *d, struct cloister_report_body *b)
{
    const struct cloister_domain *cd = d->arch.cloister;

    memcpy(b->signature, CLOISTER_REPORT_SIGNATURE, sizeof(b->signature));
    b->revision = CLOISTER_REPORT_REVISION;
    b->pad = 0;
    memcpy(b->uuid, d->handle, sizeof(b->uuid));
    memcpy(b->measurement, cd->measurement, sizeof(b->measurement));
    b->epoch = cd->launch_epoch;
}

static int begin(struct cloister_domain *cd,
                 const struct cloister_report_body *body)
{
    int rc;

    if ( job.running || (begun && NOW() < keep) || NOW() < cd->next_report )
        return -EAGAIN;

    done = (struct cloister_report){
        .revision = CLOISTER_ABI_REVISION,
        .body = *body,
    };
    sha2_256_digest(digest, &done.body, sizeof(done.body));
    job = (struct cloister_sequence){
        .steps = steps,
        .mask = CLOISTER_REPORT_PCRS,
        .data = { digest, sizeof(digest) },
        .take = quote_rsp,
    };
    rc = cloister_sequence_start(&job, true);
    begun = !rc;
    if ( !rc )
        cd->next_report = NOW() + PERIOD;

    return rc ?: -EAGAIN;
}

int cloister_report_op(struct cloister_report *r)
{
    struct domain *d = current->domain;
    struct cloister_domain *cd = d->arch.cloister;
    int rc;

    if ( !cd->launch_epoch )
        return -ENOENT;

    fill_body(d, &r->body);
    spin_lock(&cloister_sequence_lock);
    if ( !begun || memcmp(&done.body, &r->body, sizeof(r->body)) )
        rc = begin(cd, &r->body);
    else if ( job.running )
        rc = -EAGAIN;
    else
    {
        begun = false;
        rc = job.result;
        if ( !rc )
            *r = done;
    }
    spin_unlock(&cloister_sequence_lock);

    return rc;
}
