/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_tpm_init().
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
    const struct cl_tpm_platform *p;
    unsigned int locality;

    cl_tpm_init(t, p, locality);
}
