/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host key: a secret that the TPM gives to this Xen only, on this host, in
 * every boot (abi/hostkey.h).
 *
 * It is made, or taken from what dom0 has kept, by a sequence of TPM commands.
 * Whoever else uses the TPM could flush an object or a session between two of
 * them and put his own under the same handle; so from the first that makes a
 * handle to the last that relies on it the locality is held.  (The parent need
 * not be: what is sealed or loaded has fixedTPM, and so have its parents.)
 */

#include <xen/sched.h>
#include <xen/sha2.h>
#include <xen/softirq.h>

#include <cloister/tpm2.h>
#include <cloister/wipe.h>

#include "private.h"

#include "abi/evidence.h"
#include "abi/hostkey.h"

#define SECRET      32
#define PATIENCE    SECONDS(60)
#define LOCALITY    2
#define FLUSHES     5

/* In the creation data; another purpose, another text. */
static const uint8_t purpose[] = "Cloister host key 1";

enum step {
    STEP_primary,
    STEP_session,
    STEP_locality,
    STEP_pcr,
    STEP_digest,
    STEP_seal,
    STEP_load,
    STEP_check,
    STEP_unseal,
    STEP_clean,                 /* flushes what there is, then ends */
};

static const uint8_t create_steps[] = {
    STEP_primary, STEP_session, STEP_locality, STEP_pcr, STEP_digest,
    STEP_seal, STEP_clean,
};

static const uint8_t load_steps[] = {
    STEP_primary, STEP_load, STEP_check, STEP_session, STEP_locality,
    STEP_pcr, STEP_unseal, STEP_clean,
};

/* After these nobody else may have a turn. */
static bool holds(enum step s)
{
    switch ( s )
    {
    case STEP_load:
    case STEP_check:
    case STEP_session:
    case STEP_locality:
    case STEP_pcr:
        return true;

    default:
        return false;
    }
}

static DEFINE_SPINLOCK(key_lock);

/* Protected by key_lock. */
static struct {
    const uint8_t *steps;       /* NULL: nothing is going on */
    unsigned int at;
    int result;                 /* of the sequence so far */
    bool over;                  /* ... which nobody has asked for yet */
    uint32_t primary, session, object;  /* handles, 0: none */
    unsigned int flushes;       /* that the TPM did not answer */
    uint8_t policy[CL_TPM2_DIGEST];
    uint8_t secret[SECRET];     /* not accepted before the end */
    uint8_t hash[CL_TPM2_DIGEST];
    s_time_t deadline;          /* for whoever waits, 0: nobody yet */
} job;

static uint8_t blob[CLOISTER_HOSTKEY_MAX];
static uint32_t blob_size;
static uint8_t host_secret[SECRET];
static bool have_secret;

static bool creating(void)
{
    return job.steps == create_steps;
}

/* ---- The blob ----------------------------------------------------------- */

/* Whole and well-formed, or -EBADMSG; part i of it. */
static int part(unsigned int i, struct cl_tpm2_slice *out)
{
    struct cloister_hostkey_blob h;
    size_t at = sizeof(h), start = 0;
    unsigned int n;

    *out = (struct cl_tpm2_slice){};
    if ( blob_size < sizeof(h) )
        return -EBADMSG;
    memcpy(&h, blob, sizeof(h));
    if ( memcmp(h.signature, CLOISTER_HOSTKEY_SIGNATURE,
                sizeof(h.signature)) ||
         h.revision != CLOISTER_HOSTKEY_REVISION || h.length != blob_size )
        return -EBADMSG;

    for ( n = 0; n < CLOISTER_HOSTKEY_PARTS; n++ )
    {
        if ( n == i )
            start = at;
        at += h.part[n];
    }
    if ( at != blob_size )
        return -EBADMSG;
    *out = (struct cl_tpm2_slice){ blob + start, h.part[i] };

    return 0;
}

