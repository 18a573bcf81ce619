/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tiny: a PVH guest that needs next to no memory, for tests where every page
 * counts or where nobody else may touch memory first.
 *
 * Command line:
 *   fill=KIB     fill KIB with the keeper's lines and check them for ever:
 *                "tiny ok ROUND", or "tiny BAD LINES", in Xen's log
 *   crash=ROUND  with fill: crash after this round
 *   suspend=ROUND  with fill: suspend after this round
 *   suspend_each=ROUNDS  with fill: suspend again and again
 *   grant=REF    with fill: grant dom0 a page of 64 more lines, which stands
 *                behind the others: "tiny grants GFN"; until dom0 writes
 *                END_OF_GRANT to its last word, and has let go of it: "tiny
 *                grants nothing"
 *   vectors      keep known values in the vector registers and check them for
 *                ever: "tiny vectors ok ROUND", or "tiny BAD BYTES"
 *   scan         before it writes anywhere: how many lines there are in all
 *                its memory but its own image: "tiny scan lines N of MIB"
 */

#include "tiny.h"

#define ROUND_MS 250
#define OFTEN       16      /* rounds that are said to be good */
#define MAX_RAM  16
#define PAGE     4096
#define END_OF_GRANT 0x444e4521u

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

static void write_lines(char *at, uint32_t first, uint32_t count)
{
    for ( ; count--; at += LINE )
        line_write(at, first++);
}

/* A page behind the lines, and what it is granted by, if it is. */
static struct {
    char *page;
    unsigned int ref;
} granted;

static void grant(uint32_t ref, char *page, uint32_t first)
{
    write_lines(page, first, PAGE / LINE);
    if ( !xen_grant(ref, page) )
    {
        print("tiny has no grant table");
        return;
    }
    granted.page = page;
    granted.ref = ref;
    print("tiny grants %u", (uint32_t)page / PAGE);
}

static void end_grant(void)
{
    const volatile uint32_t *word = (void *)granted.page;

    if ( !granted.page || word[PAGE / 4 - 1] != END_OF_GRANT ||
         !xen_end_grant(granted.ref) )
        return;
    granted.page = NULL;
    print("tiny grants nothing");
}

/* One round: its lines are as they were, or not. */
static void check(uint32_t round, uint32_t lines)
{
    uint32_t i, bad = 0;

    for ( i = 0; i < lines; i++ )
        bad += !line_good(image_end + i * LINE, i);

    if ( bad )
        print("tiny BAD %u", bad);
    /* Now and then: Xen's log is short. */
    else if ( round <= 3 || !(round & (round - 1)) || !(round % OFTEN) )
        print("tiny ok %u", round);
}

static void fill(uint32_t kib)
{
    uint32_t round, lines = kib * 1024 / LINE;

    if ( kib + PAGE / 1024 > room() / 1024 )
    {
        print("tiny has only %u KiB", room() / 1024);
        return;
    }
    write_lines(image_end, 0, lines);
    if ( option("grant=") )
        grant(number("grant="), image_end + kib * 1024, lines);
    for ( round = 1; ; round++ )
    {
        check(round, lines);
        end_grant();
        if ( round == number("crash=") )
            xen_crash();
        if ( round == number("suspend=") ||
             (option("suspend_each=") && !(round % number("suspend_each="))) )
            xen_suspend();
        xen_sleep(ROUND_MS);
    }
}

/* Mostly busy: its registers are to be in the CPU whenever it is interrupted. */
static void vectors(void)
{
    uint32_t round;

    vectors_load();
    for ( round = 1; ; round++ )
    {
        uint32_t bad = vectors_check();

        if ( bad )
        {
            print("tiny BAD %u", bad);
            vectors_load();
        }
        else if ( !(round & (round - 1)) )
            print("tiny vectors ok %u", round);
        if ( !(round & 0xffff) )
            xen_sleep(1);
    }
}

static uint32_t scan_range(uint32_t start, uint32_t end)
{
    return start < end ? lines_in((void *)start, end - start) : 0;
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
    if ( option("vectors") )
        vectors();
    if ( option("fill=") )
        fill(number("fill="));
    xen_stop();
}
