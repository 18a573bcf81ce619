/* SPDX-License-Identifier: BSD-2-Clause */
/* Cloister's hypercall: its commands; see hyp.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hyp.h"
#include "output.h"

int hyp_host(struct hyp *hyp, struct cloister_host *out)
{
    struct cloister_host arg = {.revision = CLOISTER_ABI_REVISION};
    int rc = hyp_call(hyp, CLOISTER_OP_host, &arg, sizeof(arg));

    if ( !rc )
        *out = arg;

    return rc;
}

int hyp_domain(struct hyp *hyp, unsigned int domid,
               struct cloister_domain_info *out)
{
    struct cloister_domain_info arg = {
        .revision = CLOISTER_ABI_REVISION,
        .domid = domid,
    };
    int rc = hyp_call(hyp, CLOISTER_OP_domain, &arg, sizeof(arg));

    if ( !rc )
        *out = arg;

    return rc;
}

int hyp_refusal(struct hyp *hyp, uint64_t number, struct cloister_refusal *out)
{
    struct cloister_refusal arg = {
        .revision = CLOISTER_ABI_REVISION,
        .number = number,
    };
    int rc = hyp_call(hyp, CLOISTER_OP_refusal, &arg, sizeof(arg));

    if ( !rc )
        *out = arg;

    return rc;
}

int hyp_ledger(struct hyp *hyp, uint64_t number, struct cloister_ledger *out)
{
    struct cloister_ledger arg = {
        .revision = CLOISTER_ABI_REVISION,
        .number = number,
    };
    int rc = hyp_call(hyp, CLOISTER_OP_ledger, &arg, sizeof(arg));

    if ( !rc )
        *out = arg;

    return rc;
}

int hyp_counts(struct hyp *hyp, unsigned int domid,
               struct cloister_counts *out)
{
    struct cloister_counts arg = {
        .revision = CLOISTER_ABI_REVISION,
        .domid = domid,
    };
    int rc = hyp_call(hyp, CLOISTER_OP_counts, &arg, sizeof(arg));

    if ( !rc )
        *out = arg;

    return rc;
}

int hyp_protect(struct hyp *hyp, unsigned int domid, bool off)
{
    struct cloister_protect arg = {
        .revision = CLOISTER_ABI_REVISION,
        .domid = domid,
        .off = off,
    };

    return hyp_call(hyp, CLOISTER_OP_protect, &arg, sizeof(arg));
}

int hyp_net_host(struct hyp *hyp, struct cloister_net_host *out)
{
    struct cloister_net_host arg = {.revision = CLOISTER_ABI_REVISION};
    int rc = hyp_call(hyp, CLOISTER_OP_net_host, &arg, sizeof(arg));

    if ( !rc )
        *out = arg;

    return rc;
}

int hyp_net_port(struct hyp *hyp, unsigned int domid,
                 struct cloister_net_port *out)
{
    struct cloister_net_port arg = {
        .revision = CLOISTER_ABI_REVISION,
        .domid = domid,
    };
    int rc = hyp_call(hyp, CLOISTER_OP_net_port, &arg, sizeof(arg));

    if ( !rc )
        *out = arg;

    return rc;
}

int hyp_net_set(struct hyp *hyp, struct cloister_net_set *set)
{
    set->revision = CLOISTER_ABI_REVISION;

    return hyp_call(hyp, CLOISTER_OP_net_set, set, sizeof(*set));
}

static int log_part(struct hyp *hyp, struct cloister_log *arg)
{
    arg->revision = CLOISTER_ABI_REVISION;

    return hyp_call(hyp, CLOISTER_OP_log, arg, sizeof(*arg));
}

/* Once: -EAGAIN if the log has become another meanwhile. */
static int read_log(struct hyp *hyp, unsigned int domid, struct evlog *out)
{
    struct cloister_log arg = {.domid = domid};
    uint64_t generation, total;
    int rc = log_part(hyp, &arg);

    if ( rc )
        return rc;
    generation = arg.generation;
    total = arg.total;
    if ( total > EVLOG_MAX )
        return -EFBIG;
    out->bytes = malloc(total + 1);
    if ( !out->bytes )
        return -ENOMEM;

    while ( !rc && out->size < total )
    {
        arg.offset = out->size;
        rc = log_part(hyp, &arg);
        if ( !rc && (arg.generation != generation || !arg.length ||
                     arg.length > sizeof(arg.data)) )
            rc = -EAGAIN;
        if ( rc )
            break;
        if ( arg.length > total - out->size )
            arg.length = total - out->size;
        memcpy(out->bytes + out->size, arg.data, arg.length);
        out->size += arg.length;
    }

    return rc;
}

