/* SPDX-License-Identifier: GPL-2.0-only */
/* Other hypercalls about a domain, or the host: what the policy says of them. */
#include <public/hvm/hvm_op.h>
#include <public/memory.h>
#include <public/platform.h>
#include <public/sysctl.h>

#include "world.h"

/* By whom, and about whom. */
static struct vcpu *asks(uint8_t who)
{
    return fake_domain[who % FAKE_DOMAINS].exists
               ? fake_domain[who % FAKE_DOMAINS].vcpu[0]
               : fake_domain[0].vcpu[0];
}

static uint64_t entries(void)
{
    struct cloister_counts c = {.domid = CLOISTER_DOMID_HOST};

    MUST(!cloister_counts_get(&c));

    return c.newest;
}

/* These give away, or change, what a guest is: whatever the arguments. */
static bool never(unsigned int cmd)
{
    switch ( cmd )
    {
    case XEN_DOMCTL_sethvmcontext:
    case XEN_DOMCTL_gethvmcontext_partial:
    case XEN_DOMCTL_getvcpuextstate:
    case XEN_DOMCTL_setvcpuextstate:
    case XEN_DOMCTL_get_vcpu_msrs:
    case XEN_DOMCTL_set_vcpu_msrs:
    case XEN_DOMCTL_set_ext_vcpucontext:
    case XEN_DOMCTL_debug_op:
    case XEN_DOMCTL_vm_event_op:
    case XEN_DOMCTL_monitor_op:
    case XEN_DOMCTL_vmtrace_op:
    case XEN_DOMCTL_mem_sharing_op:
    case XEN_DOMCTL_assign_device:
    case XEN_DOMCTL_memory_mapping:
    case XEN_DOMCTL_setdomainhandle:
        return true;
    }

    return cmd > XEN_DOMCTL_set_llc_colors;
}

static void domctl(struct domain *d, struct input *in, bool locked)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct xen_domctl op;
    uint64_t rax = d->vcpu[0]->arch.user_regs.rax;
    uint32_t cmd;
    int rc;

    take(in, &op, 48);
    memset((uint8_t *)&op + 48, 0, sizeof(op) - 48);
    op.cmd %= 200;
    cmd = op.cmd;
    rc = cloister_domctl(d, &op, locked);
    MUST(rc == 1 || rc == 0 || rc == -EPERM);
    if ( !cloister_sealed(d) )
        return;
    MUST(!never(cmd) || rc == -EPERM);
    /* Done already: one thing only, of a guest that asked to be suspended. */
    MUST(rc || (cmd == XEN_DOMCTL_setvcpucontext && locked &&
                d->is_shut_down && cd->suspender && cd->cancelled));
    MUST(d->vcpu[0]->arch.user_regs.rax == (rc ? rax : 1));
}

/* All of them but the first name a domain up to physdev. */
static void may(const struct domain *d, struct input *in)
{
    unsigned int call = 1 + take8(in) % (CLOISTER_CALLS - 1);
    uint32_t op = take8(in);
    uint64_t was = entries();
    int rc;

    if ( op == 255 )
        op = take32(in);
    rc = call <= CLOISTER_CALL_physdev ? cloister_may(call, d, op)
                                       : cloister_may_host(call, op);
    MUST(!rc || rc == -EPERM);
    if ( call > CLOISTER_CALL_physdev )
        return;
    MUST(!rc || (cloister_sealed(d) && d != current->domain));
    MUST(rc || entries() == was);
    if ( cloister_sealed(d) && d != current->domain &&
         ((call == CLOISTER_CALL_hvm && op == HVMOP_set_param) ||
          (call == CLOISTER_CALL_memory &&
           (op == XENMEM_access_op || op == XENMEM_acquire_resource ||
            op == XENMEM_add_to_physmap))) )
        MUST(rc == -EPERM && entries() >= was);
}

static void host(struct input *in)
{
    struct xen_sysctl sys;
    struct xen_platform_op op;

    memset(&sys, 0, sizeof(sys));
    memset(&op, 0, sizeof(op));
    take(in, &sys, 24);
    sys.cmd %= 64;
    MUST(cloister_sysctl(&sys) ? true
         : sys.cmd != XEN_SYSCTL_livepatch_op && sys.cmd != XEN_SYSCTL_tbuf_op);
    take(in, &op, 64);
    op.cmd %= 80;
    MUST(cloister_platform(&op) ? true
         : op.cmd != XENPF_microcode_update && op.cmd != XENPF_resource_op);
    MUST(cloister_may_press('d') == -EPERM);
    cloister_may_press(take8(in));
    cloister_may_set_variable(&op);
}

void policy_step(struct input *in)
{
    uint8_t who = take8(in), what = take8(in);
    struct domain *d = &fake_domain[(who >> 4) % FAKE_DOMAINS];

    if ( !d->exists )
        return;
    fake_current = asks(who & 15);
    switch ( what % 5 )
    {
    case 0: domctl(d, in, false); break;
    case 1: domctl(d, in, true); break;
    case 2: may(d, in); break;
    case 3: host(in); break;
    case 4:
        if ( cloister_may_shut_down(d, what >> 4) )
            MUST(cloister_sealed(d) && d != current->domain);
        break;
    }
    fake_current = fake_domain[0].vcpu[0];
    check_quiet();
}
