/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A counter in the TPM, for promises that must end (images.c): whoever asks
 * for its value promises something for as long as it stands there.
 *
 * Only this Xen, at locality 2, can increment it.  dom0, which owns the TPM's
 * storage, can delete it, and define something else under the same index: so
 * what stands there is looked at each time (a counter that is defined again
 * begins above all that this TPM ever had: Part 1, "NV Counters"; an index that
 * is no counter, or is guarded by another policy, is not believed).  The
 * locality is held from the first command that relies on another to the last.
 */

#include <xen/sched.h>
#include <xen/sha2.h>
#include <xen/softirq.h>

#include <cloister/tpm2.h>

#include "private.h"

#define INDEX       0x0180c105u     /* Part 2, 7.2: the owner's range */
#define LOCALITY    2
#define PATIENCE    SECONDS(20)
#define FLUSHES     5
#define CC_POLICY_LOCALITY  0x16f

/* In this order; a job begins in the middle if that will do. */
enum step {
    STEP_define,                /* unless it is there */
    STEP_session,
    STEP_locality,
    STEP_increment,
    STEP_public,
    STEP_read,
    STEP_flush,
};

static DEFINE_SPINLOCK(counter_lock);

/* Protected by counter_lock. */
static struct {
    bool busy;
    enum step first, at;
    int result;                 /* so far */
    uint32_t session;           /* 0: none */
    unsigned int flushes;       /* that the TPM did not answer */
    uint64_t value;             /* not accepted before the end */
    s_time_t deadline;          /* for whoever waits */
} job;

static uint64_t value;          /* 0: not known */
static bool promised;           /* somebody may rely on this value */
static unsigned int passed;     /* how often it was incremented */
static int failed;              /* the last job, which nobody has heard of */

/* Part 3, 23.8: the digest of TPM2_PolicyLocality(locality 2). */
static void policy(uint8_t digest[CL_TPM2_DIGEST])
{
    const struct {
        uint8_t before[CL_TPM2_DIGEST];
        uint8_t code[4], locality;
    } in = {
        .code = { 0, 0, CC_POLICY_LOCALITY >> 8, CC_POLICY_LOCALITY & 0xff },
        .locality = 1 << LOCALITY,
    };

    sha2_256_digest(digest, &in, sizeof(in));
}

/* ---- One command each ----------------------------------------------------- */

static size_t step_cmd(uint8_t *buf, size_t cap)
{
    uint8_t digest[CL_TPM2_DIGEST];

    switch ( job.at )
    {
    case STEP_define:
        policy(digest);
        return cl_tpm2_nv_define_counter_cmd(buf, cap, INDEX, digest);
    case STEP_session:
        policy(digest);         /* a nonce, which nothing hangs on */
        return cl_tpm2_start_policy_cmd(buf, cap, false, digest);
    case STEP_locality:
        return cl_tpm2_policy_locality_cmd(buf, cap, job.session, LOCALITY);
    case STEP_increment:
        return cl_tpm2_nv_increment_cmd(buf, cap, INDEX, job.session);
    case STEP_public:
        return cl_tpm2_nv_public_cmd(buf, cap, INDEX);
    case STEP_read:
        return cl_tpm2_nv_read_cmd(buf, cap, INDEX);
    case STEP_flush:
        break;
    }

    return job.session ? cl_tpm2_flush_cmd(buf, cap, job.session) : 0;
}

static int flush_rsp(const uint8_t *rsp, size_t len)
{
    int rc = cl_tpm2_empty_rsp(rsp, len, false);

    /* What stays in the TPM is room that is missing next time. */
    if ( !len && job.flushes++ < FLUSHES )
        return rc;
    if ( rc != -EAGAIN )
        job.session = 0;

    return rc == -EAGAIN ? rc : 0;
}

static int step_rsp(const uint8_t *rsp, size_t len)
{
    uint8_t digest[CL_TPM2_DIGEST];
    int rc;

    switch ( job.at )
    {
    case STEP_define:           /* refused: it is there, or cannot be */
        rc = cl_tpm2_empty_rsp(rsp, len, true);
        return len && rc == -EIO ? 0 : rc;
    case STEP_session:
        return cl_tpm2_start_policy_rsp(rsp, len, &job.session);
    case STEP_locality:
        return cl_tpm2_empty_rsp(rsp, len, false);
    case STEP_increment:
        return cl_tpm2_empty_rsp(rsp, len, true);
    case STEP_public:
        policy(digest);
        return cl_tpm2_nv_counter_rsp(rsp, len, digest);
    case STEP_read:
        return cl_tpm2_nv_read_rsp(rsp, len, &job.value);
    case STEP_flush:
        break;
    }

    return flush_rsp(rsp, len);
}

