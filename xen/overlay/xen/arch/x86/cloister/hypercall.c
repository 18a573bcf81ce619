/* SPDX-License-Identifier: GPL-2.0-only */
/* The hypercall that cloister(1) uses: include/abi/hypercall.h. */

#include <xen/guest_access.h>
#include <xen/hypercall.h>
#include <xen/iommu.h>

#include <cloister/wipe.h>

#include "private.h"

static uint32_t host_flags(void)
{
    enum cloister_reason why = cloister_host_reason();
    uint32_t flags = 0;

    if ( cloister_has_aes )
        flags |= CLOISTER_HOST_aes;
    if ( iommu_enabled && why != CLOISTER_WHY_iommu_relaxed )
        flags |= CLOISTER_HOST_iommu;
    if ( iommu_intremap )
        flags |= CLOISTER_HOST_intremap;
    if ( cloister_tpm_ready() )
        flags |= CLOISTER_HOST_tpm;
    if ( cloister_unsafe_lab )
        flags |= CLOISTER_HOST_unsafe;

    return flags;
}

static uint32_t sealed_domains(void)
{
    const struct domain *d;
    uint32_t nr = 0;

    rcu_read_lock(&domlist_read_lock);
    for_each_domain ( d )
        nr += cloister_sealed(d);
    rcu_read_unlock(&domlist_read_lock);

    return nr;
}

static int op_host(struct cloister_host *h)
{
    *h = (struct cloister_host){
        .revision = CLOISTER_ABI_REVISION,
        .mode = cloister_mode,
        .flags = host_flags(),
        .reason = cloister_host_reason(),
        .protected_domains = sealed_domains(),
        .key_slots = CLOISTER_KEY_SLOTS,
        .table_bytes = cloister_table_bytes(),
        .refusals = cloister_refusals(),
        .tpm_random = cloister_tpm_bytes(),
        .views_live = cloister_views_live(),
        .views_limit = cloister_views_limit(),
    };

    return 0;
}

static void fill_domain(struct cloister_domain_info *i,
                        struct cloister_domain *cd)
{
    unsigned int s;

    BUILD_BUG_ON(CL_PAGE_STATES > CLOISTER_PAGE_STATES);

    spin_lock(&cd->lock);
    i->state = cd->wanted ? cd->state : CLOISTER_DOM_unprotected;
    i->reason = cd->reason;
    i->detail = cd->detail;
    i->key_slot = cd->slot;
    for ( s = 0; s < CL_PAGE_STATES; s++ )
    {
        i->pages[s] = cd->vm.pages[s];
        i->table_bytes += cd->vm.pages[s] * sizeof(struct cl_page);
    }
    if ( cd->vm.key )
    {
        i->epoch = cd->vm.key->epoch;
        i->nonces = cd->vm.key->counter;
    }
    i->views_given = cd->vm.views;
    i->refused = cd->refused;
    i->moved = cd->moved;
    spin_unlock(&cd->lock);

    i->table_bytes += sizeof(*cd) + sizeof(struct cl_key);
}

/* Why SMM does not control the domain at all. */
static enum cloister_reason unprotected_reason(const struct domain *d)
{
    if ( cloister_mode == CLOISTER_MODE_off )
        return CLOISTER_WHY_off;

    return is_hvm_domain(d) ? CLOISTER_WHY_not_asked : CLOISTER_WHY_pv_guest;
}

static int op_domain(struct cloister_domain_info *i)
{
    struct domain *d = rcu_lock_domain_by_id(i->domid);

    if ( !d )
        return -ESRCH;

    *i = (struct cloister_domain_info){
        .revision = CLOISTER_ABI_REVISION,
        .domid = d->domain_id,
        .key_slot = ~0u,
    };
    if ( d->arch.cloister )
        fill_domain(i, d->arch.cloister);
    if ( !d->arch.cloister || !d->arch.cloister->wanted )
        i->reason = unprotected_reason(d);
    rcu_unlock_domain(d);

    return 0;
}

