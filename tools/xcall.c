/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to the hypervisor, through libxencall; see hyp.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xencall.h>
#include <xentoollog.h>

#include "hyp.h"

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

int hyp_call(struct hyp *hyp, unsigned int op, void *arg, size_t size)
{
    void *buf = xencall_alloc_buffer(hyp->xcall, size);
    int rc = 0;

    if ( !buf )
        return -ENOMEM;

    memcpy(buf, arg, size);
    if ( xencall2(hyp->xcall, CLOISTER_HYPERCALL, op, (uintptr_t)buf) < 0 )
        rc = -errno;
    /* Then it says how much there is. */
    if ( !rc || rc == -ENOBUFS )
        memcpy(arg, buf, size);

    xencall_free_buffer(hyp->xcall, buf);

    return rc;
}

int hyp_call_with(struct hyp *hyp, unsigned int op, void *arg, size_t size,
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
    rc = hyp_call(hyp, op, arg, size);
    if ( !rc && !in && data )
        memcpy(data, buf, *length < room ? *length : room);
    xencall_free_buffer(hyp->xcall, buf);

    return rc;
}
