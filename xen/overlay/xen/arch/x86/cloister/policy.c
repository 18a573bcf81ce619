/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks the policy (policy_table.c) on behalf of the hooks in front of every
 * call that names another domain, or the host.
 */

#include <xen/acpi.h>
#include <xen/iocap.h>

#include <public/domctl.h>
#include <public/platform.h>
#include <public/sched.h>
#include <public/sysctl.h>

#ifdef CONFIG_COMPAT
#include <compat/platform.h>
#endif

#include "policy_table.h"
#include "private.h"

/* Tells the ledger, unless the rule is to allow. */
static int decide(const struct domain *d, unsigned int call, unsigned int op,
                  unsigned int rule, uint64_t detail)
{
    if ( rule == CLOISTER_RULE_allow )
        return 0;

    /* A question that nobody has answered is refused, too. */
    if ( rule < CLOISTER_COUNT_FIRST )
        rule = CLOISTER_WHY_unknown_op;
    cloister_note(d, call, op, rule, detail);

    return -EPERM;
}

int cloister_may(unsigned int call, const struct domain *d, unsigned int op)
{
    /* The map's kinds of access change without p2m_set_entry() then. */
    if ( call == CLOISTER_CALL_memory && op == XENMEM_access_op &&
         d->arch.cloister )
        d->arch.cloister->odd_map = true;

    /* What the domain does itself is its own affair. */
    if ( likely(!cloister_sealed(d)) || d == current->domain )
        return 0;

    return decide(d, call, op, cloister_rule(call, op), 0);
}

int cloister_may_host(unsigned int call, unsigned int op)
{
    if ( cloister_mode == CLOISTER_MODE_off )
        return 0;

    return decide(NULL, call, op, cloister_rule(call, op), 0);
}

/* ---- Operations that depend on their arguments ------------------------ */

int cloister_may_shut_down(const struct domain *d, unsigned int reason)
{
    if ( likely(!cloister_sealed(d)) || d == current->domain )
        return 0;

    return decide(d, CLOISTER_CALL_sched, SCHEDOP_remote_shutdown,
                  reason == SHUTDOWN_suspend ? CLOISTER_WHY_suspend
                                             : CLOISTER_RULE_allow, reason);
}

void cloister_shuts_down(struct domain *d)
{
    if ( d->arch.cloister )
        d->arch.cloister->suspender =
            d == current->domain && d->shutdown_code == SHUTDOWN_suspend
            ? current : NULL;
}

/*
 * After a save that lets the guest go on, libxc writes all registers of a
 * vCPU to change one: the suspend hypercall is to return 1, for "cancelled".
 * Xen does that itself, for the vCPU that made this hypercall, and takes
 * nothing of what was sent.  The lock keeps others from resuming it meanwhile.
 */
static bool cancel_suspend(struct domain *d, unsigned int vcpu_id)
{
    struct vcpu *v = domain_vcpu(d, vcpu_id);
    bool suspended;

    if ( !v )
        return false;

    vcpu_pause(v);
    spin_lock(&d->shutdown_lock);
    suspended = d->is_shut_down && d->arch.cloister->suspender == v;
    if ( suspended )
    {
        v->arch.user_regs.rax = 1;
        d->arch.cloister->cancelled = true;
    }
    spin_unlock(&d->shutdown_lock);
    vcpu_unpause(v);

    return suspended;
}

/* The one operation whose victim is in its arguments. */
static int set_target(domid_t target)
{
    struct domain *d = rcu_lock_domain_by_id(target);
    int rc;

    if ( !d )
        return 1;       /* Xen's own check says so, too */

    /* Others than dom0 Xen's own check refuses: not worth a note. */
    rc = cloister_sealed(d) && !is_control_domain(current->domain) ? -EPERM
         : cloister_may(CLOISTER_CALL_domctl, d, XEN_DOMCTL_set_target) ?: 1;
    rcu_unlock_domain(d);

    return rc;
}

/* Ports that only a PV dom0 has, as each of its writes is looked at. */
static int give_ports(unsigned int cmd, unsigned int first, unsigned int nr)
{
    if ( cloister_mode == CLOISTER_MODE_off ||
         !cloister_watches_port(first, nr) )
        return 1;

    if ( is_control_domain(current->domain) )
        cloister_note(NULL, CLOISTER_CALL_domctl, cmd, CLOISTER_WHY_hidden_io,
                      first);

    return -EPERM;
}

/* About a domain that is not sealed. */
static int open_domctl(const struct xen_domctl *op)
{
    switch ( op->cmd )
    {
    case XEN_DOMCTL_set_target:
        return set_target(op->u.set_target.target);

    case XEN_DOMCTL_ioport_permission:
        if ( op->u.ioport_permission.allow_access )
            return give_ports(op->cmd, op->u.ioport_permission.first_port,
                              op->u.ioport_permission.nr_ports);
        break;

    case XEN_DOMCTL_ioport_mapping:
        if ( op->u.ioport_mapping.add_mapping )
            return give_ports(op->cmd, op->u.ioport_mapping.first_mport,
                              op->u.ioport_mapping.nr_ports);
        break;
    }

    return 1;
}

/*
 * Whoever is told that the domain is shut down goes on to read its pages: views
 * that are taken before its last vCPU is off its processor are worth nothing.
 * It is on its way there.
 */
