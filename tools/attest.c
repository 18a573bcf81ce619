/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cloister attest: evidence for a verifier.  Whoever runs this need not be
 * trusted: the quote vouches for the PCRs, these for the host's log, and that
 * for the guest's.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "domains.h"
#include "evidence.h"
#include "hyp.h"
#include "output.h"
#include "quote.h"

#define TRIES 5

struct attest
{
    const char *domain, *dir, *tcti;
    struct nonce nonce;
    struct hyp *hyp;
    struct evidence ev;
};

static bool uuid_bytes(const char *text, uint8_t out[16])
{
    unsigned int value;

    for ( unsigned int i = 0; i < 16; i++ )
    {
        text += *text == '-';
        if ( sscanf(text, "%2x", &value) != 1 )
            return false;
        out[i] = (uint8_t)value;
        text += 2;
    }

    return true;
}

static enum cli_exit find_guest(struct attest *a)
{
    struct domains domains = {0};
    const struct domain *dom;
    enum cli_exit status = domains_start(&domains);
    int rc = -ESRCH;

    if ( status )
        return status;
    dom = domains_find(&domains, a->domain);
    a->ev.guest.bytes = malloc(16);
    if ( dom && a->ev.guest.bytes && *dom->uuid &&
         uuid_bytes(dom->uuid, a->ev.guest.bytes) )
    {
        a->ev.guest.size = 16;
        a->ev.has_guest = true;
        rc = hyp_log(a->hyp, dom->id, &a->ev.launch);
    }
    domains_free(&domains);
    if ( rc == -ENOENT )
    {
        complain("%s is not protected (see cloister why)", a->domain);
        return CLI_FAILURE;
    }

    return rc ? hyp_complain(rc, a->domain) : CLI_OK;
}

/* The PCRs and the log are of the same moment. */
static bool consistent(const struct evidence *ev)
{
    uint8_t host[CLOISTER_DIGEST_SIZE], launch[CLOISTER_DIGEST_SIZE];

    evlog_replay(&ev->host, CLOISTER_PCR_HOST, host);
    evlog_replay(&ev->host, CLOISTER_PCR_LAUNCH, launch);

    return !memcmp(host, evidence_pcr(ev, CLOISTER_PCR_HOST), sizeof(host)) &&
           !memcmp(launch, evidence_pcr(ev, CLOISTER_PCR_LAUNCH),
                   sizeof(launch));
}

/* Guests start and end meanwhile: then it is done again. */
static enum cli_exit quote(struct attest *a, struct quoter *q)
{
    int rc;

    for ( unsigned int i = 0; i < TRIES; i++ )
    {
        evlog_free(&a->ev.msg);
        evlog_free(&a->ev.sig);
        evlog_free(&a->ev.pcrs);
        evlog_free(&a->ev.host);
        if ( !quoter_quote(q, &a->nonce, &a->ev) )
            return CLI_FAILURE;
        rc = hyp_log(a->hyp, CLOISTER_LOG_HOST, &a->ev.host);
        if ( rc )
            return hyp_complain(rc, "fetching the host's log");
        if ( consistent(&a->ev) )
            return CLI_OK;
    }

    complain(
        "the PCRs are not what the host's log says (is dom0's TPM the one "
        "that Xen uses?)");

    return CLI_FAILURE;
}

static enum cli_exit attest(struct attest *a)
{
    struct cloister_host host;
    enum cli_exit status = hyp_start(&a->hyp, &host);
    struct quoter *q = NULL;
    char *pem = NULL;

    if ( !status && a->domain )
        status = find_guest(a);
    if ( !status )
    {
        q = quoter_open(a->tcti);
        status = q ? quote(a, q) : CLI_FAILURE;
    }
    if ( !status && !quoter_certify(q, &a->nonce, &a->ev) )
        status = CLI_FAILURE;
    if ( !status )
    {
        pem = quoter_key(q);
        status = pem ? evidence_save(&a->ev, a->dir, pem) : CLI_FAILURE;
    }
    free(pem);
    quoter_close(q);
    hyp_close(a->hyp);
    evidence_free(&a->ev);

    return status;
}

enum cli_exit attest_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"nonce", required_argument, NULL, 'n'},
        {"output", required_argument, NULL, 'o'},
        {"tcti", required_argument, NULL, 'T'},
        {0},
    };
    struct attest a = {0};
    int opt;

    optind = 0;
    while ( (opt = getopt_long(argc, argv, "n:o:T:", options, NULL)) != -1 )
    {
        if ( opt == 'n' && !nonce_parse(optarg, &a.nonce) )
            return CLI_USAGE;
        if ( opt == 'o' )
            a.dir = optarg;
        else if ( opt == 'T' )
            a.tcti = optarg;
        else if ( opt != 'n' )
            return CLI_USAGE;
    }
    if ( !a.nonce.size || !a.dir || argc - optind > 1 )
    {
        complain("attest: give -n NONCE (of the verifier), -o DIR, and a "
                 "domain, if it is about one");
        return CLI_USAGE;
    }
    a.domain = argv[optind];

    return attest(&a);
}
