/* SPDX-License-Identifier: BSD-2-Clause */
/* Which domains there are, and what they are called. */
#ifndef CLOISTER_TOOLS_DOMAINS_H
#define CLOISTER_TOOLS_DOMAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cloister.h"

#define UUID_TEXT 37 /* 8-4-4-4-12 hex digits and the terminator */

struct domain
{
    unsigned int id;
    char *name;           /* owned by the list; "" if it has none */
    char uuid[UUID_TEXT]; /* lower case; "" if it has none */
};

struct domains
{
    size_t count;
    struct domain *list; /* by rising id, dom0 included */
};

/*
 * Reads the list (xstore.c, from xenstore; noxen.c: there is none).  Returns 0 or -errno, then with an empty
 * list.  To be released with domains_free.
 */
int domains_load(struct domains *out);

/* The same, but complains, and returns CLI_OK or the fitting exit status. */
enum cli_exit domains_start(struct domains *out);

/* Fine after a failed domains_load. */
void domains_free(struct domains *domains);

/*
 * Finds a domain by what the user typed: decimal id, UUID or name, tried in
 * this order, as xl does.  Returns NULL when xenstore has none.
 */
const struct domain *domains_find(const struct domains *domains,
                                  const char *spec);

/* Whether spec can only be a domain id; out gets it. */
bool domain_spec_is_id(const char *spec, unsigned int *out);

/* Whether spec can only be a UUID; out gets it in lower case. */
bool domain_spec_is_uuid(const char *spec, char out[UUID_TEXT]);

/* The text form of the 16 bytes of a domain's handle. */
void domain_uuid_text(const uint8_t handle[16], char out[UUID_TEXT]);

#endif /* CLOISTER_TOOLS_DOMAINS_H */