int hyp_log(struct hyp *hyp, unsigned int domid, struct evlog *out)
{
    int rc = -EAGAIN;

    for ( unsigned int tries = 0; rc == -EAGAIN && tries < 10; tries++ )
    {
        *out = (struct evlog){0};
        rc = read_log(hyp, domid, out);
        if ( rc )
            evlog_free(out);
    }

    return rc;
}

int hyp_hostkey(struct hyp *hyp, struct cloister_hostkey *key)
{
    key->revision = CLOISTER_ABI_REVISION;

    return hyp_call(hyp, CLOISTER_OP_hostkey, key, sizeof(*key));
}

/* Whoever sets the clock (a guest's is, early in its boot) changes no wait. */
static time_t seconds_up(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);

    return now.tv_sec;
}

/* Again and again while it fails with err, at most for so many seconds. */
static int call_until(struct hyp *hyp, unsigned int op, void *arg, size_t size,
                      int err, unsigned int seconds)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    time_t end = seconds_up() + seconds;
    int rc;

    while ( (rc = hyp_call(hyp, op, arg, size)) == err &&
            seconds_up() < end )
        nanosleep(&pause, NULL);

    return rc;
}

/* Much longer than a TPM that works needs. */
#define TPM_PATIENCE 60

int hyp_provision(struct hyp *hyp, struct cloister_provision *p)
{
    int rc;

    p->revision = CLOISTER_ABI_REVISION;
    rc = call_until(hyp, CLOISTER_OP_provision, p, sizeof(*p), -EAGAIN,
                    TPM_PATIENCE);

    return rc == -EAGAIN ? -ETIMEDOUT : rc;
}

int hyp_secret(struct hyp *hyp, unsigned int seconds,
               struct cloister_secret *out)
{
    out->revision = CLOISTER_ABI_REVISION;

    return call_until(hyp, CLOISTER_OP_secret, out, sizeof(*out), -ENOENT,
                      seconds);
}

int hyp_report(struct hyp *hyp, struct cloister_report *r)
{
    int rc;

    r->revision = CLOISTER_ABI_REVISION;
    rc = call_until(hyp, CLOISTER_OP_report, r, sizeof(*r), -EAGAIN,
                    TPM_PATIENCE);

    return rc == -EAGAIN ? -ETIMEDOUT : rc;
}

int hyp_images(struct hyp *hyp, struct cloister_images *op, void *data)
{
    op->revision = CLOISTER_ABI_REVISION;

    return hyp_call_with(hyp, CLOISTER_OP_images, op, sizeof(*op), &op->buffer,
                     &op->length, data, op->action == CLOISTER_IMAGES_load);
}

int hyp_migrate(struct hyp *hyp, struct cloister_migrate *m)
{
    m->revision = CLOISTER_ABI_REVISION;

    return hyp_call(hyp, CLOISTER_OP_migrate, m, sizeof(*m));
}

int hyp_dump(struct hyp *hyp, struct cloister_dump *op, void *record)
{
    op->revision = CLOISTER_ABI_REVISION;

    return hyp_call_with(hyp, CLOISTER_OP_dump, op, sizeof(*op), &op->buffer,
                     &op->length, record, false);
}

#define NO_XEN "no access to Xen: not running under it, or without its drivers"

static const struct failure
{
    int err;
    enum cli_exit status;
    const char *text;
} failures[] = {
    {ENOSYS, CLI_UNREACHABLE,
     "this Xen has no Cloister (boot the one that `make xen` builds)"},
    {ENOENT, CLI_UNREACHABLE, NO_XEN},
    {ENXIO, CLI_UNREACHABLE, NO_XEN},
    {ENODEV, CLI_UNREACHABLE, NO_XEN},
    {EACCES, CLI_UNREACHABLE, "no access to Xen: must be run as root"},
    {EPERM, CLI_UNREACHABLE,
     "no access to Cloister: must be run as root in dom0"},
    {EOPNOTSUPP, CLI_UNSUPPORTED,
     "the Cloister in this Xen and this command are of different versions"},
    {ESRCH, CLI_FAILURE, "no such domain"},
    {EBUSY, CLI_FAILURE,
     "too late, it has run or is sealed (use xl create -p, protect, then "
     "xl unpause)"},
};

enum cli_exit hyp_complain(int err, const char *what)
{
    for ( size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++ )
    {
        if ( failures[i].err != -err )
            continue;
        complain("%s: %s", what, failures[i].text);
        return failures[i].status;
    }

    complain("%s: %s", what, strerror(-err));

    return CLI_FAILURE;
}

enum cli_exit hyp_start(struct hyp **out, struct cloister_host *host)
{
    struct hyp *hyp = hyp_open();
    int rc = hyp ? hyp_host(hyp, host) : -errno;

    *out = NULL;
    if ( rc )
    {
        hyp_close(hyp);
        return hyp_complain(rc, "asking the hypervisor");
    }

    *out = hyp;

    return CLI_OK;
}
