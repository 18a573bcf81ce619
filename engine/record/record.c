/* SPDX-License-Identifier: BSD-2-Clause */
/* The sealed record: see cloister/record.h, and abi/record.h for the layout. */

#include <errno.h>
#include <string.h>

#include <cloister/record.h>
#include <cloister/wipe.h>

#define HEAD    sizeof(struct cloister_record)
#define KEYS    sizeof(struct cloister_record_key)
#define CLEAR   (HEAD + KEYS)
#define STATE   sizeof(struct cloister_record_state)
#define PAGE    sizeof(struct cloister_record_page)
#define TAG     CLOISTER_RECORD_TAG
#define LEAST   (CLEAR + STATE + TAG)

/* The layout is the host's own: it is little-endian, and nothing is padded. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian");
_Static_assert(HEAD == 80 && KEYS == 80, "no padding");
_Static_assert(STATE == 640 && PAGE == 24, "no padding");

size_t cl_record_size(uint32_t hvm, uint32_t log, uint32_t pages)
{
    uint64_t size = LEAST + (uint64_t)hvm + log + (uint64_t)pages * PAGE;

    return size <= UINT32_MAX ? (size_t)size : 0;
}

/* ---- Writing ------------------------------------------------------------ */

int cl_record_begin(struct cl_record *r, void *buf, size_t size, uint32_t hvm,
                    uint32_t log, uint32_t pages, uint64_t base)
{
    size_t need = cl_record_size(hvm, log, pages);

    if ( !need || need > size )
        return -ENOSPC;

    r->buf = buf;
    r->size = need;
    r->hvm = r->buf + CLEAR + STATE;
    r->hvm_size = hvm;
    r->log = r->hvm + hvm;
    r->log_size = log;
    r->pages = 0;
    r->most = pages;
    r->base = base;

    return 0;
}

struct cloister_record_key *cl_record_keys(struct cl_record *r)
{
    return (void *)(r->buf + HEAD);
}

int cl_record_add(struct cl_record *r, uint64_t gfn, uint64_t version,
                  const uint8_t tag[CL_TAG_SIZE])
{
    struct cloister_record_page e;
    uint64_t above = version - r->base;

    if ( r->pages == r->most )
        return -ENOSPC;
    if ( version <= r->base || above > UINT32_MAX || gfn >= CL_GFN_NONE )
        return -ERANGE;

    e.gfn = (uint32_t)gfn;
    e.version = (uint32_t)above;
    memcpy(e.tag, tag, sizeof(e.tag));
    memcpy(r->log + r->log_size + r->pages++ * PAGE, &e, sizeof(e));

    return 0;
}

static void put_nonce(uint8_t nonce[CL_GCM_NONCE_LEN], uint64_t number)
{
    const uint32_t kind = CLOISTER_RECORD_NONCE;

    memcpy(nonce, &kind, sizeof(kind));
    memcpy(nonce + sizeof(kind), &number, sizeof(number));
}

size_t cl_record_seal(struct cl_record *r, const struct cl_key *key,
                      const struct cloister_record *head,
                      const struct cloister_record_state *state)
{
    struct cloister_record h = *head;
    struct cloister_record_state s = *state;
    uint8_t nonce[CL_GCM_NONCE_LEN];
    uint8_t *body = r->buf + CLEAR;

    r->size = cl_record_size(r->hvm_size, r->log_size, r->pages);
    memcpy(h.signature, CLOISTER_RECORD_SIGNATURE, sizeof(h.signature));
    h.revision = CLOISTER_RECORD_REVISION;
    h.length = (uint32_t)r->size;
    h.keys = KEYS;
    h.reserved = 0;
    memcpy(r->buf, &h, HEAD);

    s.base = r->base;
    s.pages = r->pages;
    s.hvm = r->hvm_size;
    s.log = r->log_size;
    memcpy(body, &s, STATE);

    put_nonce(nonce, h.nonce);
    cl_gcm_seal(&key->gcm, nonce, r->buf, CLEAR, body, body,
                r->size - CLEAR - TAG, r->buf + r->size - TAG);

    return r->size;
}

/* ---- Reading ------------------------------------------------------------ */

int cl_record_head(const void *buf, size_t len, struct cloister_record *head,
                   struct cloister_record_key *keys)
{
    struct cloister_record h;

    if ( len < HEAD )
        return -EMSGSIZE;
    memcpy(&h, buf, HEAD);
    if ( memcmp(h.signature, CLOISTER_RECORD_SIGNATURE, sizeof(h.signature)) )
        return -EINVAL;
    if ( h.revision != CLOISTER_RECORD_REVISION || h.reserved )
        return -EOPNOTSUPP;
    if ( len < LEAST || h.length != len || h.keys != KEYS )
        return -EMSGSIZE;

    *head = h;
    memcpy(keys, (const uint8_t *)buf + HEAD, KEYS);

    return 0;
}

size_t cl_record_body_size(size_t len)
{
    return len < LEAST ? 0 : len - CLEAR - TAG;
}

/* What was sealed must be what it says: everything, and nothing behind. */
static int check_state(const struct cloister_record_state *s, size_t body)
{
    if ( s->policy )
        return -EOPNOTSUPP;
    /* In the key table it would be that of a slot that is free. */
    if ( !s->epoch )
        return -EBADMSG;

    return cl_record_size(s->hvm, s->log, s->pages) == body + CLEAR + TAG
           ? 0 : -EMSGSIZE;
}

int cl_record_open(const void *buf, size_t len, const struct cl_gcm_key *key,
                   void *out, struct cl_record_body *b)
{
    const uint8_t *in = buf;
    size_t body = cl_record_body_size(len);
    uint8_t nonce[CL_GCM_NONCE_LEN];
    struct cloister_record h;
    int rc;

    if ( !body )
        return -EMSGSIZE;

    memcpy(&h, in, HEAD);
    put_nonce(nonce, h.nonce);
    rc = cl_gcm_open(key, nonce, in, CLEAR, in + CLEAR, out, body,
                     in + len - TAG);
    if ( rc )
        return rc;

    memcpy(&b->state, out, STATE);
    rc = check_state(&b->state, body);
    if ( rc )
    {
        cl_wipe(out, body);
        return rc;
    }
    b->hvm = (uint8_t *)out + STATE;
    b->log = b->hvm + b->state.hvm;
    b->pages = b->log + b->state.log;

    return 0;
}

void cl_record_page(const struct cl_record_body *b, uint32_t i,
                    struct cl_record_page *p)
{
    struct cloister_record_page e;

    memcpy(&e, b->pages + (size_t)i * PAGE, sizeof(e));
    p->gfn = e.gfn;
    p->version = b->state.base + e.version;
    memcpy(p->tag, e.tag, sizeof(p->tag));
}

uint32_t cl_record_gfn(const struct cl_record_body *b, uint32_t i)
{
    uint32_t gfn;

    memcpy(&gfn, b->pages + (size_t)i * PAGE +
                 offsetof(struct cloister_record_page, gfn), sizeof(gfn));

    return gfn;
}
