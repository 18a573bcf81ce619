/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Known values in the vector registers that 32-bit code has: YMM0-7, or XMM0-7
 * on a CPU without AVX. Nothing else here uses them.
 */
#include "tiny.h"

#define REGS 8
#define WIDTH 32

#define CR0_EM 0x4u
#define CR0_TS 0x8u
#define CR4_OSFXSR 0x200u
#define CR4_OSXSAVE 0x40000u
#define ECX_AVX 0x14000000u /* XSAVE and AVX */

static uint8_t want[REGS][WIDTH], have[REGS][WIDTH];
static bool avx;

static bool cpu_has_avx(void)
{
    uint32_t eax = 1, ebx, ecx = 0, edx;

    asm volatile ( "cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx) );

    return (ecx & ECX_AVX) == ECX_AVX;
}

static void enable(void)
{
    uint32_t cr0, cr4;

    asm volatile ( "mov %%cr0, %0" : "=r" (cr0) );
    asm volatile ( "mov %0, %%cr0" :: "r" (cr0 & ~(CR0_EM | CR0_TS)) );
    asm volatile ( "mov %%cr4, %0" : "=r" (cr4) );
    cr4 |= CR4_OSFXSR | (avx ? CR4_OSXSAVE : 0);
    asm volatile ( "mov %0, %%cr4" :: "r" (cr4) );
    if ( avx )
        asm volatile ( "xsetbv" :: "a" (7), "d" (0), "c" (0) );
}

#define EACH(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7)

void vectors_load(void)
{
    unsigned int i, j;

    for ( i = 0; i < REGS; i++ )
        for ( j = 0; j < WIDTH; j++ )
            want[i][j] = (uint8_t)((i * WIDTH + j) ^ 0x5a);
    avx = cpu_has_avx();
    enable();

#define LOAD(n)                                                         \
    asm volatile ( "vmovups %0, %%ymm" #n :: "m" (want[n]) );
    if ( avx )
    {
        EACH(LOAD)
        return;
    }
#undef LOAD
#define LOAD(n)                                                         \
    asm volatile ( "movups %0, %%xmm" #n :: "m" (want[n]) );
    EACH(LOAD)
#undef LOAD
}

/* How many bytes are not as they were. */
uint32_t vectors_check(void)
{
    unsigned int i, j, width = avx ? WIDTH : WIDTH / 2;
    uint32_t bad = 0;

#define STORE(n)                                                        \
    if ( avx )                                                          \
        asm volatile ( "vmovups %%ymm" #n ", %0" : "=m" (have[n]) );    \
    else                                                                \
        asm volatile ( "movups %%xmm" #n ", %0" : "=m" (have[n]) );
    EACH(STORE)
#undef STORE

    for ( i = 0; i < REGS; i++ )
        for ( j = 0; j < width; j++ )
            bad += have[i][j] != want[i][j];

    return bad;
}
