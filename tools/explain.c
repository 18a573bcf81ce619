/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister explain: the first item in which two logs differ, and how. */
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#include "cloister.h"
#include "evlog.h"
#include "output.h"
#include "startinfo.h"

#define HVM_CPU 2          /* type code of the CPU record */
#define ACPI 0xfc000000ull /* from here up: what libxl adds */

static void print_words(const char *who, const struct evitem *item, size_t at)
{
    size_t end = at + 16 < item->head.length ? at + 16 : item->head.length;

    printf("  %-9s at byte %zu:", who, at);
    for ( ; at < end; at++ )
        printf(" %02x", item->data[at]);
    putchar('\n');
}

/* Offset of the first byte that differs. */
static size_t first_difference(const struct evitem *a, const struct evitem *b)
{
    size_t at = 0;

    while ( at < a->head.length && at < b->head.length &&
            a->data[at] == b->data[at] )
        at++;

    return at;
}

static void explain_start(const struct evitem *a, const struct evitem *b)
{
    struct start_info x, y;

    if ( !start_info_parse(a, &x) || !start_info_parse(b, &y) )
        return;
    if ( strcmp(x.cmdline, y.cmdline) )
        printf("  the kernel's command line:\n    expected \"%s\"\n"
               "    actual   \"%s\"\n",
               x.cmdline, y.cmdline);
    if ( x.ramdisk != y.ramdisk || x.ramdisk_size != y.ramdisk_size )
        printf("  the ramdisk's place:\n    expected %#" PRIx64 ", %" PRIu64
               " bytes\n    actual   %#" PRIx64 ", %" PRIu64 " bytes\n",
               x.ramdisk, x.ramdisk_size, y.ramdisk, y.ramdisk_size);
}

static void explain_params(const struct evitem *a, const struct evitem *b)
{
    uint64_t x, y;

    for ( size_t i = 0;
          8 * i + 8 <= a->head.length && 8 * i + 8 <= b->head.length; i++ )
    {
        memcpy(&x, a->data + 8 * i, 8);
        memcpy(&y, b->data + 8 * i, 8);
        if ( x != y )
            printf("  HVM parameter %zu: expected %#" PRIx64
                   ", actual %#" PRIx64 "\n",
                   i, x, y);
    }
}

/* What the pages of a run hold, by the start info of the same log. */
static void explain_pages(const struct evlog *log, const struct evitem *item)
{
    uint64_t from = item->head.first * 4096,
             to = from + item->head.count * 4096, page;
    struct start_info info;
    struct evitem start;
    size_t offset = 0;

    while ( evlog_next(log, &offset, &start) )
    {
        if ( start.head.type != CLOISTER_ITEM_start ||
             !start_info_parse(&start, &info) )
            continue;
        page = start.head.first * 4096;
        /* libxc puts the kernel below the rest. */
        printf("  in it:%s%s%s%s\n",
               from < page && (!info.ramdisk || from < info.ramdisk)
                   ? " kernel"
                   : "",
               to > info.ramdisk && from < info.ramdisk + info.ramdisk_size
                   ? " ramdisk"
                   : "",
               from <= page && page < to ? " start info" : "",
               from >= ACPI ? " ACPI tables or page tables" : "");
    }
}

/* Xen's struct hvm_hw_cpu: 512 bytes of FPU, then these. */
static const char *const registers[] = {
    "RAX", "RBX", "RCX", "RDX", "RBP", "RSI", "RDI", "RSP",    "R8",  "R9",
    "R10", "R11", "R12", "R13", "R14", "R15", "RIP", "RFLAGS", "CR0", "CR2",
    "CR3", "CR4", "DR0", "DR1", "DR2", "DR3", "DR6", "DR7",
};

