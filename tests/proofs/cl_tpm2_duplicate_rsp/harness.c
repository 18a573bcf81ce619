/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_tpm2_duplicate_rsp(), for any bytes.
 *
 * Sources: tpm/object.c tpm/command.c tpm/marshal.c
 * Slow
 */
#include <cloister/tpm2.h>

#include "platform.h"

void harness(void)
{
    const uint8_t *rsp;
    size_t len;
    struct cl_tpm2_slice *duplicate, *seed;

    proofs_any();
    cl_tpm2_duplicate_rsp(rsp, len, duplicate, seed);
}
