/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does time or an address depend on a secret in the page cipher? In the manner
 * of ctgrind: secrets are marked undefined, and a checker reports each branch
 * and each address that depends on them.
 *
 * Built twice. ct_gcm runs under valgrind's memcheck, which knows SSE and AVX
 * but not VAES. ct_gcm_msan is built by clang with -fsanitize=memory, which
 * knows them all: there, a report ends the program (MSAN is defined).
 *
 * The engine's file is included rather than linked, because the verdict of
 * cl_gcm_open() depends on the tag by design: here its parts are called.
 */
#include "../../engine/crypto/aes256gcm_sse.c"

#include "test.h"

#ifdef MSAN
#include <sanitizer/msan_interface.h>
#define SECRET(p, n) __msan_poison(p, n)
#define PUBLIC(p, n) __msan_unpoison(p, n)
#define REPORTS 0u
#define WIDEST CL_GCM_VAES512
/* Offset of the first byte that is secret, or -1 */
#define FIRST_SECRET(p, n) __msan_test_shadow(p, n)
#define CHECKED true
#else
#include <valgrind/memcheck.h>
#define SECRET(p, n) (void)VALGRIND_MAKE_MEM_UNDEFINED(p, n)
#define PUBLIC(p, n) (void)VALGRIND_MAKE_MEM_DEFINED(p, n)
#define REPORTS VALGRIND_COUNT_ERRORS
#define WIDEST CL_GCM_AVX
#define CHECKED RUNNING_ON_VALGRIND
#endif

static uint8_t key[32], nonce[12], aad[100], text[4096], out[4096], tag[16];
static struct cl_gcm_key k;

static enum cl_gcm_impl widest(void)
{
    uint32_t eax = 1, ebx, ecx = 0, edx, low = 0, high = 0;
    enum cl_gcm_impl best;

    __asm__ ( "cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx) );
    if ( ecx & 1u << 27 ) /* OSXSAVE */
        __asm__ ( "xgetbv" : "=a" (low), "=d" (high) : "c" (0) );
    PUBLIC(&low, sizeof(low));
    PUBLIC(&high, sizeof(high));
    best = cl_gcm_best((uint64_t)high << 32 | low);

    return best < WIDEST ? best : WIDEST;
}

static void make_secret(void)
{
    SECRET(key, sizeof(key));
    SECRET(nonce, sizeof(nonce));
    SECRET(aad, sizeof(aad));
    SECRET(text, sizeof(text));
}

static struct cl_gcm_job job(const uint8_t *in, uint8_t *to, size_t aadlen)
{
    return (struct cl_gcm_job){ .key = &k, .nonce = nonce, .aad = aad,
                                .aadlen = aadlen, .in = in, .out = to,
                                .tag = tag };
}

/* All but the verdict of cl_gcm_open(). Returns the number of reports. */
static CL_SSE unsigned int open_parts(enum cl_gcm_impl impl, size_t len,
                                      size_t aadlen, uint64_t *differs)
{
    const struct cl_gcm_job j = job(out, text, aadlen);
    unsigned int before = REPORTS;
    struct run r;

    run_job(impl, &r, &j, &j, len, false);
    *differs = tag_differs(&r, tag);

    return REPORTS - before;
}

static unsigned int init_and_seal(enum cl_gcm_impl impl, size_t len,
                                  size_t aadlen)
{
    const struct cl_gcm_job j = job(text, out, aadlen);
    unsigned int before = REPORTS;

    if ( cl_gcm_init(&k, key) )
        return 1;
    cl_gcm_seal_jobs(impl, &j, 1, NULL, len);

    return REPORTS - before;
}

TEST(ct_gcm_is_checked)
{
    CHECK(CHECKED);
}

TEST(ct_gcm_no_branch_or_address_depends_on_secrets)
{
    static const size_t lens[] = { 0, 1, 16, 40, 112, 113, 128, 240, 245, 300,
                                   520, 1500, 4096 };
    enum cl_gcm_impl impl;
    unsigned int i;

    for ( impl = CL_GCM_SSE; impl <= widest(); impl++ )
        for ( i = 0; i < sizeof(lens) / sizeof(lens[0]); i++ )
        {
            uint64_t differs;

            make_secret();
            CHECK(init_and_seal(impl, lens[i], i * 7) == 0);
            CHECK(open_parts(impl, lens[i], i * 7, &differs) == 0);
            PUBLIC(&differs, sizeof(differs));
            CHECK(differs == 0);
        }
    printf("(widest here: %d)\n", widest());
}

#ifdef MSAN
/* The check itself works: secrets arrive where they should. */
TEST(ct_gcm_the_check_can_fail)
{
    enum cl_gcm_impl impl;

    for ( impl = CL_GCM_SSE; impl <= widest(); impl++ )
    {
        make_secret();
        PUBLIC(tag, sizeof(tag));
        PUBLIC(out, sizeof(out));
        PUBLIC(&k, sizeof(k));
        init_and_seal(impl, 4096, 16);
        CHECK(FIRST_SECRET(tag, 16) == 0);
        CHECK(FIRST_SECRET(k.rk[1], 16) == 0);
        CHECK(FIRST_SECRET(k.h[31], 16) == 0);
        CHECK(FIRST_SECRET(out, 16) == 0);
        CHECK(FIRST_SECRET(out + 4080, 16) == 0);
    }
}
#else
static bool is_secret(const void *p, size_t n)
{
    uint8_t undefined[16] = { 0 };

    (void)VALGRIND_GET_VBITS(p, undefined, n);

    return undefined[0] == 0xff;
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
    init_and_seal(CL_GCM_SSE, 64, 16);
    fprintf(stderr, "(the report that follows is provoked)\n");
    before = VALGRIND_COUNT_ERRORS;
    if ( *(volatile uint8_t *)&tag[0] & 1 )
        branches++;
    CHECK(VALGRIND_COUNT_ERRORS == before + 1);
    CHECK(is_secret(tag, 1));
    CHECK(is_secret(k.h[31], 1));
    CHECK(is_secret(out, 1));
}
#endif
