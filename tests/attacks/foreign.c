/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dom0 as another host that guests come from: a migration key of its own, and
 * records of guests that never were (abi/record.h, abi/migrate.h).  Of the
 * engine's code nothing is used: the enemy writes his own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "attack.h"
#include "foreign.h"

#define OWN_KEY "/tmp/foreign.key"
#define CLEAR                                                                 \
    (sizeof(struct cloister_record) + sizeof(struct cloister_record_key))
#define TAG CLOISTER_RECORD_TAG
#define DESC sizeof(struct hvm_save_descriptor)
#define CONTEXT_HEADER (DESC + sizeof(struct hvm_save_header))

static uint8_t own[CLOISTER_MIGRATION_KEY]; /* dom0's migration key */

/* ---- Its migration key ------------------------------------------------------ */

/* As an owner does it; dom0 believes its own evidence. */
static const char allow[] =
    "cd /tmp && rm -rf foreign && mkdir foreign && cd foreign && "
    "head -c 32 /dev/urandom >key && cloister keys -f host.key && "
    "cloister attest -n " NONCE " -o host && cp host/ak.pem . && "
    "printf 'key ak.pem\\nreference none\\n' >policy && "
    "cloister seal -m -n " NONCE " --to host --policy policy <key >blob && "
    "cloister allow <blob && mv key " OWN_KEY;

int foreign_allow(void)
{
    FILE *f = fopen(OWN_KEY, "r");
    bool got;

    if ( !f && !run("sh", "-c", allow, NULL) )
        f = fopen(OWN_KEY, "r");
    got = f && fread(own, sizeof(own), 1, f) == 1;
    if ( f )
        fclose(f);
    if ( !got )
        verdict(ERROR, "no migration key of dom0's own (/tmp/attack.log)");
    return got ? 0 : -1;
}

static void derive(const char *label, const uint8_t *salt, uint8_t out[32])
{
    uint8_t in[80] = {0};

    memcpy(in, label, strlen(label));
    memcpy(in + 16, own, sizeof(own));
    if ( salt )
        memcpy(in + 48, salt, 32);
    SHA256(in, sizeof(in), out);
}

void foreign_option(char out[FOREIGN_OPTION])
{
    uint8_t name[32];
    unsigned int i;
    char *at = out + sprintf(out, CLOISTER_MIGRATION_OPTION);

    derive(CLOISTER_MIGRATION_NAME, NULL, name);
    for ( i = 0; i < sizeof(name); i++ )
        at += sprintf(at, "%02x", name[i]);
}

/* ---- Launch logs ------------------------------------------------------------ */

void foreign_log_make(struct foreign_log *log)
{
    struct cloister_item item = {.type = CLOISTER_ITEM_start};
    char text[FOREIGN_OPTION];

    foreign_option(text);
    item.length = sizeof(text);
    SHA256((void *)text, sizeof(text), item.digest);
    memset(log, 0, sizeof(*log));
    memcpy(log->bytes, &item, sizeof(item));
    memcpy(log->bytes + sizeof(item), text, sizeof(text));
    log->size = sizeof(item) + ((sizeof(text) + 7) & ~7ul);
    SHA256((void *)&item, sizeof(item), log->measurement);
}

int foreign_log_read(uint32_t id, struct foreign_log *log)
{
    struct cloister_log part = {
        .revision = CLOISTER_ABI_REVISION,
        .domid = id,
    };

    memset(log, 0, sizeof(*log));
    do
    {
        part.offset = log->size;
        if ( cloister_op(CLOISTER_OP_log, &part, sizeof(part)) ||
             !part.length || part.length > sizeof(part.data) ||
             part.total > sizeof(log->bytes) - sizeof(part.data) )
            return -1;
        memcpy(log->bytes + log->size, part.data, part.length);
        log->size += part.length;
    } while ( log->size < part.total );
    memcpy(log->measurement, part.measurement, sizeof(log->measurement));
    return 0;
}

int foreign_log_name(struct foreign_log *log)
{
    struct cloister_item item;
    char text[FOREIGN_OPTION];
    size_t at = 0;

    foreign_option(text);
    while ( log->size - at >= sizeof(item) )
    {
        memcpy(&item, log->bytes + at, sizeof(item));
        at += sizeof(item);
        if ( item.length > log->size - at )
            break;
        if ( item.type == CLOISTER_ITEM_start && item.length > sizeof(text) )
        {
            memcpy(log->bytes + at + item.length - sizeof(text), text,
                   sizeof(text));
            return 0;
        }
        at += (item.length + 7) & ~7ul;
    }
    return -1;
}

/* ---- Records ---------------------------------------------------------------- */

