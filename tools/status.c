/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister status: the host, and each domain. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cloister.h"
#include "domains.h"
#include "hyp.h"
#include "output.h"

#define PAGES_PER_MIB 256
#define PAGE_BYTES 4096

/* All that is to be shown, fetched before anything is printed. */
struct snapshot
{
    struct cloister_host host;
    struct domains domains;
    size_t count;
    struct row
    {
        struct domain dom; /* its name belongs to the list of domains */
        struct cloister_domain_info info;
    } *rows;
};

static const char *mode_name(unsigned int mode)
{
    static const char *const names[] = {
        [CLOISTER_MODE_off] = "off",
        [CLOISTER_MODE_on] = "on",
        [CLOISTER_MODE_optin] = "optin",
    };

    return mode < sizeof(names) / sizeof(names[0]) ? names[mode] : "unknown";
}

/* What the host must have: texts for people, and keys for programs. */
static const struct
{
    uint32_t flag;
    const char *text;
    const char *key;
} features[] = {
    {CLOISTER_HOST_tpm, "TPM", "tpm"},
    {CLOISTER_HOST_iommu, "IOMMU", "iommu"},
    {CLOISTER_HOST_intremap, "interrupt remapping", "interrupt_remapping"},
    {CLOISTER_HOST_aes, "AES", "aes"},
};

#define NR_FEATURES (sizeof(features) / sizeof(features[0]))

/* The page states that hold memory, in the order of a page's life. */
static const struct
{
    unsigned int state;
    const char *name;
} page_states[] = {
    {CLOISTER_PAGE_building, "building"},
    {CLOISTER_PAGE_private, "private"},
    {CLOISTER_PAGE_shared, "shared"},
    {CLOISTER_PAGE_leaving, "leaving"},
    {CLOISTER_PAGE_incoming, "incoming"},
    {CLOISTER_PAGE_resting, "resting"},
};

#define NR_PAGE_STATES (sizeof(page_states) / sizeof(page_states[0]))
/* Those that had a column in the first version; the others' come last. */
#define NR_FIRST_STATES 4

static double table_percent(const struct cloister_domain_info *info)
{
    uint64_t pages = 0;

    for ( size_t i = 0; i < NR_PAGE_STATES; i++ )
        pages += info->pages[page_states[i].state];

    return pages ? 100.0 * info->table_bytes / ((double)pages * PAGE_BYTES)
                 : 0.0;
}

/* Text, for people. */

static void text_reason(uint32_t number)
{
    const struct reason_text *reason = reason_text(number);

    printf("NO DOMAIN CAN BE PROTECTED: %s", reason->what);
    if ( *reason->mend )
        printf("; %s", reason->mend);
    putchar('\n');
}

static void text_usage(const struct cloister_host *host)
{
    printf("In use:   %" PRIu32 " protected (room for %" PRIu32
           "), tables %.1f MiB, %" PRIu64 " of %" PRIu64 " views live\n",
           host->protected_domains, host->key_slots,
           host->table_bytes / 1048576.0, host->views_live, host->views_limit);
    printf("So far:   %" PRIu64 " seals refused, %" PRIu64
           " random bytes from the TPM\n",
           host->refusals, host->tpm_random);
}

static void text_host(const struct cloister_host *host)
{
    printf("Cloister: %s\n", mode_name(host->mode));
    warnings_print(stdout, host);
    if ( host->reason )
        text_reason(host->reason);

    printf("Host:     ");
    for ( size_t i = 0; i < NR_FEATURES; i++ )
        printf("%s%s %s", i ? ", " : "", features[i].text,
               host->flags & features[i].flag ? "yes" : "NO");

    putchar('\n');
    text_usage(host);
    printf("\n%-36s %5s  STATE\n", "NAME", "ID");
}

static void text_pages(const struct cloister_domain_info *info)
{
    const char *separator = "    pages    ";

    for ( size_t i = 0; i < NR_PAGE_STATES; i++ )
    {
        uint64_t pages = info->pages[page_states[i].state];

        if ( !pages && page_states[i].state != CLOISTER_PAGE_private )
            continue;
        printf("%s%" PRIu64 " %s (%.1f MiB)", separator, pages,
               page_states[i].name, (double)pages / PAGES_PER_MIB);
        separator = ", ";
    }
    putchar('\n');
}

static void text_key(const struct cloister_domain_info *info)
{
    if ( info->key_slot == ~0u )
        puts("    key      none yet");
    else
        printf("    key      epoch %" PRIu64 ", slot %" PRIu32 ", %" PRIu64
               " nonces used\n",
               info->epoch, info->key_slot, info->nonces);
}

