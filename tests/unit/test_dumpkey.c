/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port's dump.c, on a software TPM: the copy of a guest's key that is on
 * its way to the owner's, and what becomes of it.  This file stands in for Xen.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <cloister/smm.h>
#include <cloister/tpm2.h>
#include <abi/evidence.h>
#include <abi/hypercall.h>
#include <abi/reason.h>

#include "port_locks.h"
#include "swtpm.h"
#include "test.h"

/* ---- As much of Xen as it needs ------------------------------------------ */

#define CLOISTER_PRIVATE_H

typedef int64_t s_time_t;

#define SECONDS(s) ((s_time_t)(s) * 1000000000)
#define NOW() now
#define ROUNDUP(x, a) (((x) + (a) - 1) & ~((a) - 1))
#define BUILD_BUG_ON(x) _Static_assert(!(x), #x)
#define SHA2_256_DIGEST_SIZE 32
#define ERESTART 85
#define cf_check
#define raise_softirq(nr) ((void)0)
#define XEN_GUEST_HANDLE(type) type##_t *
#define set_xen_guest_handle_raw(h, p) ((h) = (p))
#define copy_to_guest(to, from, n) (memcpy(to, from, n), 0)
#define xvzalloc_array(type, n) ((type *)calloc(n, sizeof(type)))
#define xvfree(p) free(p)
#define domain_pause(d) ((void)(d))
#define domain_unpause(d) ((void)(d))
#define domctl_lock_acquire() true
#define domctl_lock_release() ((void)0)
#define cloister_tpm_present() true
#define cloister_tpm_kick() ((void)0)
#define cloister_record_room(d) room_wanted
#define cloister_refuse(d, why, detail) (refused = (why))

struct cloister_tpm_work
{
    size_t (*cmd)(uint8_t *buf, size_t cap, bool *hold);
    int (*rsp)(const uint8_t *rsp, size_t len);
};

struct cloister_domain
{
    spinlock_t lock;
    unsigned int state;
    struct cl_vm vm;
    uint8_t instance[16];
    uint8_t *log;
    size_t log_size;
};

struct domain
{
    struct
    {
        struct cloister_domain *cloister;
    } arch;
};

static s_time_t now;
static size_t room_wanted = 64;
static enum cloister_reason refused;
static struct cloister_domain guest;
static struct domain domain = {.arch.cloister = &guest};

static struct domain *rcu_lock_domain_by_id(uint16_t domid)
{
    return domid == 5 ? &domain : NULL;
}

static void rcu_unlock_domain(struct domain *d)
{
    (void)d;
}

static int cloister_record_dump(struct domain *d, void *buf, size_t room,
                                size_t *length)
{
    memset(buf, 1, room);
    *length = room;

    return 0;
}

static void sha2_256_digest(uint8_t digest[32], const void *msg, size_t len)
{
    SHA256(msg, len, digest);
}

int cloister_dump_op(struct cloister_dump *op);
void cloister_dump_wipe(void);
void cloister_dump_drop(const struct cloister_domain *cd);
bool cloister_log_names(const uint8_t *log, size_t size, const char *option,
                        const uint8_t value[32]);

#include "../../xen/overlay/xen/arch/x86/cloister/dump.c"

/* ---- A guest, and its owner ----------------------------------------------- */

static EVP_PKEY *owner;
static uint8_t modulus[CL_TPM2_RSA], raw[CL_KEY_SIZE], record[64];
static struct cl_key slots[1] __attribute__((aligned(16)));
static struct cl_key_table table = {.slot = slots, .slots = 1};

static struct
{
    struct cloister_item item;
    char text[96];
} start_item = {.item = {.type = CLOISTER_ITEM_start, .length = 96}};

static void make_owner(void)
{
    BIGNUM *n = NULL;
    uint8_t digest[32];
    unsigned int i;

    owner = EVP_RSA_gen(2048);
    EVP_PKEY_get_bn_param(owner, "n", &n);
    BN_bn2binpad(n, modulus, sizeof(modulus));
    BN_free(n);
    SHA256(modulus, sizeof(modulus), digest);
    strcpy(start_item.text, CLOISTER_DUMP_OPTION);
    for ( i = 0; i < 32; i++ )
        sprintf(start_item.text + strlen(start_item.text), "%02x", digest[i]);
}

static bool begin(void)
{
    uint8_t random[CL_KEY_SIZE];

    if ( !owner )
    {
        make_owner();
        if ( swtpm_start() || swtpm_locality(2) )
            return false;
    }
    memset(&job, 0, sizeof(job));
    memset(raw, 0x5c, sizeof(raw));
    memcpy(random, raw, sizeof(raw));
    cl_key_erase(&table, 0);
    guest = (struct cloister_domain){
        .state = CLOISTER_DOM_sealed,
        .instance = {1, 2, 3},
        .log = (uint8_t *)&start_item,
        .log_size = sizeof(start_item),
    };
    if ( cl_key_install(&table, random) )
        return false;
    guest.vm.key = &slots[0];

    return true;
}