static void explain_cpu(const struct evitem *a, const struct evitem *b)
{
    uint64_t x, y;

    for ( size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++ )
    {
        size_t at = 512 + 8 * i;

        if ( at + 8 > a->head.length || at + 8 > b->head.length )
            return;
        memcpy(&x, a->data + at, 8);
        memcpy(&y, b->data + at, 8);
        if ( x != y )
            printf("  %s: expected %#" PRIx64 ", actual %#" PRIx64 "%s\n",
                   registers[i], x, y,
                   i == 1 ? " (where the start info is: another kernel or "
                            "ramdisk)"
                          : "");
    }
}

static void explain_item(const struct evlog *log, const struct evitem *a,
                         const struct evitem *b)
{
    size_t at;

    printf("expected   %-8s ", evitem_name(a));
    evitem_print(stdout, a);
    printf("\nactual     %-8s ", evitem_name(b));
    evitem_print(stdout, b);
    putchar('\n');
    if ( a->head.type != b->head.type )
        return;

    if ( a->head.type == CLOISTER_ITEM_start )
        explain_start(a, b);
    else if ( a->head.type == CLOISTER_ITEM_params )
        explain_params(a, b);
    else if ( a->head.type == CLOISTER_ITEM_pages )
        explain_pages(log, b);
    else if ( a->head.type == CLOISTER_ITEM_state &&
              a->head.first == HVM_CPU && b->head.first == HVM_CPU )
        explain_cpu(a, b);
    if ( !a->head.length || !b->head.length )
        return;

    at = first_difference(a, b);
    print_words("expected", a, at);
    print_words("actual", b, at);
}

/* The items that differ, for programs; null: that log has ended. */
static bool json_difference(const struct evlog *expected,
                            const struct evlog *actual)
{
    struct json_object *answer = json_new_answer();
    struct evitem a, b;
    bool differ = evlog_compare(expected, actual, &a, &b);

    json_add_flag(answer, "same", !differ);
    json_object_object_add(answer, "expected",
                           differ && a.data ? json_item(&a) : NULL);
    json_object_object_add(answer, "actual",
                           differ && b.data ? json_item(&b) : NULL);
    json_finish(answer);

    return differ;
}

/* Prints the first difference; false: there is none. */
static bool explain_difference(const struct evlog *expected,
                               const struct evlog *actual)
{
    struct evitem a, b;

    if ( !evlog_compare(expected, actual, &a, &b) )
    {
        puts("the logs are the same");
        return false;
    }
    if ( a.data && b.data )
        explain_item(actual, &a, &b);
    else
    {
        printf("only in the %s one: %s ", a.data ? "expected" : "actual",
               evitem_name(a.data ? &a : &b));
        evitem_print(stdout, a.data ? &a : &b);
        putchar('\n');
    }

    return true;
}

static enum cli_exit load(struct evlog *log, const char *path)
{
    char why[128];
    int rc = evlog_load(log, path);

    if ( rc )
    {
        complain("%s: %s", path, strerror(-rc));
        return CLI_FAILURE;
    }
    if ( evlog_check(log, false, why, sizeof(why)) ||
         evlog_check(log, true, why, sizeof(why)) )
        return CLI_OK;

    evlog_check(log, false, why, sizeof(why));
    complain("%s: %s", path, why);

    return CLI_BAD_EVIDENCE;
}

enum cli_exit explain_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {0},
    };
    struct evlog expected = {0}, actual = {0};
    enum cli_exit status;
    bool json = false;
    int opt;

    optind = 0;
    while ( (opt = getopt_long(argc, argv, "j", options, NULL)) != -1 )
    {
        if ( opt != 'j' )
            return CLI_USAGE;
        json = true;
    }
    if ( argc - optind != 2 )
    {
        complain("explain: give the expected and the actual log");
        return CLI_USAGE;
    }

    status = load(&expected, argv[optind]);
    if ( !status )
        status = load(&actual, argv[optind + 1]);
    if ( !status &&
         (json ? json_difference : explain_difference)(&expected, &actual) )
        status = CLI_NOT_AS_ASKED;
    evlog_free(&expected);
    evlog_free(&actual);

    return status;
}
