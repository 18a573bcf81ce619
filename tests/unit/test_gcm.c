/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page cipher against published vectors, against OpenSSL for every length,
 * against tampering and against somebody who writes to its input meanwhile;
 * and what it leaves in registers and on the stack.
 *
 * Built twice: plainly, and as test_gcm_xen with the engine compiled as inside
 * Xen (no red zone, -mno-sse, 8-byte aligned stack), with -DXEN_ABI.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include <cloister/gcm.h>

#include "test.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_LEN 65536
#define CANARY 0xc5

#ifndef SANITIZED
#define SANITIZED false
#endif

/*
 * As Xen is compiled, by gcc with -O2; others spill, and need not leave a clean
 * stack (their builds define it as false).
 */
#ifdef CLEAN
#elif defined(__clang__)
#define CLEAN false
#else
#define CLEAN !SANITIZED
#endif

/* CPUID leaf 1, ECX: PCLMULQDQ, SSSE3, SSE4.1, AES-NI */
static const uint32_t needed[] = { 1u << 1, 1u << 9, 1u << 19, 1u << 25 };

/* Everything that one message needs; buffers with room for misalignment */
struct message
{
    uint8_t key[32], nonce[12], aad[512], tag[16];
    uint8_t plain[MAX_LEN + 64], cipher[MAX_LEN + 64], out[MAX_LEN + 64];
    size_t len, aadlen;
    struct cl_gcm_key k;
};

static struct message m;
static EVP_CIPHER_CTX *evp;

/* Which vectors are tested now; all but the tests of it go by this. */
static enum cl_gcm_impl impl;

static enum cl_gcm_impl best_impl(void)
{
    uint32_t eax = 1, ebx, ecx = 0, edx, low = 0, high = 0;

    __asm__ ( "cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx) );
    if ( ecx & 1u << 27 ) /* OSXSAVE */
        __asm__ ( "xgetbv" : "=a" (low), "=d" (high) : "c" (0) );

    return cl_gcm_best((uint64_t)high << 32 | low);
}

#define EACH_IMPL for ( impl = CL_GCM_SSE; impl <= best_impl(); impl++ )

__attribute__((constructor)) static void new_evp(void)
{
    evp = EVP_CIPHER_CTX_new();
}

/* xorshift64*, fixed seed */
static uint64_t rnd(void)
{
    static uint64_t s = 0x9e3779b97f4a7c15;

    s ^= s >> 12;
    s ^= s << 25;
    s ^= s >> 27;

    return s * 0x2545f4914f6cdd1d;
}

static void fill(uint8_t *p, size_t n)
{
    while ( n-- )
        *p++ = rnd() >> 56;
}

static bool all(const uint8_t *p, uint8_t c, size_t n)
{
    while ( n-- )
        if ( *p++ != c )
            return false;

    return true;
}

/* A random message, sealed by OpenSSL into m.cipher and m.tag */
static bool oracle(void)
{
    int n;

    return EVP_EncryptInit_ex(evp, EVP_aes_256_gcm(), NULL, m.key, m.nonce) &&
           EVP_EncryptUpdate(evp, NULL, &n, m.aad, m.aadlen) &&
           EVP_EncryptUpdate(evp, m.cipher, &n, m.plain, m.len) &&
           EVP_EncryptFinal_ex(evp, m.out, &n) &&
           EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_GET_TAG, 16, m.tag);
}

static bool message(size_t len, size_t aadlen)
{
    m.len = len;
    m.aadlen = aadlen;
    fill(m.key, sizeof(m.key));
    fill(m.nonce, sizeof(m.nonce));
    fill(m.aad, aadlen);
    fill(m.plain, len);

    return oracle() && !cl_gcm_init(&m.k, m.key);
}

static struct cl_gcm_job job(const uint8_t *in, uint8_t *out, uint8_t *tag)
{
    return (struct cl_gcm_job){ .key = &m.k, .nonce = m.nonce, .aad = m.aad,
                                .aadlen = m.aadlen, .in = in, .out = out,
                                .tag = tag };
}

static void seal(const uint8_t *in, uint8_t *out, uint8_t *tag)
{
    const struct cl_gcm_job j = job(in, out, tag);

    cl_gcm_seal_jobs(impl, &j, 1, NULL, m.len);
}

