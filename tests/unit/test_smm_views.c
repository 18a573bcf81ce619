/* SPDX-License-Identifier: BSD-2-Clause */
/* Views and the key table, with OpenSSL as the second opinion. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include <cloister/smm.h>

#include "test.h"

#define SLOTS 4

static struct cl_key slots[SLOTS] __attribute__((aligned(16)));

struct world {
    struct cl_key_table keys;
    struct cl_vm vm;
    struct cl_page p;
    uint8_t key[CL_KEY_SIZE];
    uint8_t src[CL_PAGE_SIZE], dst[CL_PAGE_SIZE];
};

static int make(struct world *w)
{
    uint8_t random[CL_KEY_SIZE];
    int slot;

    memset(slots, 0, sizeof(slots));
    memset(w, 0, sizeof(*w));
    w->keys.slot = slots;
    w->keys.slots = SLOTS;
    memset(w->key, 0x42, sizeof(w->key));
    memcpy(random, w->key, sizeof(random));
    slot = cl_key_install(&w->keys, random);
    if ( slot < 0 )
        return slot;
    w->vm.id = 3;
    w->vm.key = &slots[slot];
    cl_page_assign(&w->vm, &w->p);
    cl_page_seal(&w->vm, &w->p, 77);
    w->vm.sealed = true;
    memset(w->src, 0x11, sizeof(w->src));

    return 0;
}

static int view(struct world *w, struct cl_view *v)
{
    int rc = cl_view_begin(&w->vm, &w->p, v);

    if ( rc )
        return rc;
    cl_view_run(v, w->src, w->dst);
    cl_view_end(&w->vm, &w->p, v);

    return 0;
}

static void le64(uint8_t *to, uint64_t v)
{
    unsigned int i;

    for ( i = 0; i < 8; i++ )
        to[i] = (uint8_t)(v >> (8 * i));
}

/* Decrypts a view as smm.h describes it; 1 if the tag is right. */
static int openssl_open(const uint8_t *key, const struct cl_page *p,
                        uint64_t epoch, const uint8_t *in, uint8_t *out)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t nonce[12] = {}, aad[24], tag[16];
    int n, ok;

    le64(nonce + 4, p->version);
    le64(aad, epoch);
    le64(aad + 8, p->gfn);
    le64(aad + 16, p->version);
    memcpy(tag, p->tag, sizeof(tag));
    EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce);
    EVP_DecryptUpdate(c, NULL, &n, aad, sizeof(aad));
    EVP_DecryptUpdate(c, out, &n, in, CL_PAGE_SIZE);
    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, 16, tag);
    ok = EVP_DecryptFinal_ex(c, out + n, &n) == 1;
    EVP_CIPHER_CTX_free(c);

    return ok;
}

TEST(openssl_opens_a_view)
{
    struct world w;
    struct cl_view v;
    uint8_t plain[CL_PAGE_SIZE];

    CHECK(!make(&w));
    CHECK(!view(&w, &v));
    CHECK(memcmp(w.dst, w.src, CL_PAGE_SIZE));
    CHECK(openssl_open(w.key, &w.p, 1, w.dst, plain));
    CHECK(!memcmp(plain, w.src, CL_PAGE_SIZE));

    w.p.gfn++;      /* the same page elsewhere is another page */
    CHECK(!openssl_open(w.key, &w.p, 1, w.dst, plain));
}

TEST(equal_pages_give_unrelated_views)
{
    struct world w;
    struct cl_view v;
    uint8_t first[CL_PAGE_SIZE];
    unsigned int i, same = 0;

    CHECK(!make(&w));
    CHECK(!view(&w, &v));
    memcpy(first, w.dst, sizeof(first));
    CHECK(!view(&w, &v));
    for ( i = 0; i < CL_PAGE_SIZE; i++ )
        same += first[i] == w.dst[i];
    CHECK(same < 64);       /* 16 are to be expected */
}

TEST(versions_never_repeat)
{
    struct world w;
    struct cl_view v;
    uint64_t last = 0;
    unsigned int i;

    CHECK(!make(&w));
    for ( i = 0; i < 1000; i++ )
    {
        CHECK(!cl_view_begin(&w.vm, &w.p, &v));
        CHECK(v.version > last);
        last = v.version;
    }
    w.vm.key->counter = UINT64_MAX;
    CHECK(cl_view_begin(&w.vm, &w.p, &v) == -EOVERFLOW);
    CHECK(w.vm.key->counter == UINT64_MAX);
}

TEST(only_the_newest_view_is_on_record)
{
    struct world w;
    struct cl_view old, new;

    CHECK(!make(&w));
    CHECK(!cl_view_begin(&w.vm, &w.p, &old));
    CHECK(!cl_view_begin(&w.vm, &w.p, &new));
    cl_view_run(&new, w.src, w.dst);
    cl_view_end(&w.vm, &w.p, &new);
    cl_view_run(&old, w.src, w.dst);
    cl_view_end(&w.vm, &w.p, &old);     /* late: must not count */
    CHECK(w.p.version == new.version);
    CHECK(!memcmp(w.p.tag, new.tag, sizeof(new.tag)));
}

