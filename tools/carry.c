/* SPDX-License-Identifier: BSD-2-Clause */
/* What carries `xl migrate` to another host; see carry.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carry.h"
#include "domains.h"
#include "hyp.h"
#include "output.h"

#define PIECE 65536u
#define NO_COMMAND 127 /* exit status of a shell that does not find it */
#ifndef IDLE
#define IDLE (300 * 1000) /* milliseconds without a byte: the link is dead */
#endif

/* As tools/xl/xl.h has them; the banner goes without its terminator. */
#define BANNER "xl migration receiver ready, send binary domain data.\n"
#define READY "domain received, ready to unpause"
#define GO "domain is yours, you are cleared to unpause"

/* Over the link: frames, little-endian, at most PIECE bytes behind the head. */
enum kind
{
    KIND_hello, /* to the target: struct hello */
    KIND_data,  /* xl's */
    KIND_offer, /* to the source: struct offer */
    KIND_key,   /* to the target: struct cloister_record_key */
};

struct hello
{
    char uuid[UUID_TEXT]; /* the guest's, with its terminator */
    uint8_t owner[32];    /* zeros: it is not protected */
};

struct offer
{
    uint8_t challenge[CLOISTER_CHALLENGE];
    uint8_t proof[32];
};

struct frame
{
    uint32_t kind;
    uint32_t length;
    uint8_t data[PIECE];
};

#define HEAD offsetof(struct frame, data)

/* A command with pipes to and from it. */
struct child
{
    pid_t pid;
    int in, out;
};

static bool write_all(int fd, const void *data, size_t size)
{
    const uint8_t *p = data;
    ssize_t n;

    for ( ; size; p += n, size -= (size_t)n )
    {
        n = write(fd, p, size);
        if ( n < 0 && errno == EINTR )
            n = 0;
        else if ( n <= 0 )
            return false;
    }

    return true;
}

/* Waits for one of the two (-1: not for this one), for IDLE at most. */
static bool await(struct pollfd fds[2], int a, int b)
{
    int n;

    fds[0] = (struct pollfd){.fd = a, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = b, .events = POLLIN};
    do
        n = poll(fds, 2, IDLE);
    while ( n < 0 && errno == EINTR );
    if ( !n )
        complain("migrate: the other host has not been heard of for %d s",
                 IDLE / 1000);

    return n > 0;
}

static bool read_all(int fd, void *data, size_t size)
{
    struct pollfd fds[2];
    uint8_t *p = data;
    ssize_t n;

    for ( ; size; p += n, size -= (size_t)n )
    {
        if ( !await(fds, fd, -1) )
            return false;
        n = read(fd, p, size);
        if ( n < 0 && errno == EINTR )
            n = 0;
        else if ( n <= 0 )
            return false;
    }

    return true;
}

static bool send_frame(int fd, enum kind kind, const void *data, size_t size)
{
    const uint32_t head[2] = {kind, (uint32_t)size};

    return write_all(fd, head, HEAD) && write_all(fd, data, size);
}

static bool receive_frame(int fd, struct frame *f)
{
    return read_all(fd, f, HEAD) && f->length <= PIECE &&
           read_all(fd, f->data, f->length);
}

/* What there is to read from fd, as a frame of data; 0: its end. */
static ssize_t pass(int fd, int link)
{
    uint8_t data[PIECE];
    ssize_t n = read(fd, data, sizeof(data));

    if ( n > 0 && !send_frame(link, KIND_data, data, (size_t)n) )
        return -1;

    return n;
}

/* command: a shell's, with host as $0. */
static bool start(struct child *c, const char *command, const char *host)
{
    int in[2], out[2];

    if ( pipe(in) || pipe(out) )
        return false;
    c->pid = fork();
    if ( c->pid < 0 )
        return false;
    if ( !c->pid )
    {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        execlp("sh", "sh", "-c", command, host, (char *)NULL);
        _exit(NO_COMMAND);
    }
    close(in[0]);
    close(out[1]);
    c->in = in[1];
    c->out = out[0];
    signal(SIGPIPE, SIG_IGN);

    return true;
}

