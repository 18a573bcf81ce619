/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gcrypt.h>
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "peers.h"

/* ---- Cloister --------------------------------------------------------- */

enum cl_gcm_impl best_impl(void)
{
    uint32_t eax = 1, ebx, ecx = 0, edx, low, high;

    __asm__ ( "cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx) );
    if ( !(ecx & 1u << 27) )
        return CL_GCM_SSE;
    __asm__ ( "xgetbv" : "=a" (low), "=d" (high) : "c" (0) );

    return cl_gcm_best((uint64_t)high << 32 | low);
}

static struct cl_gcm_job job(const struct message *m)
{
    return (struct cl_gcm_job){ .key = &m->keys->cl, .nonce = m->nonce,
                                .aad = m->aad, .aadlen = AAD_LEN,
                                .in = m->in, .out = m->out, .tag = m->tag };
}

#define CLOISTER(name, impl)                                            \
    static bool name##_here(void) { return best_impl() >= impl; }       \
    static int name##_seal(const struct message *m)                     \
    {                                                                   \
        const struct cl_gcm_job j = job(m);                             \
                                                                        \
        cl_gcm_seal_jobs(impl, &j, 1, NULL, m->len);                          \
        return 0;                                                       \
    }                                                                   \
    static int name##_open(const struct message *m)                     \
    {                                                                   \
        const struct cl_gcm_job j = job(m);                             \
                                                                        \
        return cl_gcm_open_job(impl, &j, m->len);                       \
    }

CLOISTER(sse, CL_GCM_SSE)
CLOISTER(avx, CL_GCM_AVX)
CLOISTER(vaes256, CL_GCM_VAES256)
CLOISTER(vaes512, CL_GCM_VAES512)

/* ---- OpenSSL ---------------------------------------------------------- */

static int openssl_seal(const struct message *m)
{
    EVP_CIPHER_CTX *c = m->keys->openssl_seal;
    int n;

    return EVP_EncryptInit_ex(c, NULL, NULL, NULL, m->nonce) != 1 ||
           EVP_EncryptUpdate(c, NULL, &n, m->aad, AAD_LEN) != 1 ||
           EVP_EncryptUpdate(c, m->out, &n, m->in, (int)m->len) != 1 ||
           EVP_EncryptFinal_ex(c, m->out + n, &n) != 1 ||
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, m->tag) != 1;
}

static int openssl_open(const struct message *m)
{
    EVP_CIPHER_CTX *c = m->keys->openssl_open;
    int n;

    return EVP_DecryptInit_ex(c, NULL, NULL, NULL, m->nonce) != 1 ||
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, m->tag) != 1 ||
           EVP_DecryptUpdate(c, NULL, &n, m->aad, AAD_LEN) != 1 ||
           EVP_DecryptUpdate(c, m->out, &n, m->in, (int)m->len) != 1 ||
           EVP_DecryptFinal_ex(c, m->out + n, &n) != 1;
}

/* ---- libgcrypt -------------------------------------------------------- */

static int gcrypt_seal(const struct message *m)
{
    gcry_cipher_hd_t h = m->keys->gcrypt;

    return gcry_cipher_reset(h) || gcry_cipher_setiv(h, m->nonce, 12) ||
           gcry_cipher_authenticate(h, m->aad, AAD_LEN) ||
           gcry_cipher_encrypt(h, m->out, m->len, m->in, m->len) ||
           gcry_cipher_gettag(h, m->tag, 16);
}

static int gcrypt_open(const struct message *m)
{
    gcry_cipher_hd_t h = m->keys->gcrypt;

    return gcry_cipher_reset(h) || gcry_cipher_setiv(h, m->nonce, 12) ||
           gcry_cipher_authenticate(h, m->aad, AAD_LEN) ||
           gcry_cipher_decrypt(h, m->out, m->len, m->in, m->len) ||
           gcry_cipher_checktag(h, m->tag, 16);
}

/* ---- intel-ipsec-mb --------------------------------------------------- */

static IMB_MGR *managers[3];

static int ipsec_seal(const struct message *m, unsigned int i)
{
    struct gcm_context_data ctx;

    IMB_AES256_GCM_ENC(managers[i], m->keys->ipsec[i], &ctx, m->out, m->in,
                       m->len, m->nonce, m->aad, AAD_LEN, m->tag, 16);

    return 0;
}

static int ipsec_open(const struct message *m, unsigned int i)
{
    struct gcm_context_data ctx;
    uint8_t tag[16];

    IMB_AES256_GCM_DEC(managers[i], m->keys->ipsec[i], &ctx, m->out, m->in,
                       m->len, m->nonce, m->aad, AAD_LEN, tag, 16);

    return memcmp(tag, m->tag, 16);
}

#define IPSEC(name, i)                                                  \
    static bool name##_here(void) { return managers[i]; }               \
    static int name##_seal(const struct message *m)                     \
    { return ipsec_seal(m, i); }                                        \
    static int name##_open(const struct message *m)                     \
    { return ipsec_open(m, i); }