TEST(a_page_that_moved_on_keeps_no_tag)
{
    struct world w;
    struct cl_view v;

    CHECK(!make(&w));
    CHECK(!cl_view_begin(&w.vm, &w.p, &v));
    cl_view_run(&v, w.src, w.dst);
    CHECK(!cl_page_leave(&w.vm, &w.p));
    cl_view_end(&w.vm, &w.p, &v);
    CHECK(!w.p.version);

    CHECK(!make(&w));
    CHECK(!cl_view_begin(&w.vm, &w.p, &v));
    cl_view_run(&v, w.src, w.dst);
    CHECK(!cl_page_free(&w.vm, &w.p, w.src));
    cl_view_end(&w.vm, &w.p, &v);
    CHECK(!w.p.version && !w.p.state);
}

TEST(a_key_that_goes_meanwhile_spoils_the_view)
{
    struct world w;
    struct cl_view v;

    CHECK(!make(&w));
    CHECK(!cl_view_begin(&w.vm, &w.p, &v));
    cl_view_run(&v, w.src, w.dst);
    cl_key_erase(&w.keys, 0);
    CHECK(cl_view_end(&w.vm, &w.p, &v) == -ENOENT && !w.p.version);

    CHECK(!make(&w));
    CHECK(!cl_view_begin(&w.vm, &w.p, &v));
    w.vm.key = NULL;
    CHECK(cl_view_end(&w.vm, &w.p, &v) == -ENOENT && !w.p.version);
}

TEST(no_view_of_anything_else)
{
    struct world w;
    struct cl_view v;
    uint64_t counter;

    CHECK(!make(&w));
    counter = w.vm.key->counter;
    w.vm.sealed = false;
    CHECK(cl_view_begin(&w.vm, &w.p, &v) == -EINVAL);
    w.vm.sealed = true;
    w.vm.id++;
    CHECK(cl_view_begin(&w.vm, &w.p, &v) == -EPERM);
    w.vm.id--;
    w.p.state = CL_PAGE_BUILDING;
    CHECK(cl_view_begin(&w.vm, &w.p, &v) == -EINVAL);
    w.p.state = CL_PAGE_LEAVING;
    CHECK(cl_view_begin(&w.vm, &w.p, &v) == -EINVAL);
    w.p.state = CL_PAGE_FREE;
    CHECK(cl_view_begin(&w.vm, &w.p, &v) == -EPERM);
    w.p.state = CL_PAGE_SHARED;
    CHECK(w.vm.key->counter == counter);
    CHECK(!cl_view_begin(&w.vm, &w.p, &v));
    w.vm.key = NULL;
    CHECK(cl_view_begin(&w.vm, &w.p, &v) == -EINVAL);
}

TEST(keys_are_fresh_and_erased)
{
    static const struct cl_key none;
    struct world w;
    uint8_t random[CL_KEY_SIZE], zero[CL_KEY_SIZE] = {};
    unsigned int i;

    CHECK(!make(&w));                   /* took slot 0, epoch 1 */
    for ( i = 1; i < SLOTS; i++ )
    {
        memset(random, (int)i, sizeof(random));
        CHECK(cl_key_install(&w.keys, random) == (int)i);
        CHECK(!memcmp(random, zero, sizeof(zero)));
        CHECK(slots[i].epoch == i + 1);
    }
    memset(random, 9, sizeof(random));
    CHECK(cl_key_install(&w.keys, random) == -ENOSPC);
    CHECK(!memcmp(random, zero, sizeof(zero)));

    cl_key_erase(&w.keys, 2);
    CHECK(!memcmp(&slots[2], &none, sizeof(none)));
    CHECK(slots[1].epoch && slots[3].epoch);
    cl_key_erase(&w.keys, SLOTS);       /* out of range: nothing happens */

    memset(random, 9, sizeof(random));
    CHECK(cl_key_install(&w.keys, random) == 2);
    CHECK(slots[2].epoch == SLOTS + 1); /* an epoch never comes back */
}

/* As many jobs as there may be at a time, and more; with vectors of any width
 * the same views. */
TEST(a_batch_of_views_is_the_views_one_by_one)
{
    enum { NR = 11 };
    static uint8_t src[NR][CL_PAGE_SIZE], dst[NR][CL_PAGE_SIZE];
    struct cl_view views[NR];
    struct cl_view_job jobs[NR];
    struct world w;
    unsigned int i, n;

    CHECK(!make(&w));
    for ( n = 0; n <= NR; n++ )
    {
        for ( i = 0; i < NR; i++ )
        {
            memset(src[i], (int)(n + i), CL_PAGE_SIZE);
            memset(dst[i], 0, CL_PAGE_SIZE);
            CHECK(!cl_view_begin(&w.vm, &w.p, &views[i]));
            jobs[i] = (struct cl_view_job){ &views[i], src[i], dst[i] };
        }
        cl_view_run_jobs(cl_gcm_best(0), jobs, n);
        for ( i = 0; i < n; i++ )
        {
            struct cl_view v = views[i];

            cl_view_run(&v, src[i], w.dst);
            CHECK(!memcmp(w.dst, dst[i], CL_PAGE_SIZE));
            CHECK(!memcmp(v.tag, views[i].tag, CL_TAG_SIZE));
        }
        for ( ; i < NR; i++ )
            CHECK(dst[i][0] == 0 && dst[i][4095] == 0);
    }
}
