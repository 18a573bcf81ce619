/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Migration: the key of a guest that moves to another host (abi/migrate.h).
 *
 * The record that xl migrate carries has the key wrapped for this host only.
 * At the end, when the target has all pages and the record, and the source's
 * guest will not run again, the source releases it, wrapped with what both
 * hosts have from the guest's owner, for the challenge of one domain there.
 * A challenge is used once and dies with its domain, so nothing that was sent
 * can be played again, whoever has recorded it.
 */

#include <xen/domain.h>
#include <xen/sched.h>
#include <xen/sha2.h>

#include <public/sched.h>

#include <cloister/gcm.h>
#include <cloister/wipe.h>

#include "private.h"

/* ---- Owners' keys ---------------------------------------------------------- */

struct owner {
    uint8_t secret[CLOISTER_MIGRATION_KEY];
    uint8_t name[32];
};

static DEFINE_SPINLOCK(owners_lock);
static struct owner owners[CLOISTER_OWNERS];
static unsigned int added;      /* in all; the oldest make room */

void cloister_owner_add(const uint8_t secret[CLOISTER_MIGRATION_KEY])
{
    uint8_t name[32];
    struct owner *o;
    unsigned int i;

    /* Names are known to all: how long their comparison takes says nothing. */
    cloister_derive(secret, CLOISTER_MIGRATION_NAME, NULL, name);
    spin_lock(&owners_lock);
    for ( i = 0; i < added && i < CLOISTER_OWNERS; i++ )
        if ( !memcmp(owners[i].name, name, sizeof(name)) )
            break;
    if ( i == added || i == CLOISTER_OWNERS )
    {
        o = &owners[added % CLOISTER_OWNERS];
        memcpy(o->secret, secret, sizeof(o->secret));
        memcpy(o->name, name, sizeof(o->name));
        write_atomic(&added, added + 1);
    }
    spin_unlock(&owners_lock);
}

bool cloister_owner_any(void)
{
    return read_atomic(&added);
}

void cloister_owners_wipe(void)
{
    write_atomic(&added, 0);
    cl_wipe(owners, sizeof(owners));
}

/* Owner i, to be wiped; false: no more of them. */
static bool get_owner(unsigned int i, struct owner *o)
{
    bool ok;

    spin_lock(&owners_lock);
    ok = i < added && i < CLOISTER_OWNERS;
    if ( ok )
        *o = owners[i];
    spin_unlock(&owners_lock);

    return ok;
}

/* ---- Wrapping --------------------------------------------------------------- */

static const uint8_t zero_nonce[CL_GCM_NONCE_LEN];

/*
 * A salt of 256 random bits gives each its own cipher key: no nonce repeats.
 * The challenge, which comes from somewhere else, could.
 */
static int crypt(const struct owner *o, const struct cloister_release *what,
                 struct cloister_record_key *k, uint8_t raw[CL_KEY_SIZE],
                 bool seal)
{
    uint8_t material[32];
    struct cloister_simd simd;
    struct cl_gcm_key key;
    int rc;

    cloister_derive(o->secret, CLOISTER_MIGRATION_LABEL, k->salt, material);
    cloister_simd_begin(&simd);
    rc = cl_gcm_init(&key, material);
    if ( !rc && seal )
        cl_gcm_seal(&key, zero_nonce, what, sizeof(*what), raw, k->key,
                    CL_KEY_SIZE, k->tag);
    else if ( !rc )
        rc = cl_gcm_open(&key, zero_nonce, what, sizeof(*what), k->key, raw,
                         CL_KEY_SIZE, k->tag);
    cl_gcm_wipe(&key);
    cloister_simd_end(&simd);
    cl_wipe(material, sizeof(material));

    return rc;
}

int cloister_release_open(const struct cloister_release *what,
                          struct cloister_record_key *key,
                          uint8_t raw[CL_KEY_SIZE], uint8_t owner[32])
{
    struct owner o = {};
    int rc = -EBADMSG;
    unsigned int i;

    for ( i = 0; rc && get_owner(i, &o); i++ )
        rc = crypt(&o, what, key, raw, false);
    memcpy(owner, o.name, sizeof(o.name));
    cl_wipe(&o, sizeof(o));

    return rc;
}