/* As cloister_domain_kill() does it. */
static void kill_guest(void)
{
    guest.state = CLOISTER_DOM_dying;
    guest.vm.key = NULL;
    cl_key_erase(&table, 0);
    cloister_dump_drop(&guest);
}

static bool has_key(const void *p, size_t size)
{
    const uint8_t *bytes = p;
    size_t i;

    for ( i = 0; i + sizeof(raw) <= size; i++ )
        if ( !memcmp(bytes + i, raw, sizeof(raw)) )
            return true;

    return false;
}

/* ---- What tpm.c does ------------------------------------------------------ */

static uint8_t cmd[CL_TPM2_CMD_MAX], rsp[CL_TPM_BUF_SIZE];
static size_t cmd_len;

static bool send(void)
{
    bool hold = false;

    memset(cmd, 0, sizeof(cmd));
    cmd_len = cloister_dump_work.cmd(cmd, sizeof(cmd), &hold);

    return cmd_len;
}

static void receive(void)
{
    size_t n = swtpm_command(cmd, cmd_len, rsp, sizeof(rsp));

    cloister_dump_work.rsp(n ? rsp : NULL, n);
}

static struct cloister_dump op;

static int ask(void)
{
    op.domid = 5;
    op.buffer = (uintptr_t)record;
    op.length = sizeof(record);
    memcpy(op.modulus, modulus, sizeof(modulus));

    return cloister_dump_op(&op);
}

static bool opens(void)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(owner, NULL);
    uint8_t out[256];
    size_t n = sizeof(out);
    bool ok = EVP_PKEY_decrypt_init(c) > 0 &&
              EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) > 0 &&
              EVP_PKEY_CTX_set_rsa_oaep_md(c, EVP_sha256()) > 0 &&
              EVP_PKEY_CTX_set_rsa_mgf1_md(c, EVP_sha256()) > 0 &&
              EVP_PKEY_decrypt(c, out, &n, op.wrapped, 256) > 0;

    EVP_PKEY_CTX_free(c);

    return ok && n == sizeof(raw) && !memcmp(out, raw, n);
}

TEST(the_owner_gets_it)
{
    CHECK(begin());
    CHECK(ask() == -ERESTART && has_key(&job, sizeof(job)));
    while ( send() )
        receive();
    CHECK(!has_key(&job, sizeof(job)) && !job.handle);
    CHECK(ask() == 0 && opens() && record[0] == 1);
}

/* Before each of the commands, and while it is under way. */
TEST(wiped_when_the_guest_ends)
{
    unsigned int at, i;

    for ( at = 0; at < 6; at++ )
    {
        CHECK(begin() && ask() == -ERESTART);
        for ( i = 0; i < at / 2; i++ )
        {
            CHECK(send());
            receive();
        }
        if ( at & 1 )
            CHECK(send());
        kill_guest();
        CHECK(!has_key(&job, sizeof(job)));
        if ( at & 1 )
            receive();
        /* What follows is the flush at most, and nothing is left. */
        for ( i = 0; send(); i++ )
        {
            CHECK(!has_key(cmd, sizeof(cmd)) && i < 1);
            CHECK(cmd_len == 14);
            receive();
        }
        CHECK(!job.busy && !job.handle && !dump_lock && !guest.lock);
        CHECK(ask() == -EINVAL);
    }
}

/* The end of another guest is nothing to it. */
TEST(not_when_another_ends)
{
    struct cloister_domain another = {.instance = {9}};

    CHECK(begin() && ask() == -ERESTART);
    cloister_dump_drop(&another);
    while ( send() )
        receive();
    CHECK(ask() == 0 && opens());
}

/* It has been looked at, and its key goes before it is taken. */
TEST(key_gone_meanwhile)
{
    CHECK(begin());
    guest.vm.key = NULL;
    CHECK(ask() == -ESRCH && !job.busy && !send());
    CHECK(!dump_lock && !guest.lock);
}

/* Without room for the record the TPM is not asked. */
TEST(room_first)
{
    CHECK(begin());
    room_wanted = 65;
    CHECK(ask() == -ENOBUFS && op.length == 65 && !job.busy && !send());
    room_wanted = 0;
    CHECK(ask() == -E2BIG && refused == CLOISTER_WHY_save_large && !send());
    room_wanted = 64;
    CHECK(ask() == -ERESTART && job.busy);
    while ( send() )
        receive();
    CHECK(!ask() && op.length == 64);
}
