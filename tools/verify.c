/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cloister verify: is this evidence good, and is it for what one wants?  Needs
 * no Xen, no TPM, no network and no rights.
 */
#include <getopt.h>
#include <string.h>
#include <sys/stat.h>

#include <abi/hypercall.h>

#include "output.h"
#include "signed.h"
#include "tpmkey.h"
#include "verify.h"
#include "vpolicy.h"

struct verify
{
    struct checks checks;
    struct evidence *ev, reference;
    struct evlog expected;
    EVP_PKEY *key;
    TPMS_ATTEST attest;
    struct cloister_launch *launch;
};

static bool bad(struct verify *v, bool ok, const char *text)
{
    return check_bad(&v->checks, ok, text);
}

/* ---- The quote ---------------------------------------------------------- */

static bool nonce_fits(const struct verify *v, const TPMS_ATTEST *attest)
{
    const struct nonce *nonce = &v->checks.req->nonce;

    return signed_data_is(attest, nonce->bytes, nonce->size);
}

static bool values_fit(const struct verify *v)
{
    const struct evlog *pcrs = &v->ev->pcrs;

    return pcrs->size == EVIDENCE_NR_PCRS * CLOISTER_DIGEST_SIZE &&
           signed_values_are(&v->attest, pcrs->bytes, pcrs->size);
}

static bool check_quote(struct verify *v)
{
    return bad(v, signed_parse(&v->ev->msg, TPM2_ST_ATTEST_QUOTE, &v->attest),
               "the quote is a TPM's quote") &&
           bad(v, signed_by(&v->ev->msg, &v->ev->sig, v->key),
               "it is signed by the key that was given") &&
           /* For keys elsewhere, the owner's, a TPM disguises its counts. */
           bad(v, signed_as(&v->attest, TPMKEY_attestation, v->key),
               "that is an attestation key, of the endorsement hierarchy") &&
           bad(v, nonce_fits(v, &v->attest), "it was made for this nonce") &&
           bad(v, signed_pcrs_are(&v->attest, EVIDENCE_PCRS),
               "it is about the right PCRs") &&
           bad(v, values_fit(v), "the PCRs' values are those it is about");
}

/* ---- The TPM's other keys ----------------------------------------------- */

static bool name_fits(const TPM2B_NAME *name, const TPMT_PUBLIC *public)
{
    uint8_t want[TPM_NAME_SIZE];

    return tpmkey_name(public, want) && name->size == sizeof(want) &&
           !memcmp(name->name, want, sizeof(want));
}

/* Not certified before a reset, the quote being from after it. */
static bool same_counts(const TPMS_ATTEST *a, const TPMS_ATTEST *b)
{
    return a->clockInfo.resetCount == b->clockInfo.resetCount &&
           a->clockInfo.restartCount == b->clockInfo.restartCount;
}

static bool is_certified(const struct verify *v, enum tpmkey which,
                         const struct certified *c)
{
    TPM2B_PUBLIC public;
    TPMS_ATTEST attest;

    return tpmkey_parse(c->pub.bytes, c->pub.size, &public) &&
           tpmkey_is(which, &public.publicArea) &&
           signed_parse(&c->msg, TPM2_ST_ATTEST_CERTIFY, &attest) &&
           signed_by(&c->msg, &c->sig, v->key) && nonce_fits(v, &attest) &&
           same_counts(&attest, &v->attest) &&
           name_fits(&attest.attested.certify.name, &public.publicArea) &&
           tpmkey_is_primary(&attest.attested.certify.qualifiedName,
                             tpmkey_hierarchy(which), &public.publicArea);
}

static bool check_keys(struct verify *v)
{
    if ( !v->ev->has_keys )
        return true;

    return bad(v, is_certified(v, TPMKEY_storage, &v->ev->storage),
               "the storage key is the same TPM's") &&
           bad(v, is_certified(v, TPMKEY_report, &v->ev->report),
               "the report key is the same TPM's, for its hypervisor alone");
}

/* ---- The logs ----------------------------------------------------------- */

bool check_log(struct checks *c, const struct evlog *log, bool host)
{
    char why[128] = "";
    bool ok = evlog_check(log, host, why, sizeof(why));

    return check_note(c, ok, CLI_BAD_EVIDENCE, "the %s log is well-formed%s%s",
                host ? "host's" : "guest's", ok ? "" : ": ", why);
}

