/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister log: what others have been refused, from Xen's ledger. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cloister.h"
#include "counts.h"
#include "domains.h"
#include "hyp.h"
#include "output.h"

#define NS_PER_S 1e9

struct ledger
{
    struct cloister_host host;
    struct domains domains;
    unsigned int count;
    struct cloister_ledger entries[CLOISTER_LEDGER_SIZE]; /* newest first */
};

/* Which entries are wanted. */
struct wanted
{
    int domid;            /* -1: any */
    char uuid[UUID_TEXT]; /* "": any */
};

static const char *call_name(unsigned int call)
{
    static const char *const names[CLOISTER_CALLS] = {
        [CLOISTER_CALL_domctl] = "domctl",
        [CLOISTER_CALL_memory] = "memory",
        [CLOISTER_CALL_hvm] = "hvm",
        [CLOISTER_CALL_dm] = "dm",
        [CLOISTER_CALL_grant] = "grant",
        [CLOISTER_CALL_event] = "event",
        [CLOISTER_CALL_physdev] = "physdev",
        [CLOISTER_CALL_sysctl] = "sysctl",
        [CLOISTER_CALL_platform] = "platform",
        [CLOISTER_CALL_kexec] = "kexec",
        [CLOISTER_CALL_mca] = "mca",
        [CLOISTER_CALL_pmu] = "pmu",
        [CLOISTER_CALL_hypfs] = "hypfs",
        [CLOISTER_CALL_map] = "map",
        [CLOISTER_CALL_p2m] = "p2m",
        [CLOISTER_CALL_dma] = "dma",
        [CLOISTER_CALL_sched] = "sched",
    };

    return call < CLOISTER_CALLS ? names[call] : "unknown";
}

/* The name, if the domain that has this id now is the one that had it. */
static const char *name_of(const struct ledger *l,
                           const struct cloister_ledger *e)
{
    char uuid[UUID_TEXT];

    domain_uuid_text(e->uuid, uuid);
    for ( size_t i = 0; i < l->domains.count; i++ )
        if ( l->domains.list[i].id == e->domid &&
             !strcmp(l->domains.list[i].uuid, uuid) )
            return l->domains.list[i].name;

    return "";
}

static void text_entry(const struct ledger *l, const struct cloister_ledger *e)
{
    const struct reason_text *reason = reason_text(e->reason);
    struct domain dom = {.id = e->domid, .name = (char *)name_of(l, e)};
    char label[128] = "the host", op[16] = "unknown";

    if ( e->domid != CLOISTER_DOMID_HOST )
        domain_label(&dom, label, sizeof(label));
    if ( e->op != CLOISTER_OP_UNKNOWN )
        snprintf(op, sizeof(op), "%" PRIu32, e->op);
    printf("%" PRIu64 ": %s: refused to domain %u: %s %s (%#" PRIx64
           "), %" PRIu64 " times, %.3f to %.3f s after boot\n"
           "    reason      %s [%s, %" PRIu32 "]\n",
           e->number, label, e->caller, call_name(e->call), op, e->detail,
           e->count, e->first / NS_PER_S, e->last / NS_PER_S, reason->what,
           reason->name, (uint32_t)e->reason);
    if ( *reason->mend )
        printf("    what to do  %s\n", reason->mend);
}

static void print_text(const struct ledger *l)
{
    warnings_print(stdout, &l->host);
    if ( !l->count )
        puts("nothing has been refused");
    for ( unsigned int i = 0; i < l->count; i++ )
        text_entry(l, &l->entries[i]);
}

