/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_tpm2_import_rsp(), for any bytes.
 *
 * Sources: tpm/object.c tpm/command.c tpm/marshal.c
 */
#include <cloister/tpm2.h>

#include "platform.h"

void harness(void)
{
    const uint8_t *rsp;
    size_t len;
    struct cl_tpm2_slice *private;

    proofs_any();
    cl_tpm2_import_rsp(rsp, len, private);
}
