/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remutate DOMID SEED CONTEXTS IMAGES [stock | lazy | late]
 *
 * Claim:  a saved image is restored as it was saved, or not at all.
 * Bug:    whoever stores the image changes it, and the guest wakes up with
 *         other memory or registers than it went to sleep with.
 * Method: saves the guest twice, with a little time in between, and tries
 *         CONTEXTS changes of the HVM context alone (no pages are needed for
 *         that), then IMAGES changes of the whole image; SEED makes them
 *         repeatable.  In the end, the first image, the second for another
 *         guest, as it was, once more; and the guest that was saved is resumed.
 *
 * Prints "NAME VALUE": contexts_tried, images_tried, and what was accepted,
 * of each: contexts_accepted, images_accepted, older_accepted (the guest had
 * gone on), other_accepted (another guest), original_accepted,
 * twice_accepted, again_accepted, resume_accepted.  An image counts as accepted when the
 * domain was unpaused, and goes on when all its pages have been asked for.  "stock": changes of pages only, since stock Xen takes
 * any registers, and not all can be lived with.  "lazy": no changes of pages,
 * since the guest runs until it comes to that page, and the image is used up:
 * that is what "late" tries, with one image (late_accepted).  "again" is
 * whether a guest whose image has been used can be saved once more.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remutate.h"

#define DESC    8               /* type and instance, length */
#define HEADER  (DESC + 24)     /* of the HVM context, with its descriptor */

static uint64_t state;

/* xorshift64*: repeatable, and good enough. */
static uint32_t rnd(uint32_t below)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;

    return (uint32_t)((state * 0x2545f4914f6cdd1dull) >> 32) % below;
}

/* The second image is the one that is changed; the first is void. */
static struct image before, now;

/* ---- The context --------------------------------------------------------- */

struct context {
    uint8_t *data;
    size_t size;
};

