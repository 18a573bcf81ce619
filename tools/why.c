/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister why: why a domain is not protected, or the last refusals. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cloister.h"
#include "domains.h"
#include "hyp.h"
#include "output.h"

#define MAX_REFUSALS 32 /* Xen keeps that many */
#define NS_PER_S 1e9

/* What there is to say. */
struct findings
{
    struct cloister_host host;
    bool asked; /* about one domain, or one refusal */
    bool alive; /* then dom and info are valid */
    struct domain dom;
    struct cloister_domain_info info;
    unsigned int count;
    struct cloister_refusal refusals[MAX_REFUSALS]; /* newest first */
};

static bool is_protected(const struct findings *f)
{
    return f->alive && f->info.state == CLOISTER_DOM_sealed;
}

/* Text, for people. */

static void text_reason(uint32_t number, uint64_t detail)
{
    const struct reason_text *reason = reason_text(number);

    printf("    reason      %s [%s, %" PRIu32 "]\n", reason->what,
           reason->name, number);
    if ( detail )
        printf("    detail      %#" PRIx64 " (%" PRIu64 ")\n", detail, detail);
    if ( *reason->mend )
        printf("    what to do  %s\n", reason->mend);
}

static void text_refusal(const struct cloister_refusal *refusal)
{
    char uuid[UUID_TEXT];

    domain_uuid_text(refusal->uuid, uuid);
    printf("refusal %" PRIu64 ": domain %u (%s), %.3f s after boot\n",
           refusal->number, refusal->domid, uuid, refusal->time / NS_PER_S);
    text_reason(refusal->reason, refusal->detail);
}

/* What a state means that is neither protected nor comes with a reason. */
static const char *state_meaning(unsigned int state)
{
    switch ( state )
    {
    case CLOISTER_DOM_building:
        return "not protected yet: that begins when it first runs (xl "
               "unpause)";
    case CLOISTER_DOM_sealing:
        return "being sealed right now: ask again in a moment";
    case CLOISTER_DOM_dying:
        return "being destroyed";
    default:
        return "not protected, and Xen gives no reason";
    }
}

static void text_alive(const struct findings *f)
{
    char label[128];

    domain_label(&f->dom, label, sizeof(label));
    if ( is_protected(f) )
        printf("%s is protected (key epoch %" PRIu64 ")\n", label,
               f->info.epoch);
    else if ( f->info.reason )
    {
        printf("%s is not protected\n", label);
        text_reason(f->info.reason, f->info.detail);
    }
    else
        printf("%s is %s\n", label, state_meaning(f->info.state));
}

static void print_text(const struct findings *f)
{
    warnings_print(stdout, &f->host);

    if ( f->alive )
        text_alive(f);
    else if ( !f->count )
        puts("no refusals");

    for ( unsigned int i = 0; i < f->count; i++ )
        text_refusal(&f->refusals[i]);
}

/* JSON, for programs. */

static struct json_object *json_alive(const struct findings *f)
{
    struct json_object *obj;

    if ( !f->alive )
        return NULL;

    obj = json_object_new_object();
    json_add_text(obj, "name", f->dom.name);
    json_add_number(obj, "id", f->dom.id);
    json_add_text(obj, "uuid", f->dom.uuid);
    json_add_text(obj, "state", domain_state_name(f->info.state));
    json_object_object_add(obj, "reason",
                           reason_json(f->info.reason, f->info.detail));

    return obj;
}

static struct json_object *json_refusal(const struct cloister_refusal *refusal)
{
    struct json_object *obj = json_object_new_object();
    char uuid[UUID_TEXT];

    domain_uuid_text(refusal->uuid, uuid);
    json_add_number(obj, "number", refusal->number);
    json_add_number(obj, "time_ns", refusal->time);
    json_add_number(obj, "id", refusal->domid);
    json_add_text(obj, "uuid", uuid);
    json_object_object_add(obj, "reason",
                           reason_json(refusal->reason, refusal->detail));

    return obj;
}

static void print_json(const struct findings *f)
{
    struct json_object *answer = json_new_answer();
    struct json_object *array = json_object_new_array();

    for ( unsigned int i = 0; i < f->count; i++ )
        json_object_array_add(array, json_refusal(&f->refusals[i]));

    json_object_object_add(answer, "warnings", warnings_json(&f->host));
    if ( f->asked )
        json_add_flag(answer, "protected", is_protected(f));
    else
        json_object_object_add(answer, "protected", NULL);
    json_object_object_add(answer, "domain", json_alive(f));
    json_object_object_add(answer, "refusals", array);

    json_finish(answer);
}

/* Finding. */

