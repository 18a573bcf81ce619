/* SPDX-License-Identifier: BSD-2-Clause */
#include "tiny.h"

#include <xen/xen.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/arch-x86/cpuid.h>

extern char hypercall_page[];

static void cpuid(uint32_t leaf, uint32_t out[4])
{
    asm volatile ( "cpuid"
                   : "=a" (out[0]), "=b" (out[1]), "=c" (out[2]), "=d" (out[3])
                   : "0" (leaf), "2" (0) );
}

/* Xen fills the page with calls of itself, 32 bytes each. */
void xen_init(void)
{
    uint32_t leaf = XEN_CPUID_FIRST_LEAF, info[4];

    for ( ; leaf < XEN_CPUID_FIRST_LEAF + 0x10000; leaf += 0x100 )
    {
        cpuid(leaf, info);
        if ( info[1] == XEN_CPUID_SIGNATURE_EBX )
            break;
    }
    cpuid(leaf + 2, info);
    asm volatile ( "wrmsr"
                   :: "c" (info[1]), "a" (hypercall_page), "d" (0)
                   : "memory" );
}

static long hypercall(unsigned int number, long a, long b, long c)
{
    long result;
    void *entry = hypercall_page + number * 32;

    asm volatile ( "call *%[entry]"
                   : "=a" (result), "+b" (a), "+c" (b), "+d" (c)
                   : [entry] "0" (entry)
                   : "memory" );
    return result;
}

/* When this vCPU began to run, in Xen's time: near enough to now. */
static uint64_t time_ns(void)
{
    struct vcpu_runstate_info state;

    if ( hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0,
                   (long)&state) )
        return 0;
    return state.state_entry_time;
}

void xen_sleep(unsigned int ms)
{
    struct sched_poll poll = { .timeout = time_ns() + ms * 1000000ULL };

    hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, (long)&poll, 0);
    hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
}

void xen_crash(void)
{
    struct sched_shutdown shutdown = { .reason = SHUTDOWN_crash };

    for ( ; ; )
        hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (long)&shutdown, 0);
}

/* No event ever comes. (HLT without interrupts would end the domain.) */
void xen_stop(void)
{
    for ( ; ; )
        hypercall(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0);
}
