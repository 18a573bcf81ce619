/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_ppt_find(), for a table of two leaves.
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
    const struct cl_ppt *t;
    uint64_t mfn;

    cl_ppt_find(t, mfn);
}
