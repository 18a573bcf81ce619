/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cloister verify on what cloister report gave: what the hypervisor says about
 * a guest that has asked it to, to whoever the guest shows it.
 */
#include <string.h>

#include <cloister/sha256.h>

#include "base64.h"
#include "output.h"
#include "signed.h"
#include "tpmkey.h"
#include "verify.h"

struct reported
{
    struct checks checks;
    EVP_PKEY *key;
    struct evlog bytes, quote, sig, log, expected;
    struct evidence reference;
    struct cloister_report_body body;
    TPMS_ATTEST attest;
};

static bool bad(struct reported *r, bool ok, const char *text)
{
    return check_bad(&r->checks, ok, text);
}

static bool is_about(const struct reported *r)
{
    uint8_t digest[CLOISTER_DIGEST_SIZE];
    struct cl_sha256 s;

    cl_sha256_init(&s);
    cl_sha256_update(&s, r->bytes.bytes, r->bytes.size);
    cl_sha256_final(&s, digest);

    return signed_data_is(&r->attest, digest, sizeof(digest));
}

static bool parse_body(struct reported *r)
{
    if ( r->bytes.size != sizeof(r->body) )
        return false;
    memcpy(&r->body, r->bytes.bytes, sizeof(r->body));

    return !memcmp(r->body.signature, CLOISTER_REPORT_SIGNATURE,
                   sizeof(r->body.signature)) &&
           r->body.revision == CLOISTER_REPORT_REVISION && !r->body.pad;
}

static bool nonce_fits(const struct reported *r)
{
    uint8_t want[CLOISTER_REPORT_DATA] = {0};
    const struct nonce *nonce = &r->checks.req->nonce;

    memcpy(want, nonce->bytes, nonce->size);

    return !memcmp(r->body.data, want, sizeof(want));
}

static bool check_quote(struct reported *r)
{
    return bad(r, signed_parse(&r->quote, TPM2_ST_ATTEST_QUOTE, &r->attest),
               "the quote is a TPM's quote") &&
           bad(r, signed_by(&r->quote, &r->sig, r->key),
               "it is signed by the key that was given") &&
           /* And not the attestation key, for instance, which dom0 can use. */
           bad(r, signed_as(&r->attest, TPMKEY_report, r->key),
               "that is a report key: only a hypervisor can use it") &&
           bad(r, is_about(r), "it is about this report") &&
           bad(r, parse_body(r), "the report is one that Cloister makes") &&
           bad(r, nonce_fits(r), "it was made for this nonce") &&
           bad(r, signed_pcrs_are(&r->attest, CLOISTER_REPORT_PCRS),
               "the quote is about the right PCRs");
}

/* The reference's PCRs but the last, 22, are those of a report. */
static bool check_host(struct reported *r)
{
    const struct evidence *ref = &r->reference;

    return check_note(&r->checks,
                      signed_values_are(&r->attest, ref->pcrs.bytes,
                                        (EVIDENCE_NR_PCRS - 1) *
                                            CLOISTER_DIGEST_SIZE),
                      CLI_NOT_AS_ASKED,
                      "firmware and Xen are as in the reference") &&
           check_note(&r->checks, host_protects(ref), CLI_NOT_AS_ASKED,
                      "they protect guests, and are no unsafe lab");
}

static bool check_guest(struct reported *r)
{
    uint8_t digest[CLOISTER_DIGEST_SIZE];

    if ( !check_log(&r->checks, &r->log, false) )
        return false;
    evlog_measurement(&r->log, digest);

    return bad(r, !memcmp(digest, r->body.measurement, sizeof(digest)),
               "the guest's log is that of its launch") &&
           (!r->checks.req->expect ||
            check_expected(&r->checks, &r->expected, &r->log)) &&
           check_measurement(&r->checks, r->body.measurement);
}

static void run(struct reported *r)
{
    r->checks.list = r->checks.req->json ? json_object_new_array() : NULL;
    if ( check_quote(r) && check_clock(&r->checks, &r->attest, NULL) &&
         check_host(r) )
        check_guest(r);
    checks_finish(&r->checks);
}

/* What is in it counts once it is known to be what PCR 21 vouches for. */
static enum cli_exit check_reference(const struct reported *r)
{
    const struct evidence *ref = &r->reference;
    char why[128] = "it is not what PCR 21 in pcrs vouches for";

    if ( evlog_check(&ref->host, true, why, sizeof(why)) &&
         evidence_replays(ref, CLOISTER_PCR_HOST) )
        return CLI_OK;
    complain("%s/host.log: %s", r->checks.req->reference, why);

    return CLI_FAILURE;
}

static bool parse_report(struct reported *r, FILE *f)
{
    struct json_object *obj = json_object_from_fd(fileno(f));
    bool ok = obj && json_get_base64(obj, "report", &r->bytes) &&
              json_get_base64(obj, "quote", &r->quote) &&
              json_get_base64(obj, "signature", &r->sig) &&
              json_get_base64(obj, "log", &r->log);

    json_object_put(obj);

    return ok;
}

/* One that cannot be read is no bad evidence: there is none. */
static enum cli_exit load_report(struct reported *r)
{
    const char *path = r->checks.req->what;
    FILE *f = file_open(path);
    bool ok;

    if ( !f )
        return CLI_FAILURE;
    ok = parse_report(r, f);
    fclose(f);
    if ( !ok )
        complain("%s: not a report of cloister report", path);

    return ok ? CLI_OK : CLI_BAD_EVIDENCE;
}

static enum cli_exit load(struct reported *r)
{
    const struct verify_request *req = r->checks.req;
    enum cli_exit status;

    if ( !req->reference )
    {
        complain("verify: a report needs -r REFERENCE: evidence of its host "
                 "that you have verified");
        return CLI_USAGE;
    }
    r->key = signed_read_key(req->key);
    if ( !r->key )
        return CLI_FAILURE;
    status = load_expected(req->expect, &r->expected);
    if ( !status )
        status = load_reference(req->reference, &r->reference);
    if ( !status )
        status = check_reference(r);

    return status ? status : load_report(r);
}

enum cli_exit verify_report(const struct verify_request *req)
{
    struct reported r = {.checks.req = req};

    r.checks.status = load(&r);
    if ( !r.checks.status )
        run(&r);
    EVP_PKEY_free(r.key);
    evidence_free(&r.reference);
    evlog_free(&r.bytes);
    evlog_free(&r.quote);
    evlog_free(&r.sig);
    evlog_free(&r.log);
    evlog_free(&r.expected);

    return r.checks.status;
}
