/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of VMs that were protected, against a list of the plainest kind. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cloister/recall.h>

#include "test.h"

#define STEPS   20000
#define NAMES   1500        /* more than fit */

static struct cl_recall list;

/* UUIDs that differ in their first bytes only, or in their last. */
static const uint8_t *uuid(unsigned int nr)
{
    static uint8_t id[2][CL_UUID_SIZE];
    static unsigned int turn;
    uint8_t *to = id[turn++ % 2];

    memset(to, 0x5a, CL_UUID_SIZE);
    memcpy(nr % 2 ? to : to + CL_UUID_SIZE - sizeof(nr), &nr, sizeof(nr));

    return to;
}

static void clear(void)
{
    memset(&list, 0, sizeof(list));
}

TEST(an_empty_list_has_nobody)
{
    clear();
    CHECK(!cl_recall_has(&list, uuid(0)));
    cl_recall_drop(&list, uuid(0));
    CHECK(list.used == 0);
}

TEST(who_has_ended_is_on_it)
{
    clear();
    cl_recall_add(&list, uuid(1));
    cl_recall_add(&list, uuid(2));
    CHECK(cl_recall_has(&list, uuid(1)) && cl_recall_has(&list, uuid(2)));
    CHECK(!cl_recall_has(&list, uuid(3)));
    cl_recall_drop(&list, uuid(1));
    CHECK(!cl_recall_has(&list, uuid(1)) && cl_recall_has(&list, uuid(2)));
}

TEST(who_ends_again_takes_no_more_room)
{
    unsigned int i;

    clear();
    for ( i = 0; i < 3 * CL_RECALL_IDS; i++ )
        cl_recall_add(&list, uuid(i % 2));
    CHECK(list.used == 2);
}

TEST(the_oldest_is_forgotten)
{
    unsigned int i;

    clear();
    for ( i = 0; i < CL_RECALL_IDS; i++ )
        cl_recall_add(&list, uuid(i));
    CHECK(cl_recall_has(&list, uuid(0)));
    /* It ends again: 1 is the oldest now. */
    cl_recall_add(&list, uuid(0));
    cl_recall_add(&list, uuid(CL_RECALL_IDS));
    CHECK(list.used == CL_RECALL_IDS);
    CHECK(!cl_recall_has(&list, uuid(1)));
    CHECK(cl_recall_has(&list, uuid(0)) && cl_recall_has(&list, uuid(2)));
    CHECK(cl_recall_has(&list, uuid(CL_RECALL_IDS)));
}

/* The last of a full list: nothing behind it moves. */
TEST(the_newest_is_dropped)
{
    unsigned int i;

    clear();
    for ( i = 0; i < CL_RECALL_IDS; i++ )
        cl_recall_add(&list, uuid(i));
    cl_recall_drop(&list, uuid(CL_RECALL_IDS - 1));
    CHECK(list.used == CL_RECALL_IDS - 1);
    CHECK(!cl_recall_has(&list, uuid(CL_RECALL_IDS - 1)));
    CHECK(cl_recall_has(&list, uuid(CL_RECALL_IDS - 2)));
}

/* When each has last ended, 0: not on the list. */
static unsigned int ended[NAMES];

static void forget_oldest(void)
{
    unsigned int i, used = 0, oldest = 0;

    for ( i = 0; i < NAMES; i++ )
    {
        used += !!ended[i];
        if ( ended[i] && (!ended[oldest] || ended[i] < ended[oldest]) )
            oldest = i;
    }
    if ( used > CL_RECALL_IDS )
        ended[oldest] = 0;
}

TEST(as_a_plain_list)
{
    unsigned int step, nr;

    clear();
    srand(1);
    for ( step = 1; step <= STEPS; step++ )
    {
        nr = rand() % NAMES;
        if ( rand() % 8 )
        {
            cl_recall_add(&list, uuid(nr));
            ended[nr] = step;
            forget_oldest();
        }
        else
        {
            cl_recall_drop(&list, uuid(nr));
            ended[nr] = 0;
        }
        nr = rand() % NAMES;
        CHECK(cl_recall_has(&list, uuid(nr)) == !!ended[nr]);
    }
    CHECK(list.used == CL_RECALL_IDS);
}
