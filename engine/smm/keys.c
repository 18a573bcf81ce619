/* SPDX-License-Identifier: BSD-2-Clause */
/* Key table: one instance key for each sealed VM. */

#include <errno.h>
#include <string.h>

#include <cloister/smm.h>
#include <cloister/wipe.h>

static int empty_slot(const struct cl_key_table *t)
{
    uint32_t i;

    for ( i = 0; i < t->slots; i++ )
        if ( !t->slot[i].epoch )
            return (int)i;

    return -ENOSPC;
}

int cl_key_install(struct cl_key_table *t, uint8_t random[CL_KEY_SIZE])
{
    int nr = empty_slot(t), rc;

    rc = nr < 0 ? nr : cl_gcm_init(&t->slot[nr].gcm, random);
    cl_wipe(random, CL_KEY_SIZE);
    if ( rc )
        return rc;

    t->slot[nr].counter = 0;
    t->slot[nr].epoch = ++t->epoch;

    return nr;
}

void cl_key_erase(struct cl_key_table *t, uint32_t nr)
{
    if ( nr < t->slots )
        cl_wipe(&t->slot[nr], sizeof(t->slot[nr]));
}