/* AES-256-GCM, in place. */
static void encrypt(const uint8_t key[32], const uint8_t nonce[12],
                    const void *aad, int aad_size, uint8_t *data, int size,
                    uint8_t tag[TAG])
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n;

    if ( !c || !EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) ||
         !EVP_EncryptUpdate(c, NULL, &n, aad, aad_size) ||
         !EVP_EncryptUpdate(c, data, &n, data, size) ||
         !EVP_EncryptFinal_ex(c, data + n, &n) ||
         !EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, tag) )
        abort();
    EVP_CIPHER_CTX_free(c);
}

/* The instance that such a key belongs to. */
static void derive_instance(struct foreign *f)
{
    uint8_t in[48] = "instance", digest[SHA256_DIGEST_LENGTH];

    memcpy(in + 16, f->key, sizeof(f->key));
    SHA256(in, sizeof(in), digest);
    memcpy(f->head.instance, digest, sizeof(f->head.instance));
}

/* The record's clear part: from a host that nobody knows. */
static void fill_head(struct foreign *f, size_t length)
{
    f->head = (struct cloister_record){
        .signature = CLOISTER_RECORD_SIGNATURE,
        .revision = CLOISTER_RECORD_REVISION,
        .length = length,
        .nonce = 1,
        .keys = sizeof(struct cloister_record_key),
    };
    if ( RAND_bytes(f->head.host, sizeof(f->head.host)) != 1 ||
         RAND_bytes(f->key, sizeof(f->key)) != 1 )
        abort();
    derive_instance(f);
}

/* At `to`: the record with this context in it; its length. */
static size_t make_record(struct foreign *f, const uint8_t *context,
                          size_t size, uint8_t *to)
{
    struct cloister_record_state state = {
        .epoch = f->epoch,
        .hvm = size,
        .vcpus = 1,
        .log = f->log.size,
    };
    size_t body = sizeof(state) + size + f->log.size;
    const uint8_t nonce[12] = {CLOISTER_RECORD_NONCE, [4] = 1};
    uint8_t *at = to + CLEAR;

    fill_head(f, CLEAR + body + TAG);
    memset(to, 0, CLEAR);
    memcpy(to, &f->head, sizeof(f->head));
    memcpy(state.measurement, f->log.measurement, sizeof(state.measurement));
    memcpy(at, &state, sizeof(state));
    memcpy(at + sizeof(state), context, size);
    memcpy(at + sizeof(state) + size, f->log.bytes, f->log.size);
    encrypt(f->key, nonce, to, CLEAR, at, body, at + body);
    return CLEAR + body + TAG;
}

/* Header, record, end; from the context that the new domain has. */
static int send_record(uint32_t id, struct foreign *f)
{
    static uint8_t has[1 << 16], out[1 << 18];
    struct hvm_save_descriptor desc = {.typecode = CLOISTER_HVM_CODE};
    const struct hvm_save_descriptor end = {.typecode = HVM_SAVE_CODE(END)};
    int size = xc_domain_hvm_getcontext(xch, id, has, sizeof(has));

    if ( size < (int)CONTEXT_HEADER )
        return -1;
    memcpy(out, has, CONTEXT_HEADER);
    desc.length = make_record(f, has, size, out + CONTEXT_HEADER + DESC);
    memcpy(out + CONTEXT_HEADER, &desc, DESC);
    size = CONTEXT_HEADER + DESC + desc.length;
    memcpy(out + size, &end, DESC);
    return xc_domain_hvm_setcontext(xch, id, out, size + DESC);
}

/* For the challenge that the domain has. */
static long send_key(uint32_t id, struct foreign *f)
{
    struct cloister_release what = {.nonce = f->head.nonce};
    struct cloister_migrate m = {
        .revision = CLOISTER_ABI_REVISION,
        .domid = id,
        .action = CLOISTER_MIGRATE_offer,
    };
    static const uint8_t nonce[12];
    uint8_t key[32];

    derive(CLOISTER_MIGRATION_NAME, NULL, m.owner);
    if ( cloister_op(CLOISTER_OP_migrate, &m, sizeof(m)) )
        return -ENOENT;
    memcpy(what.instance, f->head.instance, sizeof(what.instance));
    memcpy(what.challenge, m.challenge, sizeof(what.challenge));
    if ( RAND_bytes(m.key.salt, sizeof(m.key.salt)) != 1 )
        abort();
    derive(CLOISTER_MIGRATION_LABEL, m.key.salt, key);
    memcpy(m.key.key, f->key, sizeof(m.key.key));
    encrypt(key, nonce, &what, sizeof(what), m.key.key, sizeof(m.key.key),
            m.key.tag);
    m.action = CLOISTER_MIGRATE_receive;
    return cloister_op(CLOISTER_OP_migrate, &m, sizeof(m));
}

long foreign_arrives(struct foreign *f)
{
    struct victim v;
    long rc = -ENOENT;

    if ( victim_create(&v, NULL) )
        return rc;
    f->at = v.log;
    if ( !send_record(v.id, f) )
        rc = send_key(v.id, f);
    victim_destroy(&v);
    return rc;
}
