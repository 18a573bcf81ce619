/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Wraps the keys of saved guests under the host's.
 *
 * The host's secret is made when the first guest is sealed, and lives as long
 * as this Xen: an image can be restored on the host that saved it, until that
 * is rebooted.  (A secret that the TPM gives to this Xen only, after a reboot,
 * too, can take its place in host_secret() without anybody else noticing.)
 *
 * Each wrap has a cipher key of its own, SHA-256(label, secret, salt), with a
 * salt of 256 random bits: no nonce can repeat, however many keys are wrapped
 * and however long the secret lives.
 */

#include <xen/sha2.h>

#include <cloister/wipe.h>

#include "private.h"
#include "abi/record.h"

static DEFINE_SPINLOCK(host_lock);
static uint8_t secret[32];
static bool have_secret;

struct derivation {
    char label[16];
    uint8_t secret[32];
    uint8_t salt[32];
};

static bool host_secret(uint8_t out[32])
{
    spin_lock(&host_lock);
    memcpy(out, secret, sizeof(secret));
    spin_unlock(&host_lock);

    return read_atomic(&have_secret);
}

/* SHA-256(label, secret, salt): no length is variable. */
static bool derive(const char *label, const uint8_t *salt, uint8_t out[32])
{
    struct derivation d = {};
    bool ok;

    strlcpy(d.label, label, sizeof(d.label));
    if ( salt )
        memcpy(d.salt, salt, sizeof(d.salt));

    ok = host_secret(d.secret);
    sha2_256_digest(out, &d, sizeof(d));
    cl_wipe(&d, sizeof(d));

    return ok;
}

enum cloister_reason cloister_wrap_init(void)
{
    uint8_t random[32];
    enum cloister_reason why;

    if ( read_atomic(&have_secret) )
        return CLOISTER_WHY_none;

    why = cloister_key_random(random, DOMID_INVALID);
    if ( why )
        return why;

    spin_lock(&host_lock);
    if ( !have_secret )
    {
        memcpy(secret, random, sizeof(secret));
        write_atomic(&have_secret, true);
    }
    spin_unlock(&host_lock);
    cl_wipe(random, sizeof(random));

    return CLOISTER_WHY_none;
}

/* Takes no lock: others may have died with it. */
void cloister_wrap_wipe(void)
{
    write_atomic(&have_secret, false);
    cl_wipe(secret, sizeof(secret));
}

bool cloister_host_id(uint8_t id[16])
{
    uint8_t digest[32];
    bool ok = derive("host id", NULL, digest);

    memcpy(id, digest, 16);

    return ok;
}

/* What the wrapped key is bound to: header fields that say whose it is. */
struct binding {
    uint8_t uuid[16];
    uint8_t instance[16];
    uint8_t host[16];
};

static struct binding binding(const struct cloister_record *head)
{
    struct binding b;

    memcpy(b.uuid, head->uuid, sizeof(b.uuid));
    memcpy(b.instance, head->instance, sizeof(b.instance));
    memcpy(b.host, head->host, sizeof(b.host));

    return b;
}

static const uint8_t zero_nonce[CL_GCM_NONCE_LEN];

/* Inside the vector section. */
static int cipher_key(const uint8_t salt[32], struct cl_gcm_key *key)
{
    uint8_t raw[32];
    int rc = -ENOENT;

    if ( derive("wrap", salt, raw) )
        rc = cl_gcm_init(key, raw);
    cl_wipe(raw, sizeof(raw));

    return rc;
}

int cloister_wrap(const struct cloister_record *head,
                  const uint8_t raw[CL_KEY_SIZE],
                  struct cloister_record_key *out)
{
    struct binding b = binding(head);
    struct cloister_simd simd;
    struct cl_gcm_key key;
    uint64_t salt[4];
    int rc;

    BUILD_BUG_ON(sizeof(salt) != sizeof(out->salt));
    if ( !cloister_cpu_random(salt, ARRAY_SIZE(salt)) )
        return -EIO;
    memcpy(out->salt, salt, sizeof(salt));

    cloister_simd_begin(&simd);
    rc = cipher_key(out->salt, &key);
    if ( !rc )
        cl_gcm_seal(&key, zero_nonce, &b, sizeof(b), raw, out->key,
                    CL_KEY_SIZE, out->tag);
    cl_gcm_wipe(&key);
    cloister_simd_end(&simd);

    return rc;
}

int cloister_unwrap(const struct cloister_record *head,
                    const struct cloister_record_key *in,
                    uint8_t raw[CL_KEY_SIZE])
{
    struct binding b = binding(head);
    struct cloister_simd simd;
    struct cl_gcm_key key;
    int rc;

    cloister_simd_begin(&simd);
    rc = cipher_key(in->salt, &key);
    if ( !rc )
        rc = cl_gcm_open(&key, zero_nonce, &b, sizeof(b), in->key, raw,
                         CL_KEY_SIZE, in->tag);
    cl_gcm_wipe(&key);
    cloister_simd_end(&simd);

    return rc;
}