static void text_domain(const struct domain *dom,
                        const struct cloister_domain_info *info)
{
    printf("%-36s %5u  %s", *dom->name ? dom->name : "-", dom->id,
           domain_state_name(info->state));
    if ( info->reason )
        printf(": %s", reason_text(info->reason)->what);
    putchar('\n');

    if ( info->state == CLOISTER_DOM_unprotected )
        return;

    text_pages(info);
    text_key(info);
    printf("    views    %" PRIu64 " given\n"
           "    refused  %" PRIu64 " requests of other domains\n"
           "    tables   %.1f KiB, %.2f %% of the guest's memory\n",
           info->views_given, info->refused, info->table_bytes / 1024.0,
           table_percent(info));
    if ( info->moved )
        printf("    moved    %" PRIu64 " pages at seal, dom0 held them\n",
               info->moved);
}

static void print_text(const struct snapshot *snap)
{
    text_host(&snap->host);
    for ( size_t i = 0; i < snap->count; i++ )
        text_domain(&snap->rows[i].dom, &snap->rows[i].info);
}

/* Tab-separated, for scripts: columns are only ever added, at the end. */

static void tsv_host(const struct cloister_host *host)
{
    printf("host\t%s\t%s", mode_name(host->mode),
           host->flags & CLOISTER_HOST_unsafe ? "unsafe-lab" : "-");
    for ( size_t i = 0; i < NR_FEATURES; i++ )
        printf("\t%d", !!(host->flags & features[i].flag));
    printf("\t%s\t%" PRIu32 "\t%" PRIu32 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
           "\t%" PRIu64 "\t%" PRIu64 "\n",
           reason_text(host->reason)->name, host->protected_domains,
           host->key_slots, host->table_bytes, host->refusals,
           host->tpm_random, host->views_live, host->views_limit);
}

static void tsv_domain(const struct domain *dom,
                       const struct cloister_domain_info *info)
{
    printf("domain\t%u\t%s\t%s\t%s\t%s", dom->id, *dom->uuid ? dom->uuid : "-",
           *dom->name ? dom->name : "-", domain_state_name(info->state),
           reason_text(info->reason)->name);
    for ( size_t i = 0; i < NR_FIRST_STATES; i++ )
        printf("\t%" PRIu64, info->pages[page_states[i].state]);
    printf("\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
           "\t%" PRIu64,
           info->epoch, info->nonces, info->views_given, info->refused,
           info->table_bytes, info->moved);
    for ( size_t i = NR_FIRST_STATES; i < NR_PAGE_STATES; i++ )
        printf("\t%" PRIu64, info->pages[page_states[i].state]);
    putchar('\n');
}

static void print_tsv(const struct snapshot *snap)
{
    tsv_host(&snap->host);
    for ( size_t i = 0; i < snap->count; i++ )
        tsv_domain(&snap->rows[i].dom, &snap->rows[i].info);
}

/* JSON, for programs. */

static struct json_object *json_host(const struct cloister_host *host)
{
    struct json_object *obj = json_object_new_object();

    json_add_text(obj, "mode", mode_name(host->mode));
    for ( size_t i = 0; i < NR_FEATURES; i++ )
        json_add_flag(obj, features[i].key,
                      !!(host->flags & features[i].flag));
    json_add_flag(obj, "unsafe_lab", !!(host->flags & CLOISTER_HOST_unsafe));
    json_object_object_add(obj, "reason", reason_json(host->reason, 0));
    json_add_number(obj, "protected_domains", host->protected_domains);
    json_add_number(obj, "key_slots", host->key_slots);
    json_add_number(obj, "table_bytes", host->table_bytes);
    json_add_number(obj, "refusals", host->refusals);
    json_add_number(obj, "tpm_random_bytes", host->tpm_random);
    json_add_number(obj, "views_live", host->views_live);
    json_add_number(obj, "views_limit", host->views_limit);

    return obj;
}

static struct json_object *json_pages(const struct cloister_domain_info *info)
{
    struct json_object *obj = json_object_new_object();

    for ( size_t i = 0; i < NR_PAGE_STATES; i++ )
        json_add_number(obj, page_states[i].name,
                        info->pages[page_states[i].state]);

    return obj;
}

