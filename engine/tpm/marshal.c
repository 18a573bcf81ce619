/* SPDX-License-Identifier: BSD-2-Clause */
/* TPM 2.0 marshaling; see marshal.h. */
#include <string.h>

#include <cloister/wipe.h>

#include "marshal.h"

#define PCR_SELECT_SIZE 3u

void cl_tpm2_put(struct cl_tpm2_writer *w, const void *p, size_t len)
{
    if ( w->failed || len > w->cap - w->len )
    {
        w->failed = true;
        return;
    }
    if ( len )
        memcpy(w->buf + w->len, p, len);
    w->len += len;
}

void cl_tpm2_put8(struct cl_tpm2_writer *w, uint8_t v)
{
    cl_tpm2_put(w, &v, 1);
}

void cl_tpm2_put16(struct cl_tpm2_writer *w, uint16_t v)
{
    const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

    cl_tpm2_put(w, b, sizeof(b));
}

void cl_tpm2_put32(struct cl_tpm2_writer *w, uint32_t v)
{
    cl_tpm2_put16(w, (uint16_t)(v >> 16));
    cl_tpm2_put16(w, (uint16_t)v);
}

void cl_tpm2_put_2b(struct cl_tpm2_writer *w, const void *p, size_t len)
{
    if ( len > UINT16_MAX )
        w->failed = true;
    cl_tpm2_put16(w, (uint16_t)len);
    cl_tpm2_put(w, p, len);
}

size_t cl_tpm2_open_2b(struct cl_tpm2_writer *w)
{
    cl_tpm2_put16(w, 0);

    return w->len;
}

void cl_tpm2_close_2b(struct cl_tpm2_writer *w, size_t mark)
{
    size_t len = w->len - mark;

    if ( w->failed || len > UINT16_MAX )
    {
        w->failed = true;
        return;
    }
    w->buf[mark - 2] = (uint8_t)(len >> 8);
    w->buf[mark - 1] = (uint8_t)len;
}

void cl_tpm2_put_pcrs(struct cl_tpm2_writer *w, uint32_t mask)
{
    unsigned int i;

    cl_tpm2_put32(w, mask ? 1 : 0);
    if ( !mask )
        return;

    cl_tpm2_put16(w, ALG_SHA256);
    cl_tpm2_put8(w, PCR_SELECT_SIZE);
    for ( i = 0; i < PCR_SELECT_SIZE; i++ )
        cl_tpm2_put8(w, (uint8_t)(mask >> 8 * i));
}

struct cl_tpm2_writer cl_tpm2_begin(uint8_t *buf, size_t cap, uint32_t cc,
                                    bool sessions)
{
    struct cl_tpm2_writer w = {.buf = buf, .cap = cap};

    cl_tpm2_put16(&w, sessions ? ST_SESSIONS : ST_NO_SESSIONS);
    cl_tpm2_put32(&w, 0);
    cl_tpm2_put32(&w, cc);

    return w;
}

/* Part 1, "Session-based authorizations": nonce and HMAC are empty. */
void cl_tpm2_put_auth(struct cl_tpm2_writer *w, uint32_t session)
{
    const uint8_t continue_session = session != RS_PW;

    cl_tpm2_put32(w, 9);
    cl_tpm2_put32(w, session);
    cl_tpm2_put16(w, 0);
    cl_tpm2_put8(w, continue_session);
    cl_tpm2_put16(w, 0);
}

size_t cl_tpm2_end(struct cl_tpm2_writer *w)
{
    struct cl_tpm2_writer size = {.buf = w->buf + 2, .cap = 4};

    if ( w->failed )
    {
        cl_wipe(w->buf, w->len); /* there may be a secret in it */
        return 0;
    }
    cl_tpm2_put32(&size, (uint32_t)w->len);

    return w->len;
}

struct cl_tpm2_slice cl_tpm2_get(struct cl_tpm2_reader *r, size_t len)
{
    struct cl_tpm2_slice s = {NULL, 0};

    if ( r->failed || len > r->left )
    {
        r->failed = true;
        return s;
    }

    s = (struct cl_tpm2_slice){r->p, len};
    r->p += len;
    r->left -= len;

    return s;
}

uint8_t cl_tpm2_get8(struct cl_tpm2_reader *r)
{
    struct cl_tpm2_slice s = cl_tpm2_get(r, 1);

    return s.p ? s.p[0] : 0;
}

uint16_t cl_tpm2_get16(struct cl_tpm2_reader *r)
{
    struct cl_tpm2_slice s = cl_tpm2_get(r, 2);

    return s.p ? (uint16_t)((unsigned int)s.p[0] << 8 | s.p[1]) : 0;
}

uint32_t cl_tpm2_get32(struct cl_tpm2_reader *r)
{
    struct cl_tpm2_slice s = cl_tpm2_get(r, 4);

    return s.p ? (uint32_t)s.p[0] << 24 | (uint32_t)s.p[1] << 16 |
                     (uint32_t)s.p[2] << 8 | s.p[3]
               : 0;
}

struct cl_tpm2_slice cl_tpm2_get_2b(struct cl_tpm2_reader *r)
{
    return cl_tpm2_get(r, cl_tpm2_get16(r));
}

/* Part 1, "Response header": with sessions the parameters' size comes next. */
int cl_tpm2_open(struct cl_tpm2_reader *r, const uint8_t *rsp, size_t len,
                 bool sessions, uint32_t *handle)
{
    int rc = cl_tpm2_check_header(rsp, len,
                                  sessions ? ST_SESSIONS : ST_NO_SESSIONS);
    uint32_t size;

    *r = (struct cl_tpm2_reader){.failed = true};
    if ( rc )
        return rc;

    *r = (struct cl_tpm2_reader){.p = rsp + CL_TPM_HEADER_SIZE,
                                 .left = len - CL_TPM_HEADER_SIZE};
    if ( handle )
        *handle = cl_tpm2_get32(r);
    if ( sessions )
    {
        size = cl_tpm2_get32(r);
        if ( r->failed || size > r->left )
            return -EBADMSG;
        r->left = size;
    }

    return r->failed ? -EBADMSG : 0;
}

int cl_tpm2_close(const struct cl_tpm2_reader *r)
{
    return r->failed || r->left ? -EBADMSG : 0;
}
