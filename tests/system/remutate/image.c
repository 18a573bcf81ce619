/* SPDX-License-Identifier: BSD-2-Clause */
/* The stream of libxc (tools/libs/guest/xg_sr_stream_format.h in Xen). */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remutate.h"

#define HEADERS     (24 + 16)   /* of the image, of the domain */

#define REC_END         0
#define REC_PAGES       1
#define REC_CONTEXT     9
#define REC_PARAMS      10

#define PFN_TYPE        0xf000000000000000ull
#define PFN_TYPE_NONE   0xd000000000000000ull   /* and above: no data */

struct record {
    uint32_t type, length;
};

static void bad(const char *what)
{
    fprintf(stderr, "remutate: not an image: %s\n", what);
    exit(1);
}

static void *get(void *p)
{
    if ( !p )
        bad("no memory");

    return p;
}

static size_t padded(size_t length)
{
    return (length + 7) & ~(size_t)7;
}

static void add_pages(struct image *im, size_t at, size_t length)
{
    uint32_t count, i;
    size_t data;

    memcpy(&count, im->data + at, sizeof(count));
    data = at + 8 + 8ul * count;
    if ( length < 8 || count > length / 8 )
        bad("pages");
    im->page = get(realloc(im->page, (im->pages + count) * sizeof(*im->page)));
    for ( i = 0; i < count; i++ )
    {
        size_t pfn = at + 8 + 8ul * i;
        uint64_t value;

        memcpy(&value, im->data + pfn, sizeof(value));
        if ( (value & PFN_TYPE) >= PFN_TYPE_NONE )
            continue;
        im->page[im->pages++] = (struct page){ pfn, data };
        data += PAGE;
    }
    if ( data != at + length )
        bad("page data");
}

static void parse(struct image *im)
{
    struct record r = { 0 };
    size_t at = HEADERS;

    do {
        if ( at + sizeof(r) > im->size )
            bad("truncated");
        memcpy(&r, im->data + at, sizeof(r));
        at += sizeof(r);
        if ( r.length > im->size - at )
            bad("length");
        if ( r.type == REC_PAGES )
            add_pages(im, at, r.length);
        else if ( r.type == REC_CONTEXT )
        {
            im->context = at;
            im->context_size = r.length;
            im->context_end = at + padded(r.length);
        }
        else if ( r.type == REC_PARAMS )
        {
            im->params = at + 8;
            im->params_size = r.length - 8;
        }
        at += padded(r.length);
    } while ( r.type != REC_END );
    if ( !im->context || !im->pages || !im->params )
        bad("something is missing");
}

void image_read(struct image *im, int fd)
{
    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);

    memset(im, 0, sizeof(*im));
    im->size = (size_t)size;
    im->data = get(malloc(im->size));
    if ( size <= 0 || pread(fd, im->data, im->size, 0) != size )
        bad("cannot be read");
    parse(im);
}

void image_copy(struct image *to, const struct image *from)
{
    *to = *from;
    to->data = get(malloc(from->size));
    memcpy(to->data, from->data, from->size);
    to->page = get(malloc(from->pages * sizeof(*to->page)));
    memcpy(to->page, from->page, from->pages * sizeof(*to->page));
}

void image_free(struct image *im)
{
    free(im->data);
    free(im->page);
}

void image_splice(struct image *im, size_t at, size_t size, const void *with,
                  size_t with_size)
{
    uint8_t *data = get(malloc(im->size - size + with_size));

    memcpy(data, im->data, at);
    memcpy(data + at, with, with_size);
    memcpy(data + at + with_size, im->data + at + size,
           im->size - at - size);
    free(im->data);
    im->data = data;
    im->size += with_size - size;
}

void image_set_context(struct image *im, const void *context, size_t size)
{
    static const uint8_t zero[8];
    struct record r = { REC_CONTEXT, (uint32_t)size };

    image_splice(im, im->context, im->context_end - im->context, zero,
                 padded(size) - size);
    image_splice(im, im->context, 0, context, size);
    memcpy(im->data + im->context - sizeof(r), &r, sizeof(r));
    im->params += im->context + padded(size) - im->context_end;
    im->context_size = size;
    im->context_end = im->context + padded(size);
}
