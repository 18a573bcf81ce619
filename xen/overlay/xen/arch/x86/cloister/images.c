/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which saved images may still be restored.
 *
 * A guest must not run twice from one state: not restored twice, and not
 * both restored and resumed.  So each image that is saved is entered here, and
 * whoever comes first, the restore or the resume, takes it out.  Only what
 * stands here may be restored: when the table is full, the oldest image is
 * forgotten, which costs dom0 an image and never a guest its safety.
 *
 * dom0 may keep the list over a restart of the host (abi/images.h).  A list
 * that it has been given holds no image that was taken out before; and before
 * one that may be on such a list is used, the TPM's counter is moved on, with
 * which all lists so far are void.
 */

#include <xen/guest_access.h>
#include <xen/xvmalloc.h>

#include <cloister/gcm.h>
#include <cloister/wipe.h>

#include "private.h"

#include "abi/images.h"

#define IMAGES  CLOISTER_IMAGES_MOST
#define HEAD    sizeof(struct cloister_images_list)
#define ENTRY   sizeof(struct cloister_images_entry)
#define ROOM    (HEAD + IMAGES * ENTRY)

enum fate { GONE, VALID, TAKEN, USED, VOID };

static DEFINE_SPINLOCK(images_lock);
static struct image {
    struct cloister_images_entry is;
    enum fate fate;
} images[IMAGES];
static unsigned int newest;
static uint64_t changes;

static struct image *find(const uint8_t instance[16], uint64_t nonce)
{
    unsigned int i;

    for ( i = 0; i < IMAGES; i++ )
        if ( images[i].is.nonce == nonce && images[i].fate != GONE &&
             !memcmp(images[i].is.instance, instance, 16) )
            return &images[i];

    return NULL;
}

static void add(const uint8_t instance[16], uint64_t nonce)
{
    struct image *im;

    newest = (newest + 1) % IMAGES;
    im = &images[newest];
    memcpy(im->is.instance, instance, sizeof(im->is.instance));
    im->is.nonce = nonce;
    im->fate = VALID;
    changes++;
}

void cloister_image_add(const uint8_t instance[16], uint64_t nonce)
{
    spin_lock(&images_lock);
    add(instance, nonce);
    spin_unlock(&images_lock);
}

/* Under the lock. */
static enum cloister_reason verdict(const struct image *im)
{
    if ( !im )
        return CLOISTER_WHY_rec_unknown;
    if ( im->fate == VALID )
        return CLOISTER_WHY_none;

    return im->fate == VOID ? CLOISTER_WHY_rec_void : CLOISTER_WHY_rec_used;
}

enum cloister_reason cloister_image_ask(const uint8_t instance[16],
                                        uint64_t nonce)
{
    enum cloister_reason why;

    spin_lock(&images_lock);
    why = verdict(find(instance, nonce));
    spin_unlock(&images_lock);

    return why;
}

/* For the restore that comes first; lists leave it out from now on. */
enum cloister_reason cloister_image_take(const uint8_t instance[16],
                                         uint64_t nonce, unsigned int *ticket)
{
    enum cloister_reason why;
    struct image *im;

    spin_lock(&images_lock);
    im = find(instance, nonce);
    why = verdict(im);
    if ( !why )
    {
        im->fate = TAKEN;
        *ticket = cloister_counter_ticket();
        changes++;
    }
    spin_unlock(&images_lock);

    return why;
}

bool cloister_image_end(const uint8_t instance[16], uint64_t nonce, bool used)
{
    struct image *im;
    bool ok;

    spin_lock(&images_lock);
    im = find(instance, nonce);
    ok = im && im->fate == TAKEN;
    if ( ok )
        im->fate = used ? USED : VALID;
    changes++;
    spin_unlock(&images_lock);

    return ok;
}

bool cloister_image_void(const uint8_t instance[16], uint64_t nonce,
                         unsigned int *ticket)
{
    struct image *im;
    bool ok;

    spin_lock(&images_lock);
    im = find(instance, nonce);
    /* One that has been forgotten may have been used before. */
    ok = im && (im->fate == VALID || im->fate == VOID);
    if ( ok && im->fate == VALID )
    {
        im->fate = VOID;
        changes++;
    }
    *ticket = cloister_counter_ticket();
    spin_unlock(&images_lock);

    return ok;
}

/* ---- The list that dom0 keeps --------------------------------------------- */

static const uint8_t zero_nonce[CL_GCM_NONCE_LEN];

static void *entries(struct cloister_images_list *l)
{
    return l + 1;
}

