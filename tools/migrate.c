/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister migrate, receive: moves a guest to another host of its owner's. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <abi/migrate.h>
#include <cloister/sha256.h>

#include "carry.h"
#include "domains.h"
#include "hyp.h"
#include "output.h"

/* How xl's child knows what it carries. */
#define ENV_DOMID "CLOISTER_MIGRATE_DOMID"
#define ENV_UUID "CLOISTER_MIGRATE_UUID"
#define ENV_VIA "CLOISTER_MIGRATE_VIA"

#define VIA "exec ssh \"$0\" cloister receive"

/* What belongs on the guest's command line. */
static enum cli_exit print_option(const char *path)
{
    uint8_t in[16 + CLOISTER_MIGRATION_KEY + 32] = CLOISTER_MIGRATION_NAME;
    uint8_t name[32], more;
    struct cl_sha256 h;
    FILE *f = file_open(path);
    bool ok = f && fread(in + 16, CLOISTER_MIGRATION_KEY, 1, f) == 1 &&
              !fread(&more, 1, 1, f);

    if ( !f )
        return CLI_FAILURE;
    fclose(f);
    if ( !ok )
    {
        complain("%s: not a file of %d random bytes (openssl rand -out FILE "
                 "%d)",
                 path, CLOISTER_MIGRATION_KEY, CLOISTER_MIGRATION_KEY);
        return CLI_FAILURE;
    }
    cl_sha256_init(&h);
    cl_sha256_update(&h, in, sizeof(in));
    cl_sha256_final(&h, name);
    fputs(CLOISTER_MIGRATION_OPTION, stdout);
    for ( size_t i = 0; i < sizeof(name); i++ )
        printf("%02x", name[i]);
    putchar('\n');

    return CLI_OK;
}

/* As xl's transport: with what migrate() has left. */
static enum cli_exit carry(const char *host)
{
    const char *domid = getenv(ENV_DOMID), *uuid = getenv(ENV_UUID);
    char text[UUID_TEXT] = "";
    unsigned int id;

    if ( !domid || !domain_spec_is_id(domid, &id) || !uuid ||
         !domain_spec_is_uuid(uuid, text) )
        return CLI_USAGE;

    return carry_send(id, text, getenv(ENV_VIA), host);
}

/* xl takes over; it runs this program again, to carry. */
static enum cli_exit migrate(const struct domain *dom, const char *host,
                             const char *via)
{
    char self[256], transport[300], id[16];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if ( n < 0 )
        return hyp_complain(-errno, dom->name);
    snprintf(transport, sizeof(transport), "%.*s migrate --carry", (int)n,
             self);
    snprintf(id, sizeof(id), "%u", dom->id);
    setenv(ENV_DOMID, id, 1);
    setenv(ENV_UUID, dom->uuid, 1);
    setenv(ENV_VIA, via, 1);
    execlp("xl", "xl", "migrate", "-s", transport, id, host, (char *)NULL);
    complain("xl: %s", strerror(errno));

    return CLI_UNREACHABLE;
}

/* again: of a guest that has moved, the key only. */
static enum cli_exit move(const char *spec, const char *host, const char *via,
                          bool again)
{
    struct domains domains;
    enum cli_exit status = domains_start(&domains);
    const struct domain *dom;

    if ( status )
        return status;
    dom = domains_find(&domains, spec);
    if ( !dom )
        status = hyp_complain(-ESRCH, spec);
    else
        status = again ? carry_again(dom->id, dom->uuid, via, host)
                       : migrate(dom, host, via);
    domains_free(&domains);

    return status;
}

enum cli_exit migrate_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'},
        {"via", required_argument, NULL, 'v'},
        {"carry", no_argument, NULL, 'c'},
        {"again", no_argument, NULL, 'a'},
        {0},
    };
    const char *key = NULL, *via = VIA;
    bool again = false;
    int opt;

    optind = 0;
    /* +: what follows HOST is xl's, and is not needed. */
    while ( (opt = getopt_long(argc, argv, "+k:", options, NULL)) != -1 )
    {
        if ( opt == 'c' && optind < argc )
            return carry(argv[optind]);
        else if ( opt == 'k' )
            key = optarg;
        else if ( opt == 'v' )
            via = optarg;
        else if ( opt == 'a' )
            again = true;
        else
            return CLI_USAGE;
    }
    if ( key && optind == argc )
        return print_option(key);
    if ( key || optind + 2 != argc )
    {
        complain("migrate needs a domain and a host, or -k KEY");
        return CLI_USAGE;
    }

    return move(argv[optind], argv[optind + 1], via, again);
}

enum cli_exit cmd_receive(const struct request *req)
{
    (void)req;

    return carry_receive();
}
