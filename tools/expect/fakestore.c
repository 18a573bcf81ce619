/* SPDX-License-Identifier: BSD-2-Clause */
/* A xenstore of make-believe: keys and values, no watches; see fake.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "fake.h"

struct node
{
    char *path;
    char *value;
    unsigned int size;
    struct node *next;
};

static struct node *nodes;
static int store;

static struct node *find(const char *path)
{
    struct node *n;

    for ( n = nodes; n && strcmp(n->path, path); n = n->next )
        ;

    return n;
}

static bool put(const char *path, const void *data, unsigned int size)
{
    struct node *n = find(path);

    if ( !n )
    {
        n = calloc(1, sizeof(*n));
        if ( !n )
            return false;
        n->path = strdup(path);
        n->next = nodes;
        nodes = n;
    }
    free(n->value);
    n->value = calloc(1, size + 1);
    if ( !n->value )
        return false;
    memcpy(n->value, data, size);
    n->size = size;

    return true;
}

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    put("/local/domain/0", "", 0);
    put("/local/domain/0/domid", "0", 1);
    put("/local/pool/0/name", "Pool-0", 6);

    return (void *)&store;
}

void xs_close(struct xs_handle *h)
{
    (void)h;
}

void xs_daemon_destroy_postfork(struct xs_handle *h)
{
    (void)h;
}

int xs_fileno(struct xs_handle *h)
{
    (void)h;

    return -1;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
                    unsigned int *num)
{
    (void)h;
    (void)t;
    (void)path;
    *num = 0;
    errno = ENOENT;

    return NULL;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
              unsigned int *len)
{
    struct node *n = find(path);
    char *copy;

    (void)h;
    (void)t;
    if ( !n )
    {
        errno = ENOENT;
        return NULL;
    }
    copy = malloc(n->size + 1);
    if ( copy )
        memcpy(copy, n->value, n->size + 1);
    if ( len )
        *len = n->size;

    return copy;
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
              const void *data, unsigned int len)
{
    (void)h;
    (void)t;

    return put(path, data, len);
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
    (void)h;
    (void)t;

    return find(path) || put(path, "", 0);
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
    (void)h;
    (void)t;
    (void)path;

    return true;
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t,
                        const char *path, struct xs_permissions *perms,
                        unsigned int num)
{
    (void)h;
    (void)t;
    (void)path;
    (void)perms;
    (void)num;

    return true;
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
    (void)h;

    return 1;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
    (void)h;
    (void)t;
    (void)abort;

    return true;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
    (void)h;
    (void)path;
    (void)token;

    return true;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
    (void)h;
    (void)path;
    (void)token;

    return true;
}

char **xs_check_watch(struct xs_handle *h)
{
    (void)h;
    errno = EAGAIN;

    return NULL;
}

char *xs_get_domain_path(struct xs_handle *h, unsigned int domid)
{
    char *path = NULL;

    (void)h;
    if ( asprintf(&path, "/local/domain/%u", domid) < 0 )
        return NULL;

    return path;
}

bool xs_release_domain(struct xs_handle *h, unsigned int domid)
{
    (void)h;
    (void)domid;

    return true;
}

bool xs_introduce_domain(struct xs_handle *h, unsigned int domid,
                         unsigned long mfn, unsigned int port)
{
    (void)h;
    (void)domid;
    (void)mfn;
    (void)port;
    fake_built();
}
