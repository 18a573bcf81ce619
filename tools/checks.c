/* SPDX-License-Identifier: BSD-2-Clause */
/* A list of checks, as text or as JSON; see verify.h. */
#include <inttypes.h>
#include <stdarg.h>

#include "output.h"
#include "tpmkey.h"
#include "verify.h"

#define NAME_TEXT (2 * TPM_NAME_SIZE + 1)

bool check_note(struct checks *c, bool ok, enum cli_exit status,
                const char *format, ...)
{
    char text[256];
    va_list al;

    va_start(al, format);
    vsnprintf(text, sizeof(text), format, al);
    va_end(al);

    if ( c->req->json )
    {
        struct json_object *obj = json_object_new_object();

        json_add_text(obj, "check", text);
        json_add_flag(obj, "passed", ok);
        json_object_array_add(c->list, obj);
    }
    else if ( !c->req->terse || !ok )
        fprintf(c->req->terse ? stderr : stdout, "%s  %s\n",
                ok ? "PASS" : "FAIL", text);
    if ( !ok && !c->status )
        c->status = status;

    return ok;
}

bool check_bad(struct checks *c, bool ok, const char *text)
{
    return check_note(c, ok, CLI_BAD_EVIDENCE, "%s", text);
}

static struct json_object *clock_json(const TPMS_CLOCK_INFO *clock,
                                      const char *storage)
{
    struct json_object *obj = json_object_new_object();

    json_add_number(obj, "reset_count", clock->resetCount);
    json_add_number(obj, "restart_count", clock->restartCount);
    json_add_number(obj, "milliseconds", clock->clock);
    json_add_flag(obj, "safe", clock->safe);
    json_add_text(obj, "storage_key", storage);

    return obj;
}

/* In hex, as tpm2-tools print it; storage: of TPM_NAME_SIZE. */
static void name_text(const TPM2B_NAME *storage, char out[NAME_TEXT])
{
    for ( size_t i = 0; i < TPM_NAME_SIZE; i++ )
        sprintf(out + 2 * i, "%02x", storage->name[i]);
}

bool check_clock(struct checks *c, const TPMS_ATTEST *attest,
                 const TPM2B_NAME *storage)
{
    const TPMS_CLOCK_INFO *clock = &attest->clockInfo;
    char name[NAME_TEXT] = "";

    if ( storage && storage->size == TPM_NAME_SIZE )
        name_text(storage, name);
    if ( c->req->json )
        c->clock = clock_json(clock, name);
    else if ( !c->req->terse )
        printf("TPM   resetCount %" PRIu32 ", restartCount %" PRIu32
               ", clock %" PRIu64 " ms, safe %s\n"
               "      storage key %s\n",
               clock->resetCount, clock->restartCount, clock->clock,
               clock->safe ? "yes" : "no", *name ? name : "not known");

    return true;
}

void checks_finish(struct checks *c)
{
    struct json_object *answer;

    if ( !c->req->json )
    {
        fputs(c->status == CLI_OK ? (c->req->terse ? "" : "good\n")
              : c->status == CLI_NOT_AS_ASKED
                  ? "NOT WHAT WAS ASKED FOR (the evidence itself is good)\n"
                  : "BAD EVIDENCE\n",
              c->req->terse ? stderr : stdout);
        return;
    }
    answer = json_new_answer();
    json_add_flag(answer, "good", c->status == CLI_OK);
    json_add_flag(answer, "referenced", !!c->req->reference);
    json_add_number(answer, "status", c->status);
    json_object_object_add(answer, "clock", c->clock);
    json_object_object_add(answer, "checks", c->list);
    json_finish(answer);
}
