/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sealed record (abi/record.h): writing and reading it.
 *
 * All buffers are handed in, and nothing is kept.  What is read may be the
 * work of an enemy who knows everything but the key: no length in it is
 * believed before it has been compared with the buffer's, and nothing behind
 * the header is looked at before the tag has been checked.
 *
 * The cipher runs in the caller's vector section (gcm.h).
 */
#ifndef CLOISTER_RECORD_H
#define CLOISTER_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include <cloister/smm.h>

#include "abi/record.h"

/* Bytes of a record; 0 if that is more than a record can have. */
size_t cl_record_size(uint32_t hvm, uint32_t log, uint32_t pages);

/* ---- Writing ------------------------------------------------------------ */

/* A record that is being written. */
struct cl_record {
    uint8_t *buf;               /* the caller's */
    size_t size;
    uint8_t *hvm;               /* where the HVM records go */
    uint32_t hvm_size;
    uint8_t *log;               /* where the launch log goes */
    uint32_t log_size;
    uint32_t pages, most;       /* added so far, and at most */
    uint64_t base;
};

/*
 * Lays out a record in `buf` for `hvm` bytes of HVM records, `log` bytes of
 * launch log, and at most `pages` pages whose versions are above `base`.
 * -ENOSPC: `size` is not cl_record_size(hvm, log, pages) or more.
 */
int cl_record_begin(struct cl_record *r, void *buf, size_t size, uint32_t hvm,
                    uint32_t log, uint32_t pages, uint64_t base);

/* Where struct cloister_record_key is to be filled in. */
struct cloister_record_key *cl_record_keys(struct cl_record *r);

/*
 * Adds a page.  -ENOSPC: more than was said; -ERANGE: gfn or version cannot
 * be written (base or less, or 2^32 above it).
 */
int cl_record_add(struct cl_record *r, uint64_t gfn, uint64_t version,
                  const uint8_t tag[CL_TAG_SIZE]);

/*
 * Fills in header and state (`.length`, `.keys`, `.pages`, `.hvm`, `.log`,
 * `.base`, signature and revision are the record's own affair), and encrypts with
 * `key`, whose nonce `head->nonce` nobody else uses.  Returns the record's
 * length.
 */
size_t cl_record_seal(struct cl_record *r, const struct cl_key *key,
                      const struct cloister_record *head,
                      const struct cloister_record_state *state);

/* ---- Reading ------------------------------------------------------------ */

/*
 * Copies the header and the key area of the record in [buf, buf + len), if
 * they are well-formed and say that the record is exactly that long.
 * -EINVAL: no record; -EOPNOTSUPP: another revision; -EMSGSIZE: a length is
 * wrong.
 */
int cl_record_head(const void *buf, size_t len, struct cloister_record *head,
                   struct cloister_record_key *keys);

/* A record that was opened. */
struct cl_record_body {
    struct cloister_record_state state;
    uint8_t *hvm;               /* state.hvm bytes */
    uint8_t *log;               /* state.log bytes */
    uint8_t *pages;             /* state.pages entries, see cl_record_page */
};

/* Bytes of the encrypted part of a record of `len` bytes that has a head. */
size_t cl_record_body_size(size_t len);

/*
 * Checks the tag with `key` (of struct cl_key only the cipher's part is
 * looked at) and decrypts into `out`, cl_record_body_size(len) bytes, which
 * may not overlap `buf`; `b` points into it.  cl_record_head() must have
 * accepted the record, and nobody may have written to it since.
 * -EBADMSG: not what was sealed; `out` is zeroed.  -EMSGSIZE: sealed, but
 * its lengths do not fit; -EOPNOTSUPP: sealed, with a policy that is not known.
 */
int cl_record_open(const void *buf, size_t len, const struct cl_gcm_key *key,
                   void *out, struct cl_record_body *b);

/* Entry i, which must be below state.pages. */
struct cl_record_page {
    uint64_t gfn;
    uint64_t version;
    uint8_t tag[CL_TAG_SIZE];
};

void cl_record_page(const struct cl_record_body *b, uint32_t i,
                    struct cl_record_page *p);

/* The gfn alone. */
uint32_t cl_record_gfn(const struct cl_record_body *b, uint32_t i);

#ifdef __CPROVER
#include <cloister/record_contract.h>
#endif

#endif /* CLOISTER_RECORD_H */
