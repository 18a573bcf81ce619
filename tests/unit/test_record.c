/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sealed record, with OpenSSL as the second opinion: what was sealed can
 * be opened, and nothing else.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include <cloister/record.h>

#include "../fuzz/fuzz_record.c"

#include "test.h"

#define HVM     1000
#define LOG     300
#define PAGES   37
#define BASE    1000000ull

static struct cl_key slots[1];
static struct cl_key_table table = { .slot = slots, .slots = 1 };
static uint8_t raw[CL_KEY_SIZE];

struct world {
    uint8_t buf[4096], body[4096];
    size_t len;
    struct cloister_record head;
    struct cloister_record_state state;
    struct cl_record_body b;
};

static void make_key(void)
{
    uint8_t random[CL_KEY_SIZE];

    if ( slots[0].epoch )
        return;
    memset(raw, 0x42, sizeof(raw));
    memcpy(random, raw, sizeof(random));
    cl_key_install(&table, random);
}

static void page_tag(unsigned int i, uint8_t tag[CL_TAG_SIZE])
{
    memset(tag, (int)i, CL_TAG_SIZE);
}

static int make(struct world *w, uint32_t hvm, uint32_t pages)
{
    struct cl_record r;
    uint8_t tag[CL_TAG_SIZE];
    unsigned int i;
    int rc;

    make_key();
    memset(w, 0, sizeof(*w));
    rc = cl_record_begin(&r, w->buf, sizeof(w->buf), hvm, LOG, pages,
                         BASE);
    if ( rc )
        return rc;
    memset(cl_record_keys(&r), 0x77, sizeof(struct cloister_record_key));
    memset(r.hvm, 0x33, hvm);
    memset(r.log, 0x44, LOG);
    for ( i = 0; i < pages; i++ )
    {
        page_tag(i, tag);
        rc = cl_record_add(&r, 1000 - i, BASE + 1 + i, tag);
        if ( rc )
            return rc;
    }
    memset(w->head.uuid, 5, sizeof(w->head.uuid));
    w->head.nonce = 0x1234567890ull;
    w->state.epoch = 9;
    w->state.vcpus = 2;
    w->state.params[3] = 0xabcdef;
    w->len = cl_record_seal(&r, &slots[0], &w->head, &w->state);

    return w->len ? 0 : -1;
}

static int open_it(struct world *w)
{
    struct cloister_record_key keys;
    int rc = cl_record_head(w->buf, w->len, &w->head, &keys);

    memset(w->body, 0xee, sizeof(w->body));

    return rc ? rc : cl_record_open(w->buf, w->len, &slots[0].gcm, w->body,
                                    &w->b);
}

TEST(what_was_sealed_opens)
{
    struct world w;
    struct cl_record_page p;
    uint8_t tag[CL_TAG_SIZE];
    unsigned int i;

    CHECK(!make(&w, HVM, PAGES));
    CHECK(w.len == cl_record_size(HVM, LOG, PAGES));
    CHECK(w.len == 80 + 80 + 640 + HVM + LOG + 24 * PAGES + 16);
    CHECK(!open_it(&w));
    CHECK(w.head.uuid[15] == 5 && w.head.length == w.len);
    CHECK(w.b.state.epoch == 9 && w.b.state.vcpus == 2);
    CHECK(w.b.state.params[3] == 0xabcdef);
    CHECK(w.b.state.hvm == HVM && w.b.state.pages == PAGES);
    for ( i = 0; i < HVM; i++ )
        CHECK(w.b.hvm[i] == 0x33);
    CHECK(w.b.state.log == LOG);
    for ( i = 0; i < LOG; i++ )
        CHECK(w.b.log[i] == 0x44);
    for ( i = 0; i < PAGES; i++ )
    {
        cl_record_page(&w.b, i, &p);
        CHECK(cl_record_gfn(&w.b, i) == p.gfn);
        page_tag(i, tag);
        CHECK(p.gfn == 1000 - i && p.version == BASE + 1 + i);
        CHECK(!memcmp(p.tag, tag, sizeof(tag)));
    }
}

TEST(the_empty_record)
{
    struct world w;

    CHECK(!make(&w, 0, 0) && !open_it(&w));
    CHECK(!w.b.state.hvm && !w.b.state.pages);
}