IPSEC(ipsec_sse, 0)
IPSEC(ipsec_avx2, 1)
IPSEC(ipsec_avx512, 2)

/* ---- All -------------------------------------------------------------- */

static int copy(const struct message *m)
{
    memcpy(m->out, m->in, m->len);
    __asm__ __volatile__ ( "" : : "r" (m->out) : "memory" );

    return 0;
}

static bool always(void)
{
    return true;
}

/* Each open undoes the seal before it: their order matters. */
const struct peer peers[] = {
    { "cloister-sse", "seal", sse_seal, sse_here },
    { "cloister-sse", "open", sse_open, sse_here },
    { "cloister-avx", "seal", avx_seal, avx_here },
    { "cloister-avx", "open", avx_open, avx_here },
    { "cloister-vaes256", "seal", vaes256_seal, vaes256_here },
    { "cloister-vaes256", "open", vaes256_open, vaes256_here },
    { "cloister-vaes512", "seal", vaes512_seal, vaes512_here },
    { "cloister-vaes512", "open", vaes512_open, vaes512_here },
    { "openssl", "seal", openssl_seal, always },
    { "openssl", "open", openssl_open, always },
    { "libgcrypt", "seal", gcrypt_seal, always },
    { "libgcrypt", "open", gcrypt_open, always },
    { "ipsec-mb-sse", "seal", ipsec_sse_seal, ipsec_sse_here },
    { "ipsec-mb-sse", "open", ipsec_sse_open, ipsec_sse_here },
    { "ipsec-mb-avx2", "seal", ipsec_avx2_seal, ipsec_avx2_here },
    { "ipsec-mb-avx2", "open", ipsec_avx2_open, ipsec_avx2_here },
    { "ipsec-mb-avx512", "seal", ipsec_avx512_seal, ipsec_avx512_here },
    { "ipsec-mb-avx512", "open", ipsec_avx512_open, ipsec_avx512_here },
    { "memcpy", "copy", copy, always },
};

const unsigned int nr_peers = sizeof(peers) / sizeof(peers[0]);

static void must(bool ok, const char *what)
{
    if ( ok )
        return;
    fprintf(stderr, "bench: no AES-256-GCM by %s here\n", what);
    exit(1);
}

static void start_managers(void)
{
    unsigned int i;

    for ( i = 0; i < 3; i++ )
    {
        IMB_MGR *m = alloc_mb_mgr(0);

        must(m, "intel-ipsec-mb");
        if ( i == 0 )
            init_mb_mgr_sse(m);
        else if ( i == 1 && best_impl() >= CL_GCM_AVX )
            init_mb_mgr_avx2(m);
        else if ( i == 2 && best_impl() >= CL_GCM_VAES512 )
            init_mb_mgr_avx512(m);
        else
            continue;
        managers[i] = imb_get_errno(m) ? NULL : m;
    }
    must(gcry_check_version(NULL), "libgcrypt");
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

void peers_key(struct keys *k, const uint8_t key[32])
{
    gcry_cipher_hd_t h;
    unsigned int i;

    if ( !managers[0] )
        start_managers();

    must(!cl_gcm_init(&k->cl, key), "Cloister");
    k->openssl_seal = EVP_CIPHER_CTX_new();
    k->openssl_open = EVP_CIPHER_CTX_new();
    must(EVP_EncryptInit_ex(k->openssl_seal, EVP_aes_256_gcm(), NULL, key,
                            NULL) == 1 &&
             EVP_DecryptInit_ex(k->openssl_open, EVP_aes_256_gcm(), NULL, key,
                                NULL) == 1,
         "OpenSSL");
    must(!gcry_cipher_open(&h, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM, 0) &&
             !gcry_cipher_setkey(h, key, 32),
         "libgcrypt");
    k->gcrypt = h;
    for ( i = 0; i < 3; i++ )
    {
        k->ipsec[i] = aligned_alloc(64, sizeof(struct gcm_key_data));
        if ( managers[i] )
            IMB_AES256_GCM_PRE(managers[i], key, k->ipsec[i]);
    }
}

const char *peers_versions(void)
{
    static char line[200];

    snprintf(line, sizeof(line), "%s, libgcrypt %s, intel-ipsec-mb %s",
             OpenSSL_version(OPENSSL_VERSION), gcry_check_version(NULL),
             imb_get_version_str());

    return line;
}

double tsc_per_ns(void)
{
    struct timespec a, b;
    uint64_t start, ticks;

    clock_gettime(CLOCK_MONOTONIC, &a);
    start = tsc();
    do
        clock_gettime(CLOCK_MONOTONIC, &b);
    while ( (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec <
            50000000L );
    ticks = tsc() - start;

    return (double)ticks / ((double)(b.tv_sec - a.tv_sec) * 1e9 +
                            (double)(b.tv_nsec - a.tv_nsec));
}
