/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_ppt_drop(), for a table of two leaves.
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

    cl_ppt_drop(t, mfn, nr);
}
