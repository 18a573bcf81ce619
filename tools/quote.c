/* SPDX-License-Identifier: BSD-2-Clause */
/* Quotes by the TPM; see quote.h. */
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#include "output.h"
#include "quote.h"

struct quoter
{
    TSS2_TCTI_CONTEXT *tcti;
    ESYS_CONTEXT *esys;
    ESYS_TR key;
    TPM2B_PUBLIC *public;
};

static bool check(TSS2_RC rc, const char *what)
{
    if ( rc )
        complain("TPM: %s: error %#x", what, rc);

    return !rc;
}

static const TPM2B_PUBLIC template = {
    .publicArea =
        {
            .type = TPM2_ALG_ECC,
            .nameAlg = TPM2_ALG_SHA256,
            .objectAttributes =
                TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED |
                TPMA_OBJECT_SIGN_ENCRYPT,
            .parameters.eccDetail =
                {
                    .symmetric.algorithm = TPM2_ALG_NULL,
                    .scheme = {.scheme = TPM2_ALG_ECDSA,
                               .details.ecdsa.hashAlg = TPM2_ALG_SHA256},
                    .curveID = TPM2_ECC_NIST_P256,
                    .kdf.scheme = TPM2_ALG_NULL,
                },
        },
};

static bool make_key(struct quoter *q)
{
    const TPM2B_SENSITIVE_CREATE none = {0};
    const TPM2B_DATA info = {0};
    const TPML_PCR_SELECTION pcrs = {0};

    return check(
        Esys_CreatePrimary(q->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
                           ESYS_TR_NONE, ESYS_TR_NONE, &none, &template, &info,
                           &pcrs, &q->key, &q->public, NULL, NULL, NULL),
        "making the attestation key");
}

struct quoter *quoter_open(const char *conf)
{
    struct quoter *q = calloc(1, sizeof(*q));

    if ( !q )
        return NULL;
    q->key = ESYS_TR_NONE;
    if ( check(Tss2_TctiLdr_Initialize(conf, &q->tcti), "opening it") &&
         check(Esys_Initialize(&q->esys, q->tcti, NULL), "opening it") &&
         make_key(q) )
        return q;

    quoter_close(q);

    return NULL;
}

void quoter_close(struct quoter *q)
{
    if ( !q )
        return;
    if ( q->key != ESYS_TR_NONE )
        Esys_FlushContext(q->esys, q->key);
    Esys_Free(q->public);
    Esys_Finalize(&q->esys);
    Tss2_TctiLdr_Finalize(&q->tcti);
    free(q);
}

static void select_pcrs(TPML_PCR_SELECTION *s, uint32_t mask)
{
    *s = (TPML_PCR_SELECTION){.count = 1};
    s->pcrSelections[0].hash = TPM2_ALG_SHA256;
    s->pcrSelections[0].sizeofSelect = 3;
    for ( unsigned int i = 0; i < 3; i++ )
        s->pcrSelections[0].pcrSelect[i] = (BYTE)(mask >> 8 * i);
}

static bool read_pcr(struct quoter *q, unsigned int pcr, uint8_t *out)
{
    TPML_PCR_SELECTION want;
    TPML_DIGEST *values = NULL;
    bool ok;

    select_pcrs(&want, 1u << pcr);
    if ( !check(Esys_PCR_Read(q->esys, ESYS_TR_NONE, ESYS_TR_NONE,
                              ESYS_TR_NONE, &want, NULL, NULL, &values),
                "reading a PCR") )
        return false;

    ok = values->count == 1 && values->digests[0].size == CLOISTER_DIGEST_SIZE;
    if ( ok )
        memcpy(out, values->digests[0].buffer, CLOISTER_DIGEST_SIZE);
    else
        complain("TPM: it has no SHA-256 bank of PCRs (enable it in the "
                 "firmware)");
    Esys_Free(values);

    return ok;
}

static bool read_pcrs(struct quoter *q, struct evlog *out)
{
    out->size = 0;
    out->bytes = malloc(EVIDENCE_NR_PCRS * CLOISTER_DIGEST_SIZE);
    if ( !out->bytes )
        return false;
    for ( unsigned int pcr = 0; pcr < 24; pcr++ )
    {
        if ( !(EVIDENCE_PCRS >> pcr & 1) )
            continue;
        if ( !read_pcr(q, pcr, out->bytes + out->size) )
            return false;
        out->size += CLOISTER_DIGEST_SIZE;
    }

    return true;
}

static bool keep(struct evlog *out, const void *bytes, size_t size)
{
    out->bytes = malloc(size);
    if ( !out->bytes )
        return false;
    memcpy(out->bytes, bytes, size);
    out->size = size;

    return true;
}

bool quoter_quote(struct quoter *q, const struct nonce *nonce,
                  struct evidence *ev)
{
    const TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_NULL};
    TPM2B_DATA data = {.size = (UINT16)nonce->size};
    TPML_PCR_SELECTION pcrs;
    TPM2B_ATTEST *attest = NULL;
    TPMT_SIGNATURE *signature = NULL;
    uint8_t buf[sizeof(*signature)];
    size_t used = 0;
    bool ok;

    memcpy(data.buffer, nonce->bytes, nonce->size);
    select_pcrs(&pcrs, EVIDENCE_PCRS);
    if ( !check(Esys_Quote(q->esys, q->key, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                           ESYS_TR_NONE, &data, &scheme, &pcrs, &attest,
                           &signature),
                "quoting") )
        return false;

    ok = check(Tss2_MU_TPMT_SIGNATURE_Marshal(signature, buf, sizeof(buf),
                                              &used),
               "its signature") &&
         keep(&ev->msg, attest->attestationData, attest->size) &&
         keep(&ev->sig, buf, used) && read_pcrs(q, &ev->pcrs);
    Esys_Free(attest);
    Esys_Free(signature);

    return ok;
}

/* An uncompressed point: 4, x, y. */
static EVP_PKEY *to_pkey(const TPMS_ECC_POINT *p)
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

char *quoter_key(struct quoter *q)
{
    EVP_PKEY *key = to_pkey(&q->public->publicArea.unique.ecc);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL, *bytes;
    long size;

    if ( key && bio && PEM_write_bio_PUBKEY(bio, key) )
    {
        size = BIO_get_mem_data(bio, &bytes);
        text = strndup(bytes, (size_t)size);
    }
    if ( !text )
        complain("cannot write the attestation key");
    BIO_free(bio);
    EVP_PKEY_free(key);

    return text;
}
