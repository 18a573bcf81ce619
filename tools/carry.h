/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What carries `xl migrate` to another host.  xl's two ends speak as always;
 * at the end, before the source's xl hears that the target is ready, the
 * guest's key goes over (abi/migrate.h).  What can be told without it is told
 * before: xl's part, whether the target could seal the domain, and whether the
 * guest would find the same CPU and a network card there.  From then on the
 * target starts the guest, link or no link.
 */
#ifndef CLOISTER_TOOLS_CARRY_H
#define CLOISTER_TOOLS_CARRY_H

#include <stdint.h>

#include "cloister.h"

/*
 * The source's end, which xl runs: xl is on standard input and output.  via:
 * a shell command that reaches carry_receive on the target, host is its $0.
 */
enum cli_exit carry_send(unsigned int domid, const char *uuid,
                         const char *via, const char *host);

/*
 * Brings the key of a guest that has moved once more, if the target may not
 * have got it: it waits for ten minutes after the link has gone.  The domain
 * here stays as it is, suspended.
 */
enum cli_exit carry_again(unsigned int domid, const char *uuid,
                          const char *via, const char *host);

/* The target's end: runs `xl migrate-receive`. */
enum cli_exit carry_receive(void);

#endif /* CLOISTER_TOOLS_CARRY_H */
