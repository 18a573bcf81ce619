/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cloister verify: is this evidence good, and is it for what one wants?  Needs
 * no Xen, no TPM, no network and no rights.
 */
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <tss2/tss2_mu.h>

#include <abi/hypercall.h>
#include <cloister/sha256.h>

#include "evidence.h"
#include "output.h"

struct verify
{
    const char *dir, *key_file, *expected_file, *reference_dir;
    struct nonce nonce;
    struct evidence ev, reference;
    struct evlog expected;
    EVP_PKEY *key;
    TPMS_ATTEST attest;
    struct cloister_launch launch;
    bool json;
    struct json_object *checks; /* array */
    enum cli_exit status;       /* the worst so far */
};

/* A check and its outcome; the first failure decides on the exit status. */
__attribute__((format(printf, 4, 5))) static bool
note(struct verify *v, bool ok, enum cli_exit status, const char *format, ...)
{
    char text[256];
    va_list al;

    va_start(al, format);
    vsnprintf(text, sizeof(text), format, al);
    va_end(al);

    if ( v->json )
    {
        struct json_object *obj = json_object_new_object();

        json_add_text(obj, "check", text);
        json_add_flag(obj, "passed", ok);
        json_object_array_add(v->checks, obj);
    }
    else
        printf("%s  %s\n", ok ? "PASS" : "FAIL", text);
    if ( !ok && !v->status )
        v->status = status;

    return ok;
}

static bool bad(struct verify *v, bool ok, const char *text)
{
    return note(v, ok, CLI_BAD_EVIDENCE, "%s", text);
}

/* ---- The quote ---------------------------------------------------------- */

static bool parse_attest(struct verify *v)
{
    size_t at = 0;

    return !Tss2_MU_TPMS_ATTEST_Unmarshal(v->ev.msg.bytes, v->ev.msg.size, &at,
                                          &v->attest) &&
           at == v->ev.msg.size && v->attest.magic == TPM2_GENERATED_VALUE &&
           v->attest.type == TPM2_ST_ATTEST_QUOTE;
}

/* As DER, into out; 0 if it is no ECDSA signature with SHA-256. */
static int signature_der(const struct verify *v, uint8_t out[128])
{
    TPMT_SIGNATURE s;
    ECDSA_SIG *sig;
    uint8_t *end = out;
    size_t at = 0;
    int len = 0;

    if ( Tss2_MU_TPMT_SIGNATURE_Unmarshal(v->ev.sig.bytes, v->ev.sig.size, &at,
                                          &s) ||
         at != v->ev.sig.size || s.sigAlg != TPM2_ALG_ECDSA ||
         s.signature.ecdsa.hash != TPM2_ALG_SHA256 ||
         s.signature.ecdsa.signatureR.size != 32 ||
         s.signature.ecdsa.signatureS.size != 32 )
        return 0;

    sig = ECDSA_SIG_new();
    if ( sig &&
         ECDSA_SIG_set0(
             sig, BN_bin2bn(s.signature.ecdsa.signatureR.buffer, 32, NULL),
             BN_bin2bn(s.signature.ecdsa.signatureS.buffer, 32, NULL)) )
        len = i2d_ECDSA_SIG(sig, &end);
    ECDSA_SIG_free(sig);

    return len > 0 ? len : 0;
}

static bool signed_by_key(const struct verify *v)
{
    uint8_t der[128];
    int len = signature_der(v, der);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok =
        len && ctx &&
        EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, v->key) == 1 &&
        EVP_DigestVerify(ctx, der, (size_t)len, v->ev.msg.bytes,
                         v->ev.msg.size) == 1;

    EVP_MD_CTX_free(ctx);

    return ok;
}

static bool nonce_fits(const struct verify *v)
{
    return v->attest.extraData.size == v->nonce.size &&
           !memcmp(v->attest.extraData.buffer, v->nonce.bytes, v->nonce.size);
}

static bool selection_fits(const struct verify *v)
{
    const TPML_PCR_SELECTION *l = &v->attest.attested.quote.pcrSelect;
    const TPMS_PCR_SELECTION *s = &l->pcrSelections[0];
    uint32_t mask = 0;

    if ( l->count != 1 || s->hash != TPM2_ALG_SHA256 || s->sizeofSelect > 4 )
        return false;
    for ( unsigned int i = 0; i < s->sizeofSelect; i++ )
        mask |= (uint32_t)s->pcrSelect[i] << 8 * i;

    return mask == EVIDENCE_PCRS;
}

