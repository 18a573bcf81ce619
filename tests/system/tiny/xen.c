/* SPDX-License-Identifier: BSD-2-Clause */
#include "tiny.h"

#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
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

long xen_call(unsigned int number, long a, long b, long c)
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

    if ( xen_call(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0,
                   (long)&state) )
        return 0;
    return state.state_entry_time;
}

void xen_sleep(unsigned int ms)
{
    struct sched_poll poll = { .timeout = time_ns() + ms * 1000000ULL };

    xen_call(__HYPERVISOR_sched_op, SCHEDOP_poll, (long)&poll, 0);
    xen_call(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
}

static void shut_down(unsigned int reason)
{
    struct sched_shutdown shutdown = { .reason = reason };

    xen_call(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (long)&shutdown, 0);
}

void xen_crash(void)
{
    for ( ; ; )
        shut_down(SHUTDOWN_crash);
}

void xen_suspend(void)
{
    shut_down(SHUTDOWN_suspend);
}

/* ---- Grants ----------------------------------------------------------- */

/* Its first page, at a frame where there is nothing else. */
#define GRANT_TABLE_GFN 0x20000ul

static volatile grant_entry_v1_t *grant_entry(unsigned int ref)
{
    return (volatile grant_entry_v1_t *)(GRANT_TABLE_GFN << 12) + ref;
}

bool xen_grant(unsigned int ref, const void *page)
{
    struct xen_add_to_physmap place = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_grant_table,
        .gpfn = GRANT_TABLE_GFN,
    };

    if ( xen_call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
                   (long)&place, 0) )
        return false;

    grant_entry(ref)->domid = 0;
    grant_entry(ref)->frame = (uint32_t)page >> 12;
    asm volatile ( "" ::: "memory" );
    grant_entry(ref)->flags = GTF_permit_access;

    return true;
}

bool xen_end_grant(unsigned int ref)
{
    uint16_t *flags = (uint16_t *)&grant_entry(ref)->flags;
    uint16_t idle = GTF_permit_access;

    return __atomic_compare_exchange_n(flags, &idle, 0, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* No event ever comes. (HLT without interrupts would end the domain.) */
void xen_stop(void)
{
    for ( ; ; )
        xen_call(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0);
}