/* As docs/formats.md describes it. */
TEST(openssl_opens_it)
{
    struct world w;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t nonce[12] = { 1, 0, 0, 0, 0x90, 0x78, 0x56, 0x34, 0x12 };
    uint8_t out[4096];
    int n, body;

    CHECK(!make(&w, HVM, PAGES) && !open_it(&w));
    body = (int)w.len - 160 - 16;
    EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, raw, nonce);
    EVP_DecryptUpdate(c, NULL, &n, w.buf, 160);
    EVP_DecryptUpdate(c, out, &n, w.buf + 160, body);
    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, 16, w.buf + w.len - 16);
    CHECK(EVP_DecryptFinal_ex(c, out + n, &n) == 1);
    EVP_CIPHER_CTX_free(c);
    CHECK(!memcmp(out, w.body, (size_t)body));
    CHECK(out[0] == 9 && out[640] == 0x33);
}

TEST(every_flipped_bit_is_refused)
{
    struct world w;
    struct cloister_record_key keys;
    struct cloister_record head;
    unsigned int bit;

    CHECK(!make(&w, 100, 5));
    for ( bit = 0; bit < w.len * 8; bit++ )
    {
        w.buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
        memset(w.body, 0xee, sizeof(w.body));
        if ( !cl_record_head(w.buf, w.len, &head, &keys) )
            CHECK(cl_record_open(w.buf, w.len, &slots[0].gcm, w.body,
                                 &w.b) == -EBADMSG && !w.body[0] &&
                  !w.body[w.len - 177]);
        w.buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(!open_it(&w));
}

TEST(every_other_length_is_refused)
{
    struct world w;
    struct cloister_record_key keys;
    struct cloister_record head;
    size_t len;

    CHECK(!make(&w, HVM, PAGES));
    for ( len = 0; len < sizeof(w.buf); len++ )
        CHECK(cl_record_head(w.buf, len, &head, &keys) ==
              (len == w.len ? 0 : -EMSGSIZE));
    CHECK(!cl_record_body_size(815) && cl_record_body_size(816) == 640);
}

TEST(the_header_is_looked_at_first)
{
    static const struct { unsigned int offset; int error; } field[] = {
        { 0, -EINVAL }, { 7, -EINVAL }, { 8, -EOPNOTSUPP },
        { 12, -EMSGSIZE }, { 15, -EMSGSIZE }, { 72, -EMSGSIZE },
        { 76, -EOPNOTSUPP }, { 16, 0 }, { 64, 0 },
    };
    struct world w;
    struct cloister_record_key keys;
    struct cloister_record head;
    unsigned int i;

    CHECK(!make(&w, HVM, PAGES));
    for ( i = 0; i < sizeof(field) / sizeof(field[0]); i++ )
    {
        w.buf[field[i].offset] ^= 2;
        CHECK(cl_record_head(w.buf, w.len, &head, &keys) == field[i].error);
        w.buf[field[i].offset] ^= 2;
    }
}

/* Sealed with the right key, and wrong all the same. */
static int reseal(struct world *w, size_t offset, uint32_t value)
{
    uint8_t nonce[12] = { 1 };

    if ( make(w, HVM, PAGES) || open_it(w) )
        return -1;
    memcpy(w->body + offset, &value, sizeof(value));
    memcpy(nonce + 4, &w->head.nonce, 8);
    cl_gcm_seal(&slots[0].gcm, nonce, w->buf, 160, w->body, w->buf + 160,
                w->len - 176, w->buf + w->len - 16);

    return open_it(w);
}

TEST(lengths_inside_are_checked_too)
{
    struct world w;

    CHECK(!reseal(&w, 16, PAGES));
    CHECK(reseal(&w, 16, PAGES + 1) == -EMSGSIZE && !w.body[0]);
    CHECK(reseal(&w, 16, PAGES - 1) == -EMSGSIZE);
    CHECK(reseal(&w, 16, UINT32_MAX) == -EMSGSIZE);
    CHECK(reseal(&w, 20, HVM + 24) == -EMSGSIZE);
    CHECK(reseal(&w, 20, UINT32_MAX) == -EMSGSIZE);
    CHECK(reseal(&w, 28, 1) == -EOPNOTSUPP && !w.body[0]);
}

/* A slot of the key table whose epoch is 0 is free. */
TEST(an_epoch_of_zero_is_refused)
{
    struct world w;

    CHECK(reseal(&w, offsetof(struct cloister_record_state, epoch), 0) ==
              -EBADMSG && !w.body[0]);
    CHECK(!reseal(&w, offsetof(struct cloister_record_state, epoch), 8));
}

TEST(what_cannot_be_written_is_refused)
{
    static uint8_t buf[4096];
    struct cl_record r;
    struct cloister_record head = { .nonce = 1 };
    struct cloister_record_state state = { .epoch = 1 };
    uint8_t tag[CL_TAG_SIZE] = { 0 };
    size_t need = cl_record_size(0, 0, 1);

    make_key();
    CHECK(!cl_record_size(UINT32_MAX, 0, 0) &&
          !cl_record_size(0, UINT32_MAX, 0) &&
          !cl_record_size(0, 0, UINT32_MAX));
    CHECK(cl_record_begin(&r, buf, need - 1, 0, 0, 1, BASE) == -ENOSPC);
    CHECK(cl_record_begin(&r, buf, sizeof(buf), 0, 0, UINT32_MAX, BASE) ==
          -ENOSPC);
    CHECK(!cl_record_begin(&r, buf, need, 0, 0, 1, BASE));
    CHECK(cl_record_add(&r, 1, BASE, tag) == -ERANGE);
    CHECK(cl_record_add(&r, 1, 0, tag) == -ERANGE);
    CHECK(cl_record_add(&r, 1, BASE + (1ull << 32), tag) == -ERANGE);
    CHECK(cl_record_add(&r, CL_GFN_NONE, BASE + 1, tag) == -ERANGE);
    CHECK(!cl_record_add(&r, 1, BASE + UINT32_MAX, tag));
    CHECK(cl_record_add(&r, 2, BASE + 1, tag) == -ENOSPC);
    CHECK(cl_record_seal(&r, &slots[0], &head, &state) == need);

    /* Fewer than there was room for. */
    CHECK(!cl_record_begin(&r, buf, sizeof(buf), 0, 0, 7, BASE));
    CHECK(!cl_record_add(&r, 1, BASE + 1, tag));
    CHECK(cl_record_seal(&r, &slots[0], &head, &state) == need);
}

TEST(keys_come_and_go)
{
    static struct cl_key two[2];
    struct cl_key_table t = { .slot = two, .slots = 2 };
    uint8_t key[CL_KEY_SIZE], out[CL_KEY_SIZE];

    memset(key, 7, sizeof(key));
    CHECK(cl_key_adopt(&t, key, 55) == 0 && !key[0] && !t.epoch);
    CHECK(two[0].epoch == 55 && two[0].counter == UINT64_MAX);
    cl_key_raw(&two[0], out);
    memset(key, 7, sizeof(key));
    CHECK(!memcmp(key, out, sizeof(key)));
    CHECK(cl_key_install(&t, key) == 1 && two[1].epoch == 1);
    CHECK(cl_key_adopt(&t, key, 56) == -ENOSPC);
    cl_key_erase(&t, 0);
    cl_key_raw(&two[0], out);
    CHECK(!out[0] && !two[0].epoch);
}

/* Runs it, and keeps it for the fuzzer if $SEEDS is a folder. */
static unsigned int seed(const char *name, const uint8_t *data, size_t size)
{
    const char *dir = getenv("SEEDS");
    unsigned int before = walked;
    char path[4096];
    FILE *f;

    LLVMFuzzerTestOneInput(data, size);
    if ( !dir )
        return walked - before;
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "wb");
    if ( !f || fwrite(data, 1, size, f) != size || fclose(f) )
        return 0;

    return walked - before;
}