static int open_as(const uint8_t *in, uint8_t *out, uint8_t *tag)
{
    const struct cl_gcm_job j = job(in, out, tag);

    return cl_gcm_open_job(impl, &j, m.len);
}

static int open_message(uint8_t *out)
{
    return open_as(m.cipher, out, m.tag);
}

/* Seal and open, in place if `in_place`, at some alignment; canary intact? */
static bool agrees(bool in_place, unsigned int shift)
{
    uint8_t *out = m.out + shift, *in = in_place ? out : m.plain, tag[16];

    memset(m.out, CANARY, shift + m.len + 16);
    if ( in_place )
        memcpy(out, m.plain, m.len);
    seal(in, out, tag);
    if ( memcmp(out, m.cipher, m.len) || memcmp(tag, m.tag, 16) ||
         !all(m.out, CANARY, shift) || !all(out + m.len, CANARY, 16) )
        return false;

    in = in_place ? out : m.cipher;
    if ( open_as(in, out, tag) )
        return false;

    return !memcmp(out, m.plain, m.len) && all(m.out, CANARY, shift) &&
           all(out + m.len, CANARY, 16);
}

static size_t unhex(uint8_t *p, const char *hex)
{
    size_t n = 0;

    for ( ; sscanf(hex, "%2hhx", p + n) == 1; hex += 2 )
        n++;

    return n;
}

#define KEY15 "feffe9928665731c6d6a8f9467308308"
#define TEXT15                                                                \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"        \
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define CIPHER15                                                              \
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"        \
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

/*
 * McGrew and Viega, The Galois/Counter Mode of Operation, test cases 13 to 16
 * (AES-256, 96-bit IV), and two of NIST's CAVP file gcmEncryptExtIV256.rsp
 */
static const struct vector
{
    const char *key, *nonce, *aad, *plain, *cipher, *tag;
} vectors[] = {
    { "00000000000000000000000000000000"
      "00000000000000000000000000000000",
      "000000000000000000000000", "", "", "",
      "530f8afbc74536b9a963b4f1c4cb738b" },
    { "00000000000000000000000000000000"
      "00000000000000000000000000000000",
      "000000000000000000000000", "", "00000000000000000000000000000000",
      "cea7403d4d606b6e074ec5d3baf39d18",
      "d0d1c8a799996bf0265b98b5d48ab919" },
    { KEY15 KEY15, "cafebabefacedbaddecaf888", "", TEXT15 "1aafd255",
      CIPHER15 "898015ad", "b094dac5d93471bdec1a502270e3cc6c" },
    { KEY15 KEY15, "cafebabefacedbaddecaf888",
      "feedfacedeadbeeffeedfacedeadbeefabaddad2", TEXT15, CIPHER15,
      "76fc6ece0f4e1768cddf8853bb2d551b" },
    { "b52c505a37d78eda5dd34f20c22540ea1b58963cf8e5bf8ffa85f9f2492505b4",
      "516c33929df5a3284ff463d7", "", "", "",
      "bdc1ac884d332457a1d2664f168c76f0" },
    { "31bdadd96698c204aa9ce1448ea94ae1fb4a9a0b3c9d773b51bb1822666b8f22",
      "0d18e06c7c725ac9e362e1ce", "", "2db5168e932556f8089a0622981d017d",
      "fa4362189661d163fcd6a56d8bf0405a",
      "d636ac1bbedd5cc3ee727dc2ab4a9489" },
};

TEST(gcm_published_vectors)
{
    const struct vector *v;

    for ( v = vectors; v < vectors + ARRAY_SIZE(vectors); v++ )
    {
        CHECK(unhex(m.key, v->key) == 32);
        CHECK(unhex(m.nonce, v->nonce) == 12);
        CHECK(unhex(m.tag, v->tag) == 16);
        m.aadlen = unhex(m.aad, v->aad);
        m.len = unhex(m.plain, v->plain);
        CHECK(unhex(m.cipher, v->cipher) == m.len);
        CHECK(!cl_gcm_init(&m.k, m.key));
        EACH_IMPL
        {
            CHECK(agrees(false, 0));
            CHECK(agrees(true, 1));
        }
    }
}