static int make_blob(const struct cl_tpm2_created *c)
{
    const struct cl_tpm2_slice parts[CLOISTER_HOSTKEY_PARTS] = {
        c->private, c->public, c->creation, c->ticket
    };
    struct cloister_hostkey_blob h = {
        .revision = CLOISTER_HOSTKEY_REVISION,
    };
    size_t at = sizeof(h);
    unsigned int n;

    memcpy(h.signature, CLOISTER_HOSTKEY_SIGNATURE, sizeof(h.signature));
    for ( n = 0; n < CLOISTER_HOSTKEY_PARTS; n++ )
    {
        if ( parts[n].len > sizeof(blob) - at )
            return -ENOSPC;
        memcpy(blob + at, parts[n].p, parts[n].len);
        h.part[n] = parts[n].len;
        at += parts[n].len;
    }
    h.length = at;
    memcpy(blob, &h, sizeof(h));
    blob_size = at;

    return 0;
}

/* Made by Xen, for this purpose, and the PCRs that it was made with. */
static int creation(struct cl_tpm2_creation *c)
{
    struct cl_tpm2_slice s;
    int rc = part(2, &s) ?: cl_tpm2_creation_parse(s, c);

    if ( rc )
        return rc;

    return c->locality == 1U << LOCALITY && c->mask == cloister_key_pcrs &&
                   c->pcr_digest.len == CL_TPM2_DIGEST &&
                   c->info.len == sizeof(purpose) &&
                   !memcmp(c->info.p, purpose, sizeof(purpose))
               ? 0 : -EBADMSG;
}

/* ---- One command each --------------------------------------------------- */

static size_t seal_cmd(uint8_t *buf, size_t cap)
{
    struct cl_tpm2_seal s = {
        .parent = job.primary,
        .data = { job.secret, SECRET },
        .info = { purpose, sizeof(purpose) },
        .mask = cloister_key_pcrs,
    };

    memcpy(s.policy, job.policy, sizeof(s.policy));

    return cl_tpm2_seal_cmd(buf, cap, &s);
}

static size_t load_cmd(uint8_t *buf, size_t cap)
{
    struct cl_tpm2_slice private, public;

    part(0, &private);
    part(1, &public);

    return cl_tpm2_load_cmd(buf, cap, job.primary, private, public);
}

static size_t check_cmd(uint8_t *buf, size_t cap)
{
    struct cl_tpm2_slice data, ticket;

    part(2, &data);
    part(3, &ticket);
    sha2_256_digest(job.hash, data.p, data.len);

    return cl_tpm2_check_creation_cmd(
        buf, cap, job.object,
        (struct cl_tpm2_slice){ job.hash, sizeof(job.hash) }, ticket);
}

/* To be created: as they are now.  Else: as they were then. */
static size_t pcr_cmd(uint8_t *buf, size_t cap)
{
    struct cl_tpm2_creation c = {};

    if ( !creating() )
        creation(&c);

    return cl_tpm2_policy_pcr_cmd(buf, cap, job.session, cloister_key_pcrs,
                                  c.pcr_digest);
}

static size_t clean_cmd(uint8_t *buf, size_t cap)
{
    uint32_t handle = job.session ?: job.object ?: job.primary;

    return handle ? cl_tpm2_flush_cmd(buf, cap, handle) : 0;
}

static size_t step_cmd(enum step s, uint8_t *buf, size_t cap)
{
    switch ( s )
    {
    case STEP_primary:
        return cl_tpm2_create_primary_cmd(buf, cap, CL_TPM2_RH_OWNER);
    case STEP_session:
        /* The nonce is not used for anything. */
        return cl_tpm2_start_policy_cmd(buf, cap, creating(), purpose);
    case STEP_locality:
        return cl_tpm2_policy_locality_cmd(buf, cap, job.session, LOCALITY);
    case STEP_pcr:
        return pcr_cmd(buf, cap);
    case STEP_digest:
        return cl_tpm2_policy_digest_cmd(buf, cap, job.session);
    case STEP_seal:
        return seal_cmd(buf, cap);
    case STEP_load:
        return load_cmd(buf, cap);
    case STEP_check:
        return check_cmd(buf, cap);
    case STEP_unseal:
        return cl_tpm2_unseal_cmd(buf, cap, job.object, job.session);
    case STEP_clean:
        break;
    }

    return clean_cmd(buf, cap);
}

