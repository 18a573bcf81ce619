/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The link between the two ends of carry.h: frames, and who speaks on it.
 * Nothing that comes by it is trusted: Xen checks the key and the record.
 */
#ifndef CLOISTER_TOOLS_CARRY_LINK_H
#define CLOISTER_TOOLS_CARRY_LINK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <abi/hypercall.h>

#include "domains.h"

#define CARRY_PIECE 65536u

/* As tools/xl/xl.h has them; the banner goes without its terminator. */
#define BANNER "xl migration receiver ready, send binary domain data.\n"
#define READY "domain received, ready to unpause"
#define GO "domain is yours, you are cleared to unpause"
#define REPORT "my copy unpause results are as follows"

/* Frames, little-endian, at most CARRY_PIECE bytes behind the head. */
enum carry_kind
{
    KIND_hello,   /* to the target: struct hello */
    KIND_data,    /* xl's */
    KIND_offer,   /* to the source: struct offer */
    KIND_key,     /* to the target: struct cloister_record_key */
    KIND_again,   /* to the target: struct hello; a link for the key alone */
    KIND_refused, /* to the target: nothing; no key will come */
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
    uint8_t cpu[32];
    uint32_t cards;
};

struct carry_frame
{
    uint32_t kind;
    uint32_t length;
    uint8_t data[CARRY_PIECE];
};

#define CARRY_HEAD offsetof(struct carry_frame, data)

/* A command with pipes to and from it. */
struct child
{
    pid_t pid;
    int in, out;
};

/* All of it, or false: the other end has gone. */
bool carry_write(int fd, const void *data, size_t size);

/* All of it, or false: the end, or five minutes without a byte. */
bool carry_read(int fd, void *data, size_t size);

/* Waits until a or b (-1: not this one) can be read; false: five minutes. */
bool carry_await(struct pollfd fds[2], int a, int b);

/* One frame, whole; false: the link is of no use any more. */
bool carry_put(int fd, enum carry_kind kind, const void *data, size_t size);
bool carry_get(int fd, struct carry_frame *f);

/* What there is to read from fd, as a frame of data; 0: its end; -1: none of
   the link. */
ssize_t carry_pass(int fd, int link);

/* command: a shell's, with host as $0; to be ended with carry_end. */
bool carry_start(struct child *c, const char *command, const char *host);

/* Closes the pipes, which ends it, and waits for it: two seconds at most. */
void carry_end(struct child *c);

/* Asks Xen: 0 or -errno (abi/hypercall.h); and says what an error means. */
int carry_call(struct cloister_migrate *m);
void carry_explain(int rc);

#endif /* CLOISTER_TOOLS_CARRY_LINK_H */
