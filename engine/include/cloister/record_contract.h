/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contracts of record.h, which includes it for proofs: each function is
 * declared once more, with what is proved of it in tests/proofs.
 *
 * The cipher is a stub there (platform.h), which asks for memory that is there.
 */
#ifndef CLOISTER_RECORD_CONTRACT_H
#define CLOISTER_RECORD_CONTRACT_H

#include <errno.h>

#include <cloister/contract.h>

#define CL_RECORD_CLEAR                                                   \
    (sizeof(struct cloister_record) + sizeof(struct cloister_record_key))
#define CL_RECORD_LEAST                                                   \
    (CL_RECORD_CLEAR + sizeof(struct cloister_record_state) +             \
     CLOISTER_RECORD_TAG)
#define CL_RECORD_ENTRY  sizeof(struct cloister_record_page)
#define CL_RECORD_BYTES(hvm, log, pages)                                  \
    (CL_RECORD_LEAST + (uint64_t)(hvm) + (log) +                          \
     (uint64_t)(pages) * CL_RECORD_ENTRY)
/* Of a proof: head and state whole, a few bytes and entries of the rest. */
#define CL_RECORD_PROOF  (CL_RECORD_LEAST + 80)
#define CL_RECORD_TEXT(len) ((len) - CL_RECORD_CLEAR - CLOISTER_RECORD_TAG)

/* What the cipher's stub was last asked for. */
extern struct cl_gcm_call {
    const void *aad, *in, *out, *tag;
    size_t aadlen, len;
} cl_gcm_call;

/* Head and key area as additional data, the text behind them, then the tag. */
#define CL_RECORD_CIPHERED(buf, text, size)                               \
    (cl_gcm_call.aad == (buf) && cl_gcm_call.aadlen == CL_RECORD_CLEAR && \
     cl_gcm_call.in == (const uint8_t *)(buf) + CL_RECORD_CLEAR &&        \
     cl_gcm_call.out == (text) &&                                         \
     cl_gcm_call.len == CL_RECORD_TEXT(size) &&                           \
     cl_gcm_call.tag == (const uint8_t *)(buf) + (size) -                 \
                        CLOISTER_RECORD_TAG)

size_t cl_record_size(uint32_t hvm, uint32_t log, uint32_t pages)
    CL_ASSIGNS()
    CL_ENSURES(CL_RESULT == (CL_RECORD_BYTES(hvm, log, pages) > UINT32_MAX
                             ? 0 : CL_RECORD_BYTES(hvm, log, pages)));

/* ---- Writing ------------------------------------------------------------ */

/* Laid out in its buffer: HVM records, log, and room for `most` entries. */
#define CL_RECORD_LAID(r)                                                 \
    ((r)->hvm == (r)->buf + CL_RECORD_LEAST - CLOISTER_RECORD_TAG &&      \
     (r)->log == (r)->hvm + (r)->hvm_size && (r)->pages <= (r)->most)
#define CL_RECORD_ROOM(r)                                                 \
    ((r)->size <= CL_RECORD_PROOF && CL_BYTES((r)->buf, (r)->size) &&     \
     (r)->size == CL_RECORD_BYTES((r)->hvm_size, (r)->log_size, (r)->most))

int cl_record_begin(struct cl_record *r, void *buf, size_t size, uint32_t hvm,
                    uint32_t log, uint32_t pages, uint64_t base)
    CL_REQUIRES(CL_OBJECT(r) && size <= UINT32_MAX && CL_BYTES(buf, size))
    CL_ASSIGNS(*r)
    CL_ENSURES(CL_RESULT == (CL_RECORD_BYTES(hvm, log, pages) > size
                             ? -ENOSPC : 0))
    CL_ENSURES(CL_RESULT || (r->buf == buf && CL_RECORD_LAID(r) &&
                             r->size == CL_RECORD_BYTES(hvm, log, pages)))
    CL_ENSURES(CL_RESULT || (r->hvm_size == hvm && r->log_size == log &&
                             r->most == pages && !r->pages &&
                             r->base == base))
    CL_ENSURES(!CL_RESULT || (CL_SAME(r->size) && CL_SAME(r->most)));

struct cloister_record_key *cl_record_keys(struct cl_record *r)
    CL_REQUIRES(CL_OBJECT(r) && CL_RECORD_ROOM(r))
    CL_ASSIGNS()
    CL_ENSURES((uint8_t *)CL_RESULT ==
               r->buf + sizeof(struct cloister_record));

