/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host key: a secret that the TPM gives to this Xen only, on this host, in
 * every boot (abi/hostkey.h).  It is made, or taken from what dom0 has kept.
 */

#include <xen/init.h>
#include <xen/param.h>
#include <xen/sched.h>
#include <xen/sha2.h>
#include <xen/softirq.h>

#include <cloister/wipe.h>

#include "private.h"

#include "abi/hostkey.h"

#define SECRET      32
#define PATIENCE    SECONDS(60)
#define LOCALITY    2

/*
 * PCRs to which the host key is bound: firmware and its drivers (0, 2), boot
 * loader (4, and what GRUB measures: 8, 9), Secure Boot's policy (7), and
 * Cloister itself (21).
 */
#define PCRS_DEFAULT \
    (1U << 0 | 1U << 2 | 1U << 4 | 1U << 7 | 1U << 8 | 1U << 9 | 1U << 21)

/*
 * Not 22 and 23, which change from launch to launch, nor 16, which anybody can
 * reset.
 */
#define PCRS_STEADY 0x3effff

/* 17 to 20 are the same in every boot, as there is no dynamic launch. */
#define PCRS_TELLING (0xffff | 1U << 21)

unsigned int __ro_after_init cloister_key_pcrs = PCRS_DEFAULT;
integer_param("cloister-pcrs", cloister_key_pcrs);

/* In the creation data; another purpose, another text. */
static const uint8_t purpose[] = "Cloister host key 1";

static const uint8_t create_steps[] = {
    CLOISTER_STEP_primary, CLOISTER_STEP_trial, CLOISTER_STEP_locality,
    CLOISTER_STEP_pcr, CLOISTER_STEP_digest, CLOISTER_STEP_seal,
    CLOISTER_STEP_clean,
};

static const uint8_t load_steps[] = {
    CLOISTER_STEP_primary, CLOISTER_STEP_session, CLOISTER_STEP_locality,
    CLOISTER_STEP_pcr, CLOISTER_STEP_load, CLOISTER_STEP_check,
    CLOISTER_STEP_unseal, CLOISTER_STEP_clean,
};

/* Protected by cloister_sequence_lock. */
static struct cloister_sequence job;
static bool begun;              /* its result is still to be asked for */
static s_time_t deadline;       /* for whoever waits, 0: nobody yet */
static uint8_t hash[CL_TPM2_DIGEST];
static uint8_t blob[CLOISTER_HOSTKEY_MAX];
static uint32_t blob_size;
static uint8_t host_secret[SECRET];
static bool have_secret;

/*
 * A key that is bound to no PCR, or to those only that say nothing, is anybody's
 * who boots this host; and the TPM has no creation data to tell one from another.
 */
void __init cloister_hostkey_init(void)
{
    unsigned int pcrs = cloister_key_pcrs & PCRS_STEADY;

    if ( !(pcrs & PCRS_TELLING) )
    {
        printk(XENLOG_ERR
               "Cloister: cloister-pcrs=%#x: refused, as the host key must be"
               " bound to a PCR of 0 to 15, or to 21; the default is used: %#x\n",
               cloister_key_pcrs, PCRS_DEFAULT);
        pcrs = PCRS_DEFAULT;
    }
    cloister_key_pcrs = pcrs;
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

static int seal_rsp(const uint8_t *rsp, size_t len)
{
    struct cl_tpm2_created c;

    return cl_tpm2_seal_rsp(rsp, len, &c) ?: make_blob(&c);
}

/* ---- What others ask ---------------------------------------------------- */

bool cloister_host_key(uint8_t out[32], const char *what)
{
    struct {
        uint8_t secret[SECRET];
        char what[32];
    } in = {};
    bool have;

    safe_strcpy(in.what, what);
    spin_lock(&cloister_sequence_lock);
    have = have_secret;
    memcpy(in.secret, host_secret, SECRET);
    spin_unlock(&cloister_sequence_lock);

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
    if ( NOW() <= deadline )
        return false;
    deadline = 0;

    return true;
}

static int prepare_create(void)
{
    job = (struct cloister_sequence){
        .steps = create_steps,
        .mask = cloister_key_pcrs,
        .data = { purpose, sizeof(purpose) },
        .size = SECRET,
        .take = seal_rsp,
    };
    blob_size = 0;

    return cloister_key_random(job.secret, 0) ? -ERESTART : 0;
}

static int prepare_load(const struct cloister_hostkey *k)
{
    struct cl_tpm2_creation c;
    struct cl_tpm2_slice data;

    if ( k->length > sizeof(blob) )
        return -EBADMSG;
    memcpy(blob, k->blob, k->length);
    blob_size = k->length;
    if ( creation(&c) )
        return -EBADMSG;

    job = (struct cloister_sequence){
        .steps = load_steps,
        .mask = cloister_key_pcrs,
        .pcrs = c.pcr_digest,   /* as they were when it was made */
        .hash = { hash, sizeof(hash) },
    };
    part(0, &job.private);
    part(1, &job.public);
    part(2, &data);
    part(3, &job.ticket);
    sha2_256_digest(hash, data.p, data.len);

    return 0;
}

/* Under the lock, like what follows. */
static int start(const struct cloister_hostkey *k)
{
    int rc;

    if ( have_secret )
        return -EEXIST;
    if ( !cloister_tpm_present() )
        return -ENODEV;

    /* The deadline is from the first attempt on: random numbers take time. */
    deadline = deadline ?: NOW() + PATIENCE;
    rc = k->action == CLOISTER_HOSTKEY_create ? prepare_create()
                                              : prepare_load(k);
    if ( !rc )
    {
        rc = cloister_sequence_start(&job, false);
        begun = !rc;
        rc = !rc || rc == -EAGAIN ? -ERESTART : rc;
    }

    return rc == -ERESTART && expired() ? -ETIMEDOUT : rc;
}

static int finish(void)
{
    begun = false;
    deadline = 0;
    if ( !job.result && job.size != SECRET )
        job.result = -EBADMSG;
    if ( !job.result )
    {
        memcpy(host_secret, job.secret, SECRET);
        have_secret = true;
    }
    cl_wipe(job.secret, sizeof(job.secret));
    printk("Cloister: host key: %s (%d)\n",
           job.result ? "none" : "ready", job.result);

    return job.result;
}

/* The caller comes back until the sequence is over. */
static int progress(const struct cloister_hostkey *k)
{
    if ( !begun )
        return start(k);
    if ( !job.running )
        return finish();
    deadline = deadline ?: NOW() + PATIENCE;

    return expired() ? -ETIMEDOUT : -ERESTART;
}

int cloister_hostkey_op(struct cloister_hostkey *k)
{
    int rc = 0;

    if ( k->action > CLOISTER_HOSTKEY_create )
        return -EOPNOTSUPP;
    if ( k->action != CLOISTER_HOSTKEY_get )
        cloister_request_overwrite();

    spin_lock(&cloister_sequence_lock);
    if ( k->action != CLOISTER_HOSTKEY_get )
        rc = progress(k);
    if ( !rc )
    {
        k->state = have_secret;
        k->length = have_secret ? blob_size : 0;
        memset(k->blob, 0, sizeof(k->blob));
        memcpy(k->blob, blob, k->length);
    }
    spin_unlock(&cloister_sequence_lock);

    /* The random numbers, too, are the TPM's. */
    if ( rc == -ERESTART )
    {
        cloister_tpm_kick();
        raise_softirq(SCHEDULE_SOFTIRQ);
    }

    return rc;
}
