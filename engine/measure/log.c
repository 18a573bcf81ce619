/* SPDX-License-Identifier: BSD-2-Clause */
/* Writer of launch and event logs; see cloister/measure.h. */
#include <errno.h>
#include <string.h>

#include <cloister/measure.h>

#include <abi/evidence.h>

void cl_measure_init(struct cl_measure *m, void *log, size_t cap)
{
    memset(m, 0, sizeof(*m));
    m->log = log;
    m->cap = cap;
    cl_sha256_init(&m->heads);
}

static int append(struct cl_measure *m, const struct cloister_item *item,
                  const void *data)
{
    size_t padded = ((size_t)item->length + 7) & ~(size_t)7;
    uint8_t *at = m->log + m->used;

    if ( m->full || sizeof(*item) + padded > m->cap - m->used )
    {
        m->full = true;
        return -ENOSPC;
    }

    memcpy(at, item, sizeof(*item));
    at += sizeof(*item);
    memset(at, 0, padded);
    if ( item->length )
        memcpy(at, data, item->length);
    m->used += sizeof(*item) + padded;
    m->last_zero = 0;

    return 0;
}

static int close_data(struct cl_measure *m)
{
    struct cloister_item item = {
        .type = CLOISTER_ITEM_pages,
        .first = m->first,
        .count = m->count,
    };

    cl_sha256_final(&m->run, item.digest);

    return append(m, &item, NULL);
}

/* Zeros that follow on zeros make that item longer. */
static int close_zeros(struct cl_measure *m)
{
    struct cloister_item item = {
        .type = CLOISTER_ITEM_zero,
        .first = m->first,
        .count = m->count,
    };
    struct cloister_item last;
    uint8_t *at = m->log + m->last_zero - 1;
    int rc;

    if ( m->last_zero )
    {
        memcpy(&last, at, sizeof(last));
        if ( last.first + last.count == m->first )
        {
            last.count += m->count;
            memcpy(at, &last, sizeof(last));
            return 0;
        }
    }

    rc = append(m, &item, NULL);
    if ( !rc )
        m->last_zero = m->used - sizeof(item) + 1;

    return rc;
}

static int close_run(struct cl_measure *m)
{
    int rc = 0;

    if ( m->count )
        rc = m->zeros ? close_zeros(m) : close_data(m);
    m->count = 0;

    return rc;
}

int cl_measure_item(struct cl_measure *m, uint16_t type, uint16_t index,
                    uint64_t first, const void *data, size_t len)
{
    struct cloister_item item = {
        .type = type,
        .index = index,
        .length = (uint32_t)len,
        .first = first,
    };
    struct cl_sha256 s;
    int rc = close_run(m);

    if ( rc )
        return rc;
    if ( len > UINT32_MAX / 2 )
        return -ENOSPC;

    cl_sha256_init(&s);
    cl_sha256_update(&s, data, len);
    cl_sha256_final(&s, item.digest);

    return append(m, &item, data);
}

static bool is_zero(const void *page)
{
    const uint64_t *p = page, *end = p + CL_MEASURE_PAGE / sizeof(*p);

    for ( ; p < end; p += 8 )
        if ( p[0] | p[1] | p[2] | p[3] | p[4] | p[5] | p[6] | p[7] )
            return false;

    return true;
}

static int shared_page(struct cl_measure *m, uint64_t gfn)
{
    const struct cloister_item item = {
        .type = CLOISTER_ITEM_shared,
        .first = gfn,
        .count = 1,
    };
    int rc = close_run(m);

    return rc ? rc : append(m, &item, NULL);
}

/* A run of zeros ends where data begins, a run of data may have zeros in it. */
static int begin_run(struct cl_measure *m, uint64_t gfn, bool zeros)
{
    int rc = close_run(m);

    m->first = gfn;
    m->zeros = zeros;
    if ( !zeros )
        cl_sha256_init(&m->run);

    return rc;
}

int cl_measure_page(struct cl_measure *m, uint64_t gfn, const void *page)
{
    bool next, zero;
    int rc = 0;

    if ( !page )
        return shared_page(m, gfn);

    next = m->count && gfn == m->first + m->count && gfn % CLOISTER_RUN_PAGES;
    zero = (!next || m->zeros) && is_zero(page);
    if ( !next || m->zeros != zero )
        rc = begin_run(m, gfn, zero);
    if ( rc )
        return rc;

    if ( !zero )
        cl_sha256_update(&m->run, page, CL_MEASURE_PAGE);
    m->count++;

    return m->full ? -ENOSPC : 0;
}

void cl_measure_event(const void *item, uint8_t digest[CL_SHA256_SIZE])
{
    struct cl_sha256 s;

    cl_sha256_init(&s);
    cl_sha256_update(&s, item, sizeof(struct cloister_item));
    cl_sha256_final(&s, digest);
}

/* Heads change until the log is closed (zeros grow), so they are hashed now.
 */
int cl_measure_finish(struct cl_measure *m, uint8_t digest[CL_SHA256_SIZE])
{
    struct cloister_item item;
    size_t at = 0;
    int rc = close_run(m);

    if ( rc || m->full )
        return -ENOSPC;

    while ( at < m->used )
    {
        memcpy(&item, m->log + at, sizeof(item));
        cl_sha256_update(&m->heads, &item, sizeof(item));
        at += sizeof(item) + (((size_t)item.length + 7) & ~(size_t)7);
    }
    cl_sha256_final(&m->heads, digest);

    return 0;
}