bool host_protects(const struct evidence *ev)
{
    struct cloister_host_policy p = {.unsafe = 1};
    struct evitem item;
    size_t offset = 0;

    while ( evlog_next(&ev->host, &offset, &item) )
    {
        if ( item.head.type == CLOISTER_ITEM_policy )
            memcpy(&p, item.data, sizeof(p));
    }

    return !p.unsafe && p.mode != CLOISTER_MODE_off;
}

static bool check_host(struct verify *v)
{
    return check_log(&v->checks, &v->ev->host, true) &&
           bad(v, evidence_replays(v->ev, CLOISTER_PCR_HOST),
               "PCR 21 vouches for what the host runs") &&
           bad(v, evidence_replays(v->ev, CLOISTER_PCR_LAUNCH),
               "PCR 22 vouches for the guests that it has launched") &&
           check_note(&v->checks, host_protects(v->ev), CLI_NOT_AS_ASKED,
                "the host protects guests, and is no unsafe lab");
}

static bool measurement_fits(const struct verify *v)
{
    uint8_t digest[CLOISTER_DIGEST_SIZE];

    evlog_measurement(&v->ev->launch, digest);

    return !memcmp(digest, v->launch->measurement, sizeof(digest));
}

static bool check_guest(struct verify *v)
{
    const struct verify_request *req = v->checks.req;
    bool wanted = req->expect || req->measurement;

    if ( !v->ev->has_guest )
        return check_note(&v->checks, !wanted, CLI_NOT_AS_ASKED,
                          "the evidence is about %s",
                          wanted ? "a guest" : "the host alone");

    return bad(v,
               v->ev->guest.size == 16 &&
                   evlog_find_launch(&v->ev->host, v->ev->guest.bytes,
                                     v->launch),
               "the guest has been launched, and has not ended") &&
           check_log(&v->checks, &v->ev->launch, false) &&
           bad(v, measurement_fits(v),
               "the guest's log is that of its launch");
}

/* ---- What was asked for --------------------------------------------------
 */

bool check_expected(struct checks *c, const struct evlog *expected,
                    const struct evlog *actual)
{
    struct evitem a, b;
    bool same = !evlog_compare(expected, actual, &a, &b);

    return check_note(c, same, CLI_NOT_AS_ASKED,
                      "the guest started from what is expected%s%s%s",
                      same ? "" : " (first difference: ",
                      same ? "" : evitem_name(a.data ? &a : &b),
                      same ? "" : ")");
}

bool check_measurement(struct checks *c, const uint8_t *measurement)
{
    const uint8_t *want = c->req->measurement;

    return !want ||
           check_note(c, !memcmp(want, measurement, CLOISTER_DIGEST_SIZE),
                      CLI_NOT_AS_ASKED,
                      "the guest has the measurement that is expected");
}

static bool as_expected(struct verify *v)
{
    return (!v->checks.req->expect ||
            check_expected(&v->checks, &v->expected, &v->ev->launch)) &&
           check_measurement(&v->checks, v->launch->measurement);
}

/* The events of PCR 21 are the same if it is. */
static bool like_reference(struct verify *v)
{
    bool ok = true;

    for ( unsigned int pcr = 0; v->checks.req->reference && pcr < 24; pcr++ )
    {
        if ( !(EVIDENCE_PCRS >> pcr & 1) || pcr == CLOISTER_PCR_LAUNCH )
            continue;
        ok &= check_note(&v->checks,
                         !memcmp(evidence_pcr(v->ev, pcr),
                                 evidence_pcr(&v->reference, pcr),
                                 CLOISTER_DIGEST_SIZE),
                         CLI_NOT_AS_ASKED, "PCR %u is as in the reference",
                         pcr);
    }

    return ok;
}

/* ---- The command -------------------------------------------------------- */

enum cli_exit load_expected(const char *path, struct evlog *out)
{
    char why[128];
    int rc = path ? evlog_load(out, path) : 0;

    if ( rc )
        complain("%s: %s", path, strerror(-rc));
    else if ( !path || evlog_check(out, false, why, sizeof(why)) )
        return CLI_OK;
    else
        complain("%s: %s", path, why);

    return CLI_FAILURE;
}

enum cli_exit load_reference(const char *dir, struct evidence *out)
{
    enum cli_exit status = dir ? evidence_load(out, dir) : CLI_OK;

    if ( status || !dir ||
         out->pcrs.size == EVIDENCE_NR_PCRS * CLOISTER_DIGEST_SIZE )
        return status;
    complain("%s/pcrs: not the PCRs of evidence", dir);

