/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_tpm2_duration_us().
 *
 * Sources: tpm/command.c
 * Flags: --unwind 20
 */
#include <errno.h>

#include <cloister/tpm.h>

unsigned int cl_any;

void harness(void);
void harness(void)
{
    const uint8_t *cmd;
    size_t len;

    cl_tpm2_duration_us(cmd, len);
}