static void flip(uint8_t *data, size_t size)
{
    uint32_t bit = rnd((uint32_t)size * 8);

    data[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

/* A few bytes of it, anything. */
static void scribble(uint8_t *data, size_t size)
{
    uint32_t n = 1 + rnd(16), at = rnd((uint32_t)size);

    while ( n-- && at < size )
        data[at++] += (uint8_t)(1 + rnd(255));
}

static void set_length(struct context *c, uint32_t length)
{
    memcpy(c->data + HEADER + 4, &length, sizeof(length));
}

static void move(struct context *c, size_t to, size_t from, size_t size)
{
    memmove(c->data + to, c->data + from, size);
}

/*
 * One change of the context, which has room for twice its size.  Returns its
 * name.
 */
static const char *change_context(struct context *c)
{
    size_t record = c->size - HEADER - DESC;    /* with its descriptor */
    uint32_t n;

    switch ( rnd(10) )
    {
    case 0:
    case 1:
        flip(c->data, c->size);
        return "flip";

    case 2:     /* where most of the record's fields are */
        flip(c->data, HEADER + DESC + 160);
        return "flip of a header";

    case 3:
        scribble(c->data, c->size);
        return "scribble";

    case 4:     /* cut off at the end */
        c->size = rnd((uint32_t)c->size);
        return "cut";

    case 5:     /* shorter or longer, and saying so */
        n = 1 + rnd((uint32_t)record - DESC - 1);
        if ( rnd(2) )
        {
            move(c, c->size - DESC - n, c->size - DESC, DESC);
            set_length(c, (uint32_t)(record - DESC) - n);
            c->size -= n;
            return "shorter";
        }
        move(c, c->size - DESC + n, c->size - DESC, DESC);
        set_length(c, (uint32_t)(record - DESC) + n);
        c->size += n;
        return "longer";

    case 6:     /* twice */
        if ( record > 1 << 20 )
            return change_context(c);
        move(c, HEADER + 2 * record, HEADER + record, DESC);
        move(c, HEADER + record, HEADER, record);
        c->size += record;
        return "twice";

    case 7:     /* the end first, or last and twice */
        if ( rnd(2) )
        {
            move(c, HEADER + DESC, HEADER, record);
            memset(c->data + HEADER, 0, DESC);
            return "end first";
        }
        memset(c->data + c->size, 0, DESC);
        c->size += DESC;
        return "two ends";

    case 8:     /* that of another save, or parts of it */
        if ( rnd(2) )
        {
            memcpy(c->data, before.data + before.context,
                   before.context_size);
            c->size = before.context_size;
            return "older";
        }
        n = HEADER + DESC + rnd((uint32_t)record - DESC);
        if ( n > before.context_size )
            n = (uint32_t)before.context_size;
        memcpy(c->data, before.data + before.context, n);
        return "half older";

    default:    /* a type or an instance that is something else */
        c->data[HEADER + rnd(4)] ^= (uint8_t)(1 + rnd(255));
        return "type";
    }
}

static void original_context(struct context *c)
{
    memcpy(c->data, now.data + now.context, now.context_size);
    c->size = now.context_size;
}

static void try_contexts(const xc_domaininfo_t *like, unsigned int count)
{
    struct context c = { .data = calloc(4, now.context_size) };
    unsigned int i, taken = 0, tried = 0;
    uint32_t domid = target_create(like);

    for ( i = 0; i < count; i++ )
    {
        uint64_t seed = state;
        const char *name;

        original_context(&c);
        name = change_context(&c);
        if ( c.size == now.context_size &&
             !memcmp(c.data, now.data + now.context, c.size) )
            continue;
        tried++;
        if ( xc_domain_hvm_setcontext(xch, domid, c.data,
                                      (uint32_t)c.size) )
            continue;
        printf("# accepted: %s, seed %#llx\n", name,
               (unsigned long long)seed);
        taken++;
        target_destroy(domid);
        domid = target_create(like);
    }
    printf("contexts_tried %u\ncontexts_accepted %u\n", tried, taken);
    target_destroy(domid);
    free(c.data);
}

/* ---- Whole images ---------------------------------------------------------- */

static uint8_t *page(struct image *im, unsigned int i)
{
    return im->data + im->page[i].data;
}

/* Of the same memory in both images; the rings are zeroed by a restore. */
static unsigned int any_page(void)
{
    return rnd((now.pages < before.pages ? now.pages : before.pages) - 16);
}

/* A record with one page, before the context; of a gfn with no page. */
static void add_page(struct image *im)
{
    struct {
        uint32_t type, length, count, reserved;
        uint64_t pfn;
        uint8_t data[PAGE];
    } r = {
        .type = 1, .length = 16 + PAGE, .count = 1, .pfn = 0x40000 + rnd(99),
    };

    image_splice(im, im->context - 8, 0, &r, sizeof(r));
}

/* An entry of the parameters: a page frame of Xen's special pages. */
static void change_param(struct image *im)
{
    size_t entries = im->params_size / 16;
    uint64_t value;
    uint8_t *at = im->data + im->params + 16 * rnd((uint32_t)entries) + 8;

    memcpy(&value, at, sizeof(value));
    value ^= 1 + rnd(7);
    memcpy(at, &value, sizeof(value));
}

/* Which of the changes below: [0, 4) are of pages. */
struct kinds {
    unsigned int first, end;
};

static const char *change_image(struct image *im, struct kinds kinds)
{
    unsigned int a = any_page(), b = any_page();
    uint64_t pfn;
    uint8_t copy[PAGE];

    switch ( kinds.first + rnd(kinds.end - kinds.first) )
    {
    case 0:
        flip(page(im, a), PAGE);
        return "flip";

    case 1:
        memcpy(copy, page(im, a), PAGE);
        memcpy(page(im, a), page(im, b), PAGE);
        memcpy(page(im, b), copy, PAGE);
        return "swap";

    case 2:
        memcpy(page(im, a), page(&before, a), PAGE);
        return "older page";

    case 3:
        memset(page(im, a), 0, PAGE);
        return "no page";

    case 4:     /* stands elsewhere */
        memcpy(&pfn, im->data + im->page[a].pfn, sizeof(pfn));
        pfn += 0x40000;
        memcpy(im->data + im->page[a].pfn, &pfn, sizeof(pfn));
        return "moved";

    case 5:
        add_page(im);
        return "more";

    case 6:
        change_param(im);
        return "parameter";

    case 7:
        image_set_context(im, before.data + before.context,
                          before.context_size);
        return "older record";

    default:
        scribble(im->data + im->context, im->context_size);
        return "record";
    }
}

/* One image, as it is: 1 if it runs. */
static int accepted(const xc_domaininfo_t *like, const struct image *im,
                    unsigned int seconds)
{
    uint32_t domid = target_create(like);
    int ok = !target_restore(domid, im);

    if ( ok )
        sleep(seconds);     /* the guest checks its memory meanwhile */
    target_destroy(domid);

    return ok;
}

static void try_images(const xc_domaininfo_t *like, unsigned int count,
                       struct kinds kinds)
{
    unsigned int i, taken = 0, tried = 0;

    for ( i = 0; i < count; i++ )
    {
        uint64_t seed = state;
        struct image im;
        const char *name;

        image_copy(&im, &now);
        name = change_image(&im, kinds);
        if ( im.size != now.size || memcmp(im.data, now.data, im.size) )
        {
            tried++;
            if ( accepted(like, &im, 0) )
            {
                taken++;
                printf("# accepted: %s, seed %#llx\n", name,
                       (unsigned long long)seed);
            }
        }
        image_free(&im);
    }
    printf("images_tried %u\nimages_accepted %u\n", tried, taken);
}

static void try_originals(const xc_domaininfo_t *like, uint32_t source)
{
    xc_domaininfo_t other = *like;

    other.handle[0] ^= 1;
    printf("older_accepted %d\n", accepted(like, &before, 0));
    printf("other_accepted %d\n", accepted(&other, &now, 0));
    printf("original_accepted %d\n", accepted(like, &now, 3));
    printf("# restored in %.0f ms, then runs in %.1f ms\n",
           target_restored_ms, target_unpaused_ms);
    printf("restored_us %.0f\nunpaused_us %.0f\n", target_restored_ms * 1e3,
           target_unpaused_ms * 1e3);
    printf("twice_accepted %d\n", accepted(like, &now, 0));
    printf("again_accepted %d\n", target_save(source) >= 0);
    printf("resume_accepted %d\n", !xc_domain_resume(xch, source, 0));
}

/* One page that is not as it was: a guest that runs, and is stopped. */
static void try_late(const xc_domaininfo_t *like, uint32_t source)
{
    int fd = target_save(source);

    image_read(&now, fd);
    close(fd);
    flip(page(&now, now.pages / 2), PAGE);
    printf("late_accepted %d\n", accepted(like, &now, 0));
}

static void save_both(uint32_t domid)
{
    int fd = target_save(domid);

    image_read(&before, fd);
    close(fd);
    if ( xc_domain_resume(xch, domid, 0) )
        perror("remutate: resume");
    sleep(2);
    fd = target_save(domid);
    image_read(&now, fd);
    close(fd);
    printf("image_pages %u\nimage_context %zu\n", now.pages,
           now.context_size);
}

int main(int argc, char **argv)
{
    xc_domaininfo_t info;
    struct kinds kinds = { 0, 9 };
    const char *mode;
    uint32_t domid;

    if ( argc < 5 )
    {
        fprintf(stderr, "usage: remutate DOMID SEED CONTEXTS IMAGES "
                "[stock | lazy | late]\n");
        return 2;
    }
    domid = (uint32_t)atoi(argv[1]);
    state = strtoull(argv[2], NULL, 0) | 1ull << 40;
    /* Failures are what this is about: no log of them. */
    xch = xc_interface_open(NULL, NULL, 0);
    fmem = xenforeignmemory_open(NULL, 0);
    if ( !xch || !fmem || xc_domain_getinfo_single(xch, domid, &info) )
    {
        perror("remutate: no such domain");
        return 1;
    }
    setlinebuf(stdout);

    mode = argc > 5 ? argv[5] : "";
    if ( !strcmp(mode, "late") )
        try_late(&info, domid);
    else
    {
        if ( !strcmp(mode, "stock") )
            kinds.end = 4;
        if ( !strcmp(mode, "lazy") )
            kinds.first = 4;
        save_both(domid);
        try_contexts(&info, (unsigned int)atoi(argv[3]));
        try_images(&info, (unsigned int)atoi(argv[4]), kinds);
        try_originals(&info, domid);
    }
    target_destroy(domid);
    xc_interface_close(xch);

    return 0;
}
