/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister provision: brings a guest a secret that its owner has sealed. */
#include <errno.h>

#include "domains.h"
#include "hyp.h"
#include "output.h"

static const struct
{
    int err;
    enum cli_exit status;
    const char *text;
} failures[] = {
    {ENOENT, CLI_FAILURE,
     "it is not protected, or has not been started on this host since that "
     "was booted (see cloister why)"},
    {EEXIST, CLI_FAILURE,
     "it has had its secret (one for each time that it is started)"},
    {EBADMSG, CLI_BAD_EVIDENCE, "standard input is no sealed secret"},
    {ENXIO, CLI_BAD_EVIDENCE,
     "the secret was changed, or sealed to another host's TPM (or to this one "
     "before it was cleared)"},
    {EACCES, CLI_NOT_AS_ASKED,
     "the secret was sealed to this host with other firmware, another boot "
     "loader, another Xen, or other options"},
    {EXDEV, CLI_NOT_AS_ASKED,
     "the secret is for a guest that starts from something else (see cloister "
     "explain)"},
    {ENODEV, CLI_UNSUPPORTED, "there is no usable TPM"},
    {EIO, CLI_FAILURE, "the TPM failed (see xl dmesg)"},
    {ETIMEDOUT, CLI_FAILURE, "the TPM did not answer in time (see xl dmesg)"},
};

static enum cli_exit fail(int rc, const char *domain)
{
    for ( size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++ )
    {
        if ( failures[i].err != -rc )
            continue;
        complain("%s: %s", domain, failures[i].text);
        return failures[i].status;
    }

    return hyp_complain(rc, domain);
}

/* What is on standard input, for this domain or the host. */
static enum cli_exit bring(unsigned int domid, const char *label)
{
    struct cloister_provision p = {.domid = (uint16_t)domid};
    struct cloister_host host;
    struct hyp *hyp = NULL;
    size_t size = 0;
    enum cli_exit status = hyp_start(&hyp, &host);
    int rc;

    if ( !status )
        status = stdin_read(p.blob, sizeof(p.blob), &size);
    if ( !status )
    {
        p.length = (uint32_t)size;
        rc = hyp_provision(hyp, &p);
        status = rc ? fail(rc, label) : CLI_OK;
    }
    hyp_close(hyp);

    return status;
}

enum cli_exit cmd_provision(const struct request *req)
{
    struct domains domains = {0};
    const struct domain *dom;
    enum cli_exit status = domains_start(&domains);
    unsigned int id;

    if ( status )
        return status;
    dom = domains_find(&domains, req->domain);
    id = dom ? dom->id : 0;
    domains_free(&domains);

    return dom ? bring(id, req->domain) : hyp_complain(-ESRCH, req->domain);
}

enum cli_exit cmd_allow(const struct request *req)
{
    (void)req;

    return bring(CLOISTER_DOMID_HOST, "migration key");
}
