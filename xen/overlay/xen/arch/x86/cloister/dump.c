/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The owner's dump (abi/dump.h): the guest's key, encrypted to the key that
 * its owner has named in what was measured, and a record of what the views that
 * dom0 has taken are.  The TPM does the RSA, one domain's at a time; the
 * locality is held so that nobody puts another key under the same handle.
 */

#include <xen/guest_access.h>
#include <xen/domain.h>
#include <xen/sched.h>
#include <xen/sha2.h>
#include <xen/softirq.h>
#include <xen/xvmalloc.h>

#include <cloister/tpm2.h>
#include <cloister/wipe.h>

#include "private.h"

#include "abi/dump.h"
#include "abi/evidence.h"

#define PATIENCE    SECONDS(20)
#define FLUSHES     5

enum step { STEP_load, STEP_encrypt, STEP_flush };

static DEFINE_SPINLOCK(dump_lock);

/* Protected by dump_lock. */
static struct {
    bool busy, over;
    enum step at;
    int result;
    uint8_t instance[16];       /* whose key */
    uint8_t key[CL_KEY_SIZE];
    uint8_t modulus[CL_TPM2_RSA];
    uint8_t wrapped[CL_TPM2_RSA];
    uint32_t handle;
    unsigned int flushes;
    s_time_t deadline;
} job;

/* ---- The TPM ---------------------------------------------------------------- */

static size_t step_cmd(uint8_t *buf, size_t cap)
{
    const struct cl_tpm2_slice key = { job.key, sizeof(job.key) };

    switch ( job.at )
    {
    case STEP_load:
        return cl_tpm2_load_rsa_cmd(buf, cap, job.modulus);
    case STEP_encrypt:
        return cl_tpm2_rsa_encrypt_cmd(buf, cap, job.handle, key);
    case STEP_flush:
        break;
    }

    return job.handle ? cl_tpm2_flush_cmd(buf, cap, job.handle) : 0;
}

static size_t cf_check dump_cmd(uint8_t *buf, size_t cap, bool *hold)
{
    size_t len = 0;

    spin_lock(&dump_lock);
    if ( job.busy )
    {
        if ( job.result )
            job.at = STEP_flush;        /* perhaps the guest's end, below */
        len = step_cmd(buf, cap);
        *hold = job.at == STEP_load;
        if ( !len )
        {
            cl_wipe(job.key, sizeof(job.key));
            job.busy = false;
            job.over = true;
        }
    }
    spin_unlock(&dump_lock);

    return len;
}

static int flush_rsp(const uint8_t *rsp, size_t len)
{
    int rc = cl_tpm2_empty_rsp(rsp, len, false);

    if ( !len && job.flushes++ < FLUSHES )
        return rc;
    if ( rc != -EAGAIN )
        job.handle = 0;

    return rc == -EAGAIN ? rc : 0;
}

static int cf_check dump_rsp(const uint8_t *rsp, size_t len)
{
    int rc;

    spin_lock(&dump_lock);
    rc = job.at == STEP_load ? cl_tpm2_load_rsa_rsp(rsp, len, &job.handle)
         : job.at == STEP_encrypt ? cl_tpm2_rsa_encrypt_rsp(rsp, len,
                                                            job.wrapped)
         : flush_rsp(rsp, len);
    /* -ENOTCONN: it was reset, and sessions and objects are gone. */
    if ( rc && rc != -EAGAIN )
    {
        job.result = job.result ?: rc;
        job.at = STEP_flush;
    }
    else if ( !rc && job.at != STEP_flush )
        job.at++;
    spin_unlock(&dump_lock);

    return len && rc == -EIO ? 0 : rc;
}

const struct cloister_tpm_work cloister_dump_work = {
    .cmd = dump_cmd,
    .rsp = dump_rsp,
};

void cloister_dump_wipe(void)
{
    cl_wipe(job.key, sizeof(job.key));
}

/*
 * What the TPM has been asked for it finishes, and nothing is asked any more;
 * a command with the key in it is wiped when it ends (tpm.c).
 */
void cloister_dump_drop(const struct cloister_domain *cd)
{
    spin_lock(&dump_lock);
    if ( job.busy &&
         !memcmp(job.instance, cd->instance, sizeof(job.instance)) )
    {
        cl_wipe(job.key, sizeof(job.key));
        job.result = job.result ?: -ESRCH;
    }
    spin_unlock(&dump_lock);
}

/* false: the guest is dying, and has none. */
static bool get_key(struct cloister_domain *cd)
{
    bool has;

    spin_lock(&cd->lock);
    has = cd->vm.key;
    if ( has )
        cl_key_raw(cd->vm.key, job.key);
    spin_unlock(&cd->lock);

    return has;
}

/* Under dump_lock: 0 and job.wrapped is this domain's; -ERESTART; -errno. */
static int wrap(struct cloister_domain *cd, const uint8_t *modulus)
{
    if ( job.over && !memcmp(job.instance, cd->instance, 16) &&
         !memcmp(job.modulus, modulus, sizeof(job.modulus)) )
    {
        job.over = false;
        return job.result;
    }
    if ( job.busy )
        return NOW() > job.deadline ? -ETIMEDOUT : -ERESTART;

    memset(&job, 0, sizeof(job));
    if ( !get_key(cd) )
        return -ESRCH;
    job.deadline = NOW() + PATIENCE;
    memcpy(job.instance, cd->instance, 16);
    memcpy(job.modulus, modulus, sizeof(job.modulus));
    job.busy = true;

    return -ERESTART;
}

