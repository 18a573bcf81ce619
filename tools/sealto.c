/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sealing to a TPM far away: a sealed object as TPM2_Duplicate would give it
 * for that TPM's storage key (TPM 2.0 Library, Part 1, "Protected Storage",
 * "Duplication", and appendix C.6 for ECC).
 */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <tss2/tss2_mu.h>

#include <cloister/sha256.h>

#include "output.h"
#include "sealto.h"
#include "tpmkey.h"

#define SEED 32 /* as long as the storage key's name algorithm gives */

/* What must not stay in memory. */
struct working
{
    TPM2B_SENSITIVE sensitive;
    uint8_t plain[sizeof(TPM2B_SENSITIVE)];
    uint8_t seed[SEED], z[SEED], sym[16], mac[32];
};

/* KDFa (Part 1, 11.4.10.2): SP 800-108 in counter mode, HMAC-SHA-256. */
static bool kdfa(const uint8_t key[SEED], const char *label,
                 const uint8_t *context, size_t context_size, uint8_t *out,
                 size_t size)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "KBKDF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_MODE, "counter", 0),
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_MAC, "HMAC", 0),
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA256", 0),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, (void *)key, SEED),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, (void *)label,
                                strlen(label)),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, (void *)context,
                                context_size),
        OSSL_PARAM_END,
    };
    bool ok = ctx && EVP_KDF_derive(ctx, out, size, params) == 1;

    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);

    return ok;
}

/* KDFe (Part 1, 11.4.10.3): SP 800-56A, with "DUPLICATE" and both points. */
static bool kdfe(const uint8_t z[SEED], const TPMS_ECC_POINT *from,
                 const TPMS_ECC_POINT *to, uint8_t out[SEED])
{
    uint8_t in[4 + SEED + 10 + 32 + 32] = {0, 0, 0, 1};
    struct cl_sha256 s;

    memcpy(in + 4, z, SEED);
    memcpy(in + 4 + SEED, "DUPLICATE", 10);
    memcpy(in + 46, from->x.buffer, 32);
    memcpy(in + 78, to->x.buffer, 32);
    cl_sha256_init(&s);
    cl_sha256_update(&s, in, sizeof(in));
    cl_sha256_final(&s, out);
    OPENSSL_cleanse(in, sizeof(in));

    return from->x.size == 32 && to->x.size == 32;
}

static bool agree(EVP_PKEY *mine, EVP_PKEY *theirs, uint8_t z[SEED])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(mine, NULL);
    size_t n = SEED;
    bool ok = ctx && EVP_PKEY_derive_init(ctx) == 1 &&
              EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
              EVP_PKEY_derive(ctx, z, &n) == 1 && n == SEED;

    EVP_PKEY_CTX_free(ctx);

    return ok;
}

/* The seed, and how the TPM comes to it. */
static bool make_seed(const TPMT_PUBLIC *storage, struct working *w,
                      TPM2B_ENCRYPTED_SECRET *out)
{
    TPMS_ECC_POINT to = storage->unique.ecc, from = {0};
    EVP_PKEY *theirs = tpmkey_pkey(&to);
    EVP_PKEY *mine = EVP_EC_gen("P-256");
    size_t n = 0;
    bool ok = false;

    /* Coordinates that begin with zeros may come without them. */
    if ( theirs && mine && tpmkey_point(theirs, &to) &&
         tpmkey_point(mine, &from) )
        ok = agree(mine, theirs, w->z) && kdfe(w->z, &from, &to, w->seed) &&
             !Tss2_MU_TPMS_ECC_POINT_Marshal(&from, out->secret,
                                             sizeof(out->secret), &n);
    out->size = (UINT16)n;
    EVP_PKEY_free(mine);
    EVP_PKEY_free(theirs);

    return ok;
}

/* The sensitive area, and the public one that has its hash. */
static bool make_object(const struct sealto *s, struct working *w,
                        TPMT_PUBLIC *public)
{
    struct cloister_sealed head = {.revision = CLOISTER_SECRET_REVISION};
    TPMT_SENSITIVE *t = &w->sensitive.sensitiveArea;
    TPM2B_SENSITIVE_DATA *bits = &t->sensitive.bits;
    struct cl_sha256 h;

    memcpy(head.signature,
           s->owner ? CLOISTER_SEALED_OWNER : CLOISTER_SEALED_SIGNATURE,
           sizeof(head.signature));
    t->sensitiveType = TPM2_ALG_KEYEDHASH;
    t->seedValue.size = SEED;
    if ( RAND_bytes(t->seedValue.buffer, SEED) != 1 )
        return false;
    bits->size = (UINT16)(sizeof(head) + s->size);
    memcpy(bits->buffer, &head, sizeof(head));
    memcpy(bits->buffer + offsetof(struct cloister_sealed, measurement),
           s->measurement, sizeof(s->measurement));
    memcpy(bits->buffer + sizeof(head), s->secret, s->size);

    *public = (TPMT_PUBLIC){
        .type = TPM2_ALG_KEYEDHASH,
        .nameAlg = TPM2_ALG_SHA256,
        .objectAttributes = TPMA_OBJECT_NODA,
        .authPolicy.size = 32,
        .parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL,
        .unique.keyedHash.size = 32,
    };
    policy_locality(public->authPolicy.buffer);
    policy_pcr(public->authPolicy.buffer, s->mask, s->pcrs);
    cl_sha256_init(&h);
    cl_sha256_update(&h, t->seedValue.buffer, SEED);
    cl_sha256_update(&h, bits->buffer, bits->size);
    cl_sha256_final(&h, public->unique.keyedHash.buffer);

    return true;
}