static bool values_fit(const struct verify *v)
{
    const TPM2B_DIGEST *want = &v->attest.attested.quote.pcrDigest;
    uint8_t digest[CLOISTER_DIGEST_SIZE];
    struct cl_sha256 s;

    if ( v->ev.pcrs.size != EVIDENCE_NR_PCRS * CLOISTER_DIGEST_SIZE )
        return false;
    cl_sha256_init(&s);
    cl_sha256_update(&s, v->ev.pcrs.bytes, v->ev.pcrs.size);
    cl_sha256_final(&s, digest);

    return want->size == sizeof(digest) &&
           !memcmp(want->buffer, digest, sizeof(digest));
}

static bool check_quote(struct verify *v)
{
    return bad(v, parse_attest(v), "the quote is a TPM's quote") &&
           bad(v, signed_by_key(v),
               "it is signed by the key that was given") &&
           bad(v, nonce_fits(v), "it was made for this nonce") &&
           bad(v, selection_fits(v), "it is about the right PCRs") &&
           bad(v, values_fit(v), "the PCRs' values are those it is about");
}

/* ---- The logs ----------------------------------------------------------- */

static bool log_is_good(struct verify *v, const struct evlog *log, bool host)
{
    char why[128] = "";
    bool ok = evlog_check(log, host, why, sizeof(why));

    return note(v, ok, CLI_BAD_EVIDENCE, "the %s log is well-formed%s%s",
                host ? "host's" : "guest's", ok ? "" : ": ", why);
}

static bool replay_fits(const struct verify *v, unsigned int pcr)
{
    uint8_t value[CLOISTER_DIGEST_SIZE];

    evlog_replay(&v->ev.host, pcr, value);

    return !memcmp(value, evidence_pcr(&v->ev, pcr), sizeof(value));
}

static bool is_unsafe(const struct verify *v)
{
    struct cloister_host_policy p = {.unsafe = 1};
    struct evitem item;
    size_t offset = 0;

    while ( evlog_next(&v->ev.host, &offset, &item) )
    {
        if ( item.head.type == CLOISTER_ITEM_policy )
            memcpy(&p, item.data, sizeof(p));
    }

    return p.unsafe || p.mode == CLOISTER_MODE_off;
}

static bool check_host(struct verify *v)
{
    return log_is_good(v, &v->ev.host, true) &&
           bad(v, replay_fits(v, CLOISTER_PCR_HOST),
               "PCR 21 vouches for what the host runs") &&
           bad(v, replay_fits(v, CLOISTER_PCR_LAUNCH),
               "PCR 22 vouches for the guests that it has launched") &&
           note(v, !is_unsafe(v), CLI_NOT_AS_ASKED,
                "the host protects guests, and is no unsafe lab");
}

static bool measurement_fits(const struct verify *v)
{
    uint8_t digest[CLOISTER_DIGEST_SIZE];

    evlog_measurement(&v->ev.launch, digest);

    return !memcmp(digest, v->launch.measurement, sizeof(digest));
}

static bool check_guest(struct verify *v)
{
    if ( !v->ev.has_guest )
        return note(v, !v->expected_file, CLI_NOT_AS_ASKED,
                    "the evidence is about %s",
                    v->expected_file ? "a guest" : "the host alone");

    return bad(v,
               v->ev.guest.size == 16 &&
                   evlog_find_launch(&v->ev.host, v->ev.guest.bytes,
                                     &v->launch),
               "the guest has been launched, and has not ended") &&
           log_is_good(v, &v->ev.launch, false) &&
           bad(v, measurement_fits(v),
               "the guest's log is that of its launch");
}

/* ---- What was asked for --------------------------------------------------
 */

static bool as_expected(struct verify *v)
{
    struct evitem a, b;
    bool same;

    if ( !v->expected_file )
        return true;
    same = !evlog_compare(&v->expected, &v->ev.launch, &a, &b);

    return note(v, same, CLI_NOT_AS_ASKED,
                "the guest started from what is expected%s%s%s",
                same ? "" : " (first difference: ",
                same ? "" : evitem_name(a.data ? &a : &b), same ? "" : ")");
}