/* Under the domctl lock, which an unpause would take too. */
static int protect(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;

    if ( !cd || d->is_dying )
        return -EINVAL;
    if ( !cd->wanted && d->creation_finished )
        return -EBUSY;

    cd->wanted = true;

    return 0;
}

/* It is to run in the open, though it was protected the last time. */
static int unprotect(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;

    if ( cloister_mode != CLOISTER_MODE_optin )
        return -EINVAL;
    if ( d->creation_finished || d->is_dying ||
         (cd && (cd->state != CLOISTER_DOM_building || cd->restore)) )
        return -EBUSY;

    cloister_forget(d);
    if ( cd )
        cd->wanted = false;

    return 0;
}

static int op_protect(const struct cloister_protect *p)
{
    struct domain *d = p->off <= 1 ? rcu_lock_domain_by_id(p->domid) : NULL;
    int rc;

    if ( !d )
        return p->off <= 1 ? -ESRCH : -EINVAL;

    if ( domctl_lock_acquire() )
    {
        rc = p->off ? unprotect(d) : protect(d);
        domctl_lock_release();
    }
    else
        rc = -ERESTART;
    rcu_unlock_domain(d);

    return rc;
}

/* A seal that fails drops its log: not while it is read, under the lock. */
static int launch_log(struct cloister_domain *cd, struct cloister_log *l)
{
    int rc = -ENOENT;

    if ( !cd )
        return rc;

    spin_lock(&cd->lock);
    if ( cd->state == CLOISTER_DOM_sealed && cd->log )
    {
        memcpy(l->measurement, cd->measurement, sizeof(l->measurement));
        l->total = cd->log_size;
        if ( l->offset < cd->log_size )
        {
            l->length = min(cd->log_size - l->offset, sizeof(l->data));
            memcpy(l->data, cd->log + l->offset, l->length);
        }
        rc = 0;
    }
    spin_unlock(&cd->lock);

    return rc;
}

static int op_log(struct cloister_log *l)
{
    struct domain *d;
    int rc;

    *l = (struct cloister_log){
        .revision = CLOISTER_ABI_REVISION,
        .domid = l->domid,
        .offset = l->offset,
    };
    if ( l->domid == CLOISTER_LOG_HOST )
    {
        l->length = sizeof(l->data);
        return cloister_events_read(l->offset, l->data, &l->length, &l->total,
                                    &l->generation);
    }

    d = rcu_lock_domain_by_any_id(l->domid);
    if ( !d )
        return -ESRCH;
    rc = launch_log(d->arch.cloister, l);
    rcu_unlock_domain(d);

    return rc;
}

union argument {
    uint32_t revision;          /* comes first in all of them */
    struct cloister_host host;
    struct cloister_domain_info domain;
    struct cloister_refusal refusal;
    struct cloister_protect protect;
    struct cloister_ledger ledger;
    struct cloister_counts counts;
    struct cloister_net_host net_host;
    struct cloister_net_port net_port;
    struct cloister_net_set net_set;
    struct cloister_log log;
    struct cloister_hostkey hostkey;
    struct cloister_provision provision;
    struct cloister_secret secret;
    struct cloister_report report;
    struct cloister_images images;
    struct cloister_dump dump;
    struct cloister_migrate migrate;
};

