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