/* The events of PCR 21 are the same if it is. */
static bool like_reference(struct verify *v)
{
    bool ok = true;

    for ( unsigned int pcr = 0; v->reference_dir && pcr < 24; pcr++ )
    {
        if ( !(EVIDENCE_PCRS >> pcr & 1) || pcr == CLOISTER_PCR_LAUNCH )
            continue;
        ok &= note(v,
                   !memcmp(evidence_pcr(&v->ev, pcr),
                           evidence_pcr(&v->reference, pcr),
                           CLOISTER_DIGEST_SIZE),
                   CLI_NOT_AS_ASKED, "PCR %u is as in the reference", pcr);
    }

    return ok;
}

/* ---- The command -------------------------------------------------------- */

static EVP_PKEY *read_key(const char *path)
{
    FILE *f = fopen(path, "re");
    EVP_PKEY *key = f ? PEM_read_PUBKEY(f, NULL, NULL, NULL) : NULL;
    char group[32] = "";

    if ( f )
        fclose(f);
    if ( key &&
         EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group,
                                        sizeof(group), NULL) &&
         !strcmp(group, "prime256v1") )
        return key;

    complain("%s: not a P-256 public key as PEM", path);
    EVP_PKEY_free(key);

    return NULL;
}

static enum cli_exit load_expected(struct verify *v)
{
    char why[128];
    int rc = evlog_load(&v->expected, v->expected_file);

    if ( rc )
        complain("%s: %s", v->expected_file, strerror(-rc));
    else if ( evlog_check(&v->expected, false, why, sizeof(why)) )
        return CLI_OK;
    else
        complain("%s: %s", v->expected_file, why);

    return CLI_FAILURE;
}

static enum cli_exit load(struct verify *v)
{
    enum cli_exit status = CLI_OK;

    v->key = read_key(v->key_file);
    if ( !v->key )
        return CLI_FAILURE;
    if ( v->expected_file )
        status = load_expected(v);
    if ( !status && v->reference_dir )
    {
        status = evidence_load(&v->reference, v->reference_dir);
        if ( !status && v->reference.pcrs.size !=
                            EVIDENCE_NR_PCRS * CLOISTER_DIGEST_SIZE )
        {
            complain("%s/pcrs: not the PCRs of evidence", v->reference_dir);
            status = CLI_FAILURE;
        }
    }

    return status ? status : evidence_load(&v->ev, v->dir);
}

static void finish(struct verify *v)
{
    struct json_object *answer;

    if ( !v->json )
    {
        puts(v->status == CLI_OK ? "good"
             : v->status == CLI_NOT_AS_ASKED
                 ? "NOT WHAT WAS ASKED FOR (the evidence itself is good)"
                 : "BAD EVIDENCE");
        return;
    }
    answer = json_new_answer();
    json_add_flag(answer, "good", v->status == CLI_OK);
    json_add_number(answer, "status", v->status);
    json_object_object_add(answer, "checks", v->checks);
    json_finish(answer);
}

/* Later checks rely on earlier ones. */
static void run(struct verify *v)
{
    v->checks = v->json ? json_object_new_array() : NULL;
    if ( check_quote(v) && check_host(v) && check_guest(v) && as_expected(v) )
        like_reference(v);
    finish(v);
}

enum cli_exit verify_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"nonce", required_argument, NULL, 'n'},
        {"key", required_argument, NULL, 'k'},
        {"expect", required_argument, NULL, 'e'},
        {"reference", required_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'j'},
        {0},
    };
    struct verify v = {0};
    int opt;

    optind = 0;
    while ( (opt = getopt_long(argc, argv, "n:k:e:r:j", options, NULL)) != -1 )
    {
        if ( opt == 'n' && !nonce_parse(optarg, &v.nonce) )
            return CLI_USAGE;
        else if ( opt == 'k' )
            v.key_file = optarg;
        else if ( opt == 'e' )
            v.expected_file = optarg;
        else if ( opt == 'r' )
            v.reference_dir = optarg;
        else if ( opt == 'j' )
            v.json = true;
        else if ( opt != 'n' )
            return CLI_USAGE;
    }
    if ( !v.nonce.size || !v.key_file || argc - optind != 1 )
    {
        complain("verify: give -n NONCE (your own), -k KEY (the host's "
                 "attestation key, that you trust), and the folder");
        return CLI_USAGE;
    }
    v.dir = argv[optind];

    v.status = load(&v);
    if ( !v.status )
        run(&v);
    EVP_PKEY_free(v.key);
    evidence_free(&v.ev);
    evidence_free(&v.reference);
    evlog_free(&v.expected);

    return v.status;
}
