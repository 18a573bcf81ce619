/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cloister seal: a secret for one guest on one host, of which both have been
 * verified just now, by this command.
 */
#include <getopt.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/pem.h>

#include <cloister/sha256.h>

#include "output.h"
#include "sealto.h"
#include "tpmkey.h"
#include "verify.h"
#include "vpolicy.h"

struct seal
{
    struct verify_request req;
    struct vpolicy policy;
    struct evidence ev;
    struct cloister_launch launch;
    uint8_t secret[CLOISTER_SECRET_MAX];
    size_t size;
    EVP_PKEY *sign;
    bool migration; /* the secret is a migration key, and for the host */
};

/* Over those of the evidence's PCRs that the secret is sealed to. */
static bool pcr_digest(const struct seal *s, uint32_t mask, uint8_t out[32])
{
    struct cl_sha256 h;

    if ( mask & ~EVIDENCE_PCRS || mask >> CLOISTER_PCR_LAUNCH & 1 )
        return false;

    cl_sha256_init(&h);
    for ( unsigned int pcr = 0; pcr < 24; pcr++ )
    {
        if ( mask >> pcr & 1 )
            cl_sha256_update(&h, evidence_pcr(&s->ev, pcr),
                             CLOISTER_DIGEST_SIZE);
    }
    cl_sha256_final(&h, out);

    return true;
}

/* Which guest, by what it starts from. */
static enum cli_exit find_measurement(const struct seal *s, uint8_t out[32])
{
    if ( s->migration )
    {
        memset(out, 0, CLOISTER_DIGEST_SIZE);
        return CLI_OK;
    }
    if ( s->policy.has_measurement )
        memcpy(out, s->policy.measurement, CLOISTER_DIGEST_SIZE);
    else if ( s->ev.has_guest && s->req.expect )
        memcpy(out, s->launch.measurement, CLOISTER_DIGEST_SIZE);
    else
    {
        complain("seal: the policy must say what the guest starts from: "
                 "expect, and evidence of the guest; or measurement");
        return CLI_USAGE;
    }
    if ( !s->ev.has_guest || !s->policy.has_measurement ||
         !memcmp(out, s->launch.measurement, CLOISTER_DIGEST_SIZE) )
        return CLI_OK;
    complain("seal: the evidence is of a guest with another measurement");

    return CLI_NOT_AS_ASKED;
}

static enum cli_exit read_sign_key(struct seal *s)
{
    FILE *f;

    if ( !s->policy.sign )
        return CLI_OK;
    f = file_open(s->policy.sign);
    if ( !f )
        return CLI_FAILURE;
    s->sign = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    if ( s->sign && EVP_PKEY_is_a(s->sign, "ED25519") )
        return CLI_OK;
    complain("%s: not an Ed25519 private key as PEM (cloister keygen)",
             s->policy.sign);

    return CLI_FAILURE;
}

static enum cli_exit make(struct seal *s)
{
    uint8_t blob[CLOISTER_SECRET_BLOB];
    struct sealto to = {
        .mask = s->policy.pcrs ? s->policy.pcrs : VPOLICY_PCRS,
        .secret = s->secret,
        .size = s->size,
        .sign = s->sign,
        .owner = s->migration,
    };
    TPM2B_PUBLIC storage;
    enum cli_exit status = find_measurement(s, to.measurement);
    size_t size;

    if ( status )
        return status;
    if ( !pcr_digest(s, to.mask, to.pcrs) )
    {
        complain("seal: PCRs 0 to 9 and 21 can be sealed to");
        return CLI_USAGE;
    }
    if ( !s->ev.has_keys ||
         !tpmkey_parse(s->ev.storage.pub.bytes, s->ev.storage.pub.size,
                       &storage) )
    {
        complain("%s: has no storage key (storage.pub); attest again",
                 s->req.what);
        return CLI_BAD_EVIDENCE;
    }
    to.storage = &storage.publicArea;
    size = sealto(&to, blob);

    return size ? stdout_write(blob, size, "a sealed secret") : CLI_FAILURE;
}

/* Who boots another hypervisor sets PCRs 21 and 22 as he likes: see verify. */
static enum cli_exit know_host(const struct seal *s)
{
    if ( s->req.reference || s->policy.any_host )
        return CLI_OK;
    complain("seal: the policy must name evidence of the host in good hands "
             "(reference DIR): else a host that has booted another hypervisor "
             "gets the secret, too; or accept that (reference none)");

    return CLI_USAGE;
}

static enum cli_exit seal(struct seal *s)
{
    enum cli_exit status = know_host(s);

    if ( !status )
        status = read_sign_key(s);
    if ( !status )
        status = verify_evidence(&s->req, &s->ev, &s->launch);
    if ( status )
        return status;
    status = stdin_read(s->secret, sizeof(s->secret), &s->size);
    if ( !status && s->migration && s->size != CLOISTER_MIGRATION_KEY )
    {
        complain("seal: a migration key has %d bytes", CLOISTER_MIGRATION_KEY);
        status = CLI_FAILURE;
    }
    if ( !status )
        status = make(s);
    evidence_free(&s->ev);

    return status;
}

enum cli_exit seal_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"nonce", required_argument, NULL, 'n'},
        {"to", required_argument, NULL, 't'},
        {"policy", required_argument, NULL, 'p'},
        {"migration", no_argument, NULL, 'm'},
        {0},
    };
    struct seal s = {.req.terse = true};
    enum cli_exit status = CLI_OK;
    int opt;

    optind = 0;
    while ( !status &&
            (opt = getopt_long(argc, argv, "n:t:p:m", options, NULL)) != -1 )
    {
        if ( opt == 'n' )
            status = nonce_parse(optarg, &s.req.nonce) ? CLI_OK : CLI_USAGE;
        else if ( opt == 't' )
            s.req.what = optarg;
        else if ( opt == 'm' )
            s.migration = true;
        else if ( opt != 'p' || !vpolicy_load(&s.policy, optarg) )
            status = CLI_USAGE;
    }
    vpolicy_apply(&s.policy, &s.req);
    s.req.measurement = NULL;   /* the guest may not run yet: see below */
    if ( !status && (!s.req.nonce.size || !s.req.what || !s.req.key ||
                     argc != optind) )
    {
        complain("seal: give -n NONCE (your own, of the evidence), --to "
                 "EVIDENCE, and --policy FILE, which says at least key, "
                 "expect and reference");
        status = CLI_USAGE;
    }
    if ( !status )
        status = seal(&s);
    EVP_PKEY_free(s.sign);
    vpolicy_free(&s.policy);
    OPENSSL_cleanse(&s, sizeof(s));

    return status;
}