/* ---- The hypervisor ------------------------------------------------------- */

static int call(struct cloister_migrate *m)
{
    struct cloister_host host;
    struct hyp *hyp;
    int rc;

    if ( hyp_start(&hyp, &host) )
        return -ENODEV;
    rc = hyp_migrate(hyp, m);
    hyp_close(hyp);

    return rc;
}

static void explain_call(int rc)
{
    switch ( -rc )
    {
    case ENOENT:
        complain("migrate: no migration key of the guest's owner is on this "
                 "host (cloister allow)");
        return;
    case EEXIST:
        complain("migrate: the guest has moved already");
        return;
    case EBADMSG:
        complain("migrate: the key is not for this guest");
        return;
    case EACCES:
        complain("migrate: the guest is refused: the other host is not one of "
                 "its owner's, or has got something else (see cloister why)");
        return;
    }
    hyp_complain(rc, "migrate");
}

/* ---- The source ----------------------------------------------------------- */

/* The target has all but the key: now, or never. */
static bool release(unsigned int domid, const struct frame *f, int link)
{
    struct cloister_migrate m = {
        .domid = (uint16_t)domid,
        .action = CLOISTER_MIGRATE_release,
    };
    struct offer offer;
    int rc;

    if ( f->length != sizeof(offer) )
        return false;
    memcpy(&offer, f->data, sizeof(offer));
    memcpy(m.challenge, offer.challenge, sizeof(m.challenge));
    memcpy(m.proof, offer.proof, sizeof(m.proof));
    rc = call(&m);
    if ( rc )
        explain_call(rc);

    return !rc && send_frame(link, KIND_key, &m.key, sizeof(m.key));
}

static bool from_target(unsigned int domid, const struct child *link)
{
    struct frame f;

    if ( !receive_frame(link->out, &f) )
        return false;

    switch ( f.kind )
    {
    case KIND_data:
        return write_all(STDOUT_FILENO, f.data, f.length);
    case KIND_offer:
        return release(domid, &f, link->in);
    }

    return false;
}

/* Who it is, and whose; false: it cannot be moved. */
static bool introduce(unsigned int domid, const char *uuid, struct hello *h)
{
    struct cloister_migrate m = {
        .domid = (uint16_t)domid,
        .action = CLOISTER_MIGRATE_owner,
    };
    int rc = call(&m);

    *h = (struct hello){0};
    strncpy(h->uuid, uuid, sizeof(h->uuid) - 1);
    if ( !rc )
        memcpy(h->owner, m.owner, sizeof(h->owner));
    else if ( rc != -EINVAL )
        explain_call(rc);

    return !rc || rc == -EINVAL;
}

enum cli_exit carry_send(unsigned int domid, const char *uuid, const char *via,
                         const char *host)
{
    struct child link;
    struct pollfd fds[2];
    struct hello hello;
    int xl = STDIN_FILENO;
    bool ok = introduce(domid, uuid, &hello) && start(&link, via, host) &&
              send_frame(link.in, KIND_hello, &hello, sizeof(hello));

    while ( ok && await(fds, xl, link.out) )
    {
        if ( fds[0].revents )
        {
            ssize_t n = pass(xl, link.in);

            ok = n >= 0;
            if ( !n )
            {
                close(link.in);
                xl = -1;
            }
        }
        if ( ok && fds[1].revents )
            ok = from_target(domid, &link);
    }
    /* xl, which has its answer, has gone; or what it gets now is an end. */
    return xl < 0 ? CLI_OK : CLI_FAILURE;
}

/* ---- The target ----------------------------------------------------------- */

