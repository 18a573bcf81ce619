/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does time or an address depend on a secret in the page cipher? In the manner
 * of ctgrind: run under valgrind's memcheck with the secrets marked undefined,
 * it reports each branch and each address that depends on them.
 *
 * The engine's files are included rather than linked, because the verdict of
 * cl_gcm_open() depends on the tag by design: here its parts are called.
 */
#include "../../engine/crypto/aes256gcm_sse_key.c"
#include "../../engine/crypto/aes256gcm_sse.c"

#include <valgrind/memcheck.h>

#include "test.h"

static uint8_t key[32], nonce[12], aad[100], text[4096], out[4096], tag[16];
static struct cl_gcm_key k;

static void make_secret(void)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(key, sizeof(key));
    (void)VALGRIND_MAKE_MEM_UNDEFINED(nonce, sizeof(nonce));
    (void)VALGRIND_MAKE_MEM_UNDEFINED(aad, sizeof(aad));
    (void)VALGRIND_MAKE_MEM_UNDEFINED(text, sizeof(text));
}

static bool is_secret(const void *p, size_t n)
{
    uint8_t undefined[16] = { 0 };

    (void)VALGRIND_GET_VBITS(p, undefined, n);

    return undefined[0] == 0xff;
}

/* All but the verdict of cl_gcm_open(). Returns the number of reports. */
static CL_SSE unsigned int open_parts(size_t len, size_t aadlen,
                                      uint64_t *differs)
{
    unsigned int before = VALGRIND_COUNT_ERRORS;
    struct run r = { .in = out, .out = text, .left = len, .seal = false };

    run(&k, &r, nonce, aad, aadlen);
    *differs = tag_differs(&r, tag);

    return VALGRIND_COUNT_ERRORS - before;
}

static unsigned int init_and_seal(size_t len, size_t aadlen)
{
    unsigned int before = VALGRIND_COUNT_ERRORS;

    cl_gcm_init_on(&k, key, ECX_NEEDED);
    cl_gcm_seal(&k, nonce, aad, aadlen, text, out, len, tag);

    return VALGRIND_COUNT_ERRORS - before;
}

TEST(ct_gcm_runs_under_valgrind)
{
    CHECK(RUNNING_ON_VALGRIND);
}

TEST(ct_gcm_no_branch_or_address_depends_on_secrets)
{
    static const size_t lens[] = { 0, 1, 16, 40, 112, 113, 128, 240, 245, 300,
                                   1500, 4096 };
    unsigned int i;

    for ( i = 0; i < sizeof(lens) / sizeof(lens[0]); i++ )
    {
        uint64_t differs;

        make_secret();
        CHECK(init_and_seal(lens[i], i * 7) == 0);
        CHECK(open_parts(lens[i], i * 7, &differs) == 0);
        (void)VALGRIND_MAKE_MEM_DEFINED(&differs, sizeof(differs));
        CHECK(differs == 0);
    }
}

/*
 * The check itself works: undefinedness arrives where it should, and a branch
 * on it is reported.
 */
TEST(ct_gcm_the_check_can_fail)
{
    unsigned int before;
    volatile int branches = 0;

    make_secret();
    init_and_seal(64, 16);
    fprintf(stderr, "(the report that follows is provoked)\n");
    before = VALGRIND_COUNT_ERRORS;
    if ( *(volatile uint8_t *)&tag[0] & 1 )
        branches++;
    CHECK(VALGRIND_COUNT_ERRORS == before + 1);
    CHECK(is_secret(tag, 1));
    CHECK(is_secret(k.h[7], 1));
    CHECK(is_secret(out, 1));
}
