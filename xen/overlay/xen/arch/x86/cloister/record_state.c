/* SPDX-License-Identifier: GPL-2.0-only */
/* What a record says of a domain, and a restore compares. */

#include <xen/sched.h>
#include <xen/sha2.h>

#include <public/hvm/params.h>

#include <cloister/record.h>
#include <cloister/wipe.h>

#include "private.h"
#include "record.h"
#include "abi/record.h"

void cloister_instance_id(const uint8_t raw[CL_KEY_SIZE], uint8_t id[16])
{
    struct {
        char label[16];
        uint8_t raw[CL_KEY_SIZE];
    } in = { .label = "instance" };
    uint8_t digest[SHA2_256_DIGEST_SIZE];

    memcpy(in.raw, raw, sizeof(in.raw));
    sha2_256_digest(digest, &in, sizeof(in));
    cl_wipe(&in, sizeof(in));
    memcpy(id, digest, 16);
}

void cloister_cpu_digest(const struct domain *d, uint8_t digest[32])
{
    sha2_256_digest(digest, d->arch.cpu_policy, sizeof(*d->arch.cpu_policy));
}

const uint8_t cloister_ring_param[CLOISTER_RINGS] = {
    [CLOISTER_RING_console] = HVM_PARAM_CONSOLE_PFN,
    [CLOISTER_RING_store] = HVM_PARAM_STORE_PFN,
    [CLOISTER_RING_ioreq] = HVM_PARAM_IOREQ_PFN,
    [CLOISTER_RING_bufioreq] = HVM_PARAM_BUFIOREQ_PFN,
};

/*
 * The parameters that the toolstack carries over in the clear.  Others are
 * set anew by the restore (event channels) or by the guest (callback).
 */
uint64_t cloister_param(const struct domain *d, unsigned int index)
{
    static const uint8_t carried[] = {
        HVM_PARAM_STORE_PFN, HVM_PARAM_CONSOLE_PFN, HVM_PARAM_IDENT_PT,
        HVM_PARAM_PAGING_RING_PFN, HVM_PARAM_MONITOR_RING_PFN,
        HVM_PARAM_SHARING_RING_PFN, HVM_PARAM_VIRIDIAN,
        HVM_PARAM_VM_GENERATION_ID_ADDR, HVM_PARAM_ACPI_IOPORTS_LOCATION,
        HVM_PARAM_IOREQ_PFN, HVM_PARAM_BUFIOREQ_PFN,
        HVM_PARAM_IOREQ_SERVER_PFN, HVM_PARAM_NR_IOREQ_SERVER_PAGES,
        HVM_PARAM_VM86_TSS, HVM_PARAM_NESTEDHVM, HVM_PARAM_ALTP2M,
        HVM_PARAM_PAE_ENABLED, HVM_PARAM_TIMER_MODE, HVM_PARAM_ACPI_S_STATE,
        HVM_PARAM_TRIPLE_FAULT_REASON, HVM_PARAM_VM86_TSS_SIZED,
        HVM_PARAM_HPET_ENABLED, HVM_PARAM_VPT_ALIGN, HVM_PARAM_MCA_CAP,
    };
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(carried); i++ )
        if ( carried[i] == index )
            return d->arch.hvm.params[index];

    return 0;
}

bool cloister_is_still(const struct domain *d)
{
    const struct vcpu *v;

    if ( !d->is_shut_down )
        return false;
    for_each_vcpu ( d, v )
        if ( v->is_running )
            return false;

    return true;
}

void cloister_record_state(const struct domain *d, uint64_t epoch,
                           struct cloister_record_state *state)
{
    const struct cloister_domain *cd = d->arch.cloister;
    unsigned int i;

    BUILD_BUG_ON(HVM_NR_PARAMS > CLOISTER_RECORD_PARAMS);
    state->epoch = epoch;
    state->vcpus = d->max_vcpus;
    cloister_cpu_digest(d, state->cpu);
    BUILD_BUG_ON(sizeof(state->measurement) != sizeof(cd->measurement));
    memcpy(state->measurement, cd->measurement, sizeof(cd->measurement));
    for ( i = 0; i < HVM_NR_PARAMS; i++ )
        state->params[i] = cloister_param(d, i);
    /* As of the seal: whoever changed them later gains nothing. */
    for ( i = 0; i < CLOISTER_RINGS; i++ )
        state->params[cloister_ring_param[i]] =
            cd->ring[i].gfn == ~0UL ? 0 : cd->ring[i].gfn;
}