/* A whole record, and what is inside of one, without and with pages. */
TEST(the_fuzzer_gets_through)
{
    static uint8_t input[4097];
    unsigned int i;

    for ( i = 0; i < 2; i++ )
    {
        struct world w;

        CHECK(!make(&w, i * 100, i * 5) && !open_it(&w));
        input[0] = 0;
        memcpy(input + 1, w.buf, w.len);
        CHECK(seed(i ? "record" : "record-empty", input, 1 + w.len) == 1);
        input[0] = 1;
        memcpy(input + 1, w.body, w.len - 176);
        CHECK(seed(i ? "inside" : "inside-empty", input, 1 + w.len - 176) == 1);
        input[1 + 16] ^= 1; /* the number of pages */
        CHECK(!seed("inside-pages", input, 1 + w.len - 176));
    }
}

/* What a fuzzer does for longer: random lengths inside, most of them wrong. */
TEST(any_lengths_inside)
{
    static uint8_t input[1 + 640 + 2400];
    struct cloister_record_state state;
    unsigned int i;

    srandom(1);
    for ( i = 0; i < 20000; i++ )
    {
        size_t size = 600 + (size_t)random() % 2400;

        memset(&state, 0, sizeof(state));
        state.pages = (uint32_t)random() % 80;
        state.hvm = (uint32_t)(random() % 2 ? size - 640 - state.pages * 24ul
                                            : (unsigned long)random());
        input[0] = (uint8_t)(random() % 8);
        memcpy(input + 1, &state, sizeof(state));
        LLVMFuzzerTestOneInput(input, 1 + size);
    }
}
