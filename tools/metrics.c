/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cloister metrics: the state as Prometheus text, for the textfile collector
 * of node_exporter (write it beside, then rename).
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "cloister.h"
#include "counts.h"
#include "domains.h"
#include "hyp.h"
#include "output.h"

static void head(const char *name, const char *type, const char *help)
{
    printf("# HELP cloister_%s %s\n# TYPE cloister_%s %s\n", name, help, name,
           type);
}

static void one(const char *name, const char *type, uint64_t value,
                const char *help)
{
    head(name, type, help);
    printf("cloister_%s %" PRIu64 "\n", name, value);
}

static void host_metrics(const struct cloister_host *h)
{
    one("up", "gauge", !h->reason, "1 if guests can be protected here.");
    one("unsafe_lab", "gauge", !!(h->flags & CLOISTER_HOST_unsafe),
        "1 if Xen has waived its checks.");
    one("tpm_up", "gauge", !!(h->flags & CLOISTER_HOST_tpm),
        "1 if the TPM answers.");
    one("protected_domains", "gauge", h->protected_domains,
        "Guests that are sealed.");
    one("key_slots", "gauge", h->key_slots, "Room for so many guests.");
    one("table_bytes", "gauge", h->table_bytes, "Memory of SMM's tables.");
    one("views", "gauge", h->views_live, "Views that are mapped.");
    one("views_limit", "gauge", h->views_limit, "No more views than this.");
    one("refusals_total", "counter", h->refusals, "Seals that were refused.");
    one("tpm_random_bytes_total", "counter", h->tpm_random,
        "Random bytes from the TPM.");
}

/* Text in quotes: names come from dom0's toolstack. */
static void quoted(const char *text)
{
    putchar('"');
    for ( ; *text; text++ )
    {
        if ( *text == '"' || *text == '\\' )
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

static uint64_t is_sealed(const struct cloister_domain_info *i)
{
    return i->state == CLOISTER_DOM_sealed;
}

static uint64_t private_pages(const struct cloister_domain_info *i)
{
    return i->pages[CLOISTER_PAGE_private];
}

static uint64_t shared_pages(const struct cloister_domain_info *i)
{
    return i->pages[CLOISTER_PAGE_shared];
}

static uint64_t refused(const struct cloister_domain_info *i)
{
    return i->refused;
}

static uint64_t views_given(const struct cloister_domain_info *i)
{
    return i->views_given;
}

static const struct
{
    const char *name, *type, *help;
    uint64_t (*value)(const struct cloister_domain_info *i);
} series[] = {
    {"domain_sealed", "gauge", "1 if the guest is protected.", is_sealed},
    {"domain_private_pages", "gauge", "Pages nobody else sees.",
     private_pages},
    {"domain_shared_pages", "gauge", "Pages that the guest has granted.",
     shared_pages},
    {"domain_views_total", "counter", "Views given of the guest.",
     views_given},
    {"domain_refused_total", "counter", "Requests refused to others.",
     refused},
};

static void domain_metrics(struct hyp *hyp, const struct domains *domains)
{
    struct cloister_domain_info info;

    for ( size_t s = 0; s < sizeof(series) / sizeof(series[0]); s++ )
    {
        head(series[s].name, series[s].type, series[s].help);
        for ( size_t i = 0; i < domains->count; i++ )
        {
            const struct domain *dom = &domains->list[i];

            /* dom0 is no guest; one that fails has just been destroyed. */
            if ( !dom->id || hyp_domain(hyp, dom->id, &info) )
                continue;
            printf("cloister_%s{domain=", series[s].name);
            quoted(dom->name);
            printf(",uuid=\"%s\"} %" PRIu64 "\n", dom->uuid,
                   series[s].value(&info));
        }
    }
}

/* By domain and reason; the host's have no domain. */
static void refused_metrics(struct hyp *hyp, const struct domains *domains)
{
    struct cloister_counts c;

    head("refused_total", "counter", "Requests refused, by reason.");
    for ( size_t i = 0; i <= domains->count; i++ )
    {
        const struct domain *dom =
            i < domains->count ? &domains->list[i] : NULL;

        for ( size_t r = 0; r < CLOISTER_COUNTS; r++ )
        {
            if ( !r && !counts_fetch(hyp, domains, i, &c) )
                break;
            if ( !c.counts[r] )
                continue;
            printf("cloister_refused_total{domain=");
            quoted(dom ? dom->name : "");
            printf(",uuid=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
                   dom ? dom->uuid : "", reason_text(counts_reason(&c, r))->name,
                   c.counts[r]);
        }
    }
}

enum cli_exit metrics_main(int argc, char **argv)
{
    struct cloister_host host;
    struct domains domains = {0};
    struct hyp *hyp;
    enum cli_exit status;

    optind = 0;
    if ( getopt(argc, argv, "") != -1 || optind != argc )
    {
        complain("metrics takes no argument");
        return CLI_USAGE;
    }

    status = hyp_start(&hyp, &host);
    if ( !status )
        status = domains_start(&domains);
    if ( !status )
    {
        host_metrics(&host);
        domain_metrics(hyp, &domains);
        refused_metrics(hyp, &domains);
    }
    hyp_close(hyp);
    domains_free(&domains);

    return status;
}