    return CLI_FAILURE;
}

static enum cli_exit load(struct verify *v)
{
    const struct verify_request *req = v->checks.req;
    enum cli_exit status;

    v->key = signed_read_key(req->key);
    if ( !v->key )
        return CLI_FAILURE;
    status = load_expected(req->expect, &v->expected);
    if ( !status )
        status = load_reference(req->reference, &v->reference);

    return status ? status : evidence_load(v->ev, req->what);
}

/*
 * Who boots something else than this Xen has its localities, and can have PCRs
 * 21 and 22 say what he likes: only PCRs 0 to 9 tell.
 */
static void note_reference(const struct checks *c)
{
    if ( !c->req->reference && !c->req->json && c->status == CLI_OK )
        fputs("NOTE  what was booted has not been compared with anything: see "
              "-r\n",
              c->req->terse ? stderr : stdout);
}

static bool show_clock(struct verify *v)
{
    const TPM2B_NAME *name = NULL;
    TPMS_ATTEST attest;

    if ( v->ev->has_keys &&
         signed_parse(&v->ev->storage.msg, TPM2_ST_ATTEST_CERTIFY, &attest) )
        name = &attest.attested.certify.name;

    return check_clock(&v->checks, &v->attest, name);
}

/* Later checks rely on earlier ones. */
static void run(struct verify *v)
{
    v->checks.list = v->checks.req->json ? json_object_new_array() : NULL;
    if ( check_quote(v) && check_keys(v) && show_clock(v) && check_host(v) &&
         check_guest(v) && as_expected(v) )
        like_reference(v);
    note_reference(&v->checks);
    checks_finish(&v->checks);
}

enum cli_exit verify_evidence(const struct verify_request *req,
                              struct evidence *ev,
                              struct cloister_launch *launch)
{
    struct verify v = {.checks.req = req, .ev = ev, .launch = launch};

    *ev = (struct evidence){0};
    *launch = (struct cloister_launch){0};
    v.checks.status = load(&v);
    if ( !v.checks.status )
        run(&v);
    EVP_PKEY_free(v.key);
    evidence_free(&v.reference);
    evlog_free(&v.expected);
    if ( v.checks.status )
        evidence_free(ev);

    return v.checks.status;
}

static enum cli_exit verify(const struct verify_request *req)
{
    struct cloister_launch launch;
    struct evidence ev;
    enum cli_exit status;
    struct stat st;

    if ( !stat(req->what, &st) && S_ISREG(st.st_mode) )
        return verify_report(req);
    status = verify_evidence(req, &ev, &launch);
    if ( !status )
        evidence_free(&ev);

    return status;
}

static bool note(struct verify_request *req, struct vpolicy *policy, int opt)
{
    switch ( opt )
    {
    case 'n':
        return nonce_parse(optarg, &req->nonce);
    case 'k':
        req->key = optarg;
        return true;
    case 'e':
        req->expect = optarg;
        return true;
    case 'r':
        req->reference = optarg;
        return true;
    case 'p':
        return vpolicy_load(policy, optarg);
    case 'j':
        req->json = true;
        return true;
    default:
        return false;
    }
}

enum cli_exit verify_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"nonce", required_argument, NULL, 'n'},
        {"key", required_argument, NULL, 'k'},
        {"expect", required_argument, NULL, 'e'},
        {"reference", required_argument, NULL, 'r'},
        {"policy", required_argument, NULL, 'p'},
        {"json", no_argument, NULL, 'j'},
        {0},
    };
    struct verify_request req = {0};
    struct vpolicy policy = {0};
    enum cli_exit status = CLI_OK;
    int opt;

    optind = 0;
    while ( !status && (opt = getopt_long(argc, argv, "n:k:e:r:p:j", options,
                                          NULL)) != -1 )
        status = note(&req, &policy, opt) ? CLI_OK : CLI_USAGE;
    vpolicy_apply(&policy, &req);
    if ( !status && (!req.nonce.size || !req.key || argc - optind != 1) )
    {
        complain("verify: give -n NONCE (your own), -k KEY (the host's "
                 "attestation key, that you trust) or -p POLICY, and the "
                 "folder, or a guest's report");
        status = CLI_USAGE;
    }
    if ( !status )
    {
        req.what = argv[optind];
        status = verify(&req);
    }
    vpolicy_free(&policy);

    return status;
}
