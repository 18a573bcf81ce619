/* SPDX-License-Identifier: BSD-2-Clause */
/* The cloister command: what its verbs have in common. */
#ifndef CLOISTER_TOOLS_CLOISTER_H
#define CLOISTER_TOOLS_CLOISTER_H

#include <stdbool.h>
#include <stdint.h>

/* Exit status, the same for all verbs; cloister(1) documents it. */
enum cli_exit
{
    CLI_OK = 0,
    CLI_FAILURE = 1,     /* the answer is no, or something went wrong */
    CLI_USAGE = 2,       /* the command line makes no sense */
    CLI_UNREACHABLE = 4, /* no Xen, no Cloister in it, no permission */
    CLI_UNSUPPORTED = 5, /* this Cloister or this host cannot do it */
};

/* A parsed command line. */
struct request
{
    const char *domain; /* name, id or UUID as typed; NULL: none given */
    uint64_t number;    /* why --number; 0: not given */
    bool json;
    bool tsv;
    char **args; /* all of them, the domain included */
    int nr_args;
};

/*
 * The verbs.  Each prints its answer on standard output and complaints on
 * standard error, and returns the exit status.
 */

/* State of the host and of one or all domains. */
enum cli_exit cmd_status(const struct request *req);

/* Why a domain is not protected, or the last refusals. */
enum cli_exit cmd_why(const struct request *req);

/* What others have been refused, of one domain or of all and the host. */
enum cli_exit cmd_log(const struct request *req);

/* Ask for protection of a domain that has not run yet. */
enum cli_exit cmd_protect(const struct request *req);

/* The guests' network cards; and settings of one, before it first runs. */
enum cli_exit cmd_net(const struct request *req);

#endif /* CLOISTER_TOOLS_CLOISTER_H */
