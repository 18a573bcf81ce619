/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer entry: a sealed record from whoever stores images.
 *
 * Sources: record/record.c smm/view.c
 * Sources: crypto/aes256gcm_sse.c crypto/aes256gcm_sse_key.c
 * Sources: crypto/aes256gcm_avx.c crypto/aes256gcm_vaes256.c
 * Sources: crypto/aes256gcm_vaes512.c
 *
 * The first byte says which: 0, the input is the record, as it came (nobody
 * can make up a tag, so this is about the header and the lengths); else it is
 * what was encrypted, and is sealed here, so that the lengths inside are
 * reached, too.  Seeds: SEEDS=DIR in the environment of test_record, which
 * also sees that they open.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cloister/record.h>

#define CLEAR (sizeof(struct cloister_record) + \
               sizeof(struct cloister_record_key))
#define TAG   CLOISTER_RECORD_TAG

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int walked;

/* Everything that an opened record says is there must be there. */
static void walk_record(const struct cl_record_body *b, const uint8_t *out,
                 size_t body)
{
    volatile uint8_t sum = 0;
    struct cl_record_page p;
    uint32_t i;

    walked++;
    if ( b->hvm != out + sizeof(b->state) || b->state.hvm > body ||
         b->log != b->hvm + b->state.hvm || b->state.log > body ||
         b->pages != b->log + b->state.log ||
         b->pages + (size_t)b->state.pages * 24 != out + body )
        abort();
    for ( i = 0; i < b->state.hvm; i++ )
        sum += b->hvm[i];
    for ( i = 0; i < b->state.log; i++ )
        sum += b->log[i];
    for ( i = 0; i < b->state.pages; i++ )
    {
        cl_record_page(b, i, &p);
        if ( cl_record_gfn(b, i) != p.gfn )
            abort();
        sum += p.tag[0];
    }
}

static void open_record(const uint8_t *record, size_t len,
                    const struct cl_gcm_key *key)
{
    struct cloister_record_key keys;
    struct cloister_record head;
    struct cl_record_body b;
    size_t body;
    uint8_t *out;

    if ( cl_record_head(record, len, &head, &keys) )
        return;
    body = cl_record_body_size(len);
    out = malloc(body);
    if ( !out )
        abort();
    if ( !cl_record_open(record, len, key, out, &b) )
        walk_record(&b, out, body);
    free(out);
}

/* A record with this inside, whatever it is. */
static void seal_record(const uint8_t *inside, size_t size,
                    const struct cl_gcm_key *key)
{
    size_t len = CLEAR + size + TAG;
    uint8_t *record = calloc(1, len), nonce[CL_GCM_NONCE_LEN] = { 1 };
    struct cloister_record head = {
        .revision = CLOISTER_RECORD_REVISION,
        .length = (uint32_t)len,
        .keys = sizeof(struct cloister_record_key),
    };

    if ( !record )
        abort();
    memcpy(head.signature, CLOISTER_RECORD_SIGNATURE, 8);
    memcpy(record, &head, sizeof(head));
    cl_gcm_seal(key, nonce, record, CLEAR, inside, record + CLEAR, size,
                record + len - TAG);
    open_record(record, len, key);
    free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t raw[CL_GCM_KEY_LEN];
    struct cl_gcm_key key;

    memset(raw, 0x42, sizeof(raw));
    if ( !size || cl_gcm_init(&key, raw) )
        return 0;

    if ( data[0] )
        seal_record(data + 1, size - 1, &key);
    else
        open_record(data + 1, size - 1, &key);

    return 0;
}
