/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_tpm2_load_rsp(), for any bytes.
 *
 * Sources: tpm/object.c tpm/command.c tpm/marshal.c
 */
#include <cloister/tpm2.h>

#include "platform.h"

void harness(void)
{
    const uint8_t *rsp;
    size_t len;
    uint32_t *handle;

    proofs_any();
    cl_tpm2_load_rsp(rsp, len, handle);
}
