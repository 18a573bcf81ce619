/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the victim expects to stay as it was: what is around its memory and
 * processor, and what Xen tells it.
 */
#include "victim.h"

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/memory.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/arch-x86/cpuid.h>

#define JUMP (1ULL << 36) /* ticks: half a minute or so */

struct map_entry
{
    uint64_t address, size;
    uint32_t type;
} __attribute__((packed));

static const uint32_t watched[] = {
    HVM_PARAM_STORE_PFN,
    HVM_PARAM_CONSOLE_PFN,
    HVM_PARAM_STORE_EVTCHN,
};
#define WATCHED (sizeof(watched) / sizeof(watched[0]))

static struct
{
    uint64_t param[WATCHED], tsc;
    uint32_t map_entries, cpuid, wallclock;
} old;

long memory_op(unsigned int cmd, void *arg)
{
    return xen_call(__HYPERVISOR_memory_op, cmd, (long)arg, 0);
}

static struct shared_info *shared(void)
{
    return (struct shared_info *)VICTIM_SHARED;
}

static void map(unsigned int space, uint32_t address)
{
    struct xen_add_to_physmap xatp = {
        .domid = DOMID_SELF,
        .space = space,
        .gpfn = address >> 12,
    };

    if ( memory_op(XENMEM_add_to_physmap, &xatp) )
        print("victim cannot map %u", space);
}

static uint64_t param(uint32_t index)
{
    struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};

    return xen_call(__HYPERVISOR_hvm_op, HVMOP_get_param, (long)&p, 0)
               ? 0
               : p.value;
}

static uint32_t map_entries(void)
{
    static struct map_entry entries[16];
    struct xen_memory_map m = {.nr_entries = 16};

    set_xen_guest_handle(m.buffer, (void *)entries);
    return memory_op(XENMEM_memory_map, &m) ? 0 : m.nr_entries;
}

static uint32_t channel_status(uint32_t port)
{
    struct evtchn_status s = {.dom = DOMID_SELF, .port = port};

    return xen_call(__HYPERVISOR_event_channel_op, EVTCHNOP_status, (long)&s,
                    0)
               ? 99
               : s.status;
}

static uint32_t hypervisor_leaf(void)
{
    uint32_t out[4];

    cpuid(XEN_CPUID_FIRST_LEAF, out);
    return out[1];
}

static bool pending_bit(void)
{
    return shared()->evtchn_pending[VICTIM_PENDING / 32] &
           (1u << VICTIM_PENDING % 32);
}

void watch_init(void)
{
    unsigned int i;

    map(XENMAPSPACE_shared_info, VICTIM_SHARED);
    map(XENMAPSPACE_grant_table, VICTIM_GRANTS);
    shared()->evtchn_mask[VICTIM_PENDING / 32] |= 1u << VICTIM_PENDING % 32;
    shared()->evtchn_pending[VICTIM_PENDING / 32] |= 1u << VICTIM_PENDING % 32;
    for ( i = 0; i < WATCHED; i++ )
        old.param[i] = param(watched[i]);
    old.map_entries = map_entries();
    old.cpuid = hypervisor_leaf();
    old.wallclock = shared()->wc_sec;
    old.tsc = tsc();
}

static unsigned int watch_params(void)
{
    unsigned int i, reports = 0;

    for ( i = 0; i < WATCHED; i++ )
        if ( param(watched[i]) != old.param[i] )
        {
            print("victim PARAM %u", watched[i]);
            reports++;
        }
    return reports;
}

static unsigned int watch_devices(void)
{
    uint32_t mmio = *(volatile uint32_t *)VICTIM_MMIO;
    unsigned int reports = 0;
    uint8_t port;

    asm volatile("inb %w1, %0" : "=a"(port) : "Nd"(VICTIM_PORT));
    if ( mmio != 0xffffffff )
    {
        print("victim MMIO %u", mmio);
        reports++;
    }
    if ( port != 0xff )
    {
        print("victim PORT %u", (uint32_t)port);
        reports++;
    }
    return reports;
}

static unsigned int watch_time(void)
{
    uint64_t now = tsc(), passed = now - old.tsc;
    unsigned int reports = 0;

    old.tsc = now;
    if ( passed > JUMP )
    {
        print("victim TSC");
        reports++;
    }
    if ( shared()->wc_sec != old.wallclock )
    {
        old.wallclock = shared()->wc_sec;
        print("victim WALLCLOCK");
        reports++;
    }
    return reports;
}

static unsigned int expect(bool fine, const char *what)
{
    if ( !fine )
        print("victim %s", what);
    return !fine;
}

unsigned int watch(void)
{
    static uint32_t round;
    volatile uint32_t *counter = (volatile uint32_t *)VICTIM_COUNTER;
    uint32_t port = (uint32_t)old.param[2];
    unsigned int reports;

    *counter = ++round;
    reports = expect(*counter == round, "COUNTER");
    reports += watch_params() + watch_devices() + watch_time();
    reports += expect(map_entries() == old.map_entries, "MAP");
    reports += expect(hypervisor_leaf() == old.cpuid, "CPUID");
    reports += expect(pending_bit(), "SHARED");
    reports +=
        expect(!port || channel_status(port) != EVTCHNSTAT_closed, "CHANNEL");
    return reports;
}