static void await_still(const struct domain *d)
{
    struct vcpu *v;

    if ( d->is_shut_down && d != current->domain )
        for_each_vcpu ( d, v )
            vcpu_sleep_sync(v);
}

int cloister_domctl(struct domain *d, const struct xen_domctl *op, bool locked)
{
    unsigned int rule = cloister_rule(CLOISTER_CALL_domctl, op->cmd);
    unsigned int arg = 0;

    if ( likely(!cloister_sealed(d)) )
        return open_domctl(op);

    switch ( op->cmd )
    {
    case XEN_DOMCTL_getdomaininfo:
        await_still(d);
        break;

    case XEN_DOMCTL_shadow_op:
        arg = op->u.shadow_op.op;
        rule = cloister_rule(CLOISTER_TABLE_shadow, arg);
        break;

    case XEN_DOMCTL_sendtrigger:
        arg = op->u.sendtrigger.trigger;
        rule = cloister_rule(CLOISTER_TABLE_trigger, arg);
        break;

    case XEN_DOMCTL_setvcpucontext:
        if ( !locked )
            return 1;
        if ( cancel_suspend(d, op->u.vcpucontext.vcpu) )
            return 0;
        rule = CLOISTER_WHY_registers;
        break;
    }

    /* Xen's own check has not been asked yet, and refuses most domains. */
    if ( !locked && rule != CLOISTER_RULE_allow &&
         !is_control_domain(current->domain) )
        return -EPERM;

    return decide(d, CLOISTER_CALL_domctl, op->cmd, rule, arg) ?: 1;
}

int cloister_sysctl(const struct xen_sysctl *op)
{
    unsigned int rule = cloister_rule(CLOISTER_CALL_sysctl, op->cmd);
    unsigned int arg = 0;

    if ( cloister_mode == CLOISTER_MODE_off )
        return 0;

    if ( op->cmd == XEN_SYSCTL_cpu_hotplug )
    {
        arg = op->u.cpu_hotplug.op;
        rule = cloister_rule(CLOISTER_TABLE_hotplug, arg);
    }

    return decide(NULL, CLOISTER_CALL_sysctl, op->cmd, rule, arg);
}

int cloister_may_set_variable(const void *guid)
{
    if ( cloister_mode == CLOISTER_MODE_off )
        return 0;

    return decide(NULL, CLOISTER_CALL_platform, XENPF_efi_runtime_call,
                  cloister_efi_reserved(guid) ? CLOISTER_WHY_firmware
                                              : CLOISTER_RULE_allow,
                  XEN_EFI_set_variable);
}

int cloister_may_press(unsigned char key)
{
    if ( cloister_mode == CLOISTER_MODE_off )
        return 0;

    return decide(NULL, CLOISTER_CALL_sysctl, XEN_SYSCTL_debug_keys,
                  cloister_rule(CLOISTER_TABLE_key, key) ?:
                  CLOISTER_WHY_debug_key, key);
}

/* Xen would write to the port that dom0 names here, to change the speed. */
static unsigned int pminfo_rule(const struct xenpf_set_processor_pminfo *i,
                                unsigned int *arg)
{
    const struct xen_pct_register *r = &i->u.perf.control_register;

    *arg = i->type;
    if ( i->type != XEN_PM_PX || r->space_id != ACPI_ADR_SPACE_SYSTEM_IO ||
         ioports_access_permitted(current->domain, r->address,
                                  r->address + 3) )
        return CLOISTER_RULE_allow;
    *arg = r->address;

    return CLOISTER_WHY_hidden_io;
}

#ifdef CONFIG_COMPAT
#define SAME_PLACE(field) BUILD_BUG_ON( \
    offsetof(struct xen_platform_op, u.field) != \
    offsetof(struct compat_platform_op, u.field))
#else
#define SAME_PLACE(field)
#endif

int cloister_platform(const void *any)
{
    const struct xen_platform_op *op = any;
    unsigned int rule = cloister_rule(CLOISTER_CALL_platform, op->cmd);
    unsigned int arg = 0;

    /* From a 32-bit caller it is a compat_platform_op. */
    SAME_PLACE(enter_acpi_sleep.sleep_state);
    SAME_PLACE(efi_runtime_call.function);
    SAME_PLACE(set_pminfo.type);
    SAME_PLACE(set_pminfo.u.perf.control_register.space_id);
    SAME_PLACE(set_pminfo.u.perf.control_register.address);

    if ( cloister_mode == CLOISTER_MODE_off )
        return 0;

    switch ( op->cmd )
    {
    case XENPF_enter_acpi_sleep:
        arg = op->u.enter_acpi_sleep.sleep_state;
        rule = cloister_rule(CLOISTER_TABLE_sleep, arg) ?: CLOISTER_WHY_sleep;
        break;

    case XENPF_efi_runtime_call:
        arg = op->u.efi_runtime_call.function;
        rule = cloister_rule(CLOISTER_TABLE_efi, arg);
        break;

    case XENPF_set_processor_pminfo:
        rule = pminfo_rule(&op->u.set_pminfo, &arg);
        break;
    }

    return decide(NULL, CLOISTER_CALL_platform, op->cmd, rule, arg);
}
