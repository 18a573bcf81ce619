/* SPDX-License-Identifier: BSD-2-Clause */
/* On a machine without Xen's libraries: see hyp.h and domains.h. */
#include <errno.h>
#include <stddef.h>

#include "domains.h"
#include "hyp.h"

struct hyp *hyp_open(void)
{
    errno = ENOENT;

    return NULL;
}

void hyp_close(struct hyp *hyp)
{
    (void)hyp;
}

int hyp_call(struct hyp *hyp, unsigned int op, void *arg, size_t size)
{
    (void)hyp;
    (void)op;
    (void)arg;
    (void)size;

    return -ENOSYS;
}

int hyp_call_with(struct hyp *hyp, unsigned int op, void *arg, size_t size,
                  uint64_t *buffer, uint32_t *length, void *data, bool in)
{
    (void)buffer;
    (void)length;
    (void)data;
    (void)in;

    return hyp_call(hyp, op, arg, size);
}

int domains_load(struct domains *out)
{
    *out = (struct domains){0};

    return -ENOENT;
}
