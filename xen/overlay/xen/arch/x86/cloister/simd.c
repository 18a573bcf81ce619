/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Windows in which vector code may run inside Xen.
 *
 * The live registers may belong to a guest, to nobody, or (lazy FPU, CR0.TS
 * set) to a vCPU that last ran here; XCR0 is the one of whoever ran last.  All
 * of that is left alone: registers are saved, used, and put back bit for bit.
 *
 * The narrow window is for legacy SSE encodings: these touch neither the upper
 * halves of YMM and ZMM nor MXCSR, and XCR0 does not matter to them.
 * CR4.OSFXSR is always set in Xen.
 *
 * The wide window is for AVX and AVX-512.  XCR0 is opened for these, and XSAVE
 * and XRSTOR keep the registers, so that a component in its initial state is
 * in its initial state afterwards, too: a guest that uses no AVX-512 does not
 * pay for it at its context switches from then on.
 *
 * Interrupts may stay on: no handler uses vector registers or XCR0, and
 * nothing else runs on this CPU before the window ends.  One does: on an idle
 * CPU that still holds a vCPU's registers, whoever wants these sends an
 * interrupt, which saves them.  So they are saved before.
 *
 * A hypercall that may ask for many pages has one window for all of its views:
 * it is opened with the first of them, and closed when the hypercall ends.
 */

#include <xen/init.h>
#include <xen/param.h>
#include <xen/sched.h>

#include <asm/processor.h>
#include <asm/xstate.h>

#include <cloister/wipe.h>

#include "private.h"

/* clang-format off */
#define EACH_XMM(X)                                                     \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)                             \
    X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

void cloister_simd_begin(struct cloister_simd *s)
{
    sync_local_execstate();
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

/* ---- The wide window -------------------------------------------------- */

/*
 * Non-compacted format (SDM volume 1, 13.4): up to the end of Hi16_ZMM, which
 * is at 2688 on CPUs with MPX.  cloister_simd_init() checks it.
 */
#define AREA_SIZE 2752

static DEFINE_PER_CPU(struct xsave_area {
    uint8_t bytes[AREA_SIZE];
} __aligned(64), save_area);

enum cl_gcm_impl __ro_after_init cloister_gcm_impl = CL_GCM_SSE;
static uint64_t __ro_after_init wide_mask;  /* in XCR0, and to be saved */
static unsigned int __ro_after_init wide_size;

/* Not the best by itself until it has run on hardware that has VAES. */
static unsigned int __initdata limit = CL_GCM_SSE;

static const char *const impl_names[] = {
    [CL_GCM_SSE] = "sse",
    [CL_GCM_AVX] = "avx",
    [CL_GCM_VAES256] = "vaes256",
    [CL_GCM_VAES512] = "vaes512",
    [CL_GCM_IMPLS] = "best",
};

static int __init cf_check parse_vectors(const char *s)
{
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(impl_names); i++ )
        if ( !strcmp(s, impl_names[i]) )
        {
            limit = i;
            return 0;
        }

    return -EINVAL;
}
custom_param("cloister-vectors", parse_vectors);

/*
 * Chosen once.  Without VAES, AVX saves less than the wide window costs: it is
 * there to be asked for by name.
 */
static enum cl_gcm_impl __init choose(void)
{
    enum cl_gcm_impl best = cl_gcm_best(xfeature_mask);

    if ( limit < CL_GCM_IMPLS )
        return min_t(unsigned int, best, limit);

    return best == CL_GCM_AVX ? CL_GCM_SSE : best;
}

void __init cloister_simd_init(void)
{
    enum cl_gcm_impl impl = cpu_has_xsave ? choose() : CL_GCM_SSE;

    if ( impl != CL_GCM_SSE )
    {
        wide_mask = impl == CL_GCM_VAES512 ? CL_GCM_XCR0_AVX512
                                           : CL_GCM_XCR0_AVX;
        wide_size = xstate_uncompressed_size(wide_mask | X86_XCR0_X87);
        if ( !wide_size || wide_size > AREA_SIZE )
            impl = CL_GCM_SSE;
    }
    cloister_gcm_impl = impl;
    printk("Cloister: page cipher: %s\n", impl_names[impl]);
}

/* The window of the hypercall that runs on this CPU, if it is for many views */
static DEFINE_PER_CPU(struct batch {
    struct cloister_simd simd;
    bool wanted;
    bool open;
}, batch);

void cloister_batch_begin(void)
{
    struct batch *b = &this_cpu(batch);

    ASSERT(!b->wanted && !b->open);
    b->wanted = true;
}

void cloister_batch_end(void)
{
    struct batch *b = &this_cpu(batch);
    const bool open = b->open;

    b->wanted = b->open = false;
    if ( open )
        cloister_wide_end(&b->simd);
}

bool cloister_batch_ended(void)
{
    return !this_cpu(batch).wanted && !this_cpu(batch).open;
}

static void open_xcr0(uint64_t xcr0)
{
    if ( !set_xcr0(xcr0) )
        BUG();
}

void cloister_wide_begin(struct cloister_simd *s)
{
    struct xsave_area *a = &this_cpu(save_area);
    struct batch *b = &this_cpu(batch);

    if ( b->open )
        return;
    if ( b->wanted )
    {
        s = &b->simd;
        b->open = true;
    }

    if ( cloister_gcm_impl == CL_GCM_SSE )
    {
        cloister_simd_begin(s);
        return;
    }

    sync_local_execstate();
    s->cr0 = read_cr0();
    clts();
    s->xcr0 = get_xcr0();
    if ( wide_mask & ~s->xcr0 )
        open_xcr0(s->xcr0 | X86_XCR0_X87 | wide_mask);

    asm volatile ( "xsave64 %0" : "+m" (*a)
                   : "a" ((uint32_t)wide_mask), "d" (0) );
}

void cloister_wide_end(struct cloister_simd *s)
{
    struct xsave_area *a = &this_cpu(save_area);

    if ( this_cpu(batch).open )
        return;

    if ( cloister_gcm_impl == CL_GCM_SSE )
    {
        cloister_simd_end(s);
        return;
    }

    /* MXCSR is in the area as well, as it was. */
    asm volatile ( "xrstor64 %0"
                   :: "m" (*a), "a" ((uint32_t)wide_mask), "d" (0) );

    /* It may be another guest's; and XSAVE wants a header of zeroes. */
    cl_wipe(a, wide_size);

    if ( wide_mask & ~s->xcr0 )
        open_xcr0(s->xcr0);
    if ( s->cr0 & X86_CR0_TS )
        write_cr0(s->cr0);
}
