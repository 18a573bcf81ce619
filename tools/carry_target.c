/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister receive: the target's end of what carries `xl migrate`. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carry.h"
#include "carry_link.h"
#include "domains.h"
#include "output.h"

/* Seconds that a guest without its key is held when the link has gone. */
#ifndef CARRY_GRACE
#define CARRY_GRACE 600
#endif

struct target
{
    struct child xl;
    struct hello hello;
    size_t heard;              /* bytes of BANNER and READY */
    char ready[sizeof(READY)];
    int domid;                 /* that waits for its key; -1: none */
    bool waiting;              /* for a key that may have been released */
    bool going;                /* it has been told to go on */
    size_t swallow;            /* bytes of the source's GO */
};

/* The domain that has just come: the newest with this UUID. */
static int find_domain(const char *uuid)
{
    struct domains domains;
    int id = -1;

    if ( domains_load(&domains) )
        return -1;
    for ( size_t i = 0; i < domains.count; i++ )
    {
        if ( !strcmp(domains.list[i].uuid, uuid) )
            id = (int)domains.list[i].id;
    }
    domains_free(&domains);

    return id;
}

/* Xen's offer for domain t->domid, if it is there: 0 or -errno. */
static int ask_offer(const struct target *t, struct cloister_migrate *m)
{
    if ( t->domid < 0 )
        return -ESRCH;
    *m = (struct cloister_migrate){
        .domid = (uint16_t)t->domid,
        .action = CLOISTER_MIGRATE_offer,
    };
    memcpy(m->owner, t->hello.owner, sizeof(m->owner));

    return carry_call(m);
}

static bool say_ready(void)
{
    return carry_put(STDOUT_FILENO, KIND_data, READY, sizeof(READY));
}

/*
 * Ready, says xl: if a key is missing, that is not so.  keyless: a domain that
 * needs none is ready, too.
 */
static bool offer(struct target *t, bool keyless)
{
    struct cloister_migrate m;
    struct offer offer;
    int rc;

    t->domid = find_domain(t->hello.uuid);
    rc = ask_offer(t, &m);
    if ( rc == -EEXIST || (rc == -EINVAL && keyless) )
        return say_ready();
    if ( rc )
    {
        carry_explain(rc);
        return false;
    }
    t->waiting = true;
    memcpy(offer.challenge, m.challenge, sizeof(offer.challenge));
    memcpy(offer.proof, m.proof, sizeof(offer.proof));
    memcpy(offer.cpu, m.cpu, sizeof(offer.cpu));
    offer.cards = m.cards;

    return carry_put(STDOUT_FILENO, KIND_offer, &offer, sizeof(offer));
}

static bool open_key(const struct target *t, const struct carry_frame *f)
{
    struct cloister_migrate m = {
        .domid = (uint16_t)t->domid,
        .action = CLOISTER_MIGRATE_receive,
    };
    int rc;

    if ( t->domid < 0 || f->length != sizeof(m.key) )
        return false;
    memcpy(&m.key, f->data, sizeof(m.key));
    rc = carry_call(&m);
    if ( rc )
        carry_explain(rc);

    return !rc;
}

/* From here on the guest is this host's: whether the source hears of it or not. */
static bool take_key(struct target *t, const struct carry_frame *f)
{
    if ( t->going || !open_key(t, f) )
        return false;
    t->going = true;
    t->swallow = sizeof(GO);
    say_ready();

    return carry_write(t->xl.in, GO, sizeof(GO));
}

static bool to_xl(struct target *t, const struct carry_frame *f)
{
    size_t skip = f->length < t->swallow ? f->length : t->swallow;

    t->swallow -= skip;

    return carry_write(t->xl.in, f->data + skip, f->length - skip);
}

static bool from_source(struct target *t)
{
    struct carry_frame f;
    bool ok = false;

    if ( !carry_get(STDIN_FILENO, &f) )
        return false;

    if ( f.kind == KIND_data )
        ok = to_xl(t, &f);
    else if ( f.kind == KIND_key )
        ok = take_key(t, &f);
    /* An answer that is no key is the last one. */
    t->waiting = t->waiting && ok;

    return ok;
}

