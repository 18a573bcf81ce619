/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measuring: the writer of launch and event logs (abi/evidence.h).  The same
 * files run inside Xen, at the seal of a guest, and in cloister(1), which
 * computes what is to be expected.
 *
 *     struct cl_measure m;
 *
 *     cl_measure_init(&m, log, sizeof(log));
 *     cl_measure_item(&m, CLOISTER_ITEM_config, 0, 0, &config,
 * sizeof(config));
 *     ...
 *     cl_measure_page(&m, gfn, page);         rising gfns; may pause anywhere
 *     ...
 *     cl_measure_finish(&m, measurement);
 *
 * Nothing here can fail half-way: without room for an item the writer says so,
 * and goes on saying so.
 */
#ifndef CLOISTER_MEASURE_H
#define CLOISTER_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cloister/sha256.h>

#define CL_MEASURE_PAGE 4096u

/* Owned by the caller, who may read used. */
struct cl_measure
{
    uint8_t *log;
    size_t cap, used;
    bool full;
    struct cl_sha256 heads;

    /* The run of pages that is open; count 0: none. */
    uint64_t first, count;
    bool zeros;           /* so far */
    struct cl_sha256 run; /* of the run, unless zeros */
    size_t last_zero;     /* offset of the newest item plus one, if zero */
};

/* An empty log in cap bytes at log, which the caller keeps. */
void cl_measure_init(struct cl_measure *m, void *log, size_t cap);

/*
 * Appends an item with its data (len may be 0); closes a run that is open.
 * 0 or -ENOSPC.
 */
int cl_measure_item(struct cl_measure *m, uint16_t type, uint16_t index,
                    uint64_t first, const void *data, size_t len);

/*
 * Appends the page at gfn, or one that is shared (NULL).  gfn is above all
 * that came before.  0 or -ENOSPC.
 */
int cl_measure_page(struct cl_measure *m, uint64_t gfn, const void *page);

/* Closes the log: the launch measurement.  0 or -ENOSPC. */
int cl_measure_finish(struct cl_measure *m, uint8_t digest[CL_SHA256_SIZE]);

/*
 * Is this log, which may come from anywhere, the one that was measured: are
 * its items whole, are all data what their heads say, is there one start item,
 * and are the heads those of the measurement?  0 or -EBADMSG.
 */
int cl_measure_check(const void *log, size_t size,
                     const uint8_t measurement[CL_SHA256_SIZE]);

/* SHA-256 of an item's head: what an event extends a PCR by. */
void cl_measure_event(const void *item, uint8_t digest[CL_SHA256_SIZE]);

#endif /* CLOISTER_MEASURE_H */
