/* SPDX-License-Identifier: BSD-2-Clause */
/* What a TPM has signed; see signed.h. */
#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include <tss2/tss2_mu.h>

#include <cloister/sha256.h>

#include "output.h"
#include "signed.h"

EVP_PKEY *signed_read_key(const char *path)
{
    FILE *f = file_open(path);
    EVP_PKEY *key = f ? PEM_read_PUBKEY(f, NULL, NULL, NULL) : NULL;
    char group[32] = "";

    if ( !f )
        return NULL;
    fclose(f);
    if ( key &&
         EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group,
                                        sizeof(group), NULL) &&
         !strcmp(group, "prime256v1") )
        return key;

    complain("%s: not a P-256 public key as PEM", path);
    EVP_PKEY_free(key);

    return NULL;
}

bool signed_parse(const struct evlog *msg, TPMI_ST_ATTEST type,
                  TPMS_ATTEST *out)
{
    size_t at = 0;

    return !Tss2_MU_TPMS_ATTEST_Unmarshal(msg->bytes, msg->size, &at, out) &&
           at == msg->size && out->magic == TPM2_GENERATED_VALUE &&
           out->type == type;
}

/* As DER, into out; 0 if it is no ECDSA signature with SHA-256. */
static int signature_der(const struct evlog *file, uint8_t out[128])
{
    TPMT_SIGNATURE s;
    const TPM2B_ECC_PARAMETER *r = &s.signature.ecdsa.signatureR;
    const TPM2B_ECC_PARAMETER *t = &s.signature.ecdsa.signatureS;
    ECDSA_SIG *sig;
    uint8_t *end = out;
    size_t at = 0;
    int len = 0;

    if ( Tss2_MU_TPMT_SIGNATURE_Unmarshal(file->bytes, file->size, &at, &s) ||
         at != file->size || s.sigAlg != TPM2_ALG_ECDSA ||
         s.signature.ecdsa.hash != TPM2_ALG_SHA256 ||
         !r->size || r->size > 32 || !t->size || t->size > 32 )
        return 0;

    sig = ECDSA_SIG_new();
    if ( sig &&
         /* Some TPMs leave out leading zeros. */
         ECDSA_SIG_set0(sig, BN_bin2bn(r->buffer, r->size, NULL),
                        BN_bin2bn(t->buffer, t->size, NULL)) )
        len = i2d_ECDSA_SIG(sig, &end);
    ECDSA_SIG_free(sig);

    return len > 0 ? len : 0;
}

bool signed_by(const struct evlog *msg, const struct evlog *sig, EVP_PKEY *key)
{
    uint8_t der[128];
    int len = signature_der(sig, der);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = len && ctx &&
              EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestVerify(ctx, der, (size_t)len, msg->bytes, msg->size) ==
                  1;

    EVP_MD_CTX_free(ctx);

    return ok;
}

/*
 * The PEM does not tell whether the TPM leaves out the coordinates' leading
 * zeros; its name for the key depends on that.
 */
bool signed_as(const TPMS_ATTEST *attest, enum tpmkey which, EVP_PKEY *key)
{
    const TPM2B_NAME *signer = &attest->qualifiedSigner;
    TPM2B_PUBLIC public;

    tpmkey_template(which, &public);
    if ( !tpmkey_point(key, &public.publicArea.unique.ecc) )
        return false;
    if ( tpmkey_is_primary(signer, TPM2_RH_ENDORSEMENT, &public.publicArea) )
        return true;
    tpmkey_shorten(&public.publicArea.unique.ecc);

    return tpmkey_is_primary(signer, TPM2_RH_ENDORSEMENT, &public.publicArea);
}

bool signed_data_is(const TPMS_ATTEST *attest, const uint8_t *data,
                    size_t size)
{
    return attest->extraData.size == size &&
           !memcmp(attest->extraData.buffer, data, size);
}

bool signed_pcrs_are(const TPMS_ATTEST *attest, uint32_t wanted)
{
    const TPML_PCR_SELECTION *l = &attest->attested.quote.pcrSelect;
    const TPMS_PCR_SELECTION *s = &l->pcrSelections[0];
    uint32_t mask = 0;

    if ( l->count != 1 || s->hash != TPM2_ALG_SHA256 || s->sizeofSelect > 4 )
        return false;
    for ( unsigned int i = 0; i < s->sizeofSelect; i++ )
        mask |= (uint32_t)s->pcrSelect[i] << 8 * i;

    return mask == wanted;
}

bool signed_values_are(const TPMS_ATTEST *attest, const uint8_t *values,
                       size_t size)
{
    const TPM2B_DIGEST *want = &attest->attested.quote.pcrDigest;
    uint8_t digest[CLOISTER_DIGEST_SIZE];
    struct cl_sha256 s;

    cl_sha256_init(&s);
    cl_sha256_update(&s, values, size);
    cl_sha256_final(&s, digest);

    return want->size == sizeof(digest) &&
           !memcmp(want->buffer, digest, sizeof(digest));
}
