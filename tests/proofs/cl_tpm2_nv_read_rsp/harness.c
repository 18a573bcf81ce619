/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_tpm2_nv_read_rsp(), for any bytes.
 *
 * Sources: tpm/nv.c tpm/command.c tpm/marshal.c
 */
#include <cloister/tpm2.h>

#include "platform.h"

void harness(void)
{
    const uint8_t *rsp;
    size_t len;
    uint64_t *value;

    proofs_any();
    cl_tpm2_nv_read_rsp(rsp, len, value);
}
