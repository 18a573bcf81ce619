/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs print alike: complaints, warnings, reasons, JSON. */
#ifndef CLOISTER_TOOLS_OUTPUT_H
#define CLOISTER_TOOLS_OUTPUT_H

#include <stdint.h>
#include <stdio.h>
#include <stddef.h>

#include <json-c/json.h>

#include <abi/hypercall.h>
#include <abi/reason.h>

#include "domains.h"

/* Goes up with every incompatible change of any verb's JSON. */
#define JSON_SCHEMA 1

/* Prints "cloister: ", the message and a newline on standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Writes a file of its own, for its owner only, which is whole or not there.
 * Complains and returns CLI_FAILURE, or CLI_OK.
 */
enum cli_exit file_write(const char *path, const void *data, size_t size);

/* Opens a file to be read; complains and returns NULL if that fails. */
FILE *file_open(const char *path);

/*
 * Reads standard input to its end, writes to standard output: bytes, not text.
 * read: at most cap bytes, more is an error; a terminal gets none of them
 * written (what: their name).  Complain and return the status.
 */
enum cli_exit stdin_read(uint8_t *buf, size_t cap, size_t *size);
enum cli_exit stdout_write(const void *data, size_t size, const char *what);

struct reason_text
{
    uint32_t number;
    const char *name; /* for programs */
    const char *what; /* what is wrong */
    const char *mend; /* what to do about it; may be "" */
};

/* The texts of a reason.  A number this command does not know has some too. */
const struct reason_text *reason_text(uint32_t number);

/* "name (id)", or "domain id" if it has no name.  Returns buf. */
char *domain_label(const struct domain *dom, char *buf, size_t size);

/* "unprotected", "sealed"...; "unknown" for numbers of a later Xen. */
const char *domain_state_name(unsigned int state);

/* What about the whole host is unsafe; nothing to say: nothing printed. */
void warnings_print(FILE *to, const struct cloister_host *host);

/* The same as an array of strings. */
struct json_object *warnings_json(const struct cloister_host *host);

/* A new object with the schema's number: every verb's outermost. */
struct json_object *json_new_answer(void);

/* Adds a member to obj.  Text: NULL and "" become null. */
void json_add_text(struct json_object *obj, const char *key, const char *text);
void json_add_number(struct json_object *obj, const char *key, uint64_t value);
void json_add_flag(struct json_object *obj, const char *key, int value);

/* A reason with its texts as an object; for CLOISTER_WHY_none null. */
struct json_object *reason_json(uint32_t number, uint64_t detail);

/* An item of a log, without its data (show.c). */
struct evitem;
struct json_object *json_item(const struct evitem *item);

/* Prints the answer on standard output and releases it. */
void json_finish(struct json_object *answer);

#endif /* CLOISTER_TOOLS_OUTPUT_H */
