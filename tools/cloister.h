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
    CLI_FAILURE = 1,      /* the answer is no, or something went wrong */
    CLI_USAGE = 2,        /* the command line makes no sense */
    CLI_BAD_EVIDENCE = 3, /* evidence is forged, damaged or stale */
    CLI_UNREACHABLE = 4,  /* no Xen, no Cloister in it, no permission */
    CLI_UNSUPPORTED = 5,  /* this Cloister or this host cannot do it */
    CLI_NOT_AS_ASKED = 6, /* evidence is good, but not what was asked for */
};

/* A parsed command line. */
struct request
{
    const char *domain; /* name, id or UUID as typed; NULL: none given */
    uint64_t number;    /* why --number; 0: not given */
    bool json;
    bool tsv;
    bool off;    /* protect --off */
    bool counts; /* log --counts */
    char **args; /* all of them, the domain included */
    int nr_args;
};

/*
 * The verbs.  Each prints its answer on standard output and complaints on
 * standard error, and returns the exit status.
 */

/* State of the host and of one or all domains. */
enum cli_exit cmd_status(const struct request *req);

/* The domains, one a line. */
enum cli_exit cmd_list(const struct request *req);

/* What protection needs, and whether it is there. */
enum cli_exit cmd_ok(const struct request *req);

/* Brings a domain the sealed secret on standard input. */
enum cli_exit cmd_provision(const struct request *req);

/* Lets an owner's guests come and go: his migration key, on standard input. */
enum cli_exit cmd_allow(const struct request *req);

/* An owner's new signing key, on standard output. */
enum cli_exit cmd_keygen(const struct request *req);

/* Why a domain is not protected, or the last refusals. */
enum cli_exit cmd_why(const struct request *req);

/* What others have been refused, of one domain or of all and the host. */
enum cli_exit cmd_log(const struct request *req);

/* Ask for protection of a domain that has not run yet, or say that none is
   wanted. */
enum cli_exit cmd_protect(const struct request *req);

/* The guests' network cards; and settings of one, before it first runs. */
enum cli_exit cmd_net(const struct request *req);

/* Verbs that take their command line apart themselves; argv[0] is the verb. */

/* A launch log, or the host's event log. */
enum cli_exit show_main(int argc, char **argv);

/* Makes or loads the host key. */
enum cli_exit keys_main(int argc, char **argv);

/* Moves a guest to another host of its owner's; the other host's end of it. */
enum cli_exit migrate_main(int argc, char **argv);
enum cli_exit cmd_receive(const struct request *req);

enum cli_exit dump_main(int argc, char **argv);
enum cli_exit open_dump_main(int argc, char **argv);

/* Evidence for somebody else: a quote, and the logs that it vouches for. */
enum cli_exit attest_main(int argc, char **argv);

/* Whether evidence is good, and is for what one wants. */
enum cli_exit verify_main(int argc, char **argv);

/* What a guest's launch log should be, from its files. */
enum cli_exit measure_main(int argc, char **argv);

/* The state, for Prometheus. */
enum cli_exit metrics_main(int argc, char **argv);

/* In what two logs differ. */
enum cli_exit explain_main(int argc, char **argv);

/* Evidence in the formats of others. */
enum cli_exit convert_main(int argc, char **argv);

/* Public keys: of a private one, or those that evidence is about. */
enum cli_exit pubkey_main(int argc, char **argv);

/* Seals the secret on standard input for a guest that has been verified. */
enum cli_exit seal_main(int argc, char **argv);

/* Inside a guest: its secret; its report for somebody else. */
enum cli_exit secret_main(int argc, char **argv);
enum cli_exit report_main(int argc, char **argv);

#endif /* CLOISTER_TOOLS_CLOISTER_H */