static const size_t sizes[] = {
    [CLOISTER_OP_host] = sizeof(struct cloister_host),
    [CLOISTER_OP_domain] = sizeof(struct cloister_domain_info),
    [CLOISTER_OP_refusal] = sizeof(struct cloister_refusal),
    [CLOISTER_OP_protect] = sizeof(struct cloister_protect),
    [CLOISTER_OP_ledger] = sizeof(struct cloister_ledger),
    [CLOISTER_OP_counts] = sizeof(struct cloister_counts),
    [CLOISTER_OP_net_host] = sizeof(struct cloister_net_host),
    [CLOISTER_OP_net_port] = sizeof(struct cloister_net_port),
    [CLOISTER_OP_net_set] = sizeof(struct cloister_net_set),
    [CLOISTER_OP_log] = sizeof(struct cloister_log),
    [CLOISTER_OP_hostkey] = sizeof(struct cloister_hostkey),
    [CLOISTER_OP_provision] = sizeof(struct cloister_provision),
    [CLOISTER_OP_secret] = sizeof(struct cloister_secret),
    [CLOISTER_OP_report] = sizeof(struct cloister_report),
    [CLOISTER_OP_images] = sizeof(struct cloister_images),
    [CLOISTER_OP_dump] = sizeof(struct cloister_dump),
    [CLOISTER_OP_migrate] = sizeof(struct cloister_migrate),
};

static int dispatch(unsigned int cmd, union argument *a)
{
    switch ( cmd )
    {
    case CLOISTER_OP_host:
        return op_host(&a->host);

    case CLOISTER_OP_domain:
        return op_domain(&a->domain);

    case CLOISTER_OP_refusal:
        return cloister_refusal_get(&a->refusal);

    case CLOISTER_OP_protect:
        return op_protect(&a->protect);

    case CLOISTER_OP_ledger:
        return cloister_ledger_get(&a->ledger);

    case CLOISTER_OP_counts:
        return cloister_counts_get(&a->counts);
    case CLOISTER_OP_net_host:
        return cloister_net_host(&a->net_host);

    case CLOISTER_OP_net_port:
        return cloister_net_port(&a->net_port);

    case CLOISTER_OP_net_set:
        return cloister_net_set(&a->net_set);
    case CLOISTER_OP_log:
        return op_log(&a->log);

    case CLOISTER_OP_hostkey:
        return cloister_hostkey_op(&a->hostkey);

    case CLOISTER_OP_provision:
        return cloister_provision_op(&a->provision);

    case CLOISTER_OP_secret:
        return cloister_secret_op(&a->secret);

    case CLOISTER_OP_report:
        return cloister_report_op(&a->report);

    case CLOISTER_OP_images:
        return cloister_images_op(&a->images);

    case CLOISTER_OP_dump:
        return cloister_dump_op(&a->dump);

    case CLOISTER_OP_migrate:
        return cloister_migrate_op(&a->migrate);
    }

    return -EOPNOTSUPP;
}

/* A protected guest may ask about itself, and nobody else may ask that. */
static bool may_ask(unsigned int cmd, const union argument *a)
{
    switch ( cmd )
    {
    case CLOISTER_OP_secret:
    case CLOISTER_OP_report:
        return cloister_sealed(current->domain);

    case CLOISTER_OP_log:
        if ( a->log.domid == CLOISTER_LOG_SELF )
            return cloister_sealed(current->domain);
        break;
    }

    return is_control_domain(current->domain);
}

long do_cloister_op(unsigned int cmd, XEN_GUEST_HANDLE_PARAM(void) arg)
{
    union argument a = {};
    long rc;

    if ( cmd >= ARRAY_SIZE(sizes) || !sizes[cmd] )
        return -EOPNOTSUPP;

    if ( copy_from_guest((uint8_t *)&a, arg, sizes[cmd]) )
        return -EFAULT;
    if ( !may_ask(cmd, &a) )
        return -EPERM;
    if ( a.revision != CLOISTER_ABI_REVISION )
        return -EOPNOTSUPP;

    rc = dispatch(cmd, &a);
    if ( rc == -ERESTART )
        return hypercall_create_continuation(__HYPERVISOR_cloister_op, "ih",
                                             cmd, arg);
    /* Then it says how long it would have been. */
    if ( (!rc || (rc == -ENOBUFS && cmd == CLOISTER_OP_dump)) &&
         copy_to_guest(arg, (uint8_t *)&a, sizes[cmd]) )
        rc = -EFAULT;
    if ( cmd == CLOISTER_OP_secret )
        cl_wipe(&a, sizeof(a));

    return rc;
}
