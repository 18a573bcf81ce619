/* SPDX-License-Identifier: BSD-2-Clause */
/* Views: what anyone but the guest gets to see of a private page. */

#include <errno.h>
#include <string.h>

#include <cloister/smm.h>

static void put_le64(uint8_t *to, uint64_t value)
{
    unsigned int i;

    for ( i = 0; i < 8; i++ )
        to[i] = (uint8_t)(value >> (8 * i));
}

int cl_view_begin(struct cl_vm *vm, const struct cl_page *p,
                  struct cl_view *v)
{
    struct cl_key *key = vm->key;

    if ( p->state == CL_PAGE_FREE || p->owner != vm->id )
        return -EPERM;
    if ( !vm->sealed || !key || !key->epoch )
        return -EINVAL;
    if ( p->state != CL_PAGE_PRIVATE && p->state != CL_PAGE_SHARED )
        return -EINVAL;
    if ( key->counter >= CL_DIRTY - 1 )
        return -EOVERFLOW;

    v->key = key;
    v->version = ++key->counter;
    v->epoch = key->epoch;
    v->gfn = p->gfn;
    memset(v->tag, 0, sizeof(v->tag));

    return 0;
}

struct words {
    uint8_t nonce[12], aad[24];
};

static struct words words_of(const struct cl_view *v)
{
    struct words w = { .nonce = { 0 } };

    put_le64(w.nonce + 4, v->version);
    put_le64(w.aad, v->epoch);
    put_le64(w.aad + 8, v->gfn);
    put_le64(w.aad + 16, v->version);

    return w;
}

void cl_view_run(struct cl_view *v, const void *src, void *dst)
{
    struct words w = words_of(v);

    cl_gcm_seal(&v->key->gcm, w.nonce, w.aad, sizeof(w.aad), src, dst,
                CL_PAGE_SIZE, v->tag);
}

int cl_view_open(const struct cl_view *v, const void *src, void *dst)
{
    struct words w = words_of(v);

    return cl_gcm_open(&v->key->gcm, w.nonce, w.aad, sizeof(w.aad), src, dst,
                       CL_PAGE_SIZE, v->tag);
}

/* Has nobody written to the page unseen since the view of it was begun? */
static bool is_seen(const struct cl_vm *vm, uint64_t dirtied, uint64_t begun)
{
    return (vm->still && vm->stopped < begun) ||
           (dirtied < vm->cleaned && vm->cleaned < begun);
}

/*
 * Is the view the newest that can be told?  A page that was written to since
 * the view was begun, or that could be written to unseen then, has none.  While
 * no view is worth anything to a record, the last one is what a dump has.
 */
static bool is_newest(const struct cl_vm *vm, const struct cl_page *p,
                      const struct cl_view *v)
{
    uint64_t last = p->version & ~CL_DIRTY;

    if ( last >= v->version )
        return false;

    return !vm->since || p->version == last ||
           is_seen(vm, last, v->version);
}

int cl_view_end(struct cl_vm *vm, struct cl_page *p, const struct cl_view *v)
{
    if ( vm->key != v->key || v->key->epoch != v->epoch )
        return -ENOENT;

    vm->views++;

    if ( (p->state != CL_PAGE_PRIVATE && p->state != CL_PAGE_SHARED) ||
         p->owner != vm->id || p->gfn != v->gfn || !is_newest(vm, p, v) )
        return 0;

    p->version = v->version;
    memcpy(p->tag, v->tag, sizeof(p->tag));

    return 0;
}