TEST(gcm_every_length_as_openssl)
{
    size_t len, aadlen;

    for ( len = 0; len <= 1100; len++ )
        for ( aadlen = 0; aadlen <= 64; aadlen += SANITIZED ? 7 : 1 )
        {
            CHECK(message(len, aadlen));
            EACH_IMPL
            {
                if ( impl && aadlen % 16 )
                    continue;
                CHECK(agrees(false, len % 16));
                CHECK(agrees(true, aadlen % 16));
            }
        }
}

TEST(gcm_larger_as_openssl)
{
    static const size_t lens[] = { 1500, 2047, 2048, 4000, 4095, 4096, 4097,
                                   8192, 9000, 65519, 65520, 65535, 65536 };
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(lens) + 500; i++ )
    {
        size_t len = i < ARRAY_SIZE(lens) ? lens[i] : rnd() % MAX_LEN;

        CHECK(message(len, rnd() % sizeof(m.aad)));
        EACH_IMPL
        {
            CHECK(agrees(false, i % 16));
            CHECK(agrees(true, i % 7));
        }
    }
}

/* A batch is what its jobs are one by one, each with a key of its own. */
TEST(gcm_jobs_as_one_by_one)
{
    enum { JOBS = 7, LEN = 4096 };
    static uint8_t out[JOBS][LEN], nonces[JOBS][12], tags[JOBS][16];
    static struct cl_gcm_key keys[JOBS];
    struct cl_gcm_job jobs[JOBS];
    unsigned int i, n;

    EACH_IMPL
        for ( n = 0; n <= JOBS; n++ )
        {
            memset(out, CANARY, sizeof(out));
            memset(tags, CANARY, sizeof(tags));
            CHECK(message(LEN, 24));
            for ( i = 0; i < JOBS; i++ )
            {
                fill(nonces[i], 12);
                fill(m.key, 32);
                CHECK(!cl_gcm_init(&keys[i], m.key));
                jobs[i] = job(m.plain + i, out[i], tags[i]);
                jobs[i].nonce = nonces[i];
                jobs[i].key = &keys[i];
            }
            cl_gcm_seal_jobs(impl, jobs, n, n < JOBS ? &jobs[n] : NULL, LEN);
            for ( i = 0; i < n; i++ )
            {
                cl_gcm_seal(&keys[i], nonces[i], m.aad, 24, m.plain + i,
                            m.cipher, LEN, m.tag);
                CHECK(!memcmp(m.cipher, out[i], LEN));
                CHECK(!memcmp(m.tag, tags[i], 16));
            }
            CHECK(all(out[0] + n * LEN, CANARY, (JOBS - n) * LEN));
            CHECK(all(tags[0] + n * 16, CANARY, (JOBS - n) * 16));
        }
}

TEST(gcm_best_keeps_to_xcr0)
{
    CHECK(cl_gcm_best(0) == CL_GCM_SSE);
    CHECK(cl_gcm_best(3) == CL_GCM_SSE);
    CHECK(cl_gcm_best(CL_GCM_XCR0_AVX) <= CL_GCM_VAES256);
    CHECK(cl_gcm_best(CL_GCM_XCR0_AVX512) <= CL_GCM_VAES512);
    CHECK(cl_gcm_best(CL_GCM_XCR0_AVX512 & ~0x20ULL) <= CL_GCM_VAES256);
    printf("(widest here: %d)\n", best_impl());
}

TEST(gcm_nothing_at_all_may_be_null)
{
    uint8_t tag[16];

    memset(m.key, 7, sizeof(m.key));
    CHECK(!cl_gcm_init(&m.k, m.key));
    cl_gcm_seal(&m.k, m.nonce, NULL, 0, NULL, NULL, 0, tag);
    CHECK(!cl_gcm_open(&m.k, m.nonce, NULL, 0, NULL, NULL, 0, tag));
    tag[0] ^= 1;
    CHECK(cl_gcm_open(&m.k, m.nonce, NULL, 0, NULL, NULL, 0, tag) ==
          -EBADMSG);
}

