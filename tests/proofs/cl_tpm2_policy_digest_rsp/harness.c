/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_tpm2_policy_digest_rsp(), for any bytes.
 *
 * Sources: tpm/policy.c tpm/command.c tpm/marshal.c
 * Slow
 */
#include <cloister/tpm2.h>

#include "platform.h"

void harness(void)
{
    const uint8_t *rsp;
    size_t len;
    uint8_t *out;

    proofs_any();
    cl_tpm2_policy_digest_rsp(rsp, len, out);
}
