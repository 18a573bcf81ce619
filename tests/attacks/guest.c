/* SPDX-License-Identifier: BSD-2-Clause */
/* The victim: made, watched and destroyed. */
#include <stdio.h>
#include <string.h>

#include "attack.h"

#define START_S 40
#define ROUNDS 3
#define SILENT_S 30

int victim_create(struct victim *v, const char *extra)
{
    memset(v, 0, sizeof(*v));
    v->log = log_end();
    if ( build_guest(extra ? extra : "", &v->id) )
    {
        verdict(ERROR, "no victim: it cannot be built");
        return -1;
    }
    return 0;
}

int victim_start(struct victim *v, const char *extra)
{
    unsigned int i;

    /* A start, and nothing else, is tried a second time. */
    for ( i = 0; i < 2; i++ )
    {
        if ( victim_create(v, extra) )
            return -1;
        if ( victim_runs(v) )
            return 0;
        victim_destroy(v);
    }
    verdict(ERROR, "the victim does not run");
    return -1;
}

void victim_destroy(struct victim *v)
{
    xc_domain_destroy(xch, v->id);
}

void victim_pause(struct victim *v)
{
    xc_domain_pause(xch, v->id);
}

int victim_unpause(struct victim *v)
{
    return xc_domain_unpause(xch, v->id);
}

bool victim_runs(struct victim *v)
{
    return !victim_unpause(v) && victim_says(v, "ok", START_S);
}

bool victim_suspended(struct victim *v, unsigned int seconds)
{
    double end = now_s() + seconds;
    xc_domaininfo_t info;

    for ( ; now_s() < end; msleep(100) )
        if ( !xc_domain_getinfo_single(xch, v->id, &info) &&
             (info.flags & XEN_DOMINF_shutdown) )
            return true;
    return false;
}

enum verdict victim_starts_dead(struct victim *v)
{
    if ( victim_unpause(v) )
        return verdict(FAILURE, "the guest is not started");
    if ( victim_suspended(v, 10) )
        return verdict(SUCCESS, "the guest ends by what it did not cause");
    return verdict(FAILURE, "the guest runs");
}

/* What the victim says begins with this. */
static void prefix(const struct victim *v, const char *text, char out[96])
{
    snprintf(out, 96, "(d%u) victim %s", v->id, text);
}

bool victim_says(struct victim *v, const char *text, unsigned int seconds)
{
    char full[96];

    prefix(v, text, full);
    return log_wait(v->log, full, seconds);
}

static enum verdict complains(struct victim *v, const char *what,
                              unsigned int seconds)
{
    unsigned int now = log_end();
    double end = now_s() + seconds;
    char complaint[96], any[96];

    prefix(v, what, complaint);
    prefix(v, "", any);
    while ( now_s() < end )
    {
        /* Asked first, so that the last round counts in full. */
        bool passed = log_count(now, any) > ROUNDS;

        if ( log_count(v->log, complaint) )
            return verdict(SUCCESS, "the guest says %s", what);
        if ( passed )
            return verdict(FAILURE, "the guest does not say %s", what);
        msleep(100);
    }
    return verdict(ERROR, "the guest is silent");
}

enum verdict victim_complains(struct victim *v, const char *what)
{
    return complains(v, what, SILENT_S);
}

bool victim_healthy(struct victim *v, unsigned int seconds)
{
    v->log = log_end();
    return complains(v, "ok", seconds) == SUCCESS;
}
