/* SPDX-License-Identifier: BSD-2-Clause */
/* TPM 2.0 commands and responses as bytes. */
#include <stdlib.h>
#include <string.h>

#include <cloister/tpm.h>

#include "test.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const uint8_t good[] = {0x80, 0x01, 0, 0, 0, 16, 0,   0,
                               0,    0,    0, 4, 9, 8,  0xA, 0xB};

/* A response that is a header only. */
static size_t header(uint8_t *b, uint16_t tag, uint32_t rc)
{
    b[0] = (uint8_t)(tag >> 8);
    b[1] = (uint8_t)tag;
    b[2] = b[3] = b[4] = 0;
    b[5] = 10;
    b[6] = (uint8_t)(rc >> 24);
    b[7] = (uint8_t)(rc >> 16);
    b[8] = (uint8_t)(rc >> 8);
    b[9] = (uint8_t)rc;

    return 10;
}

/* From a copy of exactly len bytes, so that the sanitizer sees each step out.
 * out must be untouched and got zero unless it is a success. */
static int rsp(const uint8_t *b, size_t len, size_t want, size_t *got)
{
    uint8_t *copy = malloc(len ? len : 1), *out = malloc(want ? want : 1);
    int rc = -1000;
    size_t i;

    if ( copy && out )
    {
        if ( len )
            memcpy(copy, b, len);
        memset(out, 0x77, want ? want : 1);
        *got = 12345;
        rc = cl_tpm2_getrandom_rsp(copy, len, out, want, got);
        for ( i = rc ? 0 : *got; i < want; i++ )
            if ( out[i] != 0x77 )
                rc = -1001;
        if ( rc ? *got != 0 : *got > want )
            rc = -1002;
        if ( !rc && memcmp(out, b + 12, *got) )
            rc = -1003;
    }
    free(copy);
    free(out);

    return rc;
}

TEST(startup_command)
{
    static const uint8_t want[] = {0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0};
    uint8_t b[16];

    memset(b, 0xCC, sizeof(b));
    CHECK(cl_tpm2_startup_cmd(b, 11) == 0);
    CHECK(b[0] == 0xCC);
    CHECK(cl_tpm2_startup_cmd(b, 12) == CL_TPM2_STARTUP_SIZE);
    CHECK(!memcmp(b, want, sizeof(want)) && b[12] == 0xCC);
}

TEST(getrandom_command)
{
    static const uint8_t want[] = {0x80, 1, 0, 0,    0,    12,
                                   0,    0, 1, 0x7B, 0x12, 0x34};
    uint8_t b[16];

    memset(b, 0xCC, sizeof(b));
    CHECK(cl_tpm2_getrandom_cmd(b, 11, 1) == 0);
    CHECK(b[0] == 0xCC);
    CHECK(cl_tpm2_getrandom_cmd(b, sizeof(b), 0x1234) ==
          CL_TPM2_GETRANDOM_SIZE);
    CHECK(!memcmp(b, want, sizeof(want)) && b[12] == 0xCC);
}

TEST(startup_response)
{
    uint8_t b[12] = {0};

    CHECK(cl_tpm2_startup_rsp(b, header(b, 0x8001, 0)) == 0);
    CHECK(cl_tpm2_startup_rsp(b, header(b, 0x8001, 0x100)) == 0);
    CHECK(cl_tpm2_startup_rsp(b, header(b, 0x8001, 0x101)) == -EIO);
    CHECK(cl_tpm2_startup_rsp(b, header(b, 0x8001, 0x922)) == -EAGAIN);
    CHECK(cl_tpm2_startup_rsp(b, header(b, 0x8002, 0)) == -EBADMSG);
    CHECK(cl_tpm2_startup_rsp(b, 0) == -EBADMSG);
    header(b, 0x8001, 0);
    b[5] = 12;
    CHECK(cl_tpm2_startup_rsp(b, 12) == -EBADMSG);
}

