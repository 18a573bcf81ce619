/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TPM 2.0 commands and responses as bytes.  All integers are big-endian
 * (TPM 2.0 Library, Part 1, "Marshaling"); see cloister/tpm.h.
 *
 *  command   tag:2 commandSize:4 commandCode:4  parameters
 *  response  tag:2 responseSize:4 responseCode:4  parameters
 */
#include <string.h>

#include <cloister/tpm.h>

#include "marshal.h"

/* Part 2, 6.9, TPM_ST */
#define ST_RSP_COMMAND 0x00C4u /* a TPM 1.2 header, after TPM_RC_BAD_TAG */

/* Part 2, 6.10, TPM_SU */
#define SU_CLEAR 0x0000u

/*
 * Not in the table below: loading, unsealing, signing.  (Linux allows 120 s,
 * and 300 s for key generation: but there are RSA keys, whose primes have to be
 * found.)
 */
#define DURATION_DEFAULT_US 30000000u

struct duration
{
    uint32_t cc;
    uint32_t us;
};

static const struct duration durations[] = {
    /* Short ones: 20 ms in the specification, NV 750 ms at most. */
    {CC_STARTUP, 5000000u},
    {CC_GET_RANDOM, 5000000u},
    {CC_PCR_EXTEND, 5000000u},
    {CC_PCR_RESET, 5000000u},
    {CC_PCR_READ, 5000000u},
    {CC_READ_CLOCK, 5000000u},
    {CC_START_AUTH_SESSION, 5000000u},
    {CC_POLICY_LOCALITY, 5000000u},
    {CC_POLICY_PCR, 5000000u},
    {CC_POLICY_GET_DIGEST, 5000000u},
    {CC_FLUSH_CONTEXT, 5000000u},
    {CC_NV_DEFINE_SPACE, 10000000u},
    {CC_NV_INCREMENT, 10000000u},
    /* Keys on a curve, and what is sealed. */
    {CC_CREATE_PRIMARY, 60000000u},
    {CC_CREATE, 60000000u},
};

static uint16_t get16(const uint8_t *b)
{
    return (uint16_t)((unsigned int)b[0] << 8 | b[1]);
}

static uint32_t get32(const uint8_t *b)
{
    return (uint32_t)get16(b) << 16 | get16(b + 2);
}

static void put16(uint8_t *b, uint16_t v)
{
    b[0] = (uint8_t)(v >> 8);
    b[1] = (uint8_t)v;
}

static void put32(uint8_t *b, uint32_t v)
{
    put16(b, (uint16_t)(v >> 16));
    put16(b + 2, (uint16_t)v);
}

/* A command without sessions whose only parameter has 16 bits. */
static size_t put_cmd16(uint8_t *buf, size_t cap, uint32_t cc, uint16_t param)
{
    const uint32_t size = CL_TPM_HEADER_SIZE + sizeof(param);

    if ( cap < size )
        return 0;

    put16(buf, ST_NO_SESSIONS);
    put32(buf + 2, size);
    put32(buf + 6, cc);
    put16(buf + CL_TPM_HEADER_SIZE, param);

    return size;
}

uint32_t cl_tpm2_rc(const uint8_t *rsp, size_t len)
{
    return len < CL_TPM_HEADER_SIZE ? CL_TPM2_RC_NONE : get32(rsp + 6);
}

uint64_t cl_tpm2_duration_us(const uint8_t *cmd, size_t len)
{
    size_t i;

    if ( len >= CL_TPM_HEADER_SIZE )
        for ( i = 0; i < sizeof(durations) / sizeof(durations[0]); i++ )
            if ( durations[i].cc == get32(cmd + 6) )
                return durations[i].us;

    return DURATION_DEFAULT_US;
}

static int rc_to_errno(uint32_t rc)
{
    switch ( rc )
    {
    case CL_TPM2_RC_SUCCESS:
        return 0;

    case CL_TPM2_RC_RETRY:
    case CL_TPM2_RC_YIELDED:
    case CL_TPM2_RC_TESTING:
        return -EAGAIN;

    case CL_TPM2_RC_INITIALIZE:
        return -ENOTCONN;

    default:
        return -EIO;
    }
}

/*
 * When the code is not TPM_RC_SUCCESS the header is all there is (Part 1,
 * "Response header"), and its tag is that of a response without sessions.
 */
int cl_tpm2_check_header(const uint8_t *rsp, size_t len, uint16_t want)
{
    uint16_t tag;
    uint32_t rc;

    if ( len < CL_TPM_HEADER_SIZE || get32(rsp + 2) != len )
        return -EBADMSG;

    tag = get16(rsp);
    rc = get32(rsp + 6);
    if ( rc == CL_TPM2_RC_SUCCESS )
        return tag == want ? 0 : -EBADMSG;

    if ( len != CL_TPM_HEADER_SIZE ||
         (tag != ST_NO_SESSIONS && tag != ST_RSP_COMMAND) )
        return -EBADMSG;

    return rc_to_errno(rc);
}

size_t cl_tpm2_startup_cmd(uint8_t *buf, size_t cap)
{
    return put_cmd16(buf, cap, CC_STARTUP, SU_CLEAR);
}

int cl_tpm2_startup_rsp(const uint8_t *rsp, size_t len)
{
    int rc = cl_tpm2_check_header(rsp, len, ST_NO_SESSIONS);

    /* Here the code means that firmware has sent TPM2_Startup. */
    if ( rc == -ENOTCONN )
        return 0;

    return !rc && len != CL_TPM_HEADER_SIZE ? -EBADMSG : rc;
}

size_t cl_tpm2_getrandom_cmd(uint8_t *buf, size_t cap, uint16_t bytes)
{
    return put_cmd16(buf, cap, CC_GET_RANDOM, bytes);
}

int cl_tpm2_getrandom_rsp(const uint8_t *rsp, size_t len, uint8_t *out,
                          size_t want, size_t *got)
{
    const size_t body = CL_TPM_HEADER_SIZE + sizeof(uint16_t);
    size_t size;
    int rc = cl_tpm2_check_header(rsp, len, ST_NO_SESSIONS);

    *got = 0;
    if ( rc )
        return rc;

    /* TPM2B_DIGEST: size:2 buffer:size, and nothing after it. */
    if ( len < body )
        return -EBADMSG;

    size = get16(rsp + CL_TPM_HEADER_SIZE);
    if ( size != len - body || size > want || (!size && want) )
        return -EBADMSG;

    /* size <= want, the room in out; size == len - body, the bytes in rsp */
    memcpy(out, rsp + body, size);
    *got = size;

    return 0;
}
