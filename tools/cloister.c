/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister(1): the command line. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/hypercall.h>

#include "cloister.h"
#include "output.h"

static enum cli_exit cmd_help(const struct request *req);

static const struct command
{
    const char *name;
    const char *arguments;
    const char *summary;
    enum cli_exit (*run)(const struct request *req);
    const char *options; /* the short ones that it takes */
    int min_args, max_args;
    enum cli_exit (*own)(int argc, char **argv); /* parses by itself */
} commands[] = {
    {"status", "[-j | -t] [DOMAIN]", "the host's and the domains' state",
     cmd_status, "jt", 0, 1, NULL},
    {"list", "[-j | -t]", "the domains, one a line", cmd_list, "jt", 0, 0,
     NULL},
    {"ok", "[-j]", "what protection needs, and whether it is there", cmd_ok,
     "j", 0, 0, NULL},
    {"why", "[-j] [DOMAIN | -n NUMBER]",
     "why a domain is not protected, or the last refusals", cmd_why, "jn", 0,
     1, NULL},
    {"log", "[-j] [--counts] [DOMAIN]", "what others have been refused",
     cmd_log, "jc", 0, 1, NULL},
    {"protect", "[--off] DOMAIN", "protect a domain that has not run yet",
     cmd_protect, "o", 1, 1, NULL},
    {"show", "[-j] [-o FILE] DOMAIN|FILE|--host",
     "what a domain started from; the host's events", NULL, "", 0, 0,
     show_main},
    {"keys", "[-f FILE] [--new] [--follow]",
     "make or load the host key and the list of images (at boot)", NULL,
     "", 0, 0, keys_main},
    {"dump", "-k KEY [DOMAIN CORE]",
     "make a core one that the guest's owner can read", NULL, "", 0, 0,
     dump_main},
    {"open-dump", "--key-file KEY [-o OUT] CORE",
     "read a core, as the guest's owner (offline)", NULL, "", 0, 0,
     open_dump_main},
    {"allow", "", "let an owner's guests move to and from this host",
     cmd_allow, "", 0, 0, NULL},
    {"migrate", "[--via C] [--again] DOM HOST|-k KEY",
     "move a guest to another of its owner's hosts", NULL, "", 0, 0,
     migrate_main},
    {"receive", "", "the other host's end of migrate", cmd_receive, "", 0, 0,
     NULL},
    {"attest", "-n NONCE -o DIR [DOMAIN]", "evidence for a verifier", NULL, "",
     0, 0, attest_main},
    {"verify", "-n NONCE -k KEY|-p POLICY DIR|REPORT",
     "check evidence, a report (offline)", NULL, "", 0, 0, verify_main},
    {"convert", "-f coco-tpm|eat DIR", "evidence in formats of others", NULL,
     "", 0, 0, convert_main},
    {"measure", "[-k -r -c -p -n -o -j ...] CONFIG",
     "what a guest's log should be, from its files", NULL, "", 0, 0,
     measure_main},
    {"explain", "[-j] EXPECTED ACTUAL", "in what two logs differ", NULL, "", 0, 0,
     explain_main},
    {"keygen", "", "an owner's key, which signs secrets", cmd_keygen, "", 0, 0,
     NULL},
    {"pubkey", "[--report|--storage DIR]",
     "the public half of a key; keys of evidence", NULL, "", 0, 0,
     pubkey_main},
    {"seal", "-n NONCE --to DIR --policy FILE [-m]",
     "seal a secret for a guest, or a migration key for a host (offline)",
     NULL, "", 0, 0, seal_main},
    {"provision", "DOMAIN", "bring a guest its sealed secret", cmd_provision,
     "", 1, 1, NULL},
    {"secret", "[-w SECONDS] [-k KEY]", "in a guest: its secret, once", NULL,
     "", 0, 0, secret_main},
    {"report", "-n NONCE", "in a guest: what proves it to others", NULL, "", 0,
     0, report_main},
    {"net", "[-j] [DOMAIN [SETTING=VALUE]...]",
     "the guests' network without dom0", cmd_net, "j", 0, 8, NULL},
    {"metrics", "", "the state, for Prometheus", NULL, "", 0, 0, metrics_main},
    {"help", "[COMMAND]", "this text", cmd_help, "", 0, 1, NULL},
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct option long_options[] = {
    {"json", no_argument, NULL, 'j'},         {"tsv", no_argument, NULL, 't'},
    {"number", required_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},      {"off", no_argument, NULL, 'o'},
    {"counts", no_argument, NULL, 'c'},
    {0},
};

static const struct command *find_command(const char *name);

static enum cli_exit help_of(const struct command *c)
{
    printf("usage: cloister %s %s\n\n%s\n\nSee cloister(1).\n", c->name,
           c->arguments, c->summary);

    return CLI_OK;
}

static enum cli_exit cmd_help(const struct request *req)
{
    if ( req->domain ) /* the name of a command, here */
    {
        const struct command *c = find_command(req->domain);

        return c ? help_of(c) : CLI_USAGE;
    }

    puts("usage: cloister [COMMAND] [OPTION]...\n");
    for ( size_t i = 0; i < NR_COMMANDS; i++ )
        printf("  %-10s%-37s%s\n", commands[i].name, commands[i].arguments,
               commands[i].summary);
    puts("\nDOMAIN is a name, an id or a UUID.  Without COMMAND: status.\n\n"
         "  -j, --json           JSON\n"
         "  -t, --tsv            tab-separated, for scripts\n"
         "  -n, --number NUMBER  the refusal with this number\n"
         "      --off            not to be protected\n"
         "      --counts         how often, by reason\n"
         "  -h, --help           this text; after a COMMAND: its usage\n"
         "  -V, --version        the version\n\n"
         "See cloister(1).");

    return CLI_OK;
}

static enum cli_exit cmd_version(const struct request *req)
{
    (void)req;
    printf("cloister %s (hypercall revision %d)\n", CLOISTER_VERSION,
           CLOISTER_ABI_REVISION);

    return CLI_OK;
}

/* A command line while it is taken apart. */
struct parse
{
    struct request req;
    char given[8]; /* short options that only some commands take */
    bool help, version;
};

static bool parse_number(const char *text, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);

    return *text >= '0' && *text <= '9' && !*end && !errno && *out;
}

