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

static int fill_slot(struct cl_key_table *t, uint8_t key[CL_KEY_SIZE])
{
    int nr = empty_slot(t), rc;

    rc = nr < 0 ? nr : cl_gcm_init(&t->slot[nr].gcm, key);
    cl_wipe(key, CL_KEY_SIZE);
    if ( rc )
        return rc;

    t->slot[nr].counter = 0;

    return nr;
}

int cl_key_install(struct cl_key_table *t, uint8_t random[CL_KEY_SIZE])
{
    int nr = fill_slot(t, random);

    if ( nr >= 0 )
        t->slot[nr].epoch = ++t->epoch;

    return nr;
}

int cl_key_adopt(struct cl_key_table *t, uint8_t saved[CL_KEY_SIZE],
                 uint64_t epoch)
{
    int nr = fill_slot(t, saved);

    if ( nr >= 0 )
    {
        t->slot[nr].epoch = epoch;
        /* Whoever tried to encrypt with it would find its nonces used up. */
        t->slot[nr].counter = UINT64_MAX;
    }

    return nr;
}

void cl_key_raw(const struct cl_key *k, uint8_t out[CL_KEY_SIZE])
{
    /* The first two round keys are the key (FIPS 197, 5.2). */
    memcpy(out, k->gcm.rk, CL_KEY_SIZE);
}

void cl_key_erase(struct cl_key_table *t, uint32_t nr)
{
    if ( nr < t->slots )
        cl_wipe(&t->slot[nr], sizeof(t->slot[nr]));
}
