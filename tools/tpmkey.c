/* SPDX-License-Identifier: BSD-2-Clause */
/* The TPM's keys; see tpmkey.h. */
#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <tss2/tss2_mu.h>

#include <cloister/sha256.h>

#include "output.h"
#include "tpmkey.h"

#define EVERY                                                                 \
    (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |                         \
     TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_NODA |                     \
     TPMA_OBJECT_RESTRICTED)

uint32_t tpmkey_hierarchy(enum tpmkey which)
{
    return which == TPMKEY_storage ? TPM2_RH_OWNER : TPM2_RH_ENDORSEMENT;
}

void tpmkey_template(enum tpmkey which, TPM2B_PUBLIC *out)
{
    TPMT_PUBLIC *p = &out->publicArea;
    TPMS_ECC_PARMS *ecc = &p->parameters.eccDetail;

    *out = (TPM2B_PUBLIC){0};
    p->type = TPM2_ALG_ECC;
    p->nameAlg = TPM2_ALG_SHA256;
    p->objectAttributes = EVERY;
    ecc->curveID = TPM2_ECC_NIST_P256;
    ecc->kdf.scheme = TPM2_ALG_NULL;
    if ( which == TPMKEY_storage )
    {
        p->objectAttributes |= TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_DECRYPT;
        ecc->symmetric.algorithm = TPM2_ALG_AES;
        ecc->symmetric.keyBits.aes = 128;
        ecc->symmetric.mode.aes = TPM2_ALG_CFB;
        ecc->scheme.scheme = TPM2_ALG_NULL;
        return;
    }

    p->objectAttributes |= TPMA_OBJECT_SIGN_ENCRYPT;
    ecc->symmetric.algorithm = TPM2_ALG_NULL;
    ecc->scheme.scheme = TPM2_ALG_ECDSA;
    ecc->scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
    if ( which == TPMKEY_attestation )
        p->objectAttributes |= TPMA_OBJECT_USERWITHAUTH;
    else
    {
        p->authPolicy.size = 32;
        policy_locality(p->authPolicy.buffer);
    }
}

bool tpmkey_parse(const uint8_t *bytes, size_t size, TPM2B_PUBLIC *out)
{
    uint8_t again[sizeof(TPM2B_PUBLIC)];
    size_t at = 0, n = 0;

    *out = (TPM2B_PUBLIC){0};
    if ( Tss2_MU_TPM2B_PUBLIC_Unmarshal(bytes, size, &at, out) || at != size )
        return false;
    out->size = 0;

    return !Tss2_MU_TPM2B_PUBLIC_Marshal(out, again, sizeof(again), &n) &&
           n == size && !memcmp(again, bytes, n);
}

bool tpmkey_is(enum tpmkey which, const TPMT_PUBLIC *public)
{
    uint8_t a[sizeof(TPMT_PUBLIC)], b[sizeof(TPMT_PUBLIC)];
    TPMT_PUBLIC bare = *public;
    TPM2B_PUBLIC want;
    size_t n = 0, m = 0;

    if ( public->type != TPM2_ALG_ECC )
        return false;
    memset(&bare.unique, 0, sizeof(bare.unique));
    tpmkey_template(which, &want);

    return !Tss2_MU_TPMT_PUBLIC_Marshal(&bare, a, sizeof(a), &n) &&
           !Tss2_MU_TPMT_PUBLIC_Marshal(&want.publicArea, b, sizeof(b), &m) &&
           n == m && !memcmp(a, b, n);
}

static void extend(uint8_t digest[32], const void *data, size_t size)
{
    struct cl_sha256 s;

    cl_sha256_init(&s);
    cl_sha256_update(&s, digest, 32);
    cl_sha256_update(&s, data, size);
    cl_sha256_final(&s, digest);
}

void policy_locality(uint8_t digest[32])
{
    static const uint8_t command[] = {0, 0, 0x01, 0x6F, 1 << 2};

    extend(digest, command, sizeof(command));
}

