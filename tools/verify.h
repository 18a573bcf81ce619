/* SPDX-License-Identifier: BSD-2-Clause */
/* Checking evidence: what cloister verify and cloister seal share. */
#ifndef CLOISTER_TOOLS_VERIFY_H
#define CLOISTER_TOOLS_VERIFY_H

#include <stdio.h>

#include <json-c/json.h>
#include <tss2/tss2_tpm2_types.h>

#include "evidence.h"

/* What is to be checked, and by what. */
struct verify_request
{
    const char *what;      /* a folder with evidence, or a guest's report */
    const char *key;       /* PEM: the attestation key; the report key */
    const char *expect;    /* launch log, or NULL */
    const char *reference; /* other evidence, or NULL */
    const uint8_t *measurement; /* that the guest must have, or NULL */
    struct nonce nonce;
    bool json;
    bool terse; /* only what fails, on standard error */
};

/* The checks, as they are made. */
struct checks
{
    const struct verify_request *req;
    struct json_object *list; /* with .json: an array */
    struct json_object *clock; /* with .json: the TPM's; NULL: not known */
    enum cli_exit status;     /* of the first that failed */
};

/* A check and its outcome, which it returns; status: what a failure means. */
bool check_note(struct checks *c, bool ok, enum cli_exit status,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Good evidence, or not; where not, the status says so. */
bool check_bad(struct checks *c, bool ok, const char *text);

/*
 * Shows what the TPM says, in a quote that has been checked, of its resets
 * (TPM 2.0 Library, Part 2, 10.11): two quotes tell whether the host was
 * booted between them, if the TPM was not cleared, which begins the counts
 * anew.  storage: name of the storage key, which has been checked, too, and
 * which ends with that; NULL: not known.  Always true.
 */
bool check_clock(struct checks *c, const TPMS_ATTEST *attest,
                 const TPM2B_NAME *storage);

/* Is a launch log well-formed, and what is expected?  label: whose. */
bool check_log(struct checks *c, const struct evlog *log, bool host);
bool check_expected(struct checks *c, const struct evlog *expected,
                    const struct evlog *actual);

/* Is it the measurement that is asked for, if one is? */
bool check_measurement(struct checks *c, const uint8_t *measurement);

/* The logs that requests name.  Complain and return the status. */
enum cli_exit load_expected(const char *path, struct evlog *out);
enum cli_exit load_reference(const char *dir, struct evidence *out);

/* The host of this evidence protects guests (its log has been checked). */
bool host_protects(const struct evidence *ev);

/*
 * Checks evidence, and prints what it finds.  With CLI_OK *ev, which is to be
 * released, holds it, and *launch its guest's launch (if ev->has_guest).
 */
enum cli_exit verify_evidence(const struct verify_request *req,
                              struct evidence *ev,
                              struct cloister_launch *launch);

/* Checks a guest's report. */
enum cli_exit verify_report(const struct verify_request *req);

/* Ends a list of checks with its verdict. */
void checks_finish(struct checks *c);

#endif /* CLOISTER_TOOLS_VERIFY_H */