/* Each bit of the n bytes at p, flipped alone: refused, all of out zeroed? */
static bool flips_refused(uint8_t *p, size_t n)
{
    size_t bit;

    for ( bit = 0; bit < n * 8; bit++ )
    {
        int rc;

        memset(m.out, CANARY, m.len + 16);
        p[bit / 8] ^= 1 << bit % 8;
        rc = open_message(m.out);
        p[bit / 8] ^= 1 << bit % 8;
        if ( rc != -EBADMSG || !all(m.out, 0, m.len) ||
             !all(m.out + m.len, CANARY, 16) )
            return false;
    }

    return !open_message(m.out) && !memcmp(m.out, m.plain, m.len);
}

TEST(gcm_each_flipped_bit_is_refused)
{
    static const size_t lens[] = { 0, 1, 15, 16, 17, 111, 112, 113, 127, 128,
                                   129, 240, 255, 256, 300, 600, 4096 };
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(lens); i++ )
    {
        CHECK(message(lens[i], i * 11));
        EACH_IMPL
        {
            CHECK(flips_refused(m.tag, 16));
            if ( impl && (lens[i] < 256 || lens[i] > 1000 || SANITIZED) )
                continue;
            CHECK(flips_refused(m.nonce, 12));
            CHECK(flips_refused(m.aad, m.aadlen));
            CHECK(flips_refused(m.cipher, m.len));
        }
    }
}

TEST(gcm_refusal_in_place_zeroes)
{
    EACH_IMPL
    {
        CHECK(message(4096, 16));
        m.tag[15] ^= 0x80;
        CHECK(open_message(m.cipher) == -EBADMSG);
        CHECK(all(m.cipher, 0, m.len));
    }
}

TEST(gcm_other_lengths_are_refused)
{
    CHECK(message(4096, 32));
    m.len--;
    CHECK(open_message(m.out) == -EBADMSG);
    m.len++;
    m.aadlen--;
    CHECK(open_message(m.out) == -EBADMSG);
    m.aadlen++;
    CHECK(!open_message(m.out));
}

TEST(gcm_cpu_without_the_instructions_is_refused)
{
    uint32_t every = 0;
    unsigned int i;

    fill(m.key, sizeof(m.key));
    for ( i = 0; i < ARRAY_SIZE(needed); i++ )
    {
        memset(&m.k, CANARY, sizeof(m.k));
        CHECK(cl_gcm_init_on(&m.k, m.key, ~needed[i]) == -EOPNOTSUPP);
        CHECK(all((const uint8_t *)&m.k, 0, sizeof(m.k)));
        every |= needed[i];
    }
    CHECK(cl_gcm_init_on(&m.k, m.key, 0) == -EOPNOTSUPP);
    CHECK(cl_gcm_init_on(&m.k, m.key, every) == 0);
    cl_gcm_wipe(&m.k);
    CHECK(all((const uint8_t *)&m.k, 0, sizeof(m.k)));
}

/* Somebody else writes to a page while it is sealed or opened. */
struct writer
{
    pthread_t thread;
    uint8_t *page;
    bool stop;
};

static void *write_page(void *arg)
{
    struct writer *w = arg;
    size_t i = 0;

    while ( !__atomic_load_n(&w->stop, __ATOMIC_RELAXED) )
    {
        __atomic_fetch_xor(w->page + i, 0xff, __ATOMIC_RELAXED);
        __atomic_fetch_xor(w->page + i, 0xff, __ATOMIC_RELAXED);
        i = (i + 61) % 4093;
    }

    return NULL;
}

TEST(gcm_page_written_while_sealed)
{
    struct writer w = { .page = m.plain };
    unsigned int i, wrong = 0;
    int n;

    CHECK(message(4093, 20));
    CHECK(!pthread_create(&w.thread, NULL, write_page, &w));
    for ( i = 0; i < 20000; i++ )
    {
        impl = i % (best_impl() + 1u);
        seal(m.plain, m.cipher, m.tag);
        EVP_DecryptInit_ex(evp, EVP_aes_256_gcm(), NULL, m.key, m.nonce);
        EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_SET_TAG, 16, m.tag);
        EVP_DecryptUpdate(evp, NULL, &n, m.aad, m.aadlen);
        EVP_DecryptUpdate(evp, m.out, &n, m.cipher, m.len);
        wrong += EVP_DecryptFinal_ex(evp, m.out + n, &n) != 1;
    }
    __atomic_store_n(&w.stop, true, __ATOMIC_RELAXED);
    pthread_join(w.thread, NULL);
    CHECK(wrong == 0);
}

