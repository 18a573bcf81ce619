/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_tpm2_rc().
 *
 * Sources: tpm/command.c
 */
#include <errno.h>

#include <cloister/tpm.h>

unsigned int cl_any;

void harness(void);
void harness(void)
{
    const uint8_t *rsp;
    size_t len;

    cl_tpm2_rc(rsp, len);
}