/* Seals (or opens) the entries: 0, -ENOKEY, -EBADMSG. */
static int crypt(struct cloister_images_list *l, bool seal)
{
    const size_t aad = offsetof(struct cloister_images_list, tag);
    struct cloister_simd simd;
    struct cl_gcm_key key;
    void *data = entries(l);
    int rc;

    cloister_simd_begin(&simd);
    rc = cloister_wrap_cipher(l->host, "images", l->salt, &key);
    if ( !rc && seal )
        cl_gcm_seal(&key, zero_nonce, l, aad, data, data, l->length - HEAD,
                    l->tag);
    else if ( !rc )
        rc = cl_gcm_open(&key, zero_nonce, l, aad, data, data,
                         l->length - HEAD, l->tag);
    cl_gcm_wipe(&key);
    cloister_simd_end(&simd);

    return rc;
}

static int fill(struct cloister_images_list *l)
{
    struct cloister_images_entry *e = entries(l);
    uint64_t salt[4];
    unsigned int i;

    BUILD_BUG_ON(sizeof(salt) != sizeof(l->salt));
    BUILD_BUG_ON(HEAD != 96 || ENTRY != 24);
    if ( !cloister_cpu_random(salt, ARRAY_SIZE(salt)) )
        return -EIO;

    memcpy(l->signature, CLOISTER_IMAGES_SIGNATURE, sizeof(l->signature));
    l->revision = CLOISTER_IMAGES_REVISION;
    memcpy(l->salt, salt, sizeof(l->salt));
    if ( !cloister_host_id(l->host) || !cloister_host_lasts(l->host) )
        return -ENOENT;

    spin_lock(&images_lock);
    l->counter = cloister_counter_promise();
    for ( i = 1; i <= IMAGES; i++ )
        if ( images[(newest + i) % IMAGES].fate == VALID )
            e[l->count++] = images[(newest + i) % IMAGES].is;
    spin_unlock(&images_lock);
    l->length = HEAD + l->count * ENTRY;

    return l->counter ? crypt(l, true) : -EIO;
}

/*
 * Once in a boot, and first of all: two lists of the same value may differ in
 * which image of one state they have (it was saved twice).
 */
static int take(struct cloister_images_list *l, uint32_t size)
{
    const struct cloister_images_entry *e = entries(l);
    uint32_t i;
    int rc;

    if ( size < HEAD || l->length != size || l->count > IMAGES ||
         l->length != HEAD + l->count * ENTRY ||
         memcmp(l->signature, CLOISTER_IMAGES_SIGNATURE,
                sizeof(l->signature)) ||
         l->revision != CLOISTER_IMAGES_REVISION || l->reserved )
        return -EBADMSG;
    if ( !cloister_host_lasts(l->host) )
        return -ENXIO;
    rc = crypt(l, false);
    if ( rc )
        return rc;

    spin_lock(&images_lock);
    if ( !l->counter || l->counter != cloister_counter_promise() )
        rc = -ENODATA;
    else if ( changes )
        rc = -EBUSY;
    for ( i = 0; !rc && i < l->count; i++ )
        if ( !find(e[i].instance, e[i].nonce) )
            add(e[i].instance, e[i].nonce);
    spin_unlock(&images_lock);

    return rc;
}

static int exchange(struct cloister_images *op, struct cloister_images_list *l)
{
    XEN_GUEST_HANDLE(uint8) user;
    int rc;

    set_xen_guest_handle_raw(user, (uint8_t *)op->buffer);
    if ( op->action == CLOISTER_IMAGES_load )
    {
        if ( op->length > ROOM )
            return -EBADMSG;
        if ( copy_from_guest((uint8_t *)l, user, op->length) )
            return -EFAULT;
        return take(l, op->length);
    }

    rc = fill(l);
    if ( rc )
        return rc;
    if ( l->length > op->length )
        return -ENOBUFS;
    op->length = l->length;

    return copy_to_guest(user, (uint8_t *)l, l->length) ? -EFAULT : 0;
}

int cloister_images_op(struct cloister_images *op)
{
    struct cloister_images_list *l;
    int rc = 0;

    if ( op->action > CLOISTER_IMAGES_load )
        return -EOPNOTSUPP;
    if ( op->action != CLOISTER_IMAGES_peek )
    {
        rc = cloister_counter_ready();
        if ( rc )
            return rc;
        l = (void *)xvzalloc_array(uint8_t, ROOM);
        if ( !l )
            return -ENOMEM;
        rc = exchange(op, l);
        cl_wipe(l, ROOM);
        xvfree(l);
    }
    if ( !rc )
    {
        op->counter = cloister_counter_value();
        op->changes = read_atomic(&changes);
    }

    return rc;
}