/* ---- Whose it is ------------------------------------------------------------- */

/* The data of the first item of this type, as it was measured. */
static const uint8_t *find_item(const uint8_t *log, size_t size,
                                unsigned int type, uint32_t *len)
{
    size_t at = 0;

    while ( at <= size && size - at >= sizeof(struct cloister_item) )
    {
        const struct cloister_item *item = (const void *)(log + at);

        at += sizeof(*item);
        if ( item->length > size - at )
            break;
        *len = item->length;
        if ( item->type == type )
            return log + at;
        at += ROUNDUP(item->length, 8);
    }

    return NULL;
}

bool cloister_log_config(const uint8_t *log, size_t size,
                         struct cloister_launch_config *c)
{
    uint32_t len;
    const uint8_t *data = find_item(log, size, CLOISTER_ITEM_config, &len);

    if ( !data || len != sizeof(*c) )
        return false;
    memcpy(c, data, sizeof(*c));

    return true;
}

/* Anywhere on the page with the command line. */
bool cloister_log_names(const uint8_t *log, size_t size, const char *option,
                        const uint8_t value[32])
{
    const size_t known = strlen(option), whole = known + 64;
    const uint8_t *page;
    char text[85];
    uint32_t len, i;

    page = find_item(log, size, CLOISTER_ITEM_start, &len);
    if ( !page || whole >= sizeof(text) )
        return false;

    memcpy(text, option, known);
    for ( i = 0; i < 32; i++ )
        snprintf(text + known + 2 * i, 3, "%02x", value[i]);
    for ( i = 0; i + whole <= len; i++ )
        if ( !memcmp(page + i, text, whole) )
            return true;

    return false;
}

/* Does the guest's command line name this key? */
static bool is_owner(const struct cloister_domain *cd, const uint8_t *modulus)
{
    uint8_t digest[SHA2_256_DIGEST_SIZE];

    sha2_256_digest(digest, modulus, CL_TPM2_RSA);

    return cd->log && cloister_log_names(cd->log, cd->log_size,
                                         CLOISTER_DUMP_OPTION, digest);
}

/* ---- The hypercall ----------------------------------------------------------- */

static int write_record(struct domain *d, struct cloister_dump *op)
{
    XEN_GUEST_HANDLE(uint8) user;
    size_t room, length = 0;
    uint8_t *buf;
    int rc;

    set_xen_guest_handle_raw(user, (uint8_t *)op->buffer);
    domain_pause(d);
    room = cloister_record_room(d);
    buf = xvzalloc_array(uint8_t, room);
    rc = buf ? cloister_record_dump(d, buf, room, &length) : -ENOMEM;
    domain_unpause(d);

    if ( !rc && length > op->length )
        rc = -ENOBUFS;
    if ( !rc || rc == -ENOBUFS )
        op->length = length;
    if ( !rc && copy_to_guest(user, buf, length) )
        rc = -EFAULT;
    /* Half-made, it has state in the clear. */
    if ( rc && buf )
        cl_wipe(buf, room);
    xvfree(buf);

    return rc;
}

/* Before the TPM is troubled: 0; -E2BIG; -ENOBUFS, and op->length will do. */
static int check_room(struct domain *d, struct cloister_dump *op)
{
    size_t room = cloister_record_room(d);

    if ( !room )
    {
        cloister_refuse(d, CLOISTER_WHY_save_large, 0);
        return -E2BIG;
    }
    if ( op->length >= room )
        return 0;
    op->length = room;

    return -ENOBUFS;
}

/* Under the domctl lock. */
static int dump(struct domain *d, struct cloister_dump *op)
{
    struct cloister_domain *cd = d->arch.cloister;
    int rc;

    if ( !cd || cd->state != CLOISTER_DOM_sealed )
        return -EINVAL;
    if ( !is_owner(cd, op->modulus) )
        return -EACCES;
    if ( !cloister_tpm_present() )
        return -ENODEV;
    rc = check_room(d, op);
    if ( rc )
        return rc;

    spin_lock(&dump_lock);
    rc = wrap(cd, op->modulus);
    memcpy(op->wrapped, job.wrapped, sizeof(op->wrapped));
    spin_unlock(&dump_lock);

    return rc ?: write_record(d, op);
}

int cloister_dump_op(struct cloister_dump *op)
{
    struct domain *d = rcu_lock_domain_by_id(op->domid);
    int rc = -ERESTART;

    BUILD_BUG_ON(sizeof(op->modulus) != CL_TPM2_RSA);
    if ( !d )
        return -ESRCH;

    if ( domctl_lock_acquire() )
    {
        rc = dump(d, op);
        domctl_lock_release();
    }
    rcu_unlock_domain(d);
    if ( rc == -ERESTART )
    {
        cloister_tpm_kick();
        raise_softirq(SCHEDULE_SOFTIRQ);
    }

    return rc;
}