struct target
{
    struct child xl;
    struct hello hello;
    size_t heard;              /* bytes of BANNER and READY */
    char ready[sizeof(READY)];
    int domid;                 /* that waits for its key; -1: none */
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

/* Ready, says xl: if a key is missing, that is not so. */
static bool offer(struct target *t)
{
    struct cloister_migrate m = {.action = CLOISTER_MIGRATE_offer};
    int id = find_domain(t->hello.uuid), rc;
    struct offer offer;

    if ( id < 0 )
        return false;
    m.domid = (uint16_t)id;
    memcpy(m.owner, t->hello.owner, sizeof(m.owner));
    rc = call(&m);
    if ( rc == -EINVAL )
        return send_frame(STDOUT_FILENO, KIND_data, READY, sizeof(READY));
    if ( rc )
    {
        explain_call(rc);
        return false;
    }
    t->domid = id;
    memcpy(offer.challenge, m.challenge, sizeof(offer.challenge));
    memcpy(offer.proof, m.proof, sizeof(offer.proof));

    return send_frame(STDOUT_FILENO, KIND_offer, &offer, sizeof(offer));
}

/* From here on the guest is this host's: whether the source hears of it or not. */
static bool take_key(struct target *t, const struct frame *f)
{
    struct cloister_migrate m = {
        .domid = (uint16_t)t->domid,
        .action = CLOISTER_MIGRATE_receive,
    };
    int rc;

    if ( t->domid < 0 || t->going || f->length != sizeof(m.key) )
        return false;
    memcpy(&m.key, f->data, sizeof(m.key));
    rc = call(&m);
    if ( rc )
    {
        explain_call(rc);
        return false;
    }
    t->going = true;
    t->swallow = sizeof(GO);
    send_frame(STDOUT_FILENO, KIND_data, READY, sizeof(READY));

    return write_all(t->xl.in, GO, sizeof(GO));
}

static bool to_xl(struct target *t, const struct frame *f)
{
    size_t skip = f->length < t->swallow ? f->length : t->swallow;

    t->swallow -= skip;

    return write_all(t->xl.in, f->data + skip, f->length - skip);
}

static bool from_source(struct target *t)
{
    struct frame f;

    if ( !receive_frame(STDIN_FILENO, &f) )
        return false;

    switch ( f.kind )
    {
    case KIND_hello:
        if ( f.length != sizeof(t->hello) || f.data[UUID_TEXT - 1] )
            return false;
        memcpy(&t->hello, f.data, sizeof(t->hello));
        return true;
    case KIND_data:
        return to_xl(t, &f);
    case KIND_key:
        return take_key(t, &f);
    }

    return false;
}

/* xl's first words are known, and are not believed to be others. */
static bool first_words(struct target *t)
{
    const size_t banner = sizeof(BANNER) - 1;
    char c;

    if ( !read_all(t->xl.out, &c, 1) )
        return false;
    if ( t->heard < banner )
    {
        t->heard++;
        return send_frame(STDOUT_FILENO, KIND_data, &c, 1);
    }
    t->ready[t->heard++ - banner] = c;
    if ( t->heard < banner + sizeof(READY) )
        return true;

    return !memcmp(t->ready, READY, sizeof(READY)) && offer(t);
}

static bool from_xl(struct target *t)
{
    if ( t->heard < sizeof(BANNER) - 1 + sizeof(READY) )
        return first_words(t);

    /* Once it goes, its words are for those who are still there. */
    return pass(t->xl.out, STDOUT_FILENO) > 0;
}

/* Whether xl can go on: with the key, whatever becomes of the link. */
static bool carry_on(struct target *t)
{
    struct pollfd fds[2];
    int link = STDIN_FILENO;
    bool ok = true;

    while ( ok && await(fds, link, t->xl.out) )
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

enum cli_exit carry_receive(void)
{
    struct target t = {.domid = -1};
    int status = -1;

    if ( !start(&t.xl, "exec xl migrate-receive", "xl") )
        return CLI_FAILURE;
    carry_on(&t);
    /* Without a word to go xl destroys the domain. */
    close(t.xl.in);
    waitpid(t.xl.pid, &status, 0);
    if ( WIFEXITED(status) && WEXITSTATUS(status) == NO_COMMAND )
    {
        complain("receive: no xl here: this is for dom0");
        return CLI_UNREACHABLE;
    }

    return status ? CLI_FAILURE : CLI_OK;
}
