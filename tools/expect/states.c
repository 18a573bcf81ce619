/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HVM context of a guest that has not run yet: what the toolstack has set,
 * and what Xen 4.20 has after the reset of a vCPU.
 */
#include <string.h>

#include <abi/evidence.h>

#include "fake.h"
#include "states.h"

/* Xen's asm/apicdef.h and arch/x86/hvm/vlapic.c */
#define LAPIC_VERSION 0x00050014u
#define LAPIC_BASE 0xfee00000u
#define LAPIC_ENABLED (1u << 11)
#define LAPIC_BSP (1u << 8)
#define LAPIC_SW_DISABLED 2u
#define LVT_MASKED (1u << 16)
#define LVTS 6u

#define PAT_RESET 0x0007040600070406ull
#define EFLAGS_ALWAYS 2u

static void state(struct cl_measure *m, unsigned int type, unsigned int vcpu,
                  const void *data, size_t size)
{
    cl_measure_item(m, CLOISTER_ITEM_state, (uint16_t)vcpu, type, data, size);
}

static void cpu(struct cl_measure *m)
{
    HVM_SAVE_TYPE(CPU) c = fake.cpu;

    /* Xen does not take it from anybody, and it is not measured. */
    c.rflags |= EFLAGS_ALWAYS;
    c.tsc = 0;
    state(m, HVM_SAVE_CODE(CPU), 0, &c, sizeof(c));
}

static void lapic(struct cl_measure *m, unsigned int vcpu)
{
    const HVM_SAVE_TYPE(LAPIC) hidden = {
        .apic_base_msr = LAPIC_BASE | LAPIC_ENABLED | (vcpu ? 0 : LAPIC_BSP),
        .disabled = LAPIC_SW_DISABLED,
        .timer_divisor = 2,
    };

    state(m, HVM_SAVE_CODE(LAPIC), vcpu, &hidden, sizeof(hidden));
}

static void set(HVM_SAVE_TYPE(LAPIC_REGS) * regs, unsigned int at,
                uint32_t value)
{
    memcpy(regs->data + at, &value, sizeof(value));
}

/* Intel's manual, volume 3, table "Local APIC Register Address Map" */
static void lapic_regs(struct cl_measure *m, unsigned int vcpu)
{
    HVM_SAVE_TYPE(LAPIC_REGS) regs = {{0}};

    set(&regs, 0x20, vcpu * 2 << 24);
    set(&regs, 0x30, LAPIC_VERSION);
    set(&regs, 0xe0, 0xffffffff); /* DFR  */
    set(&regs, 0xf0, 0xff);       /* SPIV */
    for ( unsigned int i = 0; i < LVTS; i++ )
        set(&regs, 0x320 + 0x10 * i, LVT_MASKED);
    state(m, HVM_SAVE_CODE(LAPIC_REGS), vcpu, &regs, sizeof(regs));
}

static void mtrr(struct cl_measure *m, unsigned int vcpu)
{
    HVM_SAVE_TYPE(MTRR) r = fake.mtrr;

    r.msr_pat_cr = PAT_RESET;
    state(m, HVM_SAVE_CODE(MTRR), vcpu, &r, sizeof(r));
}

/* For the whole guest; all are zero. */
static void wires(struct cl_measure *m)
{
    static const HVM_SAVE_TYPE(PCI_IRQ) pci;
    static const HVM_SAVE_TYPE(ISA_IRQ) isa;
    static const HVM_SAVE_TYPE(PCI_LINK) link;

    state(m, HVM_SAVE_CODE(PCI_IRQ), 0, &pci, sizeof(pci));
    state(m, HVM_SAVE_CODE(ISA_IRQ), 0, &isa, sizeof(isa));
    state(m, HVM_SAVE_CODE(PCI_LINK), 0, &link, sizeof(link));
}

static void tsc_adjust(struct cl_measure *m, unsigned int vcpu)
{
    static const HVM_SAVE_TYPE(TSC_ADJUST) none;

    state(m, HVM_SAVE_CODE(TSC_ADJUST), vcpu, &none, sizeof(none));
}

/* Without data: what the CPU's vendor makes of it. */
static void vmce(struct cl_measure *m, unsigned int vcpu)
{
    state(m, HVM_SAVE_CODE(VMCE_VCPU), vcpu, NULL, 0);
}

static void each(struct cl_measure *m,
                 void (*f)(struct cl_measure *m, unsigned int vcpu))
{
    for ( unsigned int i = 0; i < fake.vcpus; i++ )
        f(m, i);
}

/* By rising type, as Xen saves them; other vCPUs than the first are down. */
void fake_states(struct cl_measure *m)
{
    cpu(m);
    each(m, lapic);
    each(m, lapic_regs);
    wires(m);
    each(m, mtrr);
    each(m, vmce);
    each(m, tsc_adjust);
}
