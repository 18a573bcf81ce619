/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostiletpm SWTPM LISTEN MODE: a TPM that stops being good.
 *
 * Stands between QEMU (its tpm-emulator backend, which connects to LISTEN) and
 * swtpm (at SWTPM).  Control requests are passed on, but for a cancellation:
 * QEMU waits for the answer to that with the whole machine standing still, so
 * a command that is held here is also cancelled here.  What becomes of TPM
 * commands is the first word of the file MODE, which is read for each:
 *
 *   pass      swtpm answers it (also when there is no such file)
 *   hang      no answer until it is cancelled, then TPM_RC_CANCELED
 *   dead      nor then: it ends when the mode does
 *   failure   TPM_RC_FAILURE
 *   garbage   random bytes; every other time they call themselves a success
 *
 * QEMU believes the size in a response, whatever it is, and overruns its own
 * buffer: so that is right even in garbage.  Wrong ones: tests/unit.
 *
 * Each command that is not passed on is a line "hostiletpm: MODE" on standard
 * error.  Control requests and their numbers: swtpm's documentation
 * (swtpm_ioctls(3)); each comes in one piece from QEMU.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HEADER  10u   /* tag 2, size 4, code 4; big-endian */
#define BUFFER  4096u /* of QEMU's TIS */
#define LOOK_MS 100   /* for another mode, while a command is held */

#define CMD_CANCEL     0x09u
#define CMD_SET_DATAFD 0x10u

#define TAG_NO_SESSIONS 0x8001u
#define TAG_SESSIONS    0x8002u
#define RC_FAILURE      0x101u
#define RC_CANCELED     0x909u

static const char *const modes[] = { "pass", "hang", "dead", "failure",
                                     "garbage" };
enum { PASS, HANG, DEAD, FAILURE, GARBAGE, MODES };

/* QEMU's side and swtpm's, control and data; -1: not there yet. */
static struct pollfd fds[4];
enum { CTRL, UP, DATA, DOWN };

static const char *mode_file;
static uint8_t held[BUFFER]; /* a command that has not been dealt with */
static size_t held_size;     /* 0: none */
static bool cancelled, noted;

