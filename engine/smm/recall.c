/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <cloister/recall.h>

/* Where it is, or r->used. */
static uint32_t find(const struct cl_recall *r, const uint8_t id[CL_UUID_SIZE])
{
    uint32_t i;

    for ( i = 0; i < r->used; i++ )
        if ( !memcmp(r->id[i], id, CL_UUID_SIZE) )
            break;

    return i;
}

/* What is newer moves up. */
static void take_out(struct cl_recall *r, uint32_t i)
{
    memmove(r->id + i, r->id + i + 1, (r->used - i - 1) * CL_UUID_SIZE);
    r->used--;
}

void cl_recall_add(struct cl_recall *r, const uint8_t id[CL_UUID_SIZE])
{
    cl_recall_drop(r, id);
    if ( r->used == CL_RECALL_IDS )
        take_out(r, 0);
    memcpy(r->id[r->used++], id, CL_UUID_SIZE);
}

bool cl_recall_has(const struct cl_recall *r, const uint8_t id[CL_UUID_SIZE])
{
    return find(r, id) < r->used;
}

void cl_recall_drop(struct cl_recall *r, const uint8_t id[CL_UUID_SIZE])
{
    uint32_t i = find(r, id);

    if ( i < r->used )
        take_out(r, i);
}