static int seal_rsp(const uint8_t *rsp, size_t len)
{
    struct cl_tpm2_created c;

    return cl_tpm2_seal_rsp(rsp, len, &c) ?: make_blob(&c);
}

static int unseal_rsp(const uint8_t *rsp, size_t len)
{
    size_t got;
    int rc = cl_tpm2_unseal_rsp(rsp, len, job.secret, SECRET, &got);

    return rc ?: got == SECRET ? 0 : -EBADMSG;
}

static int clean_rsp(const uint8_t *rsp, size_t len)
{
    uint32_t *handle = job.session ? &job.session
                       : job.object ? &job.object : &job.primary;
    int rc = cl_tpm2_empty_rsp(rsp, len, false);

    /* What stays in the TPM is room that is missing next time. */
    if ( !len && job.flushes++ < FLUSHES )
        return rc;
    if ( rc != -EAGAIN )
        *handle = 0;

    return rc == -EAGAIN ? rc : 0;
}

static int step_rsp(enum step s, const uint8_t *rsp, size_t len)
{
    switch ( s )
    {
    case STEP_primary:
        return cl_tpm2_create_primary_rsp(rsp, len, &job.primary);
    case STEP_session:
        return cl_tpm2_start_policy_rsp(rsp, len, &job.session);
    case STEP_locality:
    case STEP_pcr:
        return cl_tpm2_empty_rsp(rsp, len, false);
    case STEP_digest:
        return cl_tpm2_policy_digest_rsp(rsp, len, job.policy);
    case STEP_seal:
        return seal_rsp(rsp, len);
    case STEP_load:
        return cl_tpm2_load_rsp(rsp, len, &job.object);
    case STEP_check:
        return cl_tpm2_check_creation_rsp(rsp, len);
    case STEP_unseal:
        return unseal_rsp(rsp, len);
    case STEP_clean:
        break;
    }

    return clean_rsp(rsp, len);
}

/* What it means that the TPM said no. */
static int refusal(enum step s)
{
    switch ( s )
    {
    case STEP_load:             /* of another TPM, or cleared since */
        return -ENXIO;
    case STEP_check:
        return -EBADMSG;
    case STEP_pcr:              /* another firmware, boot loader or Xen */
    case STEP_unseal:
        return -EACCES;
    default:
        return -EIO;
    }
}

/* ---- The sequence ------------------------------------------------------- */

static void end_job(void)
{
    if ( !job.result )
    {
        memcpy(host_secret, job.secret, SECRET);
        have_secret = true;
    }
    cl_wipe(job.secret, SECRET);
    job.steps = NULL;
    job.over = true;
    printk("Cloister: host key: %s (%d)\n",
           job.result ? "none" : "ready", job.result);
}

static void go_to(enum step s)
{
    while ( job.steps[job.at] != s )
        job.at++;
}

static size_t cf_check hostkey_cmd(uint8_t *buf, size_t cap, bool *hold)
{
    enum step s;
    size_t len = 0;

    spin_lock(&key_lock);
    /* PCR 21 is part of the policy. */
    if ( job.steps && (job.at || cloister_events_settled()) )
    {
        s = job.steps[job.at];
        len = step_cmd(s, buf, cap);
        *hold = holds(s);
        if ( !len && s == STEP_clean )
            end_job();
        else if ( !len )        /* does not fit: not a blob of ours */
        {
            job.result = -EBADMSG;
            go_to(STEP_clean);
            len = step_cmd(STEP_clean, buf, cap);
            *hold = false;
        }
    }
    spin_unlock(&key_lock);

    return len;
}