static void must(bool ok, const char *what)
{
    if ( ok )
        return;
    perror(what);
    exit(1);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static void put_header(uint8_t *p, uint16_t tag, uint32_t size, uint32_t code)
{
    const uint8_t head[HEADER] = {
        (uint8_t)(tag >> 8),   (uint8_t)tag,          (uint8_t)(size >> 24),
        (uint8_t)(size >> 16), (uint8_t)(size >> 8),  (uint8_t)size,
        (uint8_t)(code >> 24), (uint8_t)(code >> 16), (uint8_t)(code >> 8),
        (uint8_t)code,
    };

    memcpy(p, head, sizeof(head));
}

static void send_all(int to, const uint8_t *p, size_t size)
{
    while ( size )
    {
        ssize_t n = send(fds[to].fd, p, size, MSG_NOSIGNAL);

        must(n > 0, "send");
        p += n;
        size -= (size_t)n;
    }
}

/* With the machine QEMU ends, with that swtpm. */
static size_t receive(int from, uint8_t *p, size_t cap)
{
    ssize_t n = recv(fds[from].fd, p, cap, 0);

    if ( n <= 0 )
        exit(0);

    return (size_t)n;
}

static void pass_on(int from, int to)
{
    uint8_t buf[BUFFER];

    send_all(to, buf, receive(from, buf, sizeof(buf)));
}

/* ---- Control ------------------------------------------------------------- */

union fd_message {
    struct cmsghdr align;
    char space[CMSG_SPACE(sizeof(int))];
};

/* A request of QEMU's, and the descriptor that comes with it, or -1. */
static size_t receive_request(uint8_t *p, size_t cap, int *fd)
{
    union fd_message with;
    struct iovec part = { p, cap };
    struct msghdr msg = { .msg_iov = &part,
                          .msg_iovlen = 1,
                          .msg_control = &with,
                          .msg_controllen = sizeof(with) };
    ssize_t n = recvmsg(fds[CTRL].fd, &msg, 0);
    struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

    if ( n < 4 )
        exit(0);
    *fd = -1;
    if ( c && c->cmsg_type == SCM_RIGHTS )
        memcpy(fd, CMSG_DATA(c), sizeof(*fd));

    return (size_t)n;
}

/* swtpm gets a data channel of its own. */
static void set_data(int fd, uint8_t *request, size_t size)
{
    union fd_message with = { .space = { 0 } };
    struct iovec part = { request, size };
    struct msghdr msg = { .msg_iov = &part,
                          .msg_iovlen = 1,
                          .msg_control = &with,
                          .msg_controllen = sizeof(with) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    int pair[2];

    must(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &pair[1], sizeof(int));
    must(sendmsg(fds[UP].fd, &msg, MSG_NOSIGNAL) == (ssize_t)size, "sendmsg");
    close(pair[1]);
    fds[DATA].fd = fd;
    fds[DOWN].fd = pair[0];
}

static void control(void)
{
    static const uint8_t success[4];
    uint8_t request[BUFFER];
    int fd;
    size_t size = receive_request(request, sizeof(request), &fd);

    if ( get32(request) == CMD_SET_DATAFD && fd >= 0 )
        set_data(fd, request, size);
    else if ( get32(request) == CMD_CANCEL && held_size )
    {
        cancelled = true;
        send_all(CTRL, success, sizeof(success));
    }
    else
        send_all(UP, request, size);
}

/* ---- Commands ------------------------------------------------------------ */

static int mode(void)
{
    char word[16] = "";
    FILE *f = fopen(mode_file, "r");
    int m;

    if ( f && fscanf(f, "%15s", word) != 1 )
        *word = 0;
    if ( f )
        fclose(f);
    for ( m = PASS + 1; m < MODES; m++ )
        if ( !strcmp(word, modes[m]) )
            return m;

    return PASS;
}

static void answer(uint32_t code)
{
    uint8_t rsp[HEADER];

    put_header(rsp, TAG_NO_SESSIONS, HEADER, code);
    send_all(DATA, rsp, sizeof(rsp));
}

/* The same bytes in each run, for the same commands. */
static void answer_garbage(void)
{
    static unsigned int seed = 1, turn;
    uint8_t rsp[BUFFER];
    size_t size = HEADER +
                  (size_t)rand_r(&seed) % (turn & 2 ? 64 : BUFFER - HEADER);
    size_t i;

    for ( i = 0; i < sizeof(rsp); i++ )
        rsp[i] = (uint8_t)(rand_r(&seed) >> 8);
    if ( turn++ & 1 )
        put_header(rsp, rsp[0] & 1 ? TAG_SESSIONS : TAG_NO_SESSIONS,
                   (uint32_t)size, 0);
    else
        put_header(rsp, (uint16_t)get32(rsp), (uint32_t)size, get32(rsp + 6));
    send_all(DATA, rsp, size);
}

/* A command need not come in one piece. */
static void take_command(void)
{
    held_size = 0;
    cancelled = noted = false;
    do
        held_size += receive(DATA, held + held_size, BUFFER - held_size);
    while ( held_size < HEADER ||
            (held_size < get32(held + 2) && held_size < BUFFER) );
}

/* What is held ends, or goes on being held. */
static void deal(void)
{
    int m = mode();

    if ( m != PASS && !noted )
        fprintf(stderr, "hostiletpm: %s\n", modes[m]);
    noted = true;
    if ( m == DEAD || (m == HANG && !cancelled) )
        return;
    if ( m == PASS )
        send_all(DOWN, held, held_size);
    else if ( m == GARBAGE )
        answer_garbage();
    else
        answer(m == HANG ? RC_CANCELED : RC_FAILURE);
    held_size = 0;
}

/* ---- Connections --------------------------------------------------------- */

static struct sockaddr_un address(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    must(strlen(path) < sizeof(a.sun_path), path);
    strcpy(a.sun_path, path);

    return a;
}

static void join(const char *swtpm, const char *own)
{
    struct sockaddr_un theirs = address(swtpm), ours = address(own);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), i;

    for ( i = 0; i < 4; i++ )
        fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
    fds[UP].fd = socket(AF_UNIX, SOCK_STREAM, 0);
    must(!connect(fds[UP].fd, (struct sockaddr *)&theirs, sizeof(theirs)),
         swtpm);
    must(!bind(listener, (struct sockaddr *)&ours, sizeof(ours)), own);
    must(!listen(listener, 1), own);
    fds[CTRL].fd = accept(listener, NULL, NULL);
    must(fds[CTRL].fd >= 0, "accept");
    close(listener);
}

int main(int argc, char **argv)
{
    if ( argc != 4 )
    {
        fprintf(stderr, "usage: hostiletpm SWTPM LISTEN MODE\n");
        return 2;
    }
    mode_file = argv[3];
    join(argv[1], argv[2]);
    while ( poll(fds, 4, held_size ? LOOK_MS : -1) >= 0 )
    {
        if ( fds[CTRL].revents )
            control();
        if ( fds[UP].revents )
            pass_on(UP, CTRL);
        if ( fds[DOWN].fd >= 0 && fds[DOWN].revents )
            pass_on(DOWN, DATA);
        if ( fds[DATA].fd >= 0 && fds[DATA].revents )
            take_command();
        if ( held_size )
            deal();
    }

    return 1;
}
