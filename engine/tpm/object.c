/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys and sealed data (TPM 2.0 Library, Part 3, 12, 13, 18 and 24). */
#include <string.h>

#include "marshal.h"

/* TPM2B_SENSITIVE_CREATE: an empty password, and the data. */
static void put_sensitive(struct cl_tpm2_writer *w, struct cl_tpm2_slice data)
{
    size_t mark = cl_tpm2_open_2b(w);

    cl_tpm2_put_2b(w, NULL, 0);
    cl_tpm2_put_2b(w, data.p, data.len);
    cl_tpm2_close_2b(w, mark);
}

static void put_public_head(struct cl_tpm2_writer *w, uint16_t type,
                            uint32_t attributes, struct cl_tpm2_slice policy)
{
    cl_tpm2_put16(w, type);
    cl_tpm2_put16(w, ALG_SHA256);
    cl_tpm2_put32(w, attributes);
    cl_tpm2_put_2b(w, policy.p, policy.len);
}

/* P-256, no KDF, the point left to the TPM. */
static void put_curve(struct cl_tpm2_writer *w)
{
    cl_tpm2_put16(w, ECC_NIST_P256);
    cl_tpm2_put16(w, ALG_NULL);
    cl_tpm2_put_2b(w, NULL, 0);
    cl_tpm2_put_2b(w, NULL, 0);
}

/* AES-128 CFB, no scheme. */
static void put_storage_template(struct cl_tpm2_writer *w)
{
    const struct cl_tpm2_slice none = {NULL, 0};
    size_t mark = cl_tpm2_open_2b(w);

    put_public_head(w, ALG_ECC,
                    OBJ_FIXED_TPM | OBJ_FIXED_PARENT |
                        OBJ_SENSITIVE_DATA_ORIGIN | OBJ_USER_WITH_AUTH |
                        OBJ_NO_DA | OBJ_RESTRICTED | OBJ_DECRYPT,
                    none);
    cl_tpm2_put16(w, ALG_AES);
    cl_tpm2_put16(w, 128);
    cl_tpm2_put16(w, ALG_CFB);
    cl_tpm2_put16(w, ALG_NULL);
    put_curve(w);
    cl_tpm2_close_2b(w, mark);
}

static struct cl_tpm2_writer begin_primary(uint8_t *buf, size_t cap,
                                           uint32_t hierarchy)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_CREATE_PRIMARY, true);

    cl_tpm2_put32(&w, hierarchy);
    cl_tpm2_put_auth(&w, RS_PW);
    put_sensitive(&w, (struct cl_tpm2_slice){NULL, 0});

    return w;
}

static size_t end_primary(struct cl_tpm2_writer *w)
{
    cl_tpm2_put_2b(w, NULL, 0);
    cl_tpm2_put_pcrs(w, 0);

    return cl_tpm2_end(w);
}

size_t cl_tpm2_create_primary_cmd(uint8_t *buf, size_t cap, uint32_t hierarchy)
{
    struct cl_tpm2_writer w = begin_primary(buf, cap, hierarchy);

    put_storage_template(&w);

    return end_primary(&w);
}

/* Without userWithAuth: the policy is the only way to it. */
size_t cl_tpm2_create_signer_cmd(uint8_t *buf, size_t cap,
                                 const uint8_t policy[CL_TPM2_DIGEST])
{
    struct cl_tpm2_writer w = begin_primary(buf, cap, CL_TPM2_RH_ENDORSEMENT);
    size_t mark = cl_tpm2_open_2b(&w);

    put_public_head(&w, ALG_ECC,
                    OBJ_FIXED_TPM | OBJ_FIXED_PARENT |
                        OBJ_SENSITIVE_DATA_ORIGIN | OBJ_NO_DA |
                        OBJ_RESTRICTED | OBJ_SIGN,
                    (struct cl_tpm2_slice){policy, CL_TPM2_DIGEST});
    cl_tpm2_put16(&w, ALG_NULL);
    cl_tpm2_put16(&w, ALG_ECDSA);
    cl_tpm2_put16(&w, ALG_SHA256);
    put_curve(&w);
    cl_tpm2_close_2b(&w, mark);

    return end_primary(&w);
}

/* Of the rest nothing is used. */
int cl_tpm2_create_primary_rsp(const uint8_t *rsp, size_t len,
                               uint32_t *handle)
{
    struct cl_tpm2_reader r;
    uint32_t h = 0;
    int rc = cl_tpm2_open(&r, rsp, len, true, &h);

    *handle = rc ? 0 : h;

    return rc;
}

