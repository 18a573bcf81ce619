/* SPDX-License-Identifier: BSD-2-Clause */
/* The victim's processor: vectors, registers that hold the secret, rest. */
#include "victim.h"

#include <xen/xen.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define VECTOR_DEBUG 1
#define CPUID_XSAVE (1u << 26)
#define CR4_OSXSAVE (1u << 18)
#define EFLAGS_TF 0x100
#define VECTOR_FIRST_IRQ 32
#define LAPIC 0xfee00000
#define LAPIC_EOI 0x0b0
#define LAPIC_SPURIOUS 0x0f0
#define LAPIC_ENABLE 0x1ff
#define MSR_SYSENTER_EIP 0x176
#define SPINS 2000000 /* some ten milliseconds */
/* A real exception comes back at once, for ever: say so, and stop. */
#define STORM 1000

extern char vectors[], hypercall_page[];
extern uint32_t rest_words[VICTIM_WORDS], rest_xmm[8];
void rest(uint32_t spins, void *hypercall, void *arg, const uint32_t w[4],
          uint32_t op);

static struct gate
{
    uint16_t low, selector, type, high;
} idt[256];

static volatile uint32_t arrived[256];
static uint32_t steps;

static void lapic_write(uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(LAPIC + offset) = value;
}

void cpuid(uint32_t leaf, uint32_t out[4])
{
    asm volatile("cpuid"
                 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                 : "0"(leaf), "2"(0));
}

uint64_t tsc(void)
{
    uint32_t low, high;

    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return ((uint64_t)high << 32) | low;
}

/* As any kernel does: XCR0 says that SSE registers are worth keeping. */
static void enable_xsave(void)
{
    uint32_t leaf[4], cr4;

    cpuid(1, leaf);
    if ( !(leaf[2] & CPUID_XSAVE) )
        return;
    asm volatile("mov %%cr4, %0" : "=r"(cr4));
    asm volatile("mov %0, %%cr4" ::"r"(cr4 | CR4_OSXSAVE));
    asm volatile("xsetbv" ::"c"(0), "a"(3), "d"(0));
}

void cpu_init(void)
{
    struct
    {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) pointer = {sizeof(idt) - 1, (uint32_t)idt};
    uint32_t word[VICTIM_WORDS];
    unsigned int i;

    for ( i = 0; i < 256; i++ )
    {
        uint32_t entry = (uint32_t)vectors + i * 16;

        idt[i] = (struct gate){entry, 8, 0x8e00, entry >> 16};
    }
    enable_xsave();
    marker_words(word);
    asm volatile("wrmsr" ::"c"(MSR_SYSENTER_EIP), "a"(word[1]), "d"(0));
    lapic_write(LAPIC_SPURIOUS, LAPIC_ENABLE);
    asm volatile("lidt %0; sti" ::"m"(pointer));
}

/* FRAME: vector, error code, EIP, CS, EFLAGS. */
void interrupt(uint32_t *frame)
{
    uint32_t vector = frame[0] & 255;

    if ( vector == VECTOR_DEBUG )
    {
        arrived[vector]++;
        frame[4] &= ~EFLAGS_TF;
        return;
    }
    if ( ++arrived[vector] == STORM && vector < VECTOR_FIRST_IRQ )
    {
        print("victim FAULT %u", vector);
        xen_stop();
    }
    if ( vector < VECTOR_FIRST_IRQ )
        return;
    /* Also if it was an event, which the first byte says: no more of it. */
    *(volatile uint8_t *)VICTIM_SHARED = 0;
    lapic_write(LAPIC_EOI, 0);
}

static uint64_t now_ns(void)
{
    struct vcpu_runstate_info state;

    if ( xen_call(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0,
                  (long)&state) )
        return 0;
    return state.state_entry_time;
}

static void rest_in(uint32_t spins, unsigned int op, void *arg)
{
    uint32_t word[VICTIM_WORDS];

    marker_words(word);
    rest(spins, hypercall_page + __HYPERVISOR_sched_op * 32, arg, word, op);
}

void cpu_rest(unsigned int ms)
{
    struct sched_poll poll = {.timeout = now_ns() + ms * 1000000ULL};

    rest_in(SPINS, SCHEDOP_poll, &poll);
}

void cpu_shut_down(unsigned int reason)
{
    struct sched_shutdown shutdown = {.reason = reason};

    rest_in(1, SCHEDOP_shutdown, &shutdown);
}

void cpu_triple_fault(void)
{
    static const struct
    {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) nothing;
    uint32_t word[VICTIM_WORDS];

    marker_words(word);
    asm volatile("lidt %0; int3" ::"m"(nothing), "S"(word[0]), "D"(word[1]));
    __builtin_unreachable();
}

static bool same(const uint32_t *a, const uint32_t *b, unsigned int words)
{
    while ( words && *a == *b )
        a++, b++, words--;
    return !words;
}

/* One debug exception, which the handler ends, with the secret around it. */
static void single_step(const uint32_t word[VICTIM_WORDS])
{
    asm volatile("pushf; orl %[tf], (%%esp); popf; nop;"
                 "pushf; andl %[not_tf], (%%esp); popf" ::"S"(word[0]),
                 "D"(word[1]), [tf] "i"(EFLAGS_TF), [not_tf] "i"(~EFLAGS_TF)
                 : "memory", "cc");
}

unsigned int cpu_report(void)
{
    uint32_t word[VICTIM_WORDS];
    unsigned int i, reports = 0;

    for ( i = 0; i < 256; i++ )
        if ( i != VECTOR_DEBUG && arrived[i] )
        {
            arrived[i] = 0;
            print("victim VECTOR %u", i);
            reports++;
        }

    marker_words(word);
    single_step(word);
    if ( arrived[VECTOR_DEBUG] == steps )
    {
        print("victim STEP");
        reports++;
    }
    steps = arrived[VECTOR_DEBUG];

    if ( rest_words[0] && !same(rest_words, word, VICTIM_WORDS) )
    {
        print("victim REGISTERS");
        reports++;
    }
    if ( rest_words[0] &&
         !(same(rest_xmm, word, 4) && same(rest_xmm + 4, word, 4)) )
    {
        print("victim XMM");
        reports++;
    }
    return reports;
}
