/* SPDX-License-Identifier: BSD-2-Clause */
/* Reader of launch logs that others have written; see cloister/measure.h. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <cloister/measure.h>

#include <abi/evidence.h>

static bool is_digest(const uint8_t digest[CL_SHA256_SIZE], const void *data,
                      size_t len)
{
    uint8_t actual[CL_SHA256_SIZE];
    struct cl_sha256 s;

    cl_sha256_init(&s);
    cl_sha256_update(&s, data, len);
    cl_sha256_final(&s, actual);

    return !memcmp(actual, digest, sizeof(actual));
}

/* The zeros that make its length a multiple of 8. */
static bool is_padded(const uint8_t *at, const uint8_t *end)
{
    for ( ; at < end; at++ )
        if ( *at )
            return false;

    return true;
}

/* The size of the item at `in`, or 0: there is none, or its data are others. */
static size_t item_size(const uint8_t *in, size_t left,
                        struct cloister_item *item)
{
    size_t padded;

    if ( left < sizeof(*item) )
        return 0;
    memcpy(item, in, sizeof(*item));
    in += sizeof(*item);
    left -= sizeof(*item);
    padded = ((size_t)item->length + 7) & ~(size_t)7;
    if ( padded > left || !is_padded(in + item->length, in + padded) )
        return 0;
    if ( item->length && !is_digest(item->digest, in, item->length) )
        return 0;

    return sizeof(*item) + padded;
}

int cl_measure_check(const void *log, size_t size,
                     const uint8_t measurement[CL_SHA256_SIZE])
{
    uint8_t digest[CL_SHA256_SIZE];
    struct cloister_item item;
    struct cl_sha256 heads;
    unsigned int starts = 0;
    size_t at, step;

    cl_sha256_init(&heads);
    for ( at = 0; at < size; at += step )
    {
        step = item_size((const uint8_t *)log + at, size - at, &item);
        if ( !step )
            return -EBADMSG;
        cl_sha256_update(&heads, &item, sizeof(item));
        starts += item.type == CLOISTER_ITEM_start;
    }
    cl_sha256_final(&heads, digest);

    return starts == 1 && !memcmp(digest, measurement, sizeof(digest))
           ? 0 : -EBADMSG;
}
