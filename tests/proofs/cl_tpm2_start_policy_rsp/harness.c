/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_tpm2_start_policy_rsp(), for any bytes.
 *
 * Sources: tpm/policy.c tpm/command.c tpm/marshal.c
 */
#include <cloister/tpm2.h>

#include "platform.h"

void harness(void)
{
    const uint8_t *rsp;
    size_t len;
    uint32_t *session;

    proofs_any();
    cl_tpm2_start_policy_rsp(rsp, len, session);
}
