/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cl_tpm2_open() of any bytes, with and without a handle and sessions: nothing
 * is read outside of them, and a reader that it gives out is somewhere in them
 * (marshal_get goes on from there).
 *
 * Sources: tpm/marshal.c tpm/command.c
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <cloister/wipe.h>

#include "../../../engine/tpm/marshal.h"

unsigned int cl_any;

void harness(void);
void harness(void)
{
    struct cl_tpm2_reader r;
    size_t len, before;
    uint32_t handle;
    uint8_t *rsp;
    _Bool sessions, has;
    int rc;

    __CPROVER_assume(len <= CL_TPM_BUF_SIZE);
    rsp = malloc(len);
    __CPROVER_assume(rsp);

    rc = cl_tpm2_open(&r, rsp, len, sessions, has ? &handle : NULL);
    assert(rc == 0 || rc == -EAGAIN || rc == -ENOTCONN || rc == -EIO ||
           rc == -EBADMSG);
    if ( rc )
        return;

    before = CL_TPM_HEADER_SIZE + (has ? 4 : 0) + (sessions ? 4 : 0);
    assert(!r.failed && len >= before);
    assert(r.p == rsp + before && r.left <= len - before);
    assert(sessions || r.left == len - before);
    assert(!has || handle == ((uint32_t)rsp[10] << 24 | rsp[11] << 16 |
                              rsp[12] << 8 | rsp[13]));
}
