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
#include <time.h>

#include "domains.h"
#include "evidence.h"
#include "hyp.h"
#include "output.h"
#include "quote.h"
#include "signed.h"

/* Playing a long log into the PCRs anew takes Xen a few seconds. */
#define TRIES    10u
#define PAUSE_MS 250

struct attest
{
    const char *domain, *dir, *tcti;
    struct nonce nonce;
    struct hyp *hyp;
    struct quoter *quoter; /* NULL: not yet */
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

/*
 * Of a guest whose domain is not gone yet: its log is there, but the host's log
 * says, or will say, that it has ended, and later nothing of it.
 */
static bool has_ended(struct attest *a, unsigned int domid)
{
    struct cloister_domain_info info;

    if ( hyp_domain(a->hyp, domid, &info) ||
         info.state != CLOISTER_DOM_dying )
        return false;
    complain("%s has ended: there is evidence of guests that run, and of the "
             "host alone (attest without a domain)",
             a->domain);

    return true;
}

/* Who the guest is, and its launch log. */
static enum cli_exit find_guest(struct attest *a)
{
    struct domains domains = {0};
    const struct domain *dom;
    enum cli_exit status = domains_start(&domains);
    bool ended = false;
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
        ended = !rc && has_ended(a, dom->id);
    }
    domains_free(&domains);
    if ( ended )
        return CLI_FAILURE;
    if ( rc == -ENOENT )
    {
        complain("%s is not protected (see cloister why)", a->domain);
        return CLI_FAILURE;
    }

    return rc ? hyp_complain(rc, a->domain) : CLI_OK;
}

/*
 * Xen extends no PCR after that: whatever is taken, it will not fit.  Xen may
 * find out while this goes on.
 */
static bool can_attest(struct attest *a)
{
    const struct reason_text *why = reason_text(CLOISTER_WHY_tpm_reset);
    struct cloister_host host;

    if ( hyp_host(a->hyp, &host) || host.reason != CLOISTER_WHY_tpm_reset )
        return true;
    complain("no evidence of this boot: %s; %s", why->what, why->mend);

    return false;
}

/* One after the other: between any two of them a guest may start or end. */
static enum cli_exit take(struct attest *a)
{
    enum cli_exit status = a->domain ? find_guest(a) : CLI_OK;
    int rc;

    if ( status )
        return status;
    if ( !a->quoter )
        a->quoter = quoter_open(a->tcti);
    if ( !a->quoter || !quoter_quote(a->quoter, &a->nonce, &a->ev) )
        return CLI_FAILURE;
    rc = hyp_log(a->hyp, CLOISTER_LOG_HOST, &a->ev.host);

    return rc ? hyp_complain(rc, "fetching the host's log") : CLI_OK;
}

/* The quote is about the PCRs that were read after it. */
static bool quoted(const struct evidence *ev)
{
    TPMS_ATTEST attest;

    return signed_parse(&ev->msg, TPM2_ST_ATTEST_QUOTE, &attest) &&
           signed_values_are(&attest, ev->pcrs.bytes, ev->pcrs.size);
}

/* The guest's log is that of its launch, and it has not ended since. */
static bool launched(const struct evidence *ev)
{
    uint8_t measurement[CLOISTER_DIGEST_SIZE];
    struct cloister_launch launch;

    if ( !ev->has_guest )
        return true;
    evlog_measurement(&ev->launch, measurement);

    return evlog_find_launch(&ev->host, ev->guest.bytes, &launch) &&
           !memcmp(measurement, launch.measurement, sizeof(measurement));
}

/* All that has been taken is of one moment, as verify will have it. */
static bool consistent(const struct evidence *ev)
{
    return quoted(ev) && evidence_replays(ev, CLOISTER_PCR_HOST) &&
           evidence_replays(ev, CLOISTER_PCR_LAUNCH) && launched(ev);
}

/* Guests start and end meanwhile: then all is taken again. */
static enum cli_exit take_consistent(struct attest *a)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
    enum cli_exit status;

    for ( unsigned int i = 0; i < TRIES; i++ )
    {
        if ( i )
            nanosleep(&pause, NULL);
        evidence_free(&a->ev);
        status = can_attest(a) ? take(a) : CLI_FAILURE;
        if ( status || consistent(&a->ev) )
            return status;
    }

    complain("quote, PCRs and logs do not fit each other, %u times: guests "
             "start or end all the time (try again), or dom0's TPM is not the "
             "one that Xen uses, or it was reset since the host was booted",
             TRIES);

    return CLI_FAILURE;
}

static enum cli_exit attest(struct attest *a)
{
    struct cloister_host host;
    enum cli_exit status = hyp_start(&a->hyp, &host);
    char *pem = NULL;

    if ( !status )
        status = take_consistent(a);
    if ( !status && !quoter_certify(a->quoter, &a->nonce, &a->ev) )
        status = CLI_FAILURE;
    if ( !status )
    {
        pem = quoter_key(a->quoter);
        status = pem ? evidence_save(&a->ev, a->dir, pem) : CLI_FAILURE;
    }
    free(pem);
    quoter_close(a->quoter);
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
