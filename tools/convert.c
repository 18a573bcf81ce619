/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister convert: evidence in the formats of others. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_mu.h>

#include "base64.h"
#include "domains.h"
#include "evidence.h"
#include "output.h"
#include "signed.h"

static struct json_object *pcrs_json(const struct evidence *ev)
{
    struct json_object *array = json_object_new_array();
    struct json_object *holder = json_object_new_object();

    for ( size_t at = 0; at + CLOISTER_DIGEST_SIZE <= ev->pcrs.size;
          at += CLOISTER_DIGEST_SIZE )
    {
        json_add_hex(holder, "pcr", ev->pcrs.bytes + at,
                     CLOISTER_DIGEST_SIZE);
        json_object_array_add(
            array, json_object_get(json_object_object_get(holder, "pcr")));
    }
    json_object_put(holder);

    return array;
}

/*
 * As the TPM attester of Confidential Containers writes it: the quote by the
 * bank's name; of the logs the one that is the attester's own.
 */
static struct json_object *coco_tpm(const struct evidence *ev, const char *ak,
                                    const TPMS_ATTEST *attest)
{
    struct json_object *obj = json_object_new_object();
    struct json_object *banks = json_object_new_object();
    struct json_object *quote = json_object_new_object();

    (void)attest;
    json_object_object_add(obj, "ek_cert", NULL);
    json_add_text(obj, "ak_pubkey", ak);
    json_add_base64(quote, "attest_body", ev->msg.bytes, ev->msg.size, false);
    json_add_base64(quote, "attest_sig", ev->sig.bytes, ev->sig.size, false);
    json_object_object_add(quote, "pcrs", pcrs_json(ev));
    json_object_object_add(banks, "SHA256", quote);
    json_object_object_add(obj, "quote", banks);
    json_object_object_add(obj, "eventlog", NULL);
    json_add_base64(obj, "aa_eventlog", ev->host.bytes, ev->host.size, false);

    return obj;
}

static void add_measurement(struct json_object *list, const char *type,
                            const struct evlog *file)
{
    struct json_object *pair = json_object_new_array();
    struct json_object *holder = json_object_new_object();

    json_add_base64(holder, "bytes", file->bytes, file->size, true);
    json_object_array_add(pair, json_object_new_string(type));
    json_object_array_add(
        pair, json_object_get(json_object_object_get(holder, "bytes")));
    json_object_array_add(list, pair);
    json_object_put(holder);
}

/*
 * An unsigned claims set (RFC 9711, RFC 9781), the quote being what is signed:
 * each measurement is a file of the evidence.  ueid: RAND (type 1), of the
 * key's name; submods: the guest.
 */
static struct json_object *eat(const struct evidence *ev, const char *ak,
                               const TPMS_ATTEST *attest)
{
    struct json_object *obj = json_object_new_object();
    struct json_object *list = json_object_new_array();
    uint8_t ueid[33] = {1};

    (void)ak;
    if ( attest->qualifiedSigner.size == 34 )
        memcpy(ueid + 1, attest->qualifiedSigner.name + 2, 32);
    json_add_text(obj, "eat_profile", "tag:cloister,2026:evidence#1");
    json_add_base64(obj, "eat_nonce", attest->extraData.buffer,
                    attest->extraData.size, true);
    json_add_base64(obj, "ueid", ueid, sizeof(ueid), true);
    add_measurement(list, "application/vnd.cloister.tpms-attest", &ev->msg);
    add_measurement(list, "application/vnd.cloister.tpmt-signature", &ev->sig);
    add_measurement(list, "application/vnd.cloister.pcrs", &ev->pcrs);
    add_measurement(list, "application/vnd.cloister.host-log", &ev->host);
    json_object_object_add(obj, "measurements", list);
    if ( ev->has_guest && ev->guest.size == 16 )
    {
        struct json_object *mods = json_object_new_object();
        struct json_object *guest = json_object_new_object();
        uint8_t digest[CLOISTER_DIGEST_SIZE];
        char uuid[UUID_TEXT];

        domain_uuid_text(ev->guest.bytes, uuid);
        evlog_measurement(&ev->launch, digest);
        list = json_object_new_array();
        add_measurement(list, "application/vnd.cloister.launch-log",
                        &ev->launch);
        json_object_object_add(guest, "measurements", list);
        json_add_hex(guest, "swversion", digest, sizeof(digest));
        json_object_object_add(mods, uuid, guest);
        json_object_object_add(obj, "submods", mods);
    }

    return obj;
}

static const struct
{
    const char *name;
    struct json_object *(*make)(const struct evidence *ev, const char *ak,
                                const TPMS_ATTEST *attest);
} formats[] = {{"coco-tpm", coco_tpm}, {"eat", eat}};

static enum cli_exit convert(const char *dir, size_t format)
{
    char path[4096];
    TPMS_ATTEST attest;
    struct evidence ev;
    struct evlog ak = {0};
    enum cli_exit status = evidence_load(&ev, dir);

    snprintf(path, sizeof(path), "%s/ak.pem", dir);
    if ( !status && (evlog_load(&ak, path) ||
                     !signed_parse(&ev.msg, TPM2_ST_ATTEST_QUOTE, &attest)) )
    {
        complain("%s: not evidence of cloister attest", dir);
        status = CLI_BAD_EVIDENCE;
    }
    if ( !status )
    {
        char *text = strndup((char *)ak.bytes, ak.size);

        json_finish(formats[format].make(&ev, text, &attest));
        free(text);
    }
    evlog_free(&ak);
    evidence_free(&ev);

    return status;
}

enum cli_exit convert_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, 'f'},
        {0},
    };
    const size_t nr = sizeof(formats) / sizeof(formats[0]);
    size_t format = nr;
    int opt;

    optind = 0;
    while ( (opt = getopt_long(argc, argv, "f:", options, NULL)) != -1 )
    {
        if ( opt == '?' )
            return CLI_USAGE;
        for ( format = 0; format < nr; format++ )
        {
            if ( !strcmp(formats[format].name, optarg) )
                break;
        }
    }
    if ( format == nr || argc - optind != 1 )
    {
        complain("convert: give --format coco-tpm or eat, and a folder of "
                 "evidence");
        return CLI_USAGE;
    }

    return convert(argv[optind], format);
}