/* What shows that somebody has the owner's key, the challenge and the record. */
static void prove(const struct owner *o, const struct cloister_offer *offer,
                  uint8_t proof[32])
{
    uint8_t digest[32];

    sha2_256_digest(digest, offer, sizeof(*offer));
    cloister_derive(o->secret, CLOISTER_MIGRATION_OFFER, digest, proof);
}

/* ---- The target -------------------------------------------------------------- */

/*
 * What can fail is to fail now: once the key is released, there is no way back
 * for the guest.
 */
static int could_run(struct domain *d, struct cloister_migrate *m)
{
    enum cloister_reason why;
    int rc = cloister_seal_could(d, &why);

    if ( !rc && why )
    {
        cloister_refuse(d, why, 0);
        rc = -EPERM;
    }
    cloister_cpu_digest(d, m->cpu);
    m->cards = !!d->arch.cloister->siom;

    return rc;
}

static int make_offer(struct domain *d, struct cloister_migrate *m)
{
    struct cloister_offer offer;
    int rc = cloister_restore_offer(d->arch.cloister, &offer) ?:
             could_run(d, m);
    struct owner o = {};
    unsigned int i;

    if ( rc )
        return rc;

    rc = -ENOENT;
    for ( i = 0; rc && get_owner(i, &o); i++ )
        if ( !memcmp(o.name, m->owner, sizeof(o.name)) )
            rc = 0;
    if ( !rc )
        prove(&o, &offer, m->proof);
    memcpy(m->challenge, offer.challenge, sizeof(m->challenge));
    cl_wipe(&o, sizeof(o));

    return rc;
}

/* ---- The source -------------------------------------------------------------- */

/* The key that the guest's command line names, to be wiped. */
static bool find_owner(const struct cloister_domain *cd, struct owner *o)
{
    unsigned int i;

    for ( i = 0; get_owner(i, o); i++ )
        if ( cd->log &&
             cloister_log_names(cd->log, cd->log_size,
                                CLOISTER_MIGRATION_OPTION, o->name) )
            return true;

    return false;
}

static int tell_owner(const struct cloister_domain *cd, uint8_t name[32])
{
    struct owner o = {};
    bool found;

    if ( cd->state != CLOISTER_DOM_sealed )
        return -EINVAL;
    found = find_owner(cd, &o);
    if ( found )
        memcpy(name, o.name, sizeof(o.name));
    cl_wipe(&o, sizeof(o));

    return found ? 0 : -ENOENT;
}

void cloister_release_expect(struct cloister_domain *cd, const void *record,
                             size_t length)
{
    uint8_t name[32];

    /* Else it goes nowhere, and a save need not wait for this. */
    if ( !tell_owner(cd, name) )
        sha2_256_digest(cd->release.offer.record, record, length);
}

static int wrap(const struct domain *d, const struct owner *o)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cloister_release what = { .nonce = cd->exported };
    uint8_t raw[CL_KEY_SIZE];
    uint64_t salt[4];
    bool alive;
    int rc;

    BUILD_BUG_ON(sizeof(salt) != sizeof(cd->release.key.salt));
    if ( !cloister_cpu_random(salt, ARRAY_SIZE(salt)) )
        return -EIO;

    memcpy(cd->release.key.salt, salt, sizeof(salt));
    memcpy(what.uuid, d->handle, sizeof(what.uuid));
    memcpy(what.instance, cd->instance, sizeof(what.instance));
    memcpy(what.challenge, cd->release.offer.challenge,
           sizeof(what.challenge));
    spin_lock(&cd->lock);
    alive = cd->vm.key;
    if ( alive )
        cl_key_raw(cd->vm.key, raw);
    spin_unlock(&cd->lock);
    rc = alive ? crypt(o, &what, &cd->release.key, raw, true) : -EINVAL;
    cl_wipe(raw, sizeof(raw));

    return rc;
}

/*
 * 0: the target is one of the owner's hosts, and has what was sent.  All bytes
 * are looked at, whatever the first ones are.
 */
