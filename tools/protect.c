/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister protect: ask for protection of a domain that has not run yet. */
#include <errno.h>
#include <stdio.h>

#include "cloister.h"
#include "domains.h"
#include "hyp.h"
#include "output.h"

static int ask(struct hyp *hyp, const struct domains *domains,
               const struct request *req, struct domain *out)
{
    const struct domain *dom = domains_find(domains, req->domain);

    if ( dom )
        *out = *dom;
    else if ( !domain_spec_is_id(req->domain, &out->id) )
        return -ESRCH;

    return hyp_protect(hyp, out->id, req->off);
}

static enum cli_exit report_off(const struct domain *dom)
{
    char label[128];

    domain_label(dom, label, sizeof(label));
    printf("%s will run unprotected: xl unpause %u\n", label, dom->id);

    return CLI_OK;
}

/*
 * The request stands even if the host cannot fulfil it: a guest that is then
 * refused is better than one that runs in the open.
 */
static enum cli_exit report(const struct cloister_host *host,
                            const struct domain *dom)
{
    const struct reason_text *reason = reason_text(host->reason);
    char label[128];

    domain_label(dom, label, sizeof(label));
    warnings_print(stderr, host);
    if ( host->reason )
    {
        complain("%s will not run: this host can protect no domain: %s%s%s",
                 label, reason->what, *reason->mend ? "; " : "", reason->mend);
        return CLI_UNSUPPORTED;
    }

    printf("%s will be protected when it first runs: xl unpause %u\n", label,
           dom->id);

    return CLI_OK;
}

enum cli_exit cmd_protect(const struct request *req)
{
    struct cloister_host host;
    struct domains domains = {0};
    struct domain dom = {.name = ""};
    struct hyp *hyp;
    enum cli_exit status = hyp_start(&hyp, &host);
    int rc;

    if ( !status )
        status = domains_start(&domains);
    if ( !status )
    {
        rc = ask(hyp, &domains, req, &dom);
        status = rc         ? hyp_complain(rc, req->domain)
                 : req->off ? report_off(&dom)
                            : report(&host, &dom);
    }

    hyp_close(hyp);
    domains_free(&domains);

    return status;
}