static bool encrypt(const uint8_t key[16], const uint8_t *in, size_t size,
                    uint8_t *out)
{
    static const uint8_t iv[16];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    bool ok = ctx &&
              EVP_EncryptInit_ex2(ctx, EVP_aes_128_cfb128(), key, iv, NULL) ==
                  1 &&
              EVP_EncryptUpdate(ctx, out, &n, in, (int)size) == 1 &&
              (size_t)n == size;

    EVP_CIPHER_CTX_free(ctx);

    return ok;
}

/* Outer wrapper: HMAC over what is encrypted and the object's name. */
static bool wrap(struct working *w, const TPMT_PUBLIC *public,
                 TPM2B_PRIVATE *out)
{
    uint8_t name[TPM_NAME_SIZE], *body = out->buffer + 34;
    unsigned int mac_size = 32;
    size_t n = 0;

    if ( Tss2_MU_TPM2B_SENSITIVE_Marshal(&w->sensitive, w->plain,
                                         sizeof(w->plain), &n) ||
         !tpmkey_name(public, name) ||
         n + sizeof(name) + 34 > sizeof(out->buffer) ||
         !kdfa(w->seed, "STORAGE", name, sizeof(name), w->sym,
               sizeof(w->sym)) ||
         !kdfa(w->seed, "INTEGRITY", NULL, 0, w->mac, sizeof(w->mac)) ||
         !encrypt(w->sym, w->plain, n, body) )
        return false;

    out->size = (UINT16)(34 + n);
    out->buffer[0] = 0;
    out->buffer[1] = 32;
    memcpy(body + n, name, sizeof(name));

    return HMAC(EVP_sha256(), w->mac, sizeof(w->mac), body, n + sizeof(name),
                out->buffer + 2, &mac_size);
}

/* What is signed: the context, and the public area. */
static size_t to_sign(const uint8_t *public, size_t size, uint8_t out[512])
{
    memcpy(out, CLOISTER_SECRET_CONTEXT, sizeof(CLOISTER_SECRET_CONTEXT));
    memcpy(out + sizeof(CLOISTER_SECRET_CONTEXT), public, size);

    return sizeof(CLOISTER_SECRET_CONTEXT) + size;
}

static bool sign(EVP_PKEY *key, const uint8_t *public, size_t size,
                 uint8_t out[64], size_t *out_size)
{
    EVP_MD_CTX *ctx = key ? EVP_MD_CTX_new() : NULL;
    uint8_t in[512];
    size_t n = to_sign(public, size, in);
    bool ok = !key;

    *out_size = 0;
    if ( ctx )
    {
        *out_size = 64;
        ok = EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
             EVP_DigestSign(ctx, out, out_size, in, n) == 1;
    }
    EVP_MD_CTX_free(ctx);

    return ok;
}

bool sealto_verify(EVP_PKEY *owner, const uint8_t *public, size_t public_size,
                   const uint8_t *sig, size_t sig_size)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t in[512];
    size_t n = public_size <= CLOISTER_SECRET_PROOF
                   ? to_sign(public, public_size, in)
                   : 0;
    bool ok = n && ctx &&
              EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, owner) == 1 &&
              EVP_DigestVerify(ctx, sig, sig_size, in, n) == 1;

    EVP_MD_CTX_free(ctx);

    return ok;
}

static size_t assemble(const struct sealto *s, const TPMT_PUBLIC *public,
                       const TPM2B_PRIVATE *duplicate,
                       const TPM2B_ENCRYPTED_SECRET *seed, uint8_t *blob)
{
    struct cloister_secret_blob h = {
        .signature = CLOISTER_SECRET_SIGNATURE,
        .revision = CLOISTER_SECRET_REVISION,
        .mask = s->mask,
    };
    uint8_t area[256], sig[64];
    size_t n = 0, sig_size, at = sizeof(h);

    if ( Tss2_MU_TPMT_PUBLIC_Marshal(public, area, sizeof(area), &n) ||
         !sign(s->sign, area, n, sig, &sig_size) ||
         at + n + duplicate->size + seed->size + sig_size >
             CLOISTER_SECRET_BLOB )
        return 0;

    h.part[CLOISTER_SECRET_public] = (uint16_t)n;
    h.part[CLOISTER_SECRET_duplicate] = duplicate->size;
    h.part[CLOISTER_SECRET_seed] = seed->size;
    h.part[CLOISTER_SECRET_signature] = (uint16_t)sig_size;
    h.length = (uint32_t)(at + n + duplicate->size + seed->size + sig_size);
    memcpy(blob, &h, sizeof(h));
    memcpy(blob + at, area, n);
    at += n;
    memcpy(blob + at, duplicate->buffer, duplicate->size);
    at += duplicate->size;
    memcpy(blob + at, seed->secret, seed->size);
    at += seed->size;
    memcpy(blob + at, sig, sig_size);

    return at + sig_size;
}

size_t sealto(const struct sealto *s, uint8_t blob[CLOISTER_SECRET_BLOB])
{
    struct working w = {0};
    TPM2B_ENCRYPTED_SECRET seed = {0};
    TPM2B_PRIVATE duplicate = {0};
    TPMT_PUBLIC public;
    size_t size = 0;

    if ( make_object(s, &w, &public) && make_seed(s->storage, &w, &seed) &&
         wrap(&w, &public, &duplicate) )
        size = assemble(s, &public, &duplicate, &seed, blob);
    OPENSSL_cleanse(&w, sizeof(w));
    if ( !size )
        complain("cannot seal: OpenSSL failed");

    return size;
}