/* Without userWithAuth: the policy is the only way to it. */
size_t cl_tpm2_seal_cmd(uint8_t *buf, size_t cap,
                        const struct cl_tpm2_seal *seal)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_CREATE, true);
    size_t mark;

    cl_tpm2_put32(&w, seal->parent);
    cl_tpm2_put_auth(&w, RS_PW);
    put_sensitive(&w, seal->data);
    mark = cl_tpm2_open_2b(&w);
    put_public_head(
        &w, ALG_KEYEDHASH, OBJ_FIXED_TPM | OBJ_FIXED_PARENT | OBJ_NO_DA,
        (struct cl_tpm2_slice){seal->policy, sizeof(seal->policy)});
    cl_tpm2_put16(&w, ALG_NULL);
    cl_tpm2_put_2b(&w, NULL, 0);
    cl_tpm2_close_2b(&w, mark);
    cl_tpm2_put_2b(&w, seal->info.p, seal->info.len);
    cl_tpm2_put_pcrs(&w, seal->mask);

    return cl_tpm2_end(&w);
}

/* tag:2 hierarchy:4 TPM2B_DIGEST, taken as a whole. */
static struct cl_tpm2_slice get_ticket(struct cl_tpm2_reader *r)
{
    struct cl_tpm2_slice s = {r->p, r->left};

    cl_tpm2_get(r, 6);
    cl_tpm2_get_2b(r);
    s.len -= r->left;

    return s;
}

int cl_tpm2_seal_rsp(const uint8_t *rsp, size_t len,
                     struct cl_tpm2_created *out)
{
    struct cl_tpm2_reader r;
    int rc = cl_tpm2_open(&r, rsp, len, true, NULL);

    out->private = cl_tpm2_get_2b(&r);
    out->public = cl_tpm2_get_2b(&r);
    out->creation = cl_tpm2_get_2b(&r);
    out->hash = cl_tpm2_get_2b(&r);
    out->ticket = get_ticket(&r);
    rc = rc ? rc : cl_tpm2_close(&r);
    if ( rc )
        memset(out, 0, sizeof(*out));

    return rc;
}

size_t cl_tpm2_load_cmd(uint8_t *buf, size_t cap, uint32_t parent,
                        struct cl_tpm2_slice private,
                        struct cl_tpm2_slice public)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_LOAD, true);

    cl_tpm2_put32(&w, parent);
    cl_tpm2_put_auth(&w, RS_PW);
    cl_tpm2_put_2b(&w, private.p, private.len);
    cl_tpm2_put_2b(&w, public.p, public.len);

    return cl_tpm2_end(&w);
}

int cl_tpm2_load_rsp(const uint8_t *rsp, size_t len, uint32_t *handle)
{
    struct cl_tpm2_reader r;
    uint32_t h = 0;
    int rc = cl_tpm2_open(&r, rsp, len, true, &h);

    cl_tpm2_get_2b(&r);
    rc = rc ? rc : cl_tpm2_close(&r);
    *handle = rc ? 0 : h;

    return rc;
}

size_t cl_tpm2_unseal_cmd(uint8_t *buf, size_t cap, uint32_t item,
                          uint32_t session)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_UNSEAL, true);

    cl_tpm2_put32(&w, item);
    cl_tpm2_put_auth(&w, session);

    return cl_tpm2_end(&w);
}

int cl_tpm2_unseal_rsp(const uint8_t *rsp, size_t len, uint8_t *out,
                       size_t cap, size_t *got)
{
    struct cl_tpm2_reader r;
    struct cl_tpm2_slice data;
    int rc = cl_tpm2_open(&r, rsp, len, true, NULL);

    data = cl_tpm2_get_2b(&r);
    if ( !rc && (cl_tpm2_close(&r) || data.len > cap) )
        rc = -EBADMSG;
    *got = rc ? 0 : data.len;
    memset(out, 0, cap);
    if ( *got )
        memcpy(out, data.p, data.len);

    return rc;
}

size_t cl_tpm2_check_creation_cmd(uint8_t *buf, size_t cap, uint32_t object,
                                  struct cl_tpm2_slice hash,
                                  struct cl_tpm2_slice ticket)
{
    struct cl_tpm2_writer w =
        cl_tpm2_begin(buf, cap, CC_CERTIFY_CREATION, true);

    cl_tpm2_put32(&w, CL_TPM2_RH_NULL);
    cl_tpm2_put32(&w, object);
    cl_tpm2_put_auth(&w, RS_PW);
    cl_tpm2_put_2b(&w, NULL, 0);
    cl_tpm2_put_2b(&w, hash.p, hash.len);
    cl_tpm2_put16(&w, ALG_NULL);
    cl_tpm2_put(&w, ticket.p, ticket.len);