TEST(gcm_page_written_while_opened)
{
    struct writer w = { .page = m.cipher };
    unsigned int i, wrong = 0;

    CHECK(message(4093, 20));
    CHECK(!pthread_create(&w.thread, NULL, write_page, &w));
    for ( i = 0; i < 20000; i++ )
    {
        int rc;

        impl = i % (best_impl() + 1u);
        rc = open_message(m.out);

        wrong += rc ? !all(m.out, 0, m.len)
                    : !!memcmp(m.out, m.plain, m.len);
    }
    __atomic_store_n(&w.stop, true, __ATOMIC_RELAXED);
    pthread_join(w.thread, NULL);
    CHECK(wrong == 0);
}

/*
 * Calls on a stack of our own, which can then be searched, at an alignment of
 * our choice; the vector registers at return go to call_regs, as far as there
 * are any by call_width.
 */
#define STACK 16384
#define STACK_FILL 0xa7

static uint8_t stack[STACK] __attribute__((aligned(16)));
static void *call_fn __attribute__((used));
static void *call_stack __attribute__((used));
static uint32_t call_width __attribute__((used)); /* enum cl_gcm_impl */
static uint8_t call_regs[32][64] __attribute__((used));

#define SAVE(n) "movups %xmm" #n ", 64*" #n "+call_regs(%rip)\n"
#define SAVE_Y(n) "vmovups %ymm" #n ", 64*" #n "+call_regs(%rip)\n"
#define ZERO_Z(n) "vpxord %zmm" #n ", %zmm" #n ", %zmm" #n "\n"
#define SAVE_Z(n) "vmovups %zmm" #n ", 64*" #n "+call_regs(%rip)\n"
__asm__(".text\n"
        "on_stack:\n"
        "push %rbp\n"
        "mov %rsp, %rbp\n"
        "mov call_stack(%rip), %rsp\n"
        "cmpl $0, call_width(%rip)\n"
        "je 2f\n"
        "vzeroupper\n"
        "cmpl $3, call_width(%rip)\n"
        "jb 2f\n"
        ZERO_Z(16) ZERO_Z(17) ZERO_Z(18) ZERO_Z(19) ZERO_Z(20) ZERO_Z(21)
        ZERO_Z(22) ZERO_Z(23) ZERO_Z(24) ZERO_Z(25) ZERO_Z(26) ZERO_Z(27)
        ZERO_Z(28) ZERO_Z(29) ZERO_Z(30) ZERO_Z(31)
        "2:\n"
        "call *call_fn(%rip)\n"
        SAVE(0) SAVE(1) SAVE(2) SAVE(3) SAVE(4) SAVE(5) SAVE(6) SAVE(7)
        SAVE(8) SAVE(9) SAVE(10) SAVE(11) SAVE(12) SAVE(13) SAVE(14) SAVE(15)
        "cmpl $0, call_width(%rip)\n"
        "je 1f\n"
        SAVE_Y(0) SAVE_Y(1) SAVE_Y(2) SAVE_Y(3) SAVE_Y(4) SAVE_Y(5) SAVE_Y(6)
        SAVE_Y(7) SAVE_Y(8) SAVE_Y(9) SAVE_Y(10) SAVE_Y(11) SAVE_Y(12)
        SAVE_Y(13) SAVE_Y(14) SAVE_Y(15)
        "cmpl $3, call_width(%rip)\n"
        "jb 1f\n"
        SAVE_Z(0) SAVE_Z(1) SAVE_Z(2) SAVE_Z(3) SAVE_Z(4) SAVE_Z(5) SAVE_Z(6)
        SAVE_Z(7) SAVE_Z(8) SAVE_Z(9) SAVE_Z(10) SAVE_Z(11) SAVE_Z(12)
        SAVE_Z(13) SAVE_Z(14) SAVE_Z(15) SAVE_Z(16) SAVE_Z(17) SAVE_Z(18)
        SAVE_Z(19) SAVE_Z(20) SAVE_Z(21) SAVE_Z(22) SAVE_Z(23) SAVE_Z(24)
        SAVE_Z(25) SAVE_Z(26) SAVE_Z(27) SAVE_Z(28) SAVE_Z(29) SAVE_Z(30)
        SAVE_Z(31)
        "1:\n"
        "leave\n"
        "ret\n");

