/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister show: the launch log of a domain, or the host's event log. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cloister.h"
#include "domains.h"
#include "evlog.h"
#include "hyp.h"
#include "output.h"

/* What was asked for. */
struct show
{
    const char *what; /* domain, or file; NULL: the host */
    const char *file; /* -o */
    bool host, json;
    struct evlog log;
};

static enum cli_exit fetch(struct show *show)
{
    struct cloister_host host;
    struct domains domains = {0};
    const struct domain *dom;
    unsigned int id = CLOISTER_LOG_HOST;
    struct hyp *hyp;
    enum cli_exit status = hyp_start(&hyp, &host);
    int rc;

    if ( !status && !show->host )
    {
        status = domains_start(&domains);
        dom = domains_find(&domains, show->what);
        if ( dom )
            id = dom->id;
        else if ( !status && !domain_spec_is_id(show->what, &id) )
            status = hyp_complain(-ESRCH, show->what);
    }
    if ( !status )
    {
        rc = hyp_log(hyp, id, &show->log);
        if ( rc == -ENOENT )
            complain("%s was not measured: it is not protected (see cloister "
                     "why)",
                     show->what);
        status = rc == -ENOENT ? CLI_FAILURE
                 : rc          ? hyp_complain(rc, "fetching the log")
                               : CLI_OK;
    }
    hyp_close(hyp);
    domains_free(&domains);

    return status;
}

static enum cli_exit get(struct show *show)
{
    int rc;

    if ( show->host || !strchr(show->what, '/') )
        return fetch(show);

    rc = evlog_load(&show->log, show->what);
    if ( rc )
    {
        complain("%s: %s", show->what, strerror(-rc));
        return CLI_FAILURE;
    }

    return CLI_OK;
}

/* A file holds either; its first item says which. */
static bool is_host(const struct evlog *log)
{
    struct evitem item;
    size_t offset = 0;

    return evlog_next(log, &offset, &item) &&
           item.head.type >= CLOISTER_ITEM_build;
}

struct json_object *json_item(const struct evitem *item)
{
    struct json_object *obj = json_object_new_object();
    char hex[DIGEST_TEXT];

    json_add_text(obj, "type", evitem_name(item));
    json_add_number(obj, "index", item->head.index);
    json_add_number(obj, "first", item->head.first);
    json_add_number(obj, "count", item->head.count);
    json_add_number(obj, "length", item->head.length);
    json_add_text(obj, "digest", digest_text(item->head.digest, hex));

    return obj;
}

static void json_items(struct json_object *answer, const struct evlog *log)
{
    struct json_object *array = json_object_new_array();
    struct evitem item;
    size_t offset = 0;

    while ( evlog_next(log, &offset, &item) )
        json_object_array_add(array, json_item(&item));
    json_object_object_add(answer, "items", array);
}

static void print_json(const struct evlog *log, bool host)
{
    struct json_object *answer = json_new_answer();
    uint8_t digest[CLOISTER_DIGEST_SIZE];
    char hex[DIGEST_TEXT];

    if ( host )
    {
        evlog_replay(log, CLOISTER_PCR_HOST, digest);
        json_add_text(answer, "pcr21", digest_text(digest, hex));
        evlog_replay(log, CLOISTER_PCR_LAUNCH, digest);
        json_add_text(answer, "pcr22", digest_text(digest, hex));
    }
    else
    {
        evlog_measurement(log, digest);
        json_add_text(answer, "measurement", digest_text(digest, hex));
    }
    json_items(answer, log);
    json_finish(answer);
}

static void print_text(const struct evlog *log, bool host)
{
    uint8_t digest[CLOISTER_DIGEST_SIZE];
    char hex[DIGEST_TEXT];
    struct evitem item;
    size_t offset = 0;

    while ( evlog_next(log, &offset, &item) )
    {
        printf("%-8s ", evitem_name(&item));
        evitem_print(stdout, &item);
        putchar('\n');
    }

    if ( !host )
    {
        evlog_measurement(log, digest);
        printf("measurement %s\n", digest_text(digest, hex));
        return;
    }
    evlog_replay(log, CLOISTER_PCR_HOST, digest);
    printf("PCR 21   %s\n", digest_text(digest, hex));
    evlog_replay(log, CLOISTER_PCR_LAUNCH, digest);
    printf("PCR 22   %s\n", digest_text(digest, hex));
}

static enum cli_exit put(const struct show *show)
{
    bool host = is_host(&show->log);
    char why[128];

    if ( !evlog_check(&show->log, host, why, sizeof(why)) )
    {
        complain("%s: %s", show->what, why);
        return CLI_BAD_EVIDENCE;
    }
    if ( show->file )
        return file_write(show->file, show->log.bytes, show->log.size);

    (show->json ? print_json : print_text)(&show->log, host);

    return CLI_OK;
}

static const struct option options[] = {
    {"json", no_argument, NULL, 'j'},
    {"host", no_argument, NULL, 'H'},
    {"output", required_argument, NULL, 'o'},
    {0},
};

enum cli_exit show_main(int argc, char **argv)
{
    struct show show = {.what = "host"};
    enum cli_exit status;
    int opt;

    optind = 0;
    while ( (opt = getopt_long(argc, argv, "jHo:", options, NULL)) != -1 )
    {
        if ( opt == 'j' )
            show.json = true;
        else if ( opt == 'H' )
            show.host = true;
        else if ( opt == 'o' )
            show.file = optarg;
        else
            return CLI_USAGE;
    }
    if ( argc - optind != !show.host )
    {
        complain("show: give a domain, a file (with a / in it), or --host");
        return CLI_USAGE;
    }
    if ( !show.host )
        show.what = argv[optind];

    status = get(&show);
    if ( !status )
        status = put(&show);
    evlog_free(&show.log);

    return status;
}
