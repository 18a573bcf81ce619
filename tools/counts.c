/* SPDX-License-Identifier: BSD-2-Clause */
/* How often others were refused something, by domain and reason; counts.h. */
#include <errno.h>
#include <inttypes.h>

#include "counts.h"
#include "output.h"

bool counts_fetch(struct hyp *hyp, const struct domains *domains, size_t i,
                  struct cloister_counts *out)
{
    if ( i == domains->count )
        return !hyp_counts(hyp, CLOISTER_DOMID_HOST, out);

    return domains->list[i].id &&
           !hyp_counts(hyp, domains->list[i].id, out);
}

uint32_t counts_reason(const struct cloister_counts *c, size_t i)
{
    return c->counts[i] ? CLOISTER_COUNT_FIRST + (uint32_t)i : 0;
}

/* One domain; NULL: the host.  Whether there was anything to say. */
static bool print_text(const struct domain *dom,
                       const struct cloister_counts *c)
{
    char label[128] = "the host";
    bool any = false;

    for ( size_t i = 0; i < CLOISTER_COUNTS; i++ )
    {
        const struct reason_text *reason = reason_text(counts_reason(c, i));

        if ( !c->counts[i] )
            continue;
        if ( !any )
            printf("%s\n",
                   dom ? domain_label(dom, label, sizeof(label)) : label);
        any = true;
        printf("  %10" PRIu64 "  %s [%s, %" PRIu32 "]\n", c->counts[i],
               reason->what, reason->name, counts_reason(c, i));
    }

    return any;
}

static void add_json(struct json_object *list, const struct domain *dom,
                     const struct cloister_counts *c)
{
    struct json_object *obj = json_object_new_object();
    struct json_object *counts = json_object_new_object();

    json_add_text(obj, "name", dom ? dom->name : NULL);
    if ( dom )
        json_add_number(obj, "id", dom->id);
    else
        json_object_object_add(obj, "id", NULL);
    json_add_text(obj, "uuid", dom ? dom->uuid : NULL);
    for ( size_t i = 0; i < CLOISTER_COUNTS; i++ )
        if ( c->counts[i] )
            json_add_number(counts, reason_text(counts_reason(c, i))->name,
                            c->counts[i]);
    json_object_object_add(obj, "counts", counts);
    json_object_array_add(list, obj);
}

/* Of all domains and the host, or of one: into list, or with NULL as text. */
static void each(struct hyp *hyp, struct json_object *list,
                 const struct domains *domains, const struct domain *only)
{
    struct cloister_counts c;
    bool any = false;

    for ( size_t i = 0; i <= domains->count; i++ )
    {
        const struct domain *dom =
            i < domains->count ? &domains->list[i] : NULL;

        if ( (only && only != dom) || !counts_fetch(hyp, domains, i, &c) )
            continue;
        if ( list )
            add_json(list, dom, &c);
        else
            any |= print_text(dom, &c);
    }
    if ( !list && !any )
        puts("nothing has been refused");
}

static void print(struct hyp *hyp, const struct cloister_host *host, bool json,
                  const struct domains *domains, const struct domain *only)
{
    struct json_object *answer, *list;

    if ( !json )
    {
        warnings_print(stdout, host);
        each(hyp, NULL, domains, only);
        return;
    }
    answer = json_new_answer();
    list = json_object_new_array();
    each(hyp, list, domains, only);
    json_object_object_add(answer, "warnings", warnings_json(host));
    json_object_object_add(answer, "refused", list);
    json_finish(answer);
}

enum cli_exit counts_show(const struct request *req)
{
    struct cloister_host host;
    struct domains domains = {0};
    const struct domain *only = NULL;
    struct hyp *hyp;
    enum cli_exit status = hyp_start(&hyp, &host);

    if ( !status )
        status = domains_start(&domains);
    if ( !status && req->domain )
    {
        only = domains_find(&domains, req->domain);
        if ( !only )
            status = hyp_complain(-ESRCH, req->domain);
    }
    if ( !status )
        print(hyp, &host, req->json, &domains, only);
    hyp_close(hyp);
    domains_free(&domains);

    return status;
}
