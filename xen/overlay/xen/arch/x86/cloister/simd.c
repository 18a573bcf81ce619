/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A window in which legacy-SSE code may run inside Xen.
 *
 * The live registers may belong to a guest, to nobody, or (lazy FPU, CR0.TS
 * set) to a vCPU that last ran here.  All of that is left alone: the XMM
 * registers are spilled, used, and put back bit for bit; upper halves of YMM
 * and ZMM are not touched by legacy encodings, nor is MXCSR.  CR4.OSFXSR is
 * always set in Xen, XCR0 does not matter to legacy encodings.
 *
 * Interrupts may stay on: no handler uses vector registers, and the spill
 * area is on the stack.
 */

#include <asm/processor.h>

#include <cloister/wipe.h>

#include "private.h"

/* clang-format off */
#define EACH_XMM(X)                                                     \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)                             \
    X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

void cloister_simd_begin(struct cloister_simd *s)
{
    s->cr0 = read_cr0();
    clts();

#define SPILL(n)                                                        \
    asm volatile ( "movups %%xmm" #n ", %0" : "=m" (s->xmm[n]) );
    EACH_XMM(SPILL)
#undef SPILL
}

void cloister_simd_end(struct cloister_simd *s)
{
    /* Loading over the registers also wipes what the cipher left there. */
#define RELOAD(n)                                                       \
    asm volatile ( "movups %0, %%xmm" #n :: "m" (s->xmm[n]) );
    EACH_XMM(RELOAD)
#undef RELOAD
/* clang-format on */

    if ( s->cr0 & X86_CR0_TS )
        write_cr0(s->cr0);

    /* It may be another guest's state. */
    cl_wipe(s->xmm, sizeof(s->xmm));
}
