/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_tpm2_startup_cmd().
 *
 * Sources: tpm/command.c
 */
#include <errno.h>

#include <cloister/tpm.h>

unsigned int cl_any;

void harness(void);
void harness(void)
{
    uint8_t *buf;
    size_t cap;

    cl_tpm2_startup_cmd(buf, cap);
}
