/* SPDX-License-Identifier: BSD-2-Clause */
/* Views, several at a time and with wider vectors. */

#include <string.h>

#include <cloister/smm.h>

/* Views at a time, for the stack's sake */
#define AT_ONCE 4u

struct params {
    uint8_t nonce[CL_GCM_NONCE_LEN];
    uint8_t aad[24];
};

static void put_le64(uint8_t *to, uint64_t value)
{
    unsigned int i;

    for ( i = 0; i < 8; i++ )
        to[i] = (uint8_t)(value >> (8 * i));
}

static struct cl_gcm_job describe(const struct cl_view_job *j,
                                  struct params *p)
{
    const struct cl_gcm_job job = {
        .key = &j->v->key->gcm, .nonce = p->nonce,
        .aad = p->aad, .aadlen = sizeof(p->aad),
        .in = j->src, .out = j->dst, .tag = j->v->tag,
    };

    memset(p->nonce, 0, sizeof(p->nonce));
    put_le64(p->nonce + 4, j->v->version);
    put_le64(p->aad, j->v->epoch);
    put_le64(p->aad + 8, j->v->gfn);
    put_le64(p->aad + 16, j->v->version);

    return job;
}

void cl_view_run_jobs(enum cl_gcm_impl impl, const struct cl_view_job *jobs,
                      unsigned int nr)
{
    struct params params[AT_ONCE];
    struct cl_gcm_job gcm[AT_ONCE], next;
    unsigned int i, n;

    for ( ; nr; nr -= n, jobs += n )
    {
        n = nr < AT_ONCE ? nr : AT_ONCE;
        for ( i = 0; i < n; i++ )
            gcm[i] = describe(&jobs[i], &params[i]);
        if ( n < nr )
            next = (struct cl_gcm_job){ .in = jobs[n].src, .out = jobs[n].dst };
        cl_gcm_seal_jobs(impl, gcm, n, n < nr ? &next : NULL, CL_PAGE_SIZE);
    }
}