/* xl's first words are known, and are not believed to be others. */
static bool first_words(struct target *t)
{
    const size_t banner = sizeof(BANNER) - 1;
    char c;

    if ( !carry_read(t->xl.out, &c, 1) )
        return false;
    if ( t->heard < banner )
    {
        t->heard++;
        return carry_put(STDOUT_FILENO, KIND_data, &c, 1);
    }
    t->ready[t->heard++ - banner] = c;
    if ( t->heard < banner + sizeof(READY) )
        return true;

    return !memcmp(t->ready, READY, sizeof(READY)) && offer(t, true);
}

static bool from_xl(struct target *t)
{
    if ( t->heard < sizeof(BANNER) - 1 + sizeof(READY) )
        return first_words(t);

    /* Once it goes, its words are for those who are still there. */
    return carry_pass(t->xl.out, STDOUT_FILENO) > 0;
}

/* Whether xl can go on: with the key, whatever becomes of the link. */
static bool carry_on(struct target *t)
{
    struct pollfd fds[2];
    int link = STDIN_FILENO;
    bool ok = true;

    while ( ok && carry_await(fds, link, t->xl.out) )
    {
        if ( fds[0].revents && !from_source(t) )
        {
            link = -1;
            ok = t->going;
        }
        if ( ok && fds[1].revents )
            ok = from_xl(t);
    }

    return t->going;
}

/*
 * The link has gone, and the key with it, for all that is known here: another
 * link may bring it (KIND_again), to another process.
 */
static bool key_comes(const struct target *t)
{
    struct cloister_migrate m;
    int rc = 0;

    /* If only one way is cut, the source is to hear of it. */
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    complain("migrate: the link has gone; waiting for the guest's key for %d s",
             CARRY_GRACE);
    for ( unsigned int i = 0; i < CARRY_GRACE && !rc; i++ )
    {
        sleep(1);
        rc = ask_offer(t, &m);
    }

    return rc == -EEXIST;
}

/* A guest, by xl. */
static enum cli_exit receive_guest(struct target *t)
{
    int status = -1;

    if ( !carry_start(&t->xl, "exec xl migrate-receive", "xl") )
        return CLI_FAILURE;
    if ( !carry_on(t) && t->waiting && key_comes(t) )
        carry_write(t->xl.in, GO, sizeof(GO));
    /* Without a word to go xl destroys the domain. */
    close(t->xl.in);
    waitpid(t->xl.pid, &status, 0);

    return status ? CLI_FAILURE : CLI_OK;
}

/*
 * What carries the link may end its process with it, as socat does: what holds
 * the guest, or lets xl clean up, is another one.
 */
static enum cli_exit receive_apart(struct target *t)
{
    int status = -1;
    pid_t pid = fork();

    if ( !pid )
    {
        setsid();
        _exit(receive_guest(t));
    }
    /* Only the other one is to keep the link up. */
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    if ( pid > 0 )
        waitpid(pid, &status, 0);

    return status ? CLI_FAILURE : CLI_OK;
}

/* The key of a guest that another process holds ready. */
static enum cli_exit receive_key(struct target *t)
{
    struct carry_frame f;
    bool ok = offer(t, false);

    if ( ok && t->waiting )
        ok = carry_get(STDIN_FILENO, &f) && f.kind == KIND_key &&
             open_key(t, &f) && say_ready();

    return ok ? CLI_OK : CLI_FAILURE;
}

enum cli_exit carry_receive(void)
{
    struct target t = {.domid = -1};
    struct carry_frame f;

    signal(SIGPIPE, SIG_IGN);
    if ( system("command -v xl >/dev/null") )
    {
        complain("receive: no xl here: this is for dom0");
        return CLI_UNREACHABLE;
    }
    if ( !carry_get(STDIN_FILENO, &f) || f.length != sizeof(t.hello) ||
         f.data[UUID_TEXT - 1] )
        return CLI_FAILURE;
    memcpy(&t.hello, f.data, sizeof(t.hello));

    switch ( f.kind )
    {
    case KIND_hello:
        return receive_apart(&t);
    case KIND_again:
        return receive_key(&t);
    }

    return CLI_FAILURE;
}
