/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister migrate's end of what carries `xl migrate`; see carry.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "carry.h"
#include "carry_link.h"
#include "output.h"

/* How often a key that has not been heard to arrive is brought again. */
#ifndef CARRY_TRIES
#define CARRY_TRIES 24
#endif
#ifndef CARRY_PAUSE
#define CARRY_PAUSE 5 /* seconds between these */
#endif

struct source
{
    unsigned int domid;
    const char *via, *host;
    struct hello hello;
    struct child link;
    bool released; /* the key has been given for the link ... */
    bool answered; /* ... and the target has spoken since */
};

/* The target has all but the key: now, or never. */
static bool release(struct source *s, const struct carry_frame *f)
{
    struct cloister_migrate m = {
        .domid = (uint16_t)s->domid,
        .action = CLOISTER_MIGRATE_release,
    };
    struct offer offer;
    int rc;

    if ( f->length != sizeof(offer) )
        return false;
    memcpy(&offer, f->data, sizeof(offer));
    memcpy(m.challenge, offer.challenge, sizeof(m.challenge));
    memcpy(m.proof, offer.proof, sizeof(m.proof));
    memcpy(m.cpu, offer.cpu, sizeof(m.cpu));
    m.cards = offer.cards;
    rc = carry_call(&m);
    if ( rc )
    {
        carry_explain(rc);
        carry_put(s->link.in, KIND_refused, NULL, 0);
        return false;
    }
    s->released = true;

    return carry_put(s->link.in, KIND_key, &m.key, sizeof(m.key));
}

static bool from_target(struct source *s)
{
    struct carry_frame f;

    if ( !carry_get(s->link.out, &f) )
        return false;

    switch ( f.kind )
    {
    case KIND_data:
        s->answered = s->released;
        return carry_write(STDOUT_FILENO, f.data, f.length);
    case KIND_offer:
        return release(s, &f);
    }

    return false;
}

/* Who it is, and whose; false: it cannot be moved. */
static bool introduce(struct source *s, const char *uuid)
{
    struct cloister_migrate m = {
        .domid = (uint16_t)s->domid,
        .action = CLOISTER_MIGRATE_owner,
    };
    int rc = carry_call(&m);

    strncpy(s->hello.uuid, uuid, sizeof(s->hello.uuid) - 1);
    if ( !rc )
        memcpy(s->hello.owner, m.owner, sizeof(s->hello.owner));
    else if ( rc != -EINVAL )
        carry_explain(rc);

    return !rc || rc == -EINVAL;
}

/* ---- The key once more --------------------------------------------------- */

/* Xen gives what it has given before, for the same domain there only. */
static bool deliver(struct source *s)
{
    struct carry_frame f;
    bool ok;

    if ( !carry_start(&s->link, s->via, s->host) )
        return false;
    ok = carry_put(s->link.in, KIND_again, &s->hello, sizeof(s->hello)) &&
         carry_get(s->link.out, &f);
    /* What has the key by now says so at once. */
    if ( ok && f.kind == KIND_offer )
        ok = release(s, &f) && carry_get(s->link.out, &f);
    ok = ok && f.kind == KIND_data && f.length == sizeof(READY) &&
         !memcmp(f.data, READY, sizeof(READY));
    carry_end(&s->link);

    return ok;
}

static bool deliver_again(struct source *s)
{
    complain("migrate: the guest's key is on its way, and the link has gone; "
             "trying again");
    for ( unsigned int i = 0; i < CARRY_TRIES; i++ )
    {
        if ( deliver(s) )
            return true;
        sleep(CARRY_PAUSE);
    }
    complain("migrate: the guest is %s's, which may not have its key yet: "
             "cloister migrate --again brings it once more", s->host);

    return false;
}

/*
 * xl hears from here what it would have heard from the target, which goes on
 * by itself: the guest is not to be resumed here, whatever comes of it there.
 */
static bool conclude(void)
{
    static const char report[sizeof(REPORT) + 1] = REPORT;
    char go[sizeof(GO)];

    return carry_write(STDOUT_FILENO, READY, sizeof(READY)) &&
           carry_read(STDIN_FILENO, go, sizeof(go)) &&
           carry_write(STDOUT_FILENO, report, sizeof(report));
}

/* ---- xl's stream ---------------------------------------------------------- */

/* Until either end has gone; whether xl has. */
static bool carry(struct source *s)
{
    struct pollfd fds[2];
    int xl = STDIN_FILENO;
    bool ok = true;

    while ( ok && carry_await(fds, xl, s->link.out) )
    {
        if ( fds[0].revents )
        {
            ssize_t n = carry_pass(xl, s->link.in);

            ok = n >= 0;
            if ( !n )
            {
                close(s->link.in);
                xl = s->link.in = -1;
            }
        }
        if ( ok && fds[1].revents )
            ok = from_target(s);
    }

    return xl < 0;
}

enum cli_exit carry_send(unsigned int domid, const char *uuid, const char *via,
                         const char *host)
{
    struct source s = {.domid = domid, .via = via, .host = host};
    bool ok;

    if ( !introduce(&s, uuid) || !carry_start(&s.link, via, host) )
        return CLI_FAILURE;
    ok = carry_put(s.link.in, KIND_hello, &s.hello, sizeof(s.hello)) &&
         carry(&s);
    if ( s.released && !s.answered )
    {
        carry_end(&s.link);
        ok = deliver_again(&s) && conclude();
    }

    /* xl, which has its answer, has gone; or what it gets now is an end. */
    return ok ? CLI_OK : CLI_FAILURE;
}

enum cli_exit carry_again(unsigned int domid, const char *uuid,
                          const char *via, const char *host)
{
    struct source s = {.domid = domid, .via = via, .host = host};

    if ( !introduce(&s, uuid) )
        return CLI_FAILURE;
    if ( !deliver(&s) )
    {
        complain("migrate: the key has not been heard to arrive");
        return CLI_FAILURE;
    }

    return CLI_OK;
}
