/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_ppt_hold(), for a table of two leaves.
 *
 * Sources: smm/table.c
 */
#include <errno.h>

#include <cloister/smm.h>
#include <cloister/tpm.h>

unsigned int cl_any;

void harness(void);
void harness(void)
{
    struct cl_ppt *t;
    uint64_t mfn;
    uint32_t nr;
    void **spare;

    cl_ppt_hold(t, mfn, nr, spare);
}
