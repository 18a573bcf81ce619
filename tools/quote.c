/* SPDX-License-Identifier: BSD-2-Clause */
/* Quotes by the TPM; see quote.h. */
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#include "output.h"
#include "quote.h"
#include "tpmkey.h"

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

static bool make_primary(struct quoter *q, ESYS_TR hierarchy,
                         const TPM2B_PUBLIC *template, ESYS_TR *key,
                         TPM2B_PUBLIC **public)
{
    const TPM2B_SENSITIVE_CREATE none = {0};
    const TPM2B_DATA info = {0};
    const TPML_PCR_SELECTION pcrs = {0};

    return check(Esys_CreatePrimary(q->esys, hierarchy, ESYS_TR_PASSWORD,
                                    ESYS_TR_NONE, ESYS_TR_NONE, &none,
                                    template, &info, &pcrs, key, public, NULL,
                                    NULL, NULL),
                 "making a key");
}

static bool make_key(struct quoter *q)
{
    TPM2B_PUBLIC template;

    tpmkey_template(TPMKEY_attestation, &template);

    return make_primary(q, ESYS_TR_RH_ENDORSEMENT, &template, &q->key,
                        &q->public);
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

/* The key that is certified is held no longer than that. */
static bool certify(struct quoter *q, const struct nonce *nonce,
                    enum tpmkey which, struct certified *out)
{
    const TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_NULL};
    TPM2B_DATA data = {.size = (UINT16)nonce->size};
    TPM2B_PUBLIC want, *public = NULL;
    TPM2B_ATTEST *attest = NULL;
    TPMT_SIGNATURE *signature = NULL;
    uint8_t pub[sizeof(TPM2B_PUBLIC)], sig[sizeof(TPMT_SIGNATURE)];
    size_t pub_size = 0, sig_size = 0;
    ESYS_TR key = ESYS_TR_NONE;
    bool ok;

    tpmkey_template(which, &want);
    memcpy(data.buffer, nonce->bytes, nonce->size);
    ok = make_primary(q,
                      which == TPMKEY_storage ? ESYS_TR_RH_OWNER
                                              : ESYS_TR_RH_ENDORSEMENT,
                      &want, &key, &public) &&
         check(Esys_Certify(q->esys, key, q->key, ESYS_TR_PASSWORD,
                            ESYS_TR_PASSWORD, ESYS_TR_NONE, &data, &scheme,
                            &attest, &signature),
               "certifying a key") &&
         check(Tss2_MU_TPM2B_PUBLIC_Marshal(public, pub, sizeof(pub),
                                            &pub_size),
               "the key") &&
         check(Tss2_MU_TPMT_SIGNATURE_Marshal(signature, sig, sizeof(sig),
                                              &sig_size),
               "the signature") &&
         keep(&out->pub, pub, pub_size) &&
         keep(&out->msg, attest->attestationData, attest->size) &&
         keep(&out->sig, sig, sig_size);
    if ( key != ESYS_TR_NONE )
        Esys_FlushContext(q->esys, key);
    Esys_Free(public);
    Esys_Free(attest);
    Esys_Free(signature);

    return ok;
}

bool quoter_certify(struct quoter *q, const struct nonce *nonce,
                    struct evidence *ev)
{
    ev->has_keys = true;

    return certify(q, nonce, TPMKEY_storage, &ev->storage) &&
           certify(q, nonce, TPMKEY_report, &ev->report);
}

char *quoter_key(struct quoter *q)
{
    return tpmkey_pem(&q->public->publicArea.unique.ecc);
}
