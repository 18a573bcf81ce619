/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which saved images may still be restored.
 *
 * A guest must not run twice from one state: not restored twice, and not
 * both restored and resumed.  So each image that is saved is entered here, and
 * whoever comes first, the restore or the resume, takes it out.  Only what
 * stands here may be restored: when the table is full, the oldest image is
 * forgotten, which costs dom0 an image and never a guest its safety.  (The
 * host's key does not live longer than this table.)
 */

#include "private.h"

#define IMAGES  1024

enum fate { GONE, VALID, USED, VOID };

static DEFINE_SPINLOCK(images_lock);
static struct image {
    uint8_t instance[16];
    uint64_t nonce;
    enum fate fate;
} images[IMAGES];
static unsigned int newest;

static struct image *find(const uint8_t instance[16], uint64_t nonce)
{
    unsigned int i;

    for ( i = 0; i < IMAGES; i++ )
        if ( images[i].nonce == nonce && images[i].fate != GONE &&
             !memcmp(images[i].instance, instance, 16) )
            return &images[i];

    return NULL;
}

void cloister_image_add(const uint8_t instance[16], uint64_t nonce)
{
    struct image *im;

    spin_lock(&images_lock);
    newest = (newest + 1) % IMAGES;
    im = &images[newest];
    memcpy(im->instance, instance, sizeof(im->instance));
    im->nonce = nonce;
    im->fate = VALID;
    spin_unlock(&images_lock);
}

enum cloister_reason cloister_image_ask(const uint8_t instance[16],
                                        uint64_t nonce, bool take)
{
    enum cloister_reason why = CLOISTER_WHY_none;
    struct image *im;

    spin_lock(&images_lock);
    im = find(instance, nonce);
    if ( !im )
        why = CLOISTER_WHY_rec_unknown;
    else if ( im->fate != VALID )
        why = im->fate == USED ? CLOISTER_WHY_rec_used
                               : CLOISTER_WHY_rec_void;
    else if ( take )
        im->fate = USED;
    spin_unlock(&images_lock);

    return why;
}

bool cloister_image_void(const uint8_t instance[16], uint64_t nonce)
{
    struct image *im;
    bool ok;

    spin_lock(&images_lock);
    im = find(instance, nonce);
    ok = !im || im->fate != USED;
    if ( im && ok )
        im->fate = VOID;
    spin_unlock(&images_lock);

    return ok;
}
