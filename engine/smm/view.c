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
    if ( key->counter == UINT64_MAX )
        return -EOVERFLOW;

    v->key = key;
    v->version = ++key->counter;
    v->epoch = key->epoch;
    v->gfn = p->gfn;
    memset(v->tag, 0, sizeof(v->tag));

    return 0;
}

void cl_view_run(struct cl_view *v, const void *src, void *dst)
{
    uint8_t nonce[12] = { 0 }, aad[24];

    put_le64(nonce + 4, v->version);
    put_le64(aad, v->epoch);
    put_le64(aad + 8, v->gfn);
    put_le64(aad + 16, v->version);

    cl_gcm_seal(&v->key->gcm, nonce, aad, sizeof(aad), src, dst,
                CL_PAGE_SIZE, v->tag);
}

int cl_view_end(struct cl_vm *vm, struct cl_page *p, const struct cl_view *v)
{
    if ( vm->key != v->key || v->key->epoch != v->epoch )
        return -ENOENT;

    vm->views++;

    if ( p->state == CL_PAGE_FREE || p->owner != vm->id ||
         p->gfn != v->gfn || p->version > v->version )
        return 0;

    p->version = v->version;
    memcpy(p->tag, v->tag, sizeof(p->tag));

    return 0;
}