int init_on_stack(struct cl_gcm_key *, const uint8_t *) __asm__("on_stack");
void seal_on_stack(enum cl_gcm_impl, const struct cl_gcm_job *, unsigned int,
                   const struct cl_gcm_job *, size_t) __asm__("on_stack");
int open_on_stack(enum cl_gcm_impl, const struct cl_gcm_job *,
                  size_t) __asm__("on_stack");

static void use_stack(void *fn, unsigned int misalignment)
{
    call_fn = fn;
    memset(stack, STACK_FILL, sizeof(stack));
    memset(call_regs, 0, sizeof(call_regs));
    call_width = impl;
    call_stack = stack + STACK - misalignment;
}

/* Either half of the n blocks at p, straight or reversed, on the stack? */
static bool on_the_stack(const uint8_t *p, size_t n)
{
    for ( ; n--; p += 8 )
    {
        uint8_t back[8];
        unsigned int i;

        for ( i = 0; i < 8; i++ )
            back[i] = p[7 - i];
        if ( memmem(stack, STACK, p, 8) || memmem(stack, STACK, back, 8) )
            return true;
    }

    return false;
}

/* What the last call left behind. Key stream: that which is in m.out */
static bool clean(void)
{
    return !on_the_stack((const uint8_t *)&m.k,
                         offsetof(struct cl_gcm_key, unused) / 8) &&
           !on_the_stack(m.plain, m.len / 8) &&
           !on_the_stack(m.out, m.len / 8 + 2) &&
           all(stack, STACK_FILL, STACK - 1024) &&
           all(call_regs[0], 0, sizeof(call_regs));
}

/* AES-256-CTR from J0 on: the mask of the tag and the key stream */
static bool key_stream(void)
{
    uint8_t j0[16] = { [15] = 1 };
    int n;

    memcpy(j0, m.nonce, 12);
    memset(m.out, 0, m.len + 16);

    return EVP_EncryptInit_ex(evp, EVP_aes_256_ctr(), NULL, m.key, j0) &&
           EVP_EncryptUpdate(evp, m.out, &n, m.out, m.len + 16);
}

static bool leaves_nothing(size_t len, unsigned int align)
{
    static uint8_t text[4096];
    const struct cl_gcm_job jobs[] = { job(m.plain, text, m.tag),
                                       job(m.plain, text, m.tag) };
    struct cl_gcm_job back = job(text, text, m.tag);
    uint8_t tag[16];

    if ( !message(len, 40) || !key_stream() )
        return false;
    memcpy(tag, m.tag, 16);

    use_stack(cl_gcm_init, align);
    if ( init_on_stack(&m.k, m.key) || !clean() )
        return false;

    use_stack(cl_gcm_seal_jobs, align);
    seal_on_stack(impl, jobs, 1, &jobs[1], len);
    use_stack(cl_gcm_seal_jobs, align);
    seal_on_stack(impl, jobs, 2, NULL, len);
    if ( memcmp(text, m.cipher, len) || memcmp(tag, m.tag, 16) || !clean() )
        return false;

    use_stack(cl_gcm_open_job, align);
    if ( open_on_stack(impl, &back, len) || memcmp(text, m.plain, len) ||
         !clean() )
        return false;

    back.in = m.cipher;
    m.tag[3] ^= 4;
    use_stack(cl_gcm_open_job, align);

    return open_on_stack(impl, &back, len) == -EBADMSG && clean();
}

TEST(gcm_stack_and_registers_are_left_clean)
{
    static const size_t lens[] = { 0, 24, 64, 100, 112, 120, 128, 256, 300,
                                   512, 999, 4096 };
    unsigned int i;

    m.aadlen = 40;
    for ( i = 0; i < ARRAY_SIZE(lens) && CLEAN; i++ )
        EACH_IMPL
        {
            CHECK(leaves_nothing(lens[i], 0));
#ifdef XEN_ABI
            CHECK(leaves_nothing(lens[i], 8));
#endif
        }
}
