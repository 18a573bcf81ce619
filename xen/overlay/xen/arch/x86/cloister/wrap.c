/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Wraps the keys of saved guests under the host's.
 *
 * The host's secret comes from the host key (hostkey.c), which the TPM gives
 * to this Xen in every boot.  Until dom0 has brought its blob, and where there
 * is no TPM, one that was made when the first guest was sealed takes its
 * place, and lives as long as this Xen.  A record names the secret that it was
 * wrapped with.
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
static uint8_t boot_secret[32];
static bool have_secret;

struct derivation {
    char label[16];
    uint8_t secret[32];
    uint8_t salt[32];
};

/* lasts: the one that is the same in every boot. */
static bool host_secret(bool lasts, uint8_t out[32])
{
    if ( lasts )
        return cloister_host_key(out, "wrap");

    spin_lock(&host_lock);
    memcpy(out, boot_secret, sizeof(boot_secret));
    spin_unlock(&host_lock);

    return read_atomic(&have_secret);
}

/* No length is variable. */
void cloister_derive(const uint8_t secret[32], const char *label,
                     const uint8_t *salt, uint8_t out[32])
{
    struct derivation d = {};

    strlcpy(d.label, label, sizeof(d.label));
    memcpy(d.secret, secret, sizeof(d.secret));
    if ( salt )
        memcpy(d.salt, salt, sizeof(d.salt));
    sha2_256_digest(out, &d, sizeof(d));
    cl_wipe(&d, sizeof(d));
}

static bool derive(bool lasts, const char *label, const uint8_t *salt,
                   uint8_t out[32])
{
    uint8_t secret[32];
    bool ok = host_secret(lasts, secret);

    if ( ok )
        cloister_derive(secret, label, salt, out);
    cl_wipe(secret, sizeof(secret));

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
        memcpy(boot_secret, random, sizeof(boot_secret));
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
    cl_wipe(boot_secret, sizeof(boot_secret));
    cloister_hostkey_wipe();
    cloister_owners_wipe();
}

static bool id_of(bool lasts, uint8_t id[16])
{
    uint8_t digest[32];
    bool ok = derive(lasts, "host id", NULL, digest);

    if ( ok )
        memcpy(id, digest, 16);

    return ok;
}

bool cloister_host_id(uint8_t id[16])
{
    return id_of(true, id) || id_of(false, id);
}

static bool is(const uint8_t id[16], bool lasts)
{
    uint8_t mine[16];

    return id_of(lasts, mine) && !memcmp(id, mine, sizeof(mine));
}

bool cloister_host_lasts(const uint8_t id[16])
{
    return is(id, true);
}

bool cloister_host_is(const uint8_t id[16])
{
    return is(id, true) || is(id, false);
}

int cloister_wrap_cipher(const uint8_t host[16], const char *label,
                         const uint8_t salt[32], struct cl_gcm_key *key)
{
    uint8_t raw[32];
    int rc = -ENOENT;

    if ( cloister_host_is(host) && derive(is(host, true), label, salt, raw) )
        rc = cl_gcm_init(key, raw);
    cl_wipe(raw, sizeof(raw));

    return rc;
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
    rc = cloister_wrap_cipher(head->host, "wrap", out->salt, &key);
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
    rc = cloister_wrap_cipher(head->host, "wrap", in->salt, &key);
    if ( !rc )
        rc = cl_gcm_open(&key, zero_nonce, &b, sizeof(b), in->key, raw,
                         CL_KEY_SIZE, in->tag);
    cl_gcm_wipe(&key);
    cloister_simd_end(&simd);

    return rc;
}