static bool note(struct parse *parse, int opt)
{
    size_t len = strlen(parse->given);

    if ( !strchr(parse->given, opt) )
        parse->given[len] = opt;

    switch ( opt )
    {
    case 'j':
        parse->req.json = true;
        return true;
    case 't':
        parse->req.tsv = true;
        return true;
    case 'o':
        parse->req.off = true;
        return true;
    case 'c':
        parse->req.counts = true;
        return true;
    default:
        if ( parse_number(optarg, &parse->req.number) )
            return true;
        complain("'%s' is not the number of a refusal", optarg);
        return false;
    }
}

static bool parse_options(struct parse *parse, int argc, char **argv)
{
    int opt;

    optind = 0; /* start afresh: tests parse more than once */
    while ( (opt = getopt_long(argc, argv, "jtn:hV", long_options, NULL)) !=
            -1 )
    {
        if ( opt == '?' )
            return false; /* getopt has said why */
        if ( opt == 'h' )
            parse->help = true;
        else if ( opt == 'V' )
            parse->version = true;
        else if ( !note(parse, opt) )
            return false;
    }

    return true;
}

static const struct command *find_command(const char *name)
{
    for ( size_t i = 0; i < NR_COMMANDS; i++ )
    {
        if ( !strcmp(commands[i].name, name) )
            return &commands[i];
    }

    complain("unknown command '%s'", name);

    return NULL;
}

/* As it was typed, or may have been. */
static const char *option_name(char option)
{
    static char text[3] = "-";

    if ( option == 'o' )
        return "--off";
    if ( option == 'c' )
        return "--counts";
    text[1] = option;

    return text;
}

/* Complains unless the command takes what was given. */
static bool fits(const struct command *command, const struct parse *parse,
                 int nr_args)
{
    size_t taken = strspn(parse->given, command->options);

    if ( parse->given[taken] )
        complain("'%s' takes no option %s", command->name,
                 option_name(parse->given[taken]));
    else if ( nr_args < command->min_args )
        complain("'%s' needs a domain", command->name);
    else if ( nr_args > command->max_args )
        complain("too many arguments for '%s'", command->name);
    else if ( parse->req.json && parse->req.tsv )
        complain("either --json or --tsv");
    else if ( nr_args && parse->req.number )
        complain("either a domain or --number");
    else
        return true;

    return false;
}

static enum cli_exit usage(void)
{
    fputs("Try 'cloister --help'.\n", stderr);

    return CLI_USAGE;
}

/* One that is asked for its usage, or that parses by itself. */
static enum cli_exit run_own(const struct command *command, int argc,
                             char **argv)
{
    static char name[32];
    enum cli_exit status;

    if ( argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")) )
        return help_of(command);

    /* What getopt complains with. */
    snprintf(name, sizeof(name), "cloister %s", command->name);
    argv[1] = name;
    status = command->own(argc - 1, argv + 1);

    return status == CLI_USAGE ? usage() : status;
}

static const struct command *find_own(const char *name)
{
    for ( size_t i = 0; i < NR_COMMANDS; i++ )
    {
        if ( commands[i].own && !strcmp(commands[i].name, name) )
            return &commands[i];
    }

    return NULL;
}

static enum cli_exit run(int argc, char **argv)
{
    struct parse parse = {0};
    const struct command *command = argc > 1 ? find_own(argv[1]) : NULL;

    if ( command )
        return run_own(command, argc, argv);
    if ( !parse_options(&parse, argc, argv) )
        return usage();
    if ( parse.help )
    {
        command = optind < argc ? find_command(argv[optind]) : NULL;
        if ( command )
            return help_of(command);
        return optind < argc ? usage() : cmd_help(&parse.req);
    }
    if ( parse.version )
        return cmd_version(&parse.req);

    /* getopt has moved what is no option to the end. */
    argv += optind;
    argc -= optind;
    command = find_command(argc ? argv[0] : "status");
    if ( !command || !fits(command, &parse, argc ? argc - 1 : 0) )
        return usage();
    if ( argc > 1 )
        parse.req.domain = argv[1];
    parse.req.args = argv + 1;
    parse.req.nr_args = argc > 1 ? argc - 1 : 0;

    return command->run(&parse.req);
}

int main(int argc, char **argv)
{
    enum cli_exit status;

    /* Complaints are ours, not those of the TPM's library. */
    setenv("TSS2_LOG", "all+none", 0);
    if ( argc > 0 )
        argv[0] = (char *)"cloister";
    status = run(argc, argv);

    if ( fflush(stdout) || ferror(stdout) )
    {
        complain("cannot write: %s", strerror(errno));
        return CLI_FAILURE;
    }

    return status;
}