size_t cl_record_seal(struct cl_record *r, const struct cl_key *key,
                      const struct cloister_record *head,
                      const struct cloister_record_state *state)
    CL_REQUIRES(CL_OBJECT(r) && CL_RECORD_ROOM(r) && CL_RECORD_LAID(r))
    CL_REQUIRES(CL_OBJECT(key) && CL_OBJECT(head) && CL_OBJECT(state))
    CL_ASSIGNS(r->size, CL_WHOLE(r->buf), cl_gcm_call)
    CL_ENSURES(CL_RESULT ==
               CL_RECORD_BYTES(r->hvm_size, r->log_size, r->pages))
    CL_ENSURES(CL_RESULT <= CL_OLD(r->size))
    CL_ENSURES(CL_RECORD_CIPHERED(r->buf, r->buf + CL_RECORD_CLEAR,
                                  CL_RESULT))
    CL_ENSURES(((struct cloister_record *)r->buf)->length == CL_RESULT &&
               ((struct cloister_record *)r->buf)->nonce == head->nonce &&
               ((struct cloister_record *)r->buf)->keys ==
                   sizeof(struct cloister_record_key) &&
               !((struct cloister_record *)r->buf)->reserved);

/* ---- Reading ------------------------------------------------------------ */

/* What it accepts says its own length, and is long enough for a state. */
int cl_record_head(const void *buf, size_t len, struct cloister_record *head,
                   struct cloister_record_key *keys)
    CL_REQUIRES(len <= CL_RECORD_PROOF && CL_BYTES(buf, len))
    CL_REQUIRES(CL_OBJECT(head) && CL_OBJECT(keys))
    CL_ASSIGNS(*head, *keys)
    CL_ENSURES(CL_RESULT == 0 || CL_RESULT == -EINVAL ||
               CL_RESULT == -EOPNOTSUPP || CL_RESULT == -EMSGSIZE)
    CL_ENSURES(CL_RESULT ||
               (len >= CL_RECORD_LEAST && head->length == len &&
                head->revision == CLOISTER_RECORD_REVISION &&
                !head->reserved && head->keys == sizeof(*keys)))
    CL_ENSURES(CL_RESULT ||
               (CL_ANY(head, sizeof(*head)) == CL_ANY(buf, sizeof(*head)) &&
                CL_ANY(keys, sizeof(*keys)) ==
                CL_ANY((const uint8_t *)buf + sizeof(*head), sizeof(*keys))))
    CL_ENSURES(!CL_RESULT || (CL_SAME(head->length) && CL_SAME(head->nonce) &&
                              CL_SAME(keys->key[0])));

size_t cl_record_body_size(size_t len)
    CL_ASSIGNS()
    CL_ENSURES(CL_RESULT == (len < CL_RECORD_LEAST ? 0 :
               len - CL_RECORD_CLEAR - CLOISTER_RECORD_TAG));

/* As cl_record_open() leaves it, with four entries. */
#define CL_RECORD_OPENED(b)                                               \
    ((b)->state.pages == 4 && CL_BYTES((b)->pages, 4 * CL_RECORD_ENTRY))

void cl_record_page(const struct cl_record_body *b, uint32_t i,
                    struct cl_record_page *p)
    CL_REQUIRES(CL_OBJECT(b) && CL_RECORD_OPENED(b) && i < b->state.pages &&
                CL_OBJECT(p))
    CL_ASSIGNS(*p)
    CL_ENSURES(p->gfn <= UINT32_MAX)
    CL_ENSURES(p->version - b->state.base <= UINT32_MAX)
    CL_ENSURES(CL_ANY(p->tag, CL_TAG_SIZE) ==
               CL_ANY(b->pages + i * CL_RECORD_ENTRY + 8, CL_TAG_SIZE));

uint32_t cl_record_gfn(const struct cl_record_body *b, uint32_t i)
    CL_REQUIRES(CL_OBJECT(b) && CL_RECORD_OPENED(b) && i < b->state.pages)
    CL_ASSIGNS()
    CL_ENSURES(CL_RESULT == ((const struct cloister_record_page *)
                             (b->pages + i * CL_RECORD_ENTRY))->gfn);

#endif /* CLOISTER_RECORD_CONTRACT_H */