static struct json_object *json_entry(const struct ledger *l,
                                      const struct cloister_ledger *e)
{
    struct json_object *obj = json_object_new_object();
    char uuid[UUID_TEXT];

    domain_uuid_text(e->uuid, uuid);
    json_add_number(obj, "number", e->number);
    if ( e->domid == CLOISTER_DOMID_HOST )
        json_object_object_add(obj, "domain", NULL);
    else
    {
        struct json_object *dom = json_object_new_object();

        json_add_text(dom, "name", name_of(l, e));
        json_add_number(dom, "id", e->domid);
        json_add_text(dom, "uuid", uuid);
        json_object_object_add(obj, "domain", dom);
    }
    json_add_number(obj, "caller", e->caller);
    json_add_text(obj, "call", call_name(e->call));
    json_add_number(obj, "operation", e->op);
    json_add_number(obj, "detail", e->detail);
    json_add_number(obj, "count", e->count);
    json_add_number(obj, "first_ns", e->first);
    json_add_number(obj, "last_ns", e->last);
    json_object_object_add(obj, "reason", reason_json(e->reason, 0));

    return obj;
}

static void print_json(const struct ledger *l)
{
    struct json_object *answer = json_new_answer();
    struct json_object *array = json_object_new_array();

    for ( unsigned int i = 0; i < l->count; i++ )
        json_object_array_add(array, json_entry(l, &l->entries[i]));
    json_object_object_add(answer, "warnings", warnings_json(&l->host));
    json_object_object_add(answer, "entries", array);
    json_finish(answer);
}

/* By name only a domain that lives; by id or UUID also one that is gone. */
static int choose(struct wanted *w, const struct domains *domains,
                  const char *spec)
{
    const struct domain *dom = domains_find(domains, spec);
    unsigned int id;

    *w = (struct wanted){.domid = -1};
    if ( dom )
    {
        w->domid = dom->id;
        memcpy(w->uuid, dom->uuid, sizeof(w->uuid));
        return 0;
    }
    if ( domain_spec_is_id(spec, &id) )
    {
        w->domid = id;
        return 0;
    }

    return domain_spec_is_uuid(spec, w->uuid) ? 0 : -ESRCH;
}

static bool is_wanted(const struct wanted *w, const struct cloister_ledger *e)
{
    char uuid[UUID_TEXT];

    domain_uuid_text(e->uuid, uuid);

    return (w->domid < 0 || w->domid == e->domid) &&
           (!*w->uuid || !strcmp(w->uuid, uuid));
}

/* Walks back from the newest entry to the oldest one that Xen still has. */
static int collect(struct ledger *l, struct hyp *hyp, const struct wanted *w)
{
    struct cloister_counts counts;
    int rc = hyp_counts(hyp, CLOISTER_DOMID_HOST, &counts);
    uint64_t number = rc ? 0 : counts.newest;

    for ( ; number && l->count < CLOISTER_LEDGER_SIZE; number-- )
    {
        rc = hyp_ledger(hyp, number, &l->entries[l->count]);
        if ( rc )
            return rc == -ENOENT ? 0 : rc;
        l->count += is_wanted(w, &l->entries[l->count]);
    }

    return rc;
}

static enum cli_exit find(struct ledger *l, struct hyp *hyp,
                          const struct request *req)
{
    struct wanted w = {.domid = -1};
    int rc = 0;

    if ( req->domain )
        rc = choose(&w, &l->domains, req->domain);
    if ( !rc )
        rc = collect(l, hyp, &w);

    return rc ? hyp_complain(rc, req->domain ? req->domain
                                             : "fetching the ledger")
              : CLI_OK;
}

static enum cli_exit show(const struct request *req)
{
    static struct ledger ledger; /* too large for a stack */
    struct ledger *l = &ledger;
    struct hyp *hyp;
    enum cli_exit status;

    *l = (struct ledger){0};
    status = hyp_start(&hyp, &l->host);
    if ( !status )
        status = domains_start(&l->domains);
    if ( !status )
        status = find(l, hyp, req);
    if ( !status )
        (req->json ? print_json : print_text)(l);

    hyp_close(hyp);
    domains_free(&l->domains);

    return status;
}

enum cli_exit cmd_log(const struct request *req)
{
    return req->counts ? counts_show(req) : show(req);
}
