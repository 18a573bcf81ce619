/* SPDX-License-Identifier: BSD-2-Clause */
/* A launch log as Xen writes one, for tests that need any. */
#ifndef TESTS_UNIT_LAUNCH_H
#define TESTS_UNIT_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

#include <abi/evidence.h>
#include <cloister/measure.h>

/* Into log, of cap bytes; page: 4096 bytes.  Returns the log's size. */
static inline size_t launch_make(uint8_t *log, size_t cap, const void *page,
                                 uint8_t measurement[32])
{
    const struct cloister_launch_config config = {.revision = 1, .vcpus = 1};
    struct cl_measure m;

    cl_measure_init(&m, log, cap);
    cl_measure_item(&m, CLOISTER_ITEM_config, 0, 0, &config, sizeof(config));
    cl_measure_item(&m, CLOISTER_ITEM_cpu, 0, 0, "cpu", 3);
    cl_measure_item(&m, CLOISTER_ITEM_state, 0, 2, "registers", 9);
    cl_measure_item(&m, CLOISTER_ITEM_params, 0, 0, "params", 6);
    cl_measure_item(&m, CLOISTER_ITEM_map, 0, 0, "map", 3);
    cl_measure_item(&m, CLOISTER_ITEM_start, 0, 7, "start", 5);
    cl_measure_page(&m, 1, page);
    cl_measure_finish(&m, measurement);

    return m.used;
}

#endif /* TESTS_UNIT_LAUNCH_H */