    return cl_tpm2_end(&w);
}

/* What was to be signed, and a signature with the algorithm TPM_ALG_NULL. */
int cl_tpm2_check_creation_rsp(const uint8_t *rsp, size_t len)
{
    struct cl_tpm2_reader r;
    int rc = cl_tpm2_open(&r, rsp, len, true, NULL);

    if ( rc )
        return rc;
    cl_tpm2_get_2b(&r);
    if ( cl_tpm2_get16(&r) != ALG_NULL )
        return -EBADMSG;

    return cl_tpm2_close(&r);
}

int cl_tpm2_creation_parse(struct cl_tpm2_slice creation,
                           struct cl_tpm2_creation *out)
{
    struct cl_tpm2_reader r = {.p = creation.p, .left = creation.len};
    struct cl_tpm2_slice select = {NULL, 0};
    size_t i;
    int rc;

    memset(out, 0, sizeof(*out));
    if ( cl_tpm2_get32(&r) != 1 || cl_tpm2_get16(&r) != ALG_SHA256 )
        return -EBADMSG;
    select = cl_tpm2_get(&r, cl_tpm2_get8(&r));
    for ( i = 0; i < select.len && i < 4; i++ )
        out->mask |= (uint32_t)select.p[i] << 8 * i;
    out->pcr_digest = cl_tpm2_get_2b(&r);
    out->locality = cl_tpm2_get8(&r);
    cl_tpm2_get16(&r);  /* parentNameAlg       */
    cl_tpm2_get_2b(&r); /* parentName          */
    cl_tpm2_get_2b(&r); /* parentQualifiedName */
    out->info = cl_tpm2_get_2b(&r);

    rc = select.len > 4 ? -EBADMSG : cl_tpm2_close(&r);
    if ( rc )
        memset(out, 0, sizeof(*out));

    return rc;
}

size_t cl_tpm2_import_cmd(uint8_t *buf, size_t cap, uint32_t parent,
                          struct cl_tpm2_slice public,
                          struct cl_tpm2_slice duplicate,
                          struct cl_tpm2_slice seed)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_IMPORT, true);

    cl_tpm2_put32(&w, parent);
    cl_tpm2_put_auth(&w, RS_PW);
    cl_tpm2_put_2b(&w, NULL, 0);
    cl_tpm2_put_2b(&w, public.p, public.len);
    cl_tpm2_put_2b(&w, duplicate.p, duplicate.len);
    cl_tpm2_put_2b(&w, seed.p, seed.len);
    cl_tpm2_put16(&w, ALG_NULL);

    return cl_tpm2_end(&w);
}

int cl_tpm2_import_rsp(const uint8_t *rsp, size_t len,
                       struct cl_tpm2_slice *private)
{
    struct cl_tpm2_reader r;
    int rc = cl_tpm2_open(&r, rsp, len, true, NULL);

    *private = cl_tpm2_get_2b(&r);
    rc = rc ? rc : cl_tpm2_close(&r);
    if ( rc )
        *private = (struct cl_tpm2_slice){NULL, 0};

    return rc;
}

size_t cl_tpm2_duplicate_cmd(uint8_t *buf, size_t cap, uint32_t object,
                             uint32_t new_parent, uint32_t session)
{
    struct cl_tpm2_writer w = cl_tpm2_begin(buf, cap, CC_DUPLICATE, true);

    cl_tpm2_put32(&w, object);
    cl_tpm2_put32(&w, new_parent);
    cl_tpm2_put_auth(&w, session);
    cl_tpm2_put_2b(&w, NULL, 0);
    cl_tpm2_put16(&w, ALG_NULL);

    return cl_tpm2_end(&w);
}

int cl_tpm2_duplicate_rsp(const uint8_t *rsp, size_t len,
                          struct cl_tpm2_slice *duplicate,
                          struct cl_tpm2_slice *seed)
{
    struct cl_tpm2_reader r;
    int rc = cl_tpm2_open(&r, rsp, len, true, NULL);

    cl_tpm2_get_2b(&r); /* encryptionKeyOut: no inner wrapper */
    *duplicate = cl_tpm2_get_2b(&r);
    *seed = cl_tpm2_get_2b(&r);
    rc = rc ? rc : cl_tpm2_close(&r);
    if ( rc )
        *duplicate = *seed = (struct cl_tpm2_slice){NULL, 0};

    return rc;
}
