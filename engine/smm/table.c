/* SPDX-License-Identifier: BSD-2-Clause */
/* Page permission table: from machine frame numbers to entries. */

#include <errno.h>
#include <string.h>

#include <cloister/smm.h>

struct cl_page *cl_ppt_find(const struct cl_ppt *t, uint64_t mfn)
{
    struct cl_page *leaf;

    if ( mfn >= t->frames )
        return NULL;

    leaf = t->root[mfn / CL_LEAF_PAGES].leaf;

    return leaf ? &leaf[mfn % CL_LEAF_PAGES] : NULL;
}

static bool in_one_leaf(const struct cl_ppt *t, uint64_t mfn, uint32_t nr)
{
    return nr && nr <= CL_LEAF_PAGES && mfn < t->frames &&
           nr <= t->frames - mfn &&
           mfn % CL_LEAF_PAGES + nr <= CL_LEAF_PAGES;
}

int cl_ppt_hold(struct cl_ppt *t, uint64_t mfn, uint32_t nr, void **spare)
{
    struct cl_ppt_slot *s;

    if ( !in_one_leaf(t, mfn, nr) )
        return -EINVAL;

    s = &t->root[mfn / CL_LEAF_PAGES];
    if ( !s->leaf )
    {
        if ( !*spare )
            return -ENOMEM;
        s->leaf = *spare;
        *spare = NULL;
    }
    s->used += nr;

    return 0;
}

void *cl_ppt_drop(struct cl_ppt *t, uint64_t mfn, uint32_t nr)
{
    struct cl_ppt_slot *s;
    void *leaf;

    if ( !in_one_leaf(t, mfn, nr) )
        return NULL;

    s = &t->root[mfn / CL_LEAF_PAGES];
    if ( s->used < nr )
        return NULL;
    s->used -= nr;
    if ( s->used )
        return NULL;

    leaf = s->leaf;
    s->leaf = NULL;

    return leaf;
}