static void json_counters(struct json_object *obj,
                          const struct cloister_domain_info *info)
{
    if ( info->key_slot == ~0u )
        json_object_object_add(obj, "key_slot", NULL);
    else
        json_add_number(obj, "key_slot", info->key_slot);

    json_add_number(obj, "epoch", info->epoch);
    json_add_number(obj, "nonces", info->nonces);
    json_add_number(obj, "views_given", info->views_given);
    json_add_number(obj, "refused", info->refused);
    json_add_number(obj, "table_bytes", info->table_bytes);
    json_object_object_add(obj, "table_percent",
                           json_object_new_double(table_percent(info)));
    json_add_number(obj, "moved_pages", info->moved);
}

static struct json_object *json_domain(const struct domain *dom,
                                       const struct cloister_domain_info *info)
{
    struct json_object *obj = json_object_new_object();

    json_add_text(obj, "name", dom->name);
    json_add_number(obj, "id", dom->id);
    json_add_text(obj, "uuid", dom->uuid);
    json_add_text(obj, "state", domain_state_name(info->state));
    json_add_flag(obj, "protected", info->state == CLOISTER_DOM_sealed);
    json_object_object_add(obj, "reason",
                           reason_json(info->reason, info->detail));
    json_object_object_add(obj, "pages", json_pages(info));
    json_counters(obj, info);

    return obj;
}

/* The domains alone, one a line. */
static void print_list(const struct snapshot *snap)
{
    for ( size_t i = 0; i < snap->count; i++ )
    {
        const struct row *row = &snap->rows[i];

        printf("%-36s %5u  %s\n", *row->dom.name ? row->dom.name : "-",
               row->dom.id, domain_state_name(row->info.state));
    }
}

static void print_json(const struct snapshot *snap)
{
    struct json_object *answer = json_new_answer();
    struct json_object *array = json_object_new_array();

    for ( size_t i = 0; i < snap->count; i++ )
        json_object_array_add(
            array, json_domain(&snap->rows[i].dom, &snap->rows[i].info));

    json_object_object_add(answer, "warnings", warnings_json(&snap->host));
    json_object_object_add(answer, "host", json_host(&snap->host));
    json_object_object_add(answer, "domains", array);

    json_finish(answer);
}

/* Fetching. */

static int add_row(struct snapshot *snap, struct hyp *hyp,
                   const struct domain *dom)
{
    struct row *row = &snap->rows[snap->count];
    int rc = hyp_domain(hyp, dom->id, &row->info);

    if ( rc )
        return rc;

    row->dom = *dom;
    snap->count++;

    return 0;
}

/* All domains but dom0.  One that has just gone is left out. */
static int add_all(struct snapshot *snap, struct hyp *hyp)
{
    for ( size_t i = 0; i < snap->domains.count; i++ )
    {
        const struct domain *dom = &snap->domains.list[i];
        int rc = dom->id ? add_row(snap, hyp, dom) : 0;

        if ( rc && rc != -ESRCH )
            return rc;
    }

    return 0;
}

/* One domain; by id also one that xenstore does not know (any more). */
static int add_one(struct snapshot *snap, struct hyp *hyp, const char *spec)
{
    const struct domain *dom = domains_find(&snap->domains, spec);
    struct domain unnamed = {.name = ""};

    if ( dom )
        return add_row(snap, hyp, dom);
    if ( domain_spec_is_id(spec, &unnamed.id) )
        return add_row(snap, hyp, &unnamed);

    return -ESRCH;
}

static enum cli_exit fill(struct snapshot *snap, struct hyp *hyp,
                          const char *spec)
{
    enum cli_exit status = domains_start(&snap->domains);
    int rc;

    if ( status )
        return status;

    snap->rows = calloc(snap->domains.count + 1, sizeof(*snap->rows));
    if ( !snap->rows )
        return hyp_complain(-ENOMEM, "status");

    rc = spec ? add_one(snap, hyp, spec) : add_all(snap, hyp);

    return rc ? hyp_complain(rc, spec ? spec : "status") : CLI_OK;
}

static enum cli_exit show(const struct request *req,
                          void (*text)(const struct snapshot *))
{
    struct snapshot snap = {0};
    struct hyp *hyp;
    enum cli_exit status = hyp_start(&hyp, &snap.host);

    if ( !status )
        status = fill(&snap, hyp, req->domain);
    hyp_close(hyp);

    if ( !status )
        (req->json ? print_json : req->tsv ? print_tsv : text)(&snap);

    free(snap.rows);
    domains_free(&snap.domains);

    return status;
}

enum cli_exit cmd_status(const struct request *req)
{
    return show(req, print_text);
}

enum cli_exit cmd_list(const struct request *req)
{
    return show(req, print_list);
}
