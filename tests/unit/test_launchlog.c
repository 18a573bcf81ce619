/* SPDX-License-Identifier: BSD-2-Clause */
/* Launch logs that others have written: only the one that was measured. */
#include <stdlib.h>
#include <string.h>

#include <cloister/measure.h>

#include <abi/evidence.h>

#include "test.h"

static uint8_t launch[4096], measurement[CL_SHA256_SIZE];
static size_t size;

/* A log with this many start items. */
static int make(unsigned int starts)
{
    static const uint8_t page[CL_MEASURE_PAGE] = { 1 };
    static const uint8_t zeros[CL_MEASURE_PAGE];
    struct cl_measure m;
    unsigned int i;

    cl_measure_init(&m, launch, sizeof(launch));
    cl_measure_item(&m, CLOISTER_ITEM_config, 0, 0, "config", 6);
    cl_measure_item(&m, CLOISTER_ITEM_state, 0, 2, "registers", 9);
    for ( i = 0; i < starts; i++ )
        cl_measure_item(&m, CLOISTER_ITEM_start, 0, 0, "command line", 12);
    cl_measure_page(&m, 1, page);
    cl_measure_page(&m, 2, zeros);
    cl_measure_page(&m, 9, NULL);
    if ( cl_measure_finish(&m, measurement) )
        return -1;
    size = m.used;

    return 0;
}

TEST(the_log_that_was_measured_is_taken)
{
    CHECK(!make(1));
    CHECK(!cl_measure_check(launch, size, measurement));
}

TEST(one_start_item_no_more_no_less)
{
    CHECK(!make(0));
    CHECK(cl_measure_check(launch, size, measurement));
    CHECK(!make(2));
    CHECK(cl_measure_check(launch, size, measurement));
    CHECK(cl_measure_check(launch, 0, measurement));
}

/* What was written down of pages: type, first and count, in this order. */
static bool says(const struct cl_measure *m, const struct cloister_item *want,
                 unsigned int n)
{
    struct cloister_item item;
    unsigned int i;

    if ( m->used != n * sizeof(item) )
        return false;
    for ( i = 0; i < n; i++ )
    {
        memcpy(&item, launch + i * sizeof(item), sizeof(item));
        if ( item.type != want[i].type || item.first != want[i].first ||
             item.count != want[i].count )
            return false;
    }

    return true;
}

/* Else pages could be elsewhere, and the measurement the same. */
TEST(a_run_of_pages_ends_where_memory_ends)
{
    static const uint8_t page[CL_MEASURE_PAGE] = { 1 };
    static const uint8_t zeros[CL_MEASURE_PAGE];
    static const struct cloister_item want[] = {
        { .type = CLOISTER_ITEM_pages, .first = 1, .count = 2 },
        { .type = CLOISTER_ITEM_pages, .first = 5, .count = 1 },
        { .type = CLOISTER_ITEM_pages, .first = CLOISTER_RUN_PAGES - 1,
          .count = 1 },
        { .type = CLOISTER_ITEM_pages, .first = CLOISTER_RUN_PAGES,
          .count = 2 },
        { .type = CLOISTER_ITEM_zero, .first = 2 * CLOISTER_RUN_PAGES - 1,
          .count = 2 },
        { .type = CLOISTER_ITEM_zero, .first = 3 * CLOISTER_RUN_PAGES + 2,
          .count = 1 },
    };
    struct cl_measure m;

    cl_measure_init(&m, launch, sizeof(launch));
    cl_measure_page(&m, 1, page);
    cl_measure_page(&m, 2, page);
    cl_measure_page(&m, 5, page);
    cl_measure_page(&m, CLOISTER_RUN_PAGES - 1, page);
    cl_measure_page(&m, CLOISTER_RUN_PAGES, page);
    cl_measure_page(&m, CLOISTER_RUN_PAGES + 1, page);
    cl_measure_page(&m, 2 * CLOISTER_RUN_PAGES - 1, zeros);
    cl_measure_page(&m, 2 * CLOISTER_RUN_PAGES, zeros);
    cl_measure_page(&m, 3 * CLOISTER_RUN_PAGES + 2, zeros);
    CHECK(!cl_measure_finish(&m, measurement));
    CHECK(says(&m, want, sizeof(want) / sizeof(want[0])));
}

/* In a copy of just this size, for the sanitizers. */
static int check_copy(size_t len, const uint8_t *value)
{
    uint8_t *copy = malloc(len + !len);
    int rc;

    memcpy(copy, launch, len);
    rc = cl_measure_check(copy, len, value);
    free(copy);

    return rc;
}

TEST(a_log_that_was_cut_is_not)
{
    size_t len;

    CHECK(!make(1));
    for ( len = 0; len < size; len++ )
        CHECK(check_copy(len, measurement));
    CHECK(!check_copy(size, measurement));
}

TEST(no_bit_of_log_or_measurement_may_change)
{
    size_t i;

    CHECK(!make(1));
    for ( i = 0; i < 8 * size; i++ )
    {
        launch[i / 8] ^= 1 << i % 8;
        CHECK(check_copy(size, measurement));
        launch[i / 8] ^= 1 << i % 8;
    }
    for ( i = 0; i < sizeof(measurement); i++ )
    {
        measurement[i] ^= 1;
        CHECK(check_copy(size, measurement));
        measurement[i] ^= 1;
    }
}

/* Heads of one guest, data of another. */
TEST(the_data_are_what_the_heads_say)
{
    uint8_t *at;

    CHECK(!make(1));
    at = memmem(launch, size, "command line", 12);
    CHECK(at);
    memcpy(at, "another line", 12);
    CHECK(check_copy(size, measurement));
}
