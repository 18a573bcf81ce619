/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AES-256-GCM: our page cipher, compiled as inside Xen, and OpenSSL's EVP.
 *
 * One message: 16 bytes of additional data, `size` bytes of text, a new
 * nonce for each, the key expanded before. Cycles are those of the TSC,
 * which runs at a constant rate, whatever the clock of the core. A sample
 * is the mean of some messages back to back; samples of all candidates take
 * turns, so that what else the machine does hits all of them alike.
 * Reported are the median and the 5th and 95th percentile of the samples.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cloister/gcm.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define AAD_LEN 16
#define MAX_SIZE 4096
#define SAMPLES 2001
#define SAMPLE_BYTES 16384 /* about 10000 cycles */

static uint8_t key[32], nonce[12], aad[AAD_LEN], tag[16];
static uint8_t plain[MAX_SIZE], cipher[MAX_SIZE], out[MAX_SIZE];
static struct cl_gcm_key cl_key;
static EVP_CIPHER_CTX *ossl_seal_ctx, *ossl_open_ctx;

static uint64_t tsc(void)
{
    uint32_t lo, hi;

    __asm__ __volatile__ ( "lfence; rdtsc; lfence"
                           : "=a" (lo), "=d" (hi) : : "memory" );

    return (uint64_t)hi << 32 | lo;
}

static int cloister_seal(size_t len)
{
    cl_gcm_seal(&cl_key, nonce, aad, AAD_LEN, plain, cipher, len, tag);

    return 0;
}

static int cloister_open(size_t len)
{
    return cl_gcm_open(&cl_key, nonce, aad, AAD_LEN, cipher, out, len, tag);
}

static int openssl_seal(size_t len)
{
    EVP_CIPHER_CTX *c = ossl_seal_ctx;
    int n;

    return EVP_EncryptInit_ex(c, NULL, NULL, NULL, nonce) != 1 ||
           EVP_EncryptUpdate(c, NULL, &n, aad, AAD_LEN) != 1 ||
           EVP_EncryptUpdate(c, cipher, &n, plain, len) != 1 ||
           EVP_EncryptFinal_ex(c, cipher + n, &n) != 1 ||
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, tag) != 1;
}

static int openssl_open(size_t len)
{
    EVP_CIPHER_CTX *c = ossl_open_ctx;
    int n;

    return EVP_DecryptInit_ex(c, NULL, NULL, NULL, nonce) != 1 ||
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, tag) != 1 ||
           EVP_DecryptUpdate(c, NULL, &n, aad, AAD_LEN) != 1 ||
           EVP_DecryptUpdate(c, out, &n, cipher, len) != 1 ||
           EVP_DecryptFinal_ex(c, out + n, &n) != 1;
}

/* Each open undoes the seal before it: their order matters. */
static const struct candidate
{
    const char *impl, *op;
    int (*run)(size_t len);
} candidates[] = {
    { "cloister", "seal", cloister_seal },
    { "cloister", "open", cloister_open },
    { "openssl", "seal", openssl_seal },
    { "openssl", "open", openssl_open },
};

static const size_t sizes[] = { 64, 256, 1024, 1500, 4096 };

static double samples[ARRAY_SIZE(candidates)][SAMPLES];
static double median[ARRAY_SIZE(candidates)][ARRAY_SIZE(sizes)];

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* A seal makes new nonces; an open has the last one, over and over. */
static double sample(const struct candidate *c, size_t size)
{
    static uint64_t counter;
    unsigned int i, n = SAMPLE_BYTES / size;
    int seal = !strcmp(c->op, "seal"), rc = 0;
    uint64_t start = tsc();

    for ( i = 0; i < n; i++ )
    {
        counter += seal;
        memcpy(nonce, &counter, sizeof(counter));
        rc |= c->run(size);
    }
    start = tsc() - start;

    if ( rc )
    {
        fprintf(stderr, "%s %s %zu failed\n", c->impl, c->op, size);
        exit(1);
    }

    return (double)start / n / size;
}

static void measure(unsigned int s)
{
    unsigned int i, c;

    for ( i = 0; i < SAMPLES; i++ )
        for ( c = 0; c < ARRAY_SIZE(candidates); c++ )
            samples[c][i] = sample(&candidates[c], sizes[s]);

    for ( c = 0; c < ARRAY_SIZE(candidates); c++ )
    {
        double *v = samples[c];

        qsort(v, SAMPLES, sizeof(*v), ascending);
        median[c][s] = v[SAMPLES / 2];
        printf("{\"bench\":\"cipher\",\"impl\":\"%s\",\"op\":\"%s\","
               "\"size\":%zu,\"unit\":\"tsc_cycles_per_byte\","
               "\"median\":%.4f,\"p5\":%.4f,\"p95\":%.4f,\"samples\":%u}\n",
               candidates[c].impl, candidates[c].op, sizes[s], v[SAMPLES / 2],
               v[SAMPLES / 20], v[SAMPLES - SAMPLES / 20], SAMPLES);
    }
}

static void table(void)
{
    unsigned int c, s;

    fprintf(stderr, "AES-256-GCM, TSC cycles per byte, median of %u\n",
            SAMPLES);
    fprintf(stderr, "%-10s %-5s", "", "");
    for ( s = 0; s < ARRAY_SIZE(sizes); s++ )
        fprintf(stderr, " %6zu B", sizes[s]);
    fprintf(stderr, "\n");

    for ( c = 0; c < ARRAY_SIZE(candidates); c++ )
    {
        fprintf(stderr, "%-10s %-5s", candidates[c].impl, candidates[c].op);
        for ( s = 0; s < ARRAY_SIZE(sizes); s++ )
            fprintf(stderr, " %8.3f", median[c][s]);
        fprintf(stderr, "\n");
    }
    fprintf(stderr, "openssl: %s\n", OpenSSL_version(OPENSSL_VERSION));
}

int main(void)
{
    unsigned int i;

    for ( i = 0; i < MAX_SIZE; i++ )
        plain[i] = i * 131 >> 3;
    for ( i = 0; i < sizeof(key); i++ )
        key[i] = i * 7 + 1;

    ossl_seal_ctx = EVP_CIPHER_CTX_new();
    ossl_open_ctx = EVP_CIPHER_CTX_new();
    if ( !ossl_seal_ctx || !ossl_open_ctx ||
         EVP_EncryptInit_ex(ossl_seal_ctx, EVP_aes_256_gcm(), NULL, key,
                            nonce) != 1 ||
         EVP_DecryptInit_ex(ossl_open_ctx, EVP_aes_256_gcm(), NULL, key,
                            nonce) != 1 ||
         cl_gcm_init(&cl_key, key) )
    {
        fprintf(stderr, "cipher: no AES-256-GCM here\n");
        return 1;
    }

    for ( i = 0; i < ARRAY_SIZE(sizes); i++ )
        measure(i);
    table();

    return 0;
}
