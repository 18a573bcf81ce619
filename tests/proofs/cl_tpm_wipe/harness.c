/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_tpm_wipe(): nothing is left of a response.
 *
 * Sources: tpm/tis.c tpm/crb.c tpm/transport.c tpm/command.c
 */
#include <errno.h>

#include <cloister/tpm.h>

unsigned int cl_any;

void harness(void);
void harness(void)
{
    struct cl_tpm *t;
    unsigned int any;

    cl_any = any;   /* static: CBMC would take it to be 0 */
    cl_tpm_wipe(t);
}
