/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest harness that will do: one program for each test_*.c.
 *
 *     TEST(name) { CHECK(expression); }
 *
 * Tests register themselves and run in the order of the file.  The first CHECK
 * that fails ends its test.  Prints "ok NAME" or "FAIL NAME: file:line: ..."
 * for each, then "N passed, N failed"; exits with 1 if any failed.
 *
 * Include it in the file that has the tests, once: it has main().
 */
#ifndef TEST_H
#define TEST_H

#include <stdio.h>

struct test
{
    const char *name;
    void (*run)(struct test *self);
    const char *file, *failed; /* the CHECK; NULL: none */
    int line;
    struct test *next;
};

static struct test *test_first, **test_end = &test_first;

#define TEST(id)                                                              \
    static void test_##id(struct test *test_self);                            \
    __attribute__((constructor)) static void test_add_##id(void)              \
    {                                                                         \
        static struct test t = {.name = #id, .run = test_##id};               \
                                                                              \
        *test_end = &t;                                                       \
        test_end = &t.next;                                                   \
    }                                                                         \
    static void test_##id(__attribute__((unused)) struct test *test_self)

#define CHECK(expr)                                                           \
    do                                                                        \
    {                                                                         \
        if ( !(expr) )                                                        \
        {                                                                     \
            test_self->file = __FILE__;                                       \
            test_self->line = __LINE__;                                       \
            test_self->failed = #expr;                                        \
            return;                                                           \
        }                                                                     \
    } while ( 0 )

int main(void)
{
    unsigned int passed = 0, failed = 0;
    struct test *t;

    for ( t = test_first; t; t = t->next )
    {
        t->run(t);
        if ( !t->failed )
        {
            printf("ok %s\n", t->name);
            passed++;
            continue;
        }
        printf("FAIL %s: %s:%d: %s\n", t->name, t->file, t->line, t->failed);
        failed++;
    }
    printf("%u passed, %u failed\n", passed, failed);

    return failed != 0;
}

#endif /* TEST_H */