TEST(response_codes)
{
    static const struct
    {
        uint32_t rc;
        int err;
    } c[] = {
        {0x922, -EAGAIN},   {0x908, -EAGAIN}, {0x90A, -EAGAIN},
        {0x100, -ENOTCONN}, {0x101, -EIO},    {0x143, -EIO},
        {0x907, -EIO},      {0x921, -EIO},    {0x1E, -EIO},
        {UINT32_MAX, -EIO}, {1, -EIO},        {0x92200, -EIO},
    };
    uint8_t b[10];
    unsigned int i;
    size_t got;

    for ( i = 0; i < ARRAY_SIZE(c); i++ )
    {
        CHECK(rsp(b, header(b, 0x8001, c[i].rc), 32, &got) == c[i].err);
        CHECK(cl_tpm2_rc(b, 10) == c[i].rc);
        CHECK(rsp(b, header(b, 0x00C4, c[i].rc), 32, &got) == c[i].err);
        CHECK(rsp(b, header(b, 0x8002, c[i].rc), 32, &got) == -EBADMSG);
    }
    CHECK(cl_tpm2_rc(b, 9) == CL_TPM2_RC_NONE);
    CHECK(cl_tpm2_rc(NULL, 0) == CL_TPM2_RC_NONE);
}

TEST(getrandom_response)
{
    uint8_t b[20];
    size_t got;

    CHECK(rsp(good, sizeof(good), 4, &got) == 0 && got == 4);
    CHECK(rsp(good, sizeof(good), 64, &got) == 0 && got == 4);
    CHECK(rsp(good, sizeof(good), 3, &got) == -EBADMSG);
    CHECK(rsp(good, sizeof(good), 0, &got) == -EBADMSG);
    CHECK(rsp(good, 15, 4, &got) == -EBADMSG);

    /* Success without parameters, and with no byte. */
    CHECK(rsp(b, header(b, 0x8001, 0), 4, &got) == -EBADMSG);
    memcpy(b, good, 12);
    b[5] = 12;
    b[11] = 0;
    CHECK(rsp(b, 12, 4, &got) == -EBADMSG);
    CHECK(rsp(b, 12, 0, &got) == 0 && got == 0);

    /* Bytes after the digest. */
    memcpy(b, good, sizeof(good));
    b[16] = 0;
    b[5] = 17;
    CHECK(rsp(b, 17, 4, &got) == -EBADMSG);
}

/* Each length, and each byte of a good response with each other value. */
TEST(getrandom_response_mutated)
{
    uint8_t b[sizeof(good)];
    size_t got, i;
    unsigned int v;
    int rc;

    for ( i = 0; i < sizeof(good); i++ )
    {
        CHECK(rsp(good, i, 4, &got) == -EBADMSG);
        for ( v = 0; v < 256; v++ )
        {
            memcpy(b, good, sizeof(good));
            b[i] = (uint8_t)v;
            rc = rsp(b, sizeof(b), 64, &got);
            CHECK(rc == (v == good[i] || i >= 12 ? 0 : -EBADMSG));
        }
    }
}

TEST(getrandom_response_random)
{
    uint8_t b[64];
    uint64_t s = 0x9E3779B97F4A7C15u;
    unsigned int n;
    size_t got, i, len;
    int rc;

    for ( n = 0; n < 200000; n++ )
    {
        for ( i = 0; i < sizeof(b); i++ )
        {
            s ^= s << 13;
            s ^= s >> 7;
            s ^= s << 17;
            b[i] = (uint8_t)(s >> 24);
        }
        len = b[63] % 64;
        if ( n & 1 ) /* past the header as well */
        {
            memcpy(b, good, 11);
            b[5] = (uint8_t)len;
            b[11] &= 0x3F;
        }
        rc = rsp(b, len, b[62] & 0x3F, &got);
        CHECK(rc == 0 || rc == -EBADMSG || rc == -EIO || rc == -EAGAIN);
    }
}

TEST(durations)
{
    uint8_t b[12] = {0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x31};

    CHECK(cl_tpm2_duration_us(b, 10) == 60000000u);
    CHECK(cl_tpm2_duration_us(b, 9) == 30000000u);
    CHECK(cl_tpm2_duration_us(b, cl_tpm2_startup_cmd(b, 12)) == 5000000u);
    CHECK(cl_tpm2_duration_us(b, cl_tpm2_getrandom_cmd(b, 12, 1)) == 5000000u);
}