/* Which refusals are wanted. */
struct filter
{
    unsigned int limit;
    const char *uuid; /* NULL: any */
    int domid;        /* -1: any */
};

static bool wanted(const struct filter *filter,
                   const struct cloister_refusal *refusal)
{
    char uuid[UUID_TEXT];

    domain_uuid_text(refusal->uuid, uuid);

    return (!filter->uuid || !strcmp(filter->uuid, uuid)) &&
           (filter->domid < 0 || filter->domid == refusal->domid);
}

/* Walks back from the newest refusal to the oldest one that Xen still has. */
static int collect(struct findings *f, struct hyp *hyp,
                   const struct filter *filter)
{
    uint64_t number = f->host.refusals;

    for ( unsigned int i = 0; i < MAX_REFUSALS && number; i++, number-- )
    {
        struct cloister_refusal *slot = &f->refusals[f->count];
        int rc = hyp_refusal(hyp, number, slot);

        if ( rc )
            return rc == -ENOENT ? 0 : rc;
        if ( wanted(filter, slot) && ++f->count == filter->limit )
            break;
    }

    return 0;
}

/* Fills in a living domain.  Returns -ESRCH if there is none by that spec. */
static int find_alive(struct findings *f, struct hyp *hyp,
                      const struct domains *domains, const char *spec)
{
    const struct domain *dom = domains_find(domains, spec);
    int rc;

    f->dom = (struct domain){.name = ""};
    if ( dom )
        f->dom = *dom;
    else if ( !domain_spec_is_id(spec, &f->dom.id) )
        return -ESRCH;

    rc = hyp_domain(hyp, f->dom.id, &f->info);
    f->alive = !rc;

    return rc;
}

/* Finds the last refusal of a domain that is gone. */
static int find_dead(struct findings *f, struct hyp *hyp, const char *spec)
{
    char uuid[UUID_TEXT];
    unsigned int id;
    struct filter filter = {.limit = 1, .domid = -1};
    int rc;

    if ( domain_spec_is_id(spec, &id) )
        filter.domid = id;
    else if ( domain_spec_is_uuid(spec, uuid) )
        filter.uuid = uuid;
    else
        return -ESRCH;

    rc = collect(f, hyp, &filter);

    return rc || f->count ? rc : -ESRCH;
}

static enum cli_exit find_domain(struct findings *f, struct hyp *hyp,
                                 const struct domains *domains,
                                 const char *spec)
{
    int rc = find_alive(f, hyp, domains, spec);

    if ( rc == -ESRCH )
        rc = find_dead(f, hyp, spec);
    if ( rc == -ESRCH )
    {
        complain("%s: no such domain, and no refusal of it is remembered "
                 "(for one that is gone give id or UUID, or nothing)",
                 spec);
        return CLI_FAILURE;
    }

    return rc ? hyp_complain(rc, spec) : CLI_OK;
}

static enum cli_exit find_refusal(struct findings *f, struct hyp *hyp,
                                  uint64_t number)
{
    int rc = hyp_refusal(hyp, number, &f->refusals[0]);

    if ( rc == -ENOENT )
    {
        complain("Xen remembers no refusal with number %" PRIu64, number);
        return CLI_FAILURE;
    }
    if ( rc )
        return hyp_complain(rc, "fetching the refusal");

    f->count = 1;

    return CLI_OK;
}

static enum cli_exit find_recent(struct findings *f, struct hyp *hyp)
{
    const struct filter any = {.limit = MAX_REFUSALS, .domid = -1};
    int rc = collect(f, hyp, &any);

    return rc ? hyp_complain(rc, "fetching refusals") : CLI_OK;
}

static enum cli_exit find(struct findings *f, struct hyp *hyp,
                          const struct domains *domains,
                          const struct request *req)
{
    f->asked = req->domain || req->number;

    if ( req->domain )
        return find_domain(f, hyp, domains, req->domain);
    if ( req->number )
        return find_refusal(f, hyp, req->number);

    return find_recent(f, hyp);
}

static enum cli_exit answer(const struct findings *f,
                            const struct request *req)
{
    (req->json ? print_json : print_text)(f);

    return f->asked && !is_protected(f) ? CLI_FAILURE : CLI_OK;
}

enum cli_exit cmd_why(const struct request *req)
{
    struct findings f = {0};
    struct domains domains = {0};
    struct hyp *hyp;
    enum cli_exit status = hyp_start(&hyp, &f.host);

    if ( !status && req->domain )
        status = domains_start(&domains);
    if ( !status )
        status = find(&f, hyp, &domains, req);
    if ( !status )
        status = answer(&f, req);

    hyp_close(hyp);
    domains_free(&domains);

    return status;
}
