/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * victim: a PVH guest that is attacked, and tells.
 *
 * It holds the keeper's lines in memory and the marker in registers, and in
 * each round says in Xen's log what is not as it was: "victim WHAT ...", or
 * "victim ok ROUND" if all is well.  WHAT is:
 *
 *   BAD N        N lines have changed        COUNTER    a write was lost
 *   VECTOR N     unexpected interrupt        STEP       its own was lost
 *   REGISTERS, XMM   changed in a rest       TSC, WALLCLOCK   jumped
 *   PARAM N      HVM parameter N changed     MAP        memory map changed
 *   MMIO N, PORT N   somebody answers        CPUID      other hypervisor
 *   SHARED       shared page replaced or written
 *   CHANNEL      xenstore's channel closed   FAULT N    exceptions without end
 *   HIJACKED, RESET  executes where nobody called
 *
 * Command line:
 *   suspend, off suspend, or shut down, after two rounds: "victim RESUMED" if
 *                that ends
 *   triple       end by a triple fault after two rounds
 *   free         give half of the spare pages, filled with lines, back
 *   peek=ADDRESS count the lines in the page there: "victim peek N"
 *   foreign=DOMAIN  map the first page of that victim's lines and do the same
 *   (numbers are decimal)
 */
#include "victim.h"

#include <xen/xen.h>
#include <xen/memory.h>
#include <xen/sched.h>

#define PAGE 4096
#define REST_MS 60
#define SPARE_END 0x700000

static char command_line[256];

static void read_command_line(const struct pvh_start *info)
{
    const char *from = (const void *)(size_t)info->command_line;
    unsigned int i;

    if ( from )
        for ( i = 0; i < sizeof(command_line) - 1 && from[i]; i++ )
            command_line[i] = from[i];
}

/* What follows NAME somewhere on the command line, or NULL. */
static const char *find(const char *name)
{
    const char *p;
    unsigned int i;

    for ( p = command_line; *p; p++ )
    {
        for ( i = 0; name[i] && p[i] == name[i]; i++ )
            ;
        if ( !name[i] )
            return p + i;
    }
    return NULL;
}

bool option(const char *name)
{
    return find(name);
}

uint32_t number(const char *name)
{
    const char *text = find(name);
    uint32_t n = 0;

    while ( text && *text >= '0' && *text <= '9' )
        n = n * 10 + *text++ - '0';
    return n;
}

void marker_words(uint32_t word[VICTIM_WORDS])
{
    line_marker((char *)word);
}

static void write_lines(uint32_t address, uint32_t count)
{
    uint32_t i;

    for ( i = 0; i < count; i++ )
        line_write((char *)address + i * LINE, i);
}

/* How many are not as they were. */
static uint32_t check_lines(void)
{
    uint32_t i, bad = 0;

    for ( i = 0; i < VICTIM_LINES_NR; i++ )
        bad += !line_good((char *)VICTIM_LINES + i * LINE, i);
    return bad;
}

void hijacked(void);
void hijacked(void)
{
    print("victim HIJACKED");
    xen_stop();
}

static void shut_down(unsigned int reason)
{
    print("victim shuts down: %u", reason);
    cpu_shut_down(reason);
    print("victim RESUMED");
}

/* Every other one, so that Xen cannot join them. */
static void give_back(void)
{
    uint32_t page, given = 0;

    write_lines(VICTIM_SPARE, (SPARE_END - VICTIM_SPARE) / LINE);
    for ( page = VICTIM_SPARE; page < SPARE_END; page += 2 * PAGE )
    {
        xen_pfn_t gfn = page / PAGE;
        struct xen_memory_reservation r = {
            .nr_extents = 1,
            .domid = DOMID_SELF,
        };

        set_xen_guest_handle(r.extent_start, &gfn);
        given += memory_op(XENMEM_decrease_reservation, &r) == 1;
    }
    print("victim freed %u", given);
}

static void peek(uint32_t address)
{
    print("victim peek %u", (uint32_t)lines_in((void *)address, PAGE));
}

static void foreign(uint32_t domid)
{
    xen_ulong_t index = VICTIM_LINES / PAGE;
    xen_pfn_t gfn = VICTIM_SHARED / PAGE + 16;
    int error = 0;
    struct xen_add_to_physmap_batch map = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_gmfn_foreign,
        .size = 1,
        .u.foreign_domid = domid,
    };

    set_xen_guest_handle(map.idxs, &index);
    set_xen_guest_handle(map.gpfns, &gfn);
    set_xen_guest_handle(map.errs, &error);
    if ( memory_op(XENMEM_add_to_physmap_batch, &map) || error )
        print("victim peek 0");
    else
        peek((uint32_t)gfn * PAGE);
}

static void special(uint32_t round)
{
    if ( option("peek=") )
        peek(number("peek="));
    if ( option("foreign=") )
        foreign(number("foreign="));
    if ( round != 2 )
        return;
    if ( option("suspend") )
        shut_down(SHUTDOWN_suspend);
    if ( option("off") )
        shut_down(SHUTDOWN_poweroff);
    if ( option("triple") )
        cpu_triple_fault();
    if ( option("free") )
        give_back();
}

void victim(const struct pvh_start *info);
void victim(const struct pvh_start *info)
{
    uint32_t round, bad;

    read_command_line(info);
    xen_init();
    write_lines(VICTIM_LINES, VICTIM_LINES_NR);
    cpu_init();
    watch_init();
    for ( round = 1;; round++ )
    {
        bad = check_lines();
        if ( bad )
            print("victim BAD %u", bad);
        if ( !(cpu_report() + watch() + bad) )
            print("victim ok %u", round);
        special(round);
        cpu_rest(REST_MS);
    }
}
