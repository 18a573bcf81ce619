/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Responses of a TPM as bytes of which nothing is known: each parser gets
 * them in memory of exactly their length.
 *
 * Sources: tpm/command.c
 * Runs: 100000
 */
#include <errno.h>

#include <cloister/tpm.h>

#include "../fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t want = size ? data[0] % 65 : 0, got = 99, i, n;
    uint8_t *rsp, *out = malloc(want + 1);
    int rc;

    if ( size )
        data++, size--;
    rsp = malloc(size);
    if ( !out || (size && !rsp) )
        abort();
    if ( size )
        memcpy(rsp, data, size);
    memset(out, 0x5a, want + 1);

    cl_tpm2_rc(rsp, size);
    MUST(cl_tpm2_duration_us(rsp, size) <= 300000000u);
    rc = cl_tpm2_startup_rsp(rsp, size);
    MUST(rc == 0 || rc == -EAGAIN || rc == -EIO || rc == -EBADMSG);

    rc = cl_tpm2_getrandom_rsp(rsp, size, out, want, &got);
    MUST(rc <= 0 && (rc ? got == 0 : got <= want));
    n = rc ? 0 : got;
    for ( i = n; i <= want; i++ )
        MUST(out[i] == 0x5a);
    free(rsp);
    free(out);

    return 0;
}
