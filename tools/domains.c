/* SPDX-License-Identifier: BSD-2-Clause */
/* Which domains there are, and what they are called; see domains.h. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domains.h"
#include "output.h"

#define DOMID_LIMIT 0x7ff0 /* DOMID_FIRST_RESERVED in Xen's headers */

bool domain_spec_is_id(const char *spec, unsigned int *out)
{
    size_t len = strlen(spec);

    /* Six digits are more than any id has, and cannot overflow. */
    if ( !len || len > 6 || strspn(spec, "0123456789") != len )
        return false;

    *out = strtoul(spec, NULL, 10);

    return *out < DOMID_LIMIT;
}

bool domain_spec_is_uuid(const char *spec, char out[UUID_TEXT])
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if ( strlen(spec) != UUID_TEXT - 1 )
        return false;

    for ( unsigned int i = 0; i < UUID_TEXT - 1; i++ )
    {
        unsigned char c = spec[i];

        if ( shape[i] == '-' ? c != '-' : !isxdigit(c) )
            return false;
    }

    for ( unsigned int i = 0; i < UUID_TEXT; i++ )
        out[i] = tolower((unsigned char)spec[i]);

    return true;
}

void domain_uuid_text(const uint8_t handle[16], char out[UUID_TEXT])
{
    const uint8_t *h = handle;

    snprintf(out, UUID_TEXT,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
             "%02x%02x%02x%02x%02x%02x",
             h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10],
             h[11], h[12], h[13], h[14], h[15]);
}

const struct domain *domains_find(const struct domains *domains,
                                  const char *spec)
{
    unsigned int id = 0;
    char uuid[UUID_TEXT];
    bool by_id = domain_spec_is_id(spec, &id);
    bool by_uuid = domain_spec_is_uuid(spec, uuid);

    for ( size_t i = 0; i < domains->count; i++ )
    {
        const struct domain *d = &domains->list[i];

        if ( by_id     ? d->id == id
             : by_uuid ? !strcmp(d->uuid, uuid)
                       : *spec && !strcmp(d->name, spec) )
            return d;
    }

    return NULL;
}

enum cli_exit domains_start(struct domains *out)
{
    int rc = domains_load(out);

    if ( !rc )
        return CLI_OK;

    complain("cannot read the list of domains from xenstore: %s (is this "
             "dom0, and xenstored running?)",
             strerror(-rc));

    return CLI_UNREACHABLE;
}

void domains_free(struct domains *domains)
{
    for ( size_t i = 0; i < domains->count; i++ )
        free(domains->list[i].name);

    free(domains->list);
    *domains = (struct domains){0};
}