/* Not the TPM's fault when it says no; when it does not answer it is. */
static int cf_check hostkey_rsp(const uint8_t *rsp, size_t len)
{
    enum step s;
    int rc;

    spin_lock(&key_lock);
    s = job.steps[job.at];
    rc = step_rsp(s, rsp, len);
    if ( rc && rc != -EAGAIN )
    {
        job.result = job.result ?: rc == -EIO ? refusal(s) : rc;
        go_to(STEP_clean);
    }
    else if ( !rc && s != STEP_clean )
        job.at++;
    spin_unlock(&key_lock);

    return len && rc == -EIO ? 0 : rc;
}

const struct cloister_tpm_work cloister_hostkey_work = {
    .cmd = hostkey_cmd,
    .rsp = hostkey_rsp,
};

/* ---- What others ask ---------------------------------------------------- */

bool cloister_host_key(uint8_t out[32], const char *what)
{
    struct {
        uint8_t secret[SECRET];
        char what[32];
    } in = {};
    bool have;

    safe_strcpy(in.what, what);
    spin_lock(&key_lock);
    have = have_secret;
    memcpy(in.secret, host_secret, SECRET);
    spin_unlock(&key_lock);

    if ( have )
        sha2_256_digest(out, &in, sizeof(in));
    cl_wipe(&in, sizeof(in));

    return have;
}

void cloister_hostkey_wipe(void)
{
    have_secret = false;
    cl_wipe(host_secret, SECRET);
    cl_wipe(job.secret, SECRET);
}

/* Once. */
static bool expired(void)
{
    if ( NOW() <= job.deadline )
        return false;
    job.deadline = 0;

    return true;
}

/* Under key_lock. */
static int start(const struct cloister_hostkey *k)
{
    struct cl_tpm2_creation c;
    const uint8_t *steps = k->action == CLOISTER_HOSTKEY_create ? create_steps
                                                                : load_steps;

    if ( have_secret )
        return -EEXIST;
    if ( !cloister_tpm_present() )
        return -ENODEV;

    /* The deadline is from the first attempt on: random numbers take time. */
    memset(&job, 0, offsetof(typeof(job), deadline));
    job.deadline = job.deadline ?: NOW() + PATIENCE;
    blob_size = 0;
    if ( steps == create_steps )
    {
        if ( cloister_key_random(job.secret, 0) )
            return expired() ? -ETIMEDOUT : -ERESTART;
    }
    else
    {
        if ( k->length > sizeof(blob) )
            return -EBADMSG;
        memcpy(blob, k->blob, k->length);
        blob_size = k->length;
        if ( creation(&c) )
            return -EBADMSG;
    }
    job.steps = steps;

    return -ERESTART;
}

/* The caller comes back until the sequence is over. */
static int progress(const struct cloister_hostkey *k)
{
    if ( job.over )
    {
        job.over = false;
        job.deadline = 0;
        return job.result;
    }
    if ( !job.steps )
        return start(k);
    job.deadline = job.deadline ?: NOW() + PATIENCE;

    return expired() ? -ETIMEDOUT : -ERESTART;
}

int cloister_hostkey_op(struct cloister_hostkey *k)
{
    int rc = 0;

    if ( k->action > CLOISTER_HOSTKEY_create )
        return -EOPNOTSUPP;

    spin_lock(&key_lock);
    if ( k->action != CLOISTER_HOSTKEY_get )
        rc = progress(k);
    if ( !rc )
    {
        k->state = have_secret;
        k->length = have_secret ? blob_size : 0;
        memset(k->blob, 0, sizeof(k->blob));
        memcpy(k->blob, blob, k->length);
    }
    spin_unlock(&key_lock);

    if ( rc == -ERESTART )
    {
        cloister_tpm_kick();
        raise_softirq(SCHEDULE_SOFTIRQ);
    }

    return rc;
}
