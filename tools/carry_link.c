/* SPDX-License-Identifier: BSD-2-Clause */
/* The link between cloister migrate and cloister receive; see carry_link.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carry_link.h"
#include "hyp.h"
#include "output.h"

#ifndef CARRY_IDLE
#define CARRY_IDLE (300 * 1000) /* milliseconds without a byte: a dead link */
#endif

bool carry_write(int fd, const void *data, size_t size)
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

bool carry_await(struct pollfd fds[2], int a, int b)
{
    int n;

    fds[0] = (struct pollfd){.fd = a, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = b, .events = POLLIN};
    do
        n = poll(fds, 2, CARRY_IDLE);
    while ( n < 0 && errno == EINTR );
    if ( !n )
        complain("migrate: the other host has not been heard of for %d s",
                 CARRY_IDLE / 1000);

    return n > 0;
}

bool carry_read(int fd, void *data, size_t size)
{
    struct pollfd fds[2];
    uint8_t *p = data;
    ssize_t n;

    for ( ; size; p += n, size -= (size_t)n )
    {
        if ( !carry_await(fds, fd, -1) )
            return false;
        n = read(fd, p, size);
        if ( n < 0 && errno == EINTR )
            n = 0;
        else if ( n <= 0 )
            return false;
    }

    return true;
}

bool carry_put(int fd, enum carry_kind kind, const void *data, size_t size)
{
    const uint32_t head[2] = {kind, (uint32_t)size};

    return carry_write(fd, head, CARRY_HEAD) && carry_write(fd, data, size);
}

bool carry_get(int fd, struct carry_frame *f)
{
    return carry_read(fd, f, CARRY_HEAD) && f->length <= CARRY_PIECE &&
           carry_read(fd, f->data, f->length);
}

ssize_t carry_pass(int fd, int link)
{
    uint8_t data[CARRY_PIECE];
    ssize_t n = read(fd, data, sizeof(data));

    if ( n > 0 && !carry_put(link, KIND_data, data, (size_t)n) )
        return -1;

    return n;
}

bool carry_start(struct child *c, const char *command, const char *host)
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
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    c->in = in[1];
    c->out = out[0];
    signal(SIGPIPE, SIG_IGN);

    return true;
}

void carry_end(struct child *c)
{
    close(c->in);
    close(c->out);
    /* What has been written is to get there; a dead link never ends. */
    for ( unsigned int i = 0; i < 20 && !waitpid(c->pid, NULL, WNOHANG); i++ )
    {
        if ( i == 10 )
            kill(c->pid, SIGTERM);
        usleep(100 * 1000);
    }
}

/* ---- The hypervisor ------------------------------------------------------- */

int carry_call(struct cloister_migrate *m)
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

void carry_explain(int rc)
{
    switch ( -rc )
    {
    case ENOENT:
        complain("migrate: no migration key of the guest's owner is on this "
                 "host (cloister allow)");
        return;
    case EPERM:
        complain("migrate: this host cannot protect the guest now (see "
                 "cloister why)");
        return;
    case EXDEV:
        complain("migrate: the guest would not run there: the other host's "
                 "processor shows it other features, or it gives guests no "
                 "network card (siom=)");
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
