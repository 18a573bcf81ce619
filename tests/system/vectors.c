/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vectors DOMID CALLS: what a view does to the registers of who asks for it.
 *
 * Claim:  the page cipher runs in Xen on the registers of whoever runs there,
 *         and puts them back bit for bit.
 * Method: known values in all vector registers this CPU has, across the very
 *         system call that maps 16 pages of the guest, CALLS times.  Nothing
 *         but that call comes between loading and storing the registers.
 * Stock:  nothing changes, as nothing is encrypted.
 *
 * Prints pages (mapped), width (of the registers checked, bytes) and changed
 * (registers).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guestmem.h"

/* After Xen's types */
#include <xen/sys/privcmd.h>

#define PAGES 16
#define REGS 32
#define WIDTH 64

static uint8_t want[REGS][WIDTH] __attribute__((aligned(64)));
static uint8_t have[REGS][WIDTH] __attribute__((aligned(64)));

#define EACH_16(f, o)                                                   \
    f(0, o) f(1, o) f(2, o) f(3, o) f(4, o) f(5, o) f(6, o) f(7, o)     \
    f(8, o) f(9, o) f(10, o) f(11, o) f(12, o) f(13, o) f(14, o) f(15, o)
#define EACH_32(f, o)                                                   \
    EACH_16(f, o)                                                       \
    f(16, o) f(17, o) f(18, o) f(19, o) f(20, o) f(21, o) f(22, o)      \
    f(23, o) f(24, o) f(25, o) f(26, o) f(27, o) f(28, o) f(29, o)      \
    f(30, o) f(31, o)

#define LOAD_X(n, o) "movups 64*" #n "(%[want]), %%xmm" #n "\n\t"
#define SAVE_X(n, o) "movups %%xmm" #n ", 64*" #n "(%[have])\n\t"
#define LOAD_Y(n, o) "vmovups 64*" #n "(%[want]), %%ymm" #n "\n\t"
#define SAVE_Y(n, o) "vmovups %%ymm" #n ", 64*" #n "(%[have])\n\t"
#define LOAD_Z(n, o) "vmovups 64*" #n "(%[want]), %%zmm" #n "\n\t"
#define SAVE_Z(n, o) "vmovups %%zmm" #n ", 64*" #n "(%[have])\n\t"

/* One ioctl between loading and storing; its result as of the system call. */
#define CALL(each, load, save)                                          \
    asm volatile ( each(load, 0) "syscall\n\t" each(save, 0)            \
                   : "=a" (result)                                      \
                   : "0" ((long)SYS_ioctl), "D" ((long)fd),             \
                     "S" ((long)IOCTL_PRIVCMD_MMAPBATCH_V2),            \
                     "d" (batch), [want] "r" (want), [have] "r" (have)  \
                   : "rcx", "r11", "memory" )

static long call(int fd, const privcmd_mmapbatch_v2_t *batch,
                 unsigned int width)
{
    long result;

    if ( width == 64 )
        CALL(EACH_32, LOAD_Z, SAVE_Z);
    else if ( width == 32 )
        CALL(EACH_16, LOAD_Y, SAVE_Y);
    else
        CALL(EACH_16, LOAD_X, SAVE_X);

    return result;
}

static unsigned int register_width(void)
{
    if ( __builtin_cpu_supports("avx512f") )
        return 64;

    return __builtin_cpu_supports("avx") ? 32 : 16;
}

static unsigned int changed(unsigned int width)
{
    unsigned int i, count = 0;

    for ( i = 0; i < (width == 64 ? 32 : 16); i++ )
        count += !!memcmp(want[i], have[i], width);

    return count;
}

int main(int argc, char *argv[])
{
    unsigned int width = register_width(), i, bad = 0, good = 0;
    xen_pfn_t gfns[PAGES];
    int err[PAGES];
    privcmd_mmapbatch_v2_t batch = { .num = PAGES, .arr = gfns, .err = err };
    int fd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);

    if ( argc != 3 || fd < 0 )
    {
        fprintf(stderr, "usage: vectors DOMID CALLS (in dom0)\n");
        return 2;
    }
    batch.dom = (domid_t)atoi(argv[1]);

    for ( i = 0; i < (unsigned int)atoi(argv[2]); i++ )
    {
        void *mem = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);
        unsigned int j;

        if ( mem == MAP_FAILED )
            fail("mmap");
        batch.addr = (uintptr_t)mem;
        for ( j = 0; j < PAGES; j++ )
            gfns[j] = 0x100 + (i * PAGES + j) % 0x300;
        for ( j = 0; j < sizeof(want); j++ )
            want[j / WIDTH][j % WIDTH] = (uint8_t)((i + j) * 167);
        if ( call(fd, &batch, width) )
            fail("mapping");
        bad += changed(width);
        for ( j = 0; j < PAGES; j++ )
            good += !err[j];
        munmap(mem, PAGES * PAGE);
    }
    printf("pages %u\nwidth %u\nchanged %u\n", good, width, bad);

    return 0;
}
