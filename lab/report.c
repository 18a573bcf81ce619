/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report: the demo's result, from what two runs of lab/demo.sh have printed.
 *
 *   report STOCK CLOISTER STYLE PAGE
 *
 * STOCK and CLOISTER are folders with the files `facts` (lines NAME VALUE)
 * and `dump` (64 KiB of the guest's memory as dom0 got it); STYLE is a style
 * sheet.  Prints the table; then, if it says what Cloister claims, writes the
 * HTML file PAGE.  If not, says what is wrong and exits with 1.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

const struct row rows[ROWS] = {
    { "lines_map", "Map all of the guest's memory, search it", LINES, 0 },
    { "lines_held", "Map it before the guest runs, search later", LINES, 0 },
    { "lines_raw", "Map raw machine frames, search them", LINES, 1 },
    { "lines_save", "Search the file that xl save writes", LINES, 0 },
    { "lines_after", "Keep a map over xl destroy, search it", LINES, 0 },
    { "duplicates", "Compare pages: found to be equal", PAGES, 0 },
    { "writable", "Write to the guest's memory", ACCESS, 0 },
    { "rounds", "Meanwhile, the guest checks its memory", CHECK, 0 },
};

struct run runs[2] = { { .title = "Stock Xen" }, { .title = "Cloister" } };

static bool wrong;

static void __attribute__((format(printf, 1, 2))) claim_fails(
    const char *format, ...)
{
    va_list args;

    wrong = true;
    fputs("report: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void fail(const char *what)
{
    perror(what);
    exit(2);
}

/* All of DIR/NAME, or of DIR if there is no NAME, with a zero behind it. */
static char *load(const char *dir, const char *name, size_t *size)
{
    size_t room = 1 << 20;
    char *path, *data = calloc(1, room + 1);
    FILE *f;

    if ( !data || asprintf(&path, "%s%s%s", dir, name ? "/" : "",
                           name ? name : "") < 0 )
        fail("memory");
    f = fopen(path, "r");
    if ( !f )
        fail(path);
    *size = fread(data, 1, room, f);
    fclose(f);
    free(path);

    return data;
}

static void load_run(struct run *run, const char *dir)
{
    size_t size;
    char *dump = load(dir, "dump", &size);

    if ( size != DUMP )
    {
        fprintf(stderr, "report: %s/dump has %zu bytes, not %d\n", dir, size,
                DUMP);
        exit(2);
    }
    memcpy(run->dump, dump, DUMP);
    free(dump);
    run->facts = load(dir, "facts", &size);
}

/* The value of the last fact with this name; NULL if there is none. */
static const char *fact(const struct run *run, const char *name)
{
    static char values[4][128];
    static unsigned int turn;
    size_t length = strlen(name);
    const char *line = run->facts, *found = NULL;

    for ( ; line && *line; line = strchr(line, '\n'), line += !!line )
        if ( !strncmp(line, name, length) && line[length] == ' ' )
            found = line + length + 1;
    if ( !found )
        return NULL;
    turn = (turn + 1) % ARRAY_SIZE(values);
    snprintf(values[turn], sizeof(values[turn]), "%.*s",
             (int)strcspn(found, "\n"), found);

    return values[turn];
}

const char *text(const struct run *run, const char *name)
{
    return fact(run, name) ?: "unknown";
}

/* -1: the run has no such number. */
long number(const struct run *run, const char *name)
{
    const char *value = fact(run, name);
    char *end = NULL;
    long n = value ? strtol(value, &end, 10) : -1;

    return value && end != value && !*end ? n : -1;
}

bool shown(const struct row *row)
{
    return !row->optional || fact(STOCK, row->fact) ||
           fact(CLOISTER, row->fact);
}

/* Lines of the keeper in the dump. */
long dump_lines(const struct run *run)
{
    long found = 0;
    size_t at;

    for ( at = 0; at < DUMP; at += LINE )
        found += !memcmp(run->dump + at, MARKER, strlen(MARKER));

    return found;
}

/* Whether one number of one run is what Cloister claims that it is. */
static bool as_claimed(const struct run *run, enum kind kind, long n)
{
    switch ( kind )
    {
    case LINES:
        /* More than all: Linux leaves copies where it has moved pages. */
        return run == STOCK ? n >= number(run, "total") : !n;
    case PAGES:
        return run == STOCK ? n > 0 : !n;
    case ACCESS:
        return n == (run == STOCK);
    case CHECK:
        return n > 0 && number(run, "errors") == 0;
    }

    return false;
}

static void judge_row(const struct row *row, const struct run *run)
{
    long n = number(run, row->fact);

    if ( shown(row) && !as_claimed(run, row->kind, n) )
        claim_fails("%s: %s: %s", run->title, row->what,
                    n < 0 ? "no result" : cell(row, run));
}

/* To have looked at nothing is not to have found nothing. */
static void judge_run(const struct run *run)
{
    long lines = number(run, "total"), dumped = dump_lines(run);

    if ( lines <= 0 || lines != number(STOCK, "total") )
        claim_fails("%s: not the same secret lines in the guest", run->title);
    if ( number(run, "pages") * PAGE < lines * LINE ||
         number(run, "save_bytes") < lines * LINE )
        claim_fails("%s: dom0 did not get all of the guest", run->title);
    if ( run == STOCK ? !dumped : dumped )
        claim_fails("%s: %ld lines in the dump", run->title, dumped);
}

static void judge(const struct run *run)
{
    size_t i;

    judge_run(run);
    for ( i = 0; i < ROWS; i++ )
        judge_row(&rows[i], run);
}

/* 262144 becomes 262,144. */
const char *grouped(long n)
{
    static char out[4][32];
    static unsigned int turn;
    char *p = out[turn = (turn + 1) % ARRAY_SIZE(out)] + sizeof(out[0]) - 1;
    unsigned int digits = 0;

    if ( n < 0 )
        return "?";
    do {
        if ( digits && digits % 3 == 0 )
            *--p = ',';
        *--p = '0' + n % 10;
        digits++;
    } while ( n /= 10 );

    return p;
}

const char *cell(const struct row *row, const struct run *run)
{
    static char out[2][64];
    char *p = out[run == CLOISTER];
    const char *n = grouped(number(run, row->fact));

    switch ( row->kind )
    {
    case ACCESS:
        return *n == '?' ? n : *n == '0' ? "fails" : "succeeds";
    case CHECK:
        snprintf(p, sizeof(out[0]), "%s ok, %s bad", n,
                 grouped(number(run, "errors")));
        break;
    default:
        snprintf(p, sizeof(out[0]), "%s %s", n,
                 row->kind == LINES ? "lines" : "pages");
    }

    return p;
}

static void print_table(void)
{
    static const char rule[] = "-------------------------------------"
                               "-------------------------------------";
    size_t i;

    printf("\n%-42s%16s%16s\n%s\n", "What dom0 tries", STOCK->title,
           CLOISTER->title, rule);
    for ( i = 0; i < ROWS; i++ )
        if ( shown(&rows[i]) )
            printf("%-42s%16s%16s\n", rows[i].what, cell(&rows[i], STOCK),
                   cell(&rows[i], CLOISTER));
    printf("%s\nThe guest holds %s secret lines.\n\n", rule,
           grouped(number(CLOISTER, "total")));
    fflush(stdout);
}

static void save_page(const char *path, const char *style)
{
    size_t size;
    char *css = load(style, NULL, &size);
    FILE *f = fopen(path, "w");

    if ( !f )
        fail(path);
    write_page(f, css);
    if ( fclose(f) )
        fail(path);
    free(css);
}

int main(int argc, char *argv[])
{
    if ( argc != 5 )
    {
        fprintf(stderr, "usage: report STOCK CLOISTER STYLE PAGE\n");
        return 2;
    }

    load_run(STOCK, argv[1]);
    load_run(CLOISTER, argv[2]);
    print_table();
    judge(STOCK);
    judge(CLOISTER);
    if ( !wrong )
        save_page(argv[4], argv[3]);

    return wrong;
}
