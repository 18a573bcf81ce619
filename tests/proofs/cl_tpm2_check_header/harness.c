/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_tpm2_check_header(), for any bytes.
 *
 * Sources: tpm/command.c tpm/marshal.c
 */
#include <cloister/tpm2.h>

#include "platform.h"

void harness(void)
{
    const uint8_t *rsp;
    size_t len;
    uint16_t tag;

    proofs_any();
    cl_tpm2_check_header(rsp, len, tag);
}