/* ---- The sequence --------------------------------------------------------- */

static void start(enum step first)
{
    memset(&job, 0, sizeof(job));
    job.busy = true;
    job.first = job.at = first;
    job.deadline = NOW() + PATIENCE;
    failed = 0;
}

static void end_job(void)
{
    bool moved = job.first != STEP_public;

    job.busy = false;
    /* A counter that does not go up is none. */
    if ( !job.result && moved && job.value <= value )
        job.result = -EBADMSG;
    if ( job.result && !moved )
    {
        start(STEP_define);
        return;
    }
    failed = job.result;
    /* After a failure it may have moved: it is to be asked again. */
    value = job.result ? 0 : job.value;
    /* What was promised before this Xen started, counts, too. */
    promised = job.result ? promised : !moved;
    passed += moved && !job.result;
    if ( job.result )
        printk(XENLOG_G_WARNING "Cloister: the TPM's counter: error %d\n",
               job.result);
}

static size_t cf_check counter_cmd(uint8_t *buf, size_t cap, bool *hold)
{
    size_t len = 0;

    spin_lock(&counter_lock);
    if ( job.busy )
    {
        len = step_cmd(buf, cap);
        *hold = job.at >= STEP_session && job.at <= STEP_public;
        if ( !len )
            end_job();
    }
    spin_unlock(&counter_lock);

    return len;
}

/* Not the TPM's fault when it says no; when it does not answer it is. */
static int cf_check counter_rsp(const uint8_t *rsp, size_t len)
{
    int rc;

    spin_lock(&counter_lock);
    rc = step_rsp(rsp, len);
    /* -ENOTCONN: it was reset, and sessions and objects are gone. */
    if ( rc && rc != -EAGAIN )
    {
        job.result = job.result ?: rc;
        job.at = STEP_flush;
    }
    else if ( !rc && job.at != STEP_flush )
        job.at++;
    spin_unlock(&counter_lock);

    return len && (rc == -EIO || rc == -EBADMSG) ? 0 : rc;
}

const struct cloister_tpm_work cloister_counter_work = {
    .cmd = counter_cmd,
    .rsp = counter_rsp,
};

/* ---- What others ask ------------------------------------------------------ */

/* Under the lock: what to say to somebody who needs a job to be done. */
static int job_for(enum step first)
{
    int rc = failed;

    if ( !cloister_tpm_present() )
        return -ENODEV;
    if ( job.busy && NOW() <= job.deadline )
        return -ERESTART;
    if ( job.busy )             /* each waits that long */
    {
        job.deadline = NOW() + PATIENCE;
        return -ETIMEDOUT;
    }
    failed = 0;
    if ( rc )
        return rc;
    start(first);

    return -ERESTART;
}

static int come_back(int rc)
{
    if ( rc == -ERESTART )
    {
        cloister_tpm_kick();
        raise_softirq(SCHEDULE_SOFTIRQ);
    }

    return rc;
}

int cloister_counter_ready(void)
{
    int rc;

    spin_lock(&counter_lock);
    rc = value && !job.busy ? 0 : job_for(STEP_public);
    spin_unlock(&counter_lock);

    return come_back(rc);
}

uint64_t cloister_counter_promise(void)
{
    uint64_t v;

    spin_lock(&counter_lock);
    promised = true;
    v = value;
    spin_unlock(&counter_lock);

    return v;
}

uint64_t cloister_counter_value(void)
{
    return read_atomic(&value);
}

unsigned int cloister_counter_ticket(void)
{
    unsigned int ticket;

    spin_lock(&counter_lock);
    ticket = passed + promised;
    spin_unlock(&counter_lock);

    return ticket;
}

int cloister_counter_pass(unsigned int ticket)
{
    int rc;

    spin_lock(&counter_lock);
    rc = (int)(passed - ticket) >= 0 ? 0 : job_for(STEP_session);
    spin_unlock(&counter_lock);

    return come_back(rc);
}
