/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_tpm2_nv_counter_rsp(), for any bytes.
 *
 * Sources: tpm/nv.c tpm/command.c tpm/marshal.c
 * Flags: --unwindset memcmp.0:33
 * Slow
 */
#include <cloister/tpm2.h>

#include "platform.h"

void harness(void)
{
    const uint8_t *rsp;
    size_t len;
    const uint8_t *policy;

    proofs_any();
    cl_tpm2_nv_counter_rsp(rsp, len, policy);
}
