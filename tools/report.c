/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister report, inside a guest: what proves it to somebody else. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base64.h"
#include "domains.h"
#include "evidence.h"
#include "hyp.h"
#include "output.h"

static struct json_object *to_json(const struct cloister_report *r,
                                   const struct nonce *nonce,
                                   const struct evlog *log)
{
    struct json_object *obj = json_new_answer();
    char uuid[UUID_TEXT];

    domain_uuid_text(r->body.uuid, uuid);
    json_add_text(obj, "type", "cloister-report");
    json_add_hex(obj, "nonce", nonce->bytes, nonce->size);
    json_add_text(obj, "uuid", uuid);
    json_add_hex(obj, "measurement", r->body.measurement,
                 sizeof(r->body.measurement));
    json_add_number(obj, "epoch", r->body.epoch);
    json_add_base64(obj, "report", &r->body, sizeof(r->body), false);
    json_add_base64(obj, "quote", r->quote, r->quote_length, false);
    json_add_base64(obj, "signature", r->signature, r->signature_length,
                    false);
    json_add_base64(obj, "log", log->bytes, log->size, false);

    return obj;
}

static enum cli_exit fail(int rc)
{
    if ( rc == -EPERM )
    {
        complain("report: " NOT_PROTECTED);
        return CLI_UNREACHABLE;
    }
    if ( rc == -ENOENT )
    {
        complain("report: this guest was not measured when it was started");
        return CLI_UNSUPPORTED;
    }

    return hyp_complain(rc, "report");
}

static enum cli_exit report(const struct nonce *nonce)
{
    struct cloister_report r = {0};
    struct evlog log = {0};
    struct hyp *hyp = hyp_open();
    int rc;

    if ( !hyp )
        return hyp_complain(-errno, "report");
    memcpy(r.body.data, nonce->bytes, nonce->size);
    rc = hyp_report(hyp, &r);
    if ( !rc && (r.quote_length > sizeof(r.quote) ||
                 r.signature_length > sizeof(r.signature)) )
        rc = -EIO;
    if ( !rc )
        rc = hyp_log(hyp, CLOISTER_LOG_SELF, &log);
    hyp_close(hyp);
    if ( rc )
        return fail(rc);

    json_finish(to_json(&r, nonce, &log));
    evlog_free(&log);

    return CLI_OK;
}

enum cli_exit report_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"nonce", required_argument, NULL, 'n'},
        {0},
    };
    struct nonce nonce = {0};
    int opt;

    optind = 0;
    while ( (opt = getopt_long(argc, argv, "n:", options, NULL)) != -1 )
    {
        if ( opt != 'n' || !nonce_parse(optarg, &nonce) )
            return CLI_USAGE;
    }
    if ( !nonce.size || argc != optind )
    {
        complain("report: give -n NONCE, of whoever wants the report");
        return CLI_USAGE;
    }

    return report(&nonce);
}
