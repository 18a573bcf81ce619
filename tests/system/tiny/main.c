/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tiny: a PVH guest that needs next to no memory, for tests where every page
 * counts or where nobody else may touch memory first.
 *
 * Command line:
 *   fill=KIB     fill KIB with the keeper's lines and check them for ever:
 *                "tiny ok ROUND", or "tiny BAD LINES", in Xen's log
 *   crash=ROUND  with fill: crash after this round
 *   scan         before it writes anywhere: how many lines there are in all
 *                its memory but its own image: "tiny scan lines N of MIB"
 */

#include "tiny.h"

#define ROUND_MS 250
#define MAX_RAM  16

extern char image_start[], image_end[];

struct range {
    uint32_t start, end;
};

/* Copied: filling memory may overwrite what the start info points to. */
static struct range ram[MAX_RAM];
static unsigned int ram_count;
static char command_line[256];

static void read_memory_map(const struct pvh_start *info)
{
    const struct memory_map_entry *entry =
        (const void *)(size_t)info->memory_map;
    uint32_t i;

    for ( i = 0; i < info->memory_map_count && ram_count < MAX_RAM; i++ )
    {
        uint64_t end = entry[i].address + entry[i].size;

        if ( entry[i].type != MEMORY_RAM || end >> 32 )
            continue;
        ram[ram_count].start = entry[i].address;
        ram[ram_count++].end = end;
    }
}

static void read_command_line(const struct pvh_start *info)
{
    const char *from = (const void *)(size_t)info->command_line;
    unsigned int i;

    if ( from )
        for ( i = 0; i < sizeof(command_line) - 1 && from[i]; i++ )
            command_line[i] = from[i];
}

/* What follows NAME on the command line, or NULL. */
static const char *option(const char *name)
{
    const char *p = command_line;

    for ( ; ; p++ )
    {
        unsigned int i = 0;

        while ( name[i] && p[i] == name[i] )
            i++;
        if ( !name[i] )
            return p + i;
        while ( *p && *p != ' ' )
            p++;
        if ( !*p )
            return NULL;
    }
}

/* The number after NAME, 0 without. */
static uint32_t number(const char *name)
{
    const char *text = option(name);
    uint32_t n = 0;

    while ( text && *text >= '0' && *text <= '9' )
        n = n * 10 + *text++ - '0';
    return n;
}

/* Memory behind the image. */
static uint32_t room(void)
{
    uint32_t end = (uint32_t)image_end;
    unsigned int i;

    for ( i = 0; i < ram_count; i++ )
        if ( ram[i].start <= end && end < ram[i].end )
            return ram[i].end - end;
    return 0;
}

static void fill(uint32_t kib, uint32_t crash_round)
{
    uint32_t round, lines = kib * 1024 / LINE;

    if ( kib > room() / 1024 )
    {
        print("tiny has only %u KiB", room() / 1024);
        return;
    }
    lines_fill(image_end, lines);
    for ( round = 1; ; round++ )
    {
        uint32_t bad = lines_check(image_end, lines);

        if ( bad )
            print("tiny BAD %u", bad);
        /* Now and then: Xen's log is short. */
        else if ( round <= 3 || !(round & (round - 1)) )
            print("tiny ok %u", round);
        if ( round == crash_round )
            xen_crash();
        xen_sleep(ROUND_MS);
    }
}

static uint32_t scan_range(uint32_t start, uint32_t end)
{
    return start < end ? lines_count((char *)start, (char *)end) : 0;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t most(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void scan(void)
{
    uint32_t before = (uint32_t)image_start, after = (uint32_t)image_end;
    uint32_t lines = 0, mib = 0;
    unsigned int i;

    for ( i = 0; i < ram_count; i++ )
    {
        lines += scan_range(ram[i].start, least(ram[i].end, before));
        lines += scan_range(most(ram[i].start, after), ram[i].end);
        mib += (ram[i].end - ram[i].start) >> 20;
    }
    print("tiny scan lines %u of %u", lines, mib);
}

void tiny(const struct pvh_start *info);
void tiny(const struct pvh_start *info)
{
    read_memory_map(info);
    read_command_line(info);
    /* It writes to the image only, but so that nothing can be in doubt: */
    if ( option("scan") )
        scan();
    xen_init();
    if ( option("fill=") )
        fill(number("fill="), number("crash="));
    xen_stop();
}
