/* SPDX-License-Identifier: BSD-2-Clause */
/* Cloister's hypercall, through libxencall. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xencall.h>
#include <xentoollog.h>

#include "hyp.h"
#include "output.h"

struct hyp
{
    xencall_handle *xcall;
};

/* hyp_complain says it better than the library would. */
static void discard(struct xentoollog_logger *logger, xentoollog_level level,
                    int errnoval, const char *context, const char *format,
                    va_list al)
{
    (void)logger;
    (void)level;
    (void)errnoval;
    (void)context;
    (void)format;
    (void)al;
}

static struct xentoollog_logger quiet = {.vmessage = discard};

struct hyp *hyp_open(void)
{
    struct hyp *hyp = calloc(1, sizeof(*hyp));

    if ( !hyp )
        return NULL;

    hyp->xcall = xencall_open(&quiet, XENCALL_OPENFLAG_NON_REENTRANT);
    if ( !hyp->xcall )
    {
        int saved = errno;

        free(hyp);
        errno = saved;
        return NULL;
    }

    return hyp;
}

void hyp_close(struct hyp *hyp)
{
    if ( !hyp )
        return;

    xencall_close(hyp->xcall);
    free(hyp);
}

/* arg is copied to memory that Xen can reach; back only upon success. */
static int call(struct hyp *hyp, unsigned int op, void *arg, size_t size)
{
    void *buf = xencall_alloc_buffer(hyp->xcall, size);
    int rc = 0;

    if ( !buf )
        return -ENOMEM;

    memcpy(buf, arg, size);
    if ( xencall2(hyp->xcall, CLOISTER_HYPERCALL, op, (uintptr_t)buf) < 0 )
        rc = -errno;
    else
        memcpy(arg, buf, size);

    xencall_free_buffer(hyp->xcall, buf);

    return rc;
}

int hyp_host(struct hyp *hyp, struct cloister_host *out)
{
    struct cloister_host arg = {.revision = CLOISTER_ABI_REVISION};
    int rc = call(hyp, CLOISTER_OP_host, &arg, sizeof(arg));

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
    int rc = call(hyp, CLOISTER_OP_domain, &arg, sizeof(arg));

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
    int rc = call(hyp, CLOISTER_OP_refusal, &arg, sizeof(arg));

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
    int rc = call(hyp, CLOISTER_OP_ledger, &arg, sizeof(arg));

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
    int rc = call(hyp, CLOISTER_OP_counts, &arg, sizeof(arg));

    if ( !rc )
        *out = arg;

    return rc;
}

int hyp_protect(struct hyp *hyp, unsigned int domid)
{
    struct cloister_protect arg = {
        .revision = CLOISTER_ABI_REVISION,
        .domid = domid,
    };

    return call(hyp, CLOISTER_OP_protect, &arg, sizeof(arg));
}

int hyp_net_host(struct hyp *hyp, struct cloister_net_host *out)
{
    struct cloister_net_host arg = {.revision = CLOISTER_ABI_REVISION};
    int rc = call(hyp, CLOISTER_OP_net_host, &arg, sizeof(arg));

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
    int rc = call(hyp, CLOISTER_OP_net_port, &arg, sizeof(arg));

    if ( !rc )
        *out = arg;

    return rc;
}

int hyp_net_set(struct hyp *hyp, struct cloister_net_set *set)
{
    set->revision = CLOISTER_ABI_REVISION;

    return call(hyp, CLOISTER_OP_net_set, set, sizeof(*set));
}

static int log_part(struct hyp *hyp, struct cloister_log *arg)
{
    arg->revision = CLOISTER_ABI_REVISION;

    return call(hyp, CLOISTER_OP_log, arg, sizeof(*arg));
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

    return call(hyp, CLOISTER_OP_hostkey, key, sizeof(*key));
}

/* With memory that Xen can reach for *length bytes at data, in or out. */
static int call_with(struct hyp *hyp, unsigned int op, void *arg, size_t size,
                     uint64_t *buffer, uint32_t *length, void *data, bool in)
{
    uint32_t room = *length;
    void *buf = xencall_alloc_buffer(hyp->xcall, room ? room : 1);
    int rc;

    if ( !buf )
        return -ENOMEM;

    *buffer = (uintptr_t)buf;
    if ( in )
        memcpy(buf, data, room);
    rc = call(hyp, op, arg, size);
    if ( !rc && !in && data )
        memcpy(data, buf, *length < room ? *length : room);
    xencall_free_buffer(hyp->xcall, buf);

    return rc;
}

int hyp_images(struct hyp *hyp, struct cloister_images *op, void *data)
{
    op->revision = CLOISTER_ABI_REVISION;

    return call_with(hyp, CLOISTER_OP_images, op, sizeof(*op), &op->buffer,
                     &op->length, data, op->action == CLOISTER_IMAGES_load);
}

int hyp_dump(struct hyp *hyp, struct cloister_dump *op, void *record)
{
    op->revision = CLOISTER_ABI_REVISION;

    return call_with(hyp, CLOISTER_OP_dump, op, sizeof(*op), &op->buffer,
                     &op->length, record, false);
}

#define NO_XEN "no access to Xen: not running under it, or not in dom0"

static const struct failure
{
    int err;
    enum cli_exit status;
    const char *text;
} failures[] = {
    {ENOSYS, CLI_UNREACHABLE,
     "this Xen has no Cloister (boot the one from the cloister package)"},
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