static int check_proof(const struct owner *o, const struct cloister_offer *offer,
                       const uint8_t proof[32])
{
    uint8_t mine[32], differ = 0;
    unsigned int i;

    prove(o, offer, mine);
    for ( i = 0; i < sizeof(mine); i++ )
        differ |= mine[i] ^ proof[i];

    return differ ? -EACCES : 0;
}

static bool fits_there(const struct domain *d, const struct cloister_migrate *m)
{
    uint8_t cpu[32];

    cloister_cpu_digest(d, cpu);

    return !memcmp(cpu, m->cpu, sizeof(cpu)) &&
           (!d->arch.cloister->siom || m->cards);
}

/* From now on nobody can restore the image, or resume the guest. */
static int prepare(const struct domain *d, const struct cloister_migrate *m)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct owner o = {};
    int rc = -ENOENT;

    if ( !fits_there(d, m) )
        return -EXDEV;
    memcpy(cd->release.offer.challenge, m->challenge, sizeof(m->challenge));
    if ( find_owner(cd, &o) )
        rc = check_proof(&o, &cd->release.offer, m->proof) ?: wrap(d, &o);
    cl_wipe(&o, sizeof(o));
    if ( rc )
        return rc;
    if ( cloister_image_take(cd->instance, cd->exported,
                             &cd->release.ticket) )
        return -EEXIST;
    cd->release.nonce = cd->exported;
    cd->release.done = false;

    return 0;
}

void cloister_release_cancel(struct cloister_domain *cd)
{
    if ( cd->release.nonce && !cd->release.done )
    {
        cloister_image_end(cd->instance, cd->release.nonce, false);
        cd->release.nonce = 0;
    }
}

/* Once the TPM says that no list that dom0 has kept gives the image back. */
static int commit(struct cloister_domain *cd)
{
    int rc;

    if ( cd->release.done )
        return 0;

    rc = cloister_counter_pass(cd->release.ticket);
    if ( rc && rc != -ERESTART )
        cloister_release_cancel(cd);
    if ( rc )
        return rc;
    /* Forgotten by now, as 1,024 others have been saved meanwhile? */
    if ( !cloister_image_end(cd->instance, cd->release.nonce, true) )
        return -EEXIST;
    cd->release.done = true;

    return 0;
}

static int release(const struct domain *d, struct cloister_migrate *m)
{
    struct cloister_domain *cd = d->arch.cloister;
    int rc = 0;

    if ( cd->state != CLOISTER_DOM_sealed || !cd->exported ||
         d->shutdown_code != SHUTDOWN_suspend || !cloister_is_still(d) )
        return -EINVAL;

    if ( cd->release.nonce != cd->exported )
        rc = prepare(d, m);
    if ( !rc && memcmp(cd->release.offer.challenge, m->challenge,
                       sizeof(m->challenge)) )
        rc = -EEXIST;
    rc = rc ?: commit(cd);
    if ( !rc )
        m->key = cd->release.key;

    return rc;
}

/* ---- The hypercall ------------------------------------------------------------ */

/* Under the domctl lock. */
static int act(struct domain *d, struct cloister_migrate *m)
{
    struct cloister_domain *cd = d->arch.cloister;

    if ( d->is_dying )
        return -ESRCH;
    if ( !cd )
        return -EINVAL;

    switch ( m->action )
    {
    case CLOISTER_MIGRATE_owner:
        return tell_owner(cd, m->owner);

    case CLOISTER_MIGRATE_offer:
        return make_offer(d, m);

    case CLOISTER_MIGRATE_release:
        return release(d, m);

    case CLOISTER_MIGRATE_receive:
        return cloister_restore_receive(d, &m->key);
    }

    return -EOPNOTSUPP;
}

int cloister_migrate_op(struct cloister_migrate *m)
{
    struct domain *d = rcu_lock_domain_by_id(m->domid);
    int rc = -ERESTART;

    if ( !d )
        return -ESRCH;

    if ( domctl_lock_acquire() )
    {
        rc = act(d, m);
        domctl_lock_release();
    }
    rcu_unlock_domain(d);

    return rc;
}