void policy_pcr(uint8_t digest[32], uint32_t mask, const uint8_t pcrs[32])
{
    /* The command, one selection: SHA-256, 24 PCRs. */
    uint8_t in[14 + 32] = {0, 0, 0x01, 0x7F, 0, 0, 0, 1, 0, 0x0B, 3};

    for ( unsigned int i = 0; i < 3; i++ )
        in[11 + i] = (uint8_t)(mask >> 8 * i);
    memcpy(in + 14, pcrs, 32);
    extend(digest, in, sizeof(in));
}

bool tpmkey_name(const TPMT_PUBLIC *public, uint8_t out[TPM_NAME_SIZE])
{
    uint8_t bytes[sizeof(TPMT_PUBLIC)];
    struct cl_sha256 s;
    size_t n = 0;

    if ( public->nameAlg != TPM2_ALG_SHA256 ||
         Tss2_MU_TPMT_PUBLIC_Marshal(public, bytes, sizeof(bytes), &n) )
        return false;
    out[0] = TPM2_ALG_SHA256 >> 8;
    out[1] = (uint8_t)TPM2_ALG_SHA256;
    cl_sha256_init(&s);
    cl_sha256_update(&s, bytes, n);
    cl_sha256_final(&s, out + 2);

    return true;
}

bool tpmkey_is_primary(const TPM2B_NAME *qualified, uint32_t hierarchy,
                       const TPMT_PUBLIC *public)
{
    const uint8_t handle[4] = {(uint8_t)(hierarchy >> 24),
                               (uint8_t)(hierarchy >> 16),
                               (uint8_t)(hierarchy >> 8), (uint8_t)hierarchy};
    uint8_t want[TPM_NAME_SIZE], name[TPM_NAME_SIZE];
    struct cl_sha256 s;

    if ( !tpmkey_name(public, name) )
        return false;
    memcpy(want, name, 2);
    cl_sha256_init(&s);
    cl_sha256_update(&s, handle, sizeof(handle));
    cl_sha256_update(&s, name, sizeof(name));
    cl_sha256_final(&s, want + 2);

    return qualified->size == sizeof(want) &&
           !memcmp(qualified->name, want, sizeof(want));
}

/* An uncompressed point: 4, x, y. */
EVP_PKEY *tpmkey_pkey(const TPMS_ECC_POINT *p)
{
    uint8_t point[65] = {4};
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 5),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
        OSSL_PARAM_END,
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;

    if ( ctx && p->x.size <= 32 && p->y.size <= 32 )
    {
        memcpy(point + 33 - p->x.size, p->x.buffer, p->x.size);
        memcpy(point + 65 - p->y.size, p->y.buffer, p->y.size);
        if ( EVP_PKEY_fromdata_init(ctx) <= 0 ||
             EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0 )
            key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);

    return key;
}

bool tpmkey_point(EVP_PKEY *key, TPMS_ECC_POINT *out)
{
    BIGNUM *x = NULL, *y = NULL;
    bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
              EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1;

    out->x.size = out->y.size = 32;
    ok = ok && BN_bn2binpad(x, out->x.buffer, 32) == 32 &&
         BN_bn2binpad(y, out->y.buffer, 32) == 32;
    BN_free(x);
    BN_free(y);

    return ok;
}

static void shorten(TPM2B_ECC_PARAMETER *p)
{
    UINT16 zeros = 0;

    while ( zeros < p->size && !p->buffer[zeros] )
        zeros++;
    p->size = (UINT16)(p->size - zeros);
    memmove(p->buffer, p->buffer + zeros, p->size);
}

void tpmkey_shorten(TPMS_ECC_POINT *point)
{
    shorten(&point->x);
    shorten(&point->y);
}

char *tpmkey_pem(const TPMS_ECC_POINT *point)
{
    EVP_PKEY *key = tpmkey_pkey(point);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL, *bytes;
    long size;

    if ( key && bio && PEM_write_bio_PUBKEY(bio, key) )
    {
        size = BIO_get_mem_data(bio, &bytes);
        text = strndup(bytes, (size_t)size);
    }
    if ( !text )
        complain("cannot write the key");
    BIO_free(bio);
    EVP_PKEY_free(key);

    return text;
}
