/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings of a guest's network card; see netset.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netset.h"
#include "output.h"

static bool parse_mac(const char *text, struct cloister_net_set *set)
{
    unsigned int m[6], i;
    int end = 0;

    if ( sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &m[0], &m[1], &m[2], &m[3],
                &m[4], &m[5], &end) != 6 ||
         text[end] || (m[0] & 1) )
        return false;
    for ( i = 0; i < 6; i++ )
        set->mac[i] = (uint8_t)m[i];

    return true;
}

/* A decimal number; k, M and G stand for powers of 1000. */
static bool parse_number(const char *text, uint64_t limit, uint64_t *out)
{
    static const char units[] = "kMG";
    char *end;
    uint64_t unit = 1;

    if ( *text < '0' || *text > '9' )
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    for ( const char *u = units; *end && *u; u++ )
    {
        unit *= 1000;
        if ( *u == *end )
        {
            end++;
            break;
        }
    }
    if ( *end || errno || *out > limit / unit )
        return false;
    *out *= unit;

    return true;
}

/* One SETTING=VALUE.  Complains and returns false if it is none. */
bool netset_parse(const char *arg, struct cloister_net_set *set)
{
    const char *value = strchr(arg, '=');
    size_t len = value ? (size_t)(value - arg) : 0;
    uint64_t n = 0;
    bool ok = false;

#define IS(name) (len == sizeof(name) - 1 && !strncmp(arg, name, len))
    if ( IS("mac") && (ok = parse_mac(value + 1, set)) )
        set->fields |= CLOISTER_NET_SET_mac;
    else if ( IS("vlan") && (ok = parse_number(value + 1, 4094, &n)) )
    {
        set->vlan = (uint16_t)n;
        set->fields |= CLOISTER_NET_SET_vlan;
    }
    else if ( IS("mtu") &&
              (ok = parse_number(value + 1, 9000, &n) && n >= 68) )
    {
        set->mtu = (uint16_t)n;
        set->fields |= CLOISTER_NET_SET_mtu;
    }
    else if ( IS("isolated") && (ok = parse_number(value + 1, 1, &n)) )
    {
        set->isolated = (uint16_t)n;
        set->fields |= CLOISTER_NET_SET_isolated;
    }
    else if ( IS("rate") && (ok = parse_number(value + 1, 12500000000, &n)) )
    {
        set->rate = n;
        set->fields |= CLOISTER_NET_SET_rate;
    }
#undef IS
    if ( !ok )
        complain("'%s': wanted mac=xx:xx:xx:xx:xx:xx (unicast), vlan=0..4094, "
                 "mtu=68..9000, isolated=0|1, or rate=BYTES (a second; k, M, "
                 "G)",
                 arg);

    return ok;
}

void netset_launch(const struct cloister_net_set *set,
                   struct cloister_launch_net *out)
{
    *out = (struct cloister_launch_net){
        .fields = set->fields,
        .vlan = set->vlan,
        .mtu = set->mtu,
        .isolated = set->isolated,
        .rate = set->rate,
    };
    memcpy(out->mac, set->mac, sizeof(out->mac));
}
