/* SPDX-License-Identifier: BSD-2-Clause */
/* A verifier's policy; see vpolicy.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "vpolicy.h"

/* Relative to the policy's folder. */
static bool set_file(char **to, const char *policy, const char *name)
{
    const char *slash = strrchr(policy, '/');
    int dir = *name == '/' || !slash ? 0 : (int)(slash + 1 - policy);

    free(*to);
    if ( asprintf(to, "%.*s%s", dir, policy, name) < 0 )
        *to = NULL;

    return *to;
}

static bool set_pcrs(uint32_t *mask, const char *text)
{
    char *end;

    *mask = 0;
    do
    {
        unsigned long pcr = strtoul(text, &end, 10);

        if ( end == text || pcr > 23 )
            return false;
        *mask |= 1u << pcr;
        text = end + 1;
    } while ( *end == ',' );

    return !*end;
}

static bool set_measurement(struct vpolicy *p, const char *text)
{
    struct nonce hex;

    if ( !nonce_parse(text, &hex) || hex.size != sizeof(p->measurement) )
        return false;
    memcpy(p->measurement, hex.bytes, hex.size);
    p->has_measurement = true;

    return true;
}

static bool set(struct vpolicy *p, const char *path, const char *word,
                const char *value)
{
    if ( !strcmp(word, "key") )
        return set_file(&p->key, path, value);
    if ( !strcmp(word, "expect") )
        return set_file(&p->expect, path, value);
    if ( !strcmp(word, "reference") && !strcmp(value, "none") )
        return p->any_host = true;
    if ( !strcmp(word, "reference") )
        return set_file(&p->reference, path, value);
    if ( !strcmp(word, "sign") )
        return set_file(&p->sign, path, value);
    if ( !strcmp(word, "measurement") )
        return set_measurement(p, value);

    return !strcmp(word, "pcrs") && set_pcrs(&p->pcrs, value);
}

static void trim(char *text)
{
    size_t len = strlen(text);

    while ( len && strchr(" \t\r", text[len - 1]) )
        text[--len] = '\0';
}

bool vpolicy_load(struct vpolicy *p, const char *path)
{
    FILE *f = fopen(path, "re");
    char line[4096], word[32], value[4000];
    unsigned int nr = 0;
    bool ok = f;

    if ( !f )
        complain("%s: %s", path, strerror(errno));
    while ( ok && fgets(line, sizeof(line), f) )
    {
        nr++;
        line[strcspn(line, "#\n")] = '\0';
        trim(line);
        switch ( sscanf(line, "%31s %3999[^\n]", word, value) )
        {
        case 2:
            ok = set(p, path, word, value);
            break;
        case 1:
            ok = false;
            break;
        }
        if ( !ok )
            complain("%s: line %u makes no sense (cloister(1) says what may "
                     "be in a policy)",
                     path, nr);
    }
    if ( f )
        fclose(f);

    return ok;
}

void vpolicy_free(struct vpolicy *p)
{
    free(p->key);
    free(p->expect);
    free(p->reference);
    free(p->sign);
    *p = (struct vpolicy){0};
}

void vpolicy_apply(const struct vpolicy *p, struct verify_request *req)
{
    if ( !req->key )
        req->key = p->key;
    if ( !req->expect )
        req->expect = p->expect;
    if ( !req->reference )
        req->reference = p->reference;
    if ( p->has_measurement )
        req->measurement = p->measurement;
}
