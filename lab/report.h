/* SPDX-License-Identifier: BSD-2-Clause */
/* The demo's report: what its table and its page share. */
#ifndef LAB_REPORT_H
#define LAB_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#define SIDE     256                    /* pixels */
#define DUMP     (SIDE * SIDE)          /* bytes */
#define PAGE     4096
#define LINE     64
#define MARKER   "CLOISTER-SECRET-"
#define ROWS     8
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum kind { LINES, PAGES, ACCESS, CHECK };

/* What dom0 tries. */
struct row {
    const char *fact;                   /* what the scenario calls it */
    const char *what;
    enum kind kind;
    bool optional;                      /* shown if a run has it */
};

struct run {
    const char *title;
    char *facts;
    unsigned char dump[DUMP];
};

extern const struct row rows[ROWS];
extern struct run runs[2];

#define STOCK    (&runs[0])
#define CLOISTER (&runs[1])

bool shown(const struct row *row);

/* The row's text for this run. */
const char *cell(const struct row *row, const struct run *run);

/* The value of a fact as text or number (-1: none); 262144 as 262,144. */
const char *text(const struct run *run, const char *name);
long number(const struct run *run, const char *name);
const char *grouped(long n);

/* How many of the keeper's lines are in the dump. */
long dump_lines(const struct run *run);

/* The HTML page, with this style sheet. */
void write_page(FILE *f, const char *style);

/* Prints a message and exits with 2. */
void fail(const char *what) __attribute__((noreturn));

#endif /* LAB_REPORT_H */
