/* SPDX-License-Identifier: BSD-2-Clause */
/* Encryption to somebody's RSA key (TPM 2.0 Library, Part 3, 12.3 and 14.2). */
#include <errno.h>
#include <string.h>

#include "marshal.h"

size_t cl_tpm2_load_rsa_cmd(uint8_t *buf, size_t cap,
                            const uint8_t modulus[CL_TPM2_RSA])
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_LOAD_EXTERNAL, false);
    size_t mark;

    cl_tpm2_put_2b(&w, NULL, 0);
    mark = cl_tpm2_open_2b(&w);
    cl_tpm2_put16(&w, ALG_RSA);
    cl_tpm2_put16(&w, ALG_SHA256);
    cl_tpm2_put32(&w, OBJ_USER_WITH_AUTH | OBJ_NO_DA | OBJ_DECRYPT);
    cl_tpm2_put_2b(&w, NULL, 0);
    cl_tpm2_put16(&w, ALG_NULL);        /* symmetric */
    cl_tpm2_put16(&w, ALG_NULL);        /* scheme */
    cl_tpm2_put16(&w, CL_TPM2_RSA * 8);
    cl_tpm2_put32(&w, 0);               /* exponent: 65537 */
    cl_tpm2_put_2b(&w, modulus, CL_TPM2_RSA);
    cl_tpm2_close_2b(&w, mark);
    cl_tpm2_put32(&w, CL_TPM2_RH_NULL);

    return cl_tpm2_end(&w);
}

int cl_tpm2_load_rsa_rsp(const uint8_t *rsp, size_t len, uint32_t *handle)
{
    struct cl_tpm2_reader r;
    uint32_t h = 0;
    int rc = cl_tpm2_open(&r, rsp, len, false, &h);

    *handle = rc ? 0 : h;

    return rc;
}

size_t cl_tpm2_rsa_encrypt_cmd(uint8_t *buf, size_t cap, uint32_t handle,
                               struct cl_tpm2_slice message)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_RSA_ENCRYPT, false);

    cl_tpm2_put32(&w, handle);
    cl_tpm2_put_2b(&w, message.p, message.len);
    cl_tpm2_put16(&w, ALG_OAEP);
    cl_tpm2_put16(&w, ALG_SHA256);
    cl_tpm2_put_2b(&w, NULL, 0);        /* label */

    return cl_tpm2_end(&w);
}

int cl_tpm2_rsa_encrypt_rsp(const uint8_t *rsp, size_t len,
                            uint8_t out[CL_TPM2_RSA])
{
    struct cl_tpm2_reader r;
    struct cl_tpm2_slice s;
    int rc = cl_tpm2_open(&r, rsp, len, false, NULL);

    s = cl_tpm2_get_2b(&r);
    rc = rc ? rc : cl_tpm2_close(&r);
    if ( !rc && s.len != CL_TPM2_RSA )
        rc = -EBADMSG;
    memset(out, 0, CL_TPM2_RSA);
    if ( !rc )
        memcpy(out, s.p, s.len);

    return rc;
}
