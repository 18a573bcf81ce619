/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of domains, from xenstore; see domains.h. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "domains.h"

/* A value of a domain's folder, to be freed; NULL if there is none. */
static char *read_value(struct xs_handle *xs, unsigned int id,
                        const char *leaf)
{
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%u/%s", id, leaf);

    return xs_read(xs, XBT_NULL, path, NULL);
}

/* Names come from dom0's toolstack; no control characters in our output. */
static void clean(char *name)
{
    for ( ; *name; name++ )
    {
        if ( iscntrl((unsigned char)*name) )
            *name = '?';
    }
}

static int read_domain(struct xs_handle *xs, unsigned int id,
                       struct domain *out)
{
    static const char prefix[] = "/vm/";
    char *name = read_value(xs, id, "name");
    char *vm = read_value(xs, id, "vm");

    out->id = id;
    out->uuid[0] = '\0';
    if ( vm && !strncmp(vm, prefix, strlen(prefix)) )
        domain_spec_is_uuid(vm + strlen(prefix), out->uuid);
    free(vm);

    out->name = name ? name : strdup("");
    if ( !out->name )
        return -ENOMEM;
    clean(out->name);

    return 0;
}

static int by_rising_id(const void *a, const void *b)
{
    const struct domain *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static int read_all(struct xs_handle *xs, char **ids, unsigned int count,
                    struct domains *out)
{
    out->list = calloc(count + 1, sizeof(*out->list));
    if ( !out->list )
        return -ENOMEM;

    for ( unsigned int i = 0; i < count; i++ )
    {
        unsigned int id;

        if ( !domain_spec_is_id(ids[i], &id) )
            continue;
        if ( read_domain(xs, id, &out->list[out->count]) )
            return -ENOMEM;
        out->count++;
    }

    qsort(out->list, out->count, sizeof(*out->list), by_rising_id);

    return 0;
}

int domains_load(struct domains *out)
{
    struct xs_handle *xs = xs_open(0);
    unsigned int count = 0;
    char **ids;
    int rc;

    *out = (struct domains){0};
    if ( !xs )
        return -errno;

    ids = xs_directory(xs, XBT_NULL, "/local/domain", &count);
    rc = ids ? read_all(xs, ids, count, out) : -errno;
    if ( rc )
        domains_free(out);

    free(ids);
    xs_close(xs);

    return rc;
}
