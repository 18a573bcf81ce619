/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port's migrate.c: who gets the key of a guest that moves.  This file
 * stands in for Xen, for the list of images, and for the TPM's counter.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include <cloister/smm.h>
#include <abi/hypercall.h>
#include <abi/reason.h>

#include "port_locks.h"
#include "test.h"

/* ---- As much of Xen as it needs ------------------------------------------ */

#define CLOISTER_PRIVATE_H

#define read_atomic(p) (*(p))
#define write_atomic(p, x) (*(p) = (x))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BUILD_BUG_ON(x) _Static_assert(!(x), #x)
#define ERESTART 85
#define SHUTDOWN_suspend 2

struct cloister_simd
{
    int unused;
};

struct cloister_domain
{
    const char *siom;
    spinlock_t lock;
    unsigned int state;
    struct cl_vm vm;
    uint8_t instance[16];
    uint64_t exported;
    const uint8_t *log;
    size_t log_size;
    struct
    {
        uint64_t nonce;
        bool done;
        unsigned int ticket;
        struct cloister_offer offer;
        struct cloister_record_key key;
    } release;
};

struct domain
{
    uint8_t handle[16];
    bool is_dying;
    unsigned int shutdown_code;
    struct
    {
        struct cloister_domain *cloister;
    } arch;
};

static struct cloister_domain guest;
static struct domain domain = {.arch.cloister = &guest};

static enum { VALID, TAKEN, USED, UNKNOWN } image;
static int counter, locked;
static bool still, no_random;
static uint64_t random_state;

#define cloister_simd_begin(s) ((void)(s))
#define cloister_simd_end(s) ((void)(s))

static struct domain *rcu_lock_domain_by_id(uint16_t domid)
{
    return domid == 5 ? &domain : NULL;
}

static void rcu_unlock_domain(struct domain *d)
{
    (void)d;
}

static bool domctl_lock_acquire(void)
{
    return !locked++;
}

static void domctl_lock_release(void)
{
    locked--;
}

static bool cloister_is_still(const struct domain *d)
{
    return d->shutdown_code && still;
}

static bool cloister_cpu_random(uint64_t *to, unsigned int words)
{
    while ( words-- )
        *to++ = ++random_state * 0x9e3779b97f4a7c15u;

    return !no_random;
}

/* As abi/migrate.h says, by somebody else. */
static void cloister_derive(const uint8_t secret[32], const char *label,
                            const uint8_t *salt, uint8_t out[32])
{
    uint8_t in[80] = {0};

    memcpy(in, label, strlen(label));
    memcpy(in + 16, secret, 32);
    if ( salt )
        memcpy(in + 48, salt, 32);
    SHA256(in, sizeof(in), out);
}

/* A log is the names that it has. */
static bool cloister_log_names(const uint8_t *log, size_t size,
                               const char *option, const uint8_t value[32])
{
    return !strcmp(option, "cloister.migrate=") && size == 32 &&
           !memcmp(log, value, 32);
}

static enum cloister_reason cloister_image_take(const uint8_t instance[16],
                                                uint64_t nonce,
                                                unsigned int *ticket)
{
    if ( image != VALID || instance != guest.instance ||
         nonce != guest.exported )
        return CLOISTER_WHY_rec_used;
    image = TAKEN;
    *ticket = 77;

    return CLOISTER_WHY_none;
}

static bool cloister_image_end(const uint8_t instance[16], uint64_t nonce,
                               bool used)
{
    bool ok = image == TAKEN && instance == guest.instance &&
              nonce == guest.exported;

    if ( ok )
        image = used ? USED : VALID;

    return ok;
}

static int cloister_counter_pass(unsigned int ticket)
{
    return ticket == 77 ? counter : -EIO;
}

static void sha2_256_digest(uint8_t digest[32], const void *msg, size_t len)
{
    SHA256(msg, len, digest);
}

/* The domain that waits on the target, and what it has been given. */
static const char *arrived;
static uint8_t its_challenge;
static struct cloister_record_key received;

static int cloister_restore_offer(const struct cloister_domain *cd,
                                  struct cloister_offer *offer)
{
    if ( !arrived || cd != &guest )
        return -EINVAL;
    memset(offer->challenge, its_challenge, sizeof(offer->challenge));
    sha2_256_digest(offer->record, arrived, strlen(arrived));

    return 0;
}

/* What its seal there would come to, and its CPU there. */
static enum cloister_reason could;
static int busy;
static uint8_t processor;

static int cloister_seal_could(struct domain *d, enum cloister_reason *why)
{
    *why = could;

    return d == &domain ? busy : -EINVAL;
}

static void cloister_refuse(struct domain *d, enum cloister_reason why,
                            uint64_t detail)
{
    (void)d;
    (void)detail;
    could = why;
}

static void cloister_cpu_digest(const struct domain *d, uint8_t digest[32])
{
    memset(digest, d == &domain ? processor : 0, 32);
}

static int cloister_restore_receive(struct domain *d,
                                    struct cloister_record_key *k)
{
    received = *k;

    return d == &domain ? 0 : -EINVAL;
}

void cloister_owner_add(const uint8_t secret[CLOISTER_MIGRATION_KEY]);
bool cloister_owner_any(void);
void cloister_owners_wipe(void);
int cloister_release_open(const struct cloister_release *what,
                          struct cloister_record_key *key,
                          uint8_t raw[CL_KEY_SIZE], uint8_t owner[32]);
void cloister_release_expect(struct cloister_domain *cd, const void *record,
                             size_t length);
void cloister_release_cancel(struct cloister_domain *cd);
int cloister_migrate_op(struct cloister_migrate *m);

#include "../../xen/overlay/xen/arch/x86/cloister/migrate.c"

/* ---- The tests -------------------------------------------------------------- */

static struct cl_key slots[1];
static struct cl_key_table table;
static uint8_t raw_key[CL_KEY_SIZE], name[32];
static const uint8_t mine[32] = {1, 2, 3}, other[32] = {4, 5, 6};

/* A guest that is suspended and saved, with an owner who is known. */
static void fresh(void)
{
    uint8_t copy[CL_KEY_SIZE];
    int slot;

    memset(raw_key, 0x5A, sizeof(raw_key));
    memcpy(copy, raw_key, sizeof(copy));
    memset(slots, 0, sizeof(slots));
    table = (struct cl_key_table){.slot = slots, .slots = 1};
    slot = cl_key_install(&table, copy);
    cloister_owners_wipe();
    cloister_owner_add(mine);
    cloister_derive(mine, "migrate id", NULL, name);
    memset(&guest, 0, sizeof(guest));
    guest.vm.key = slot ? NULL : &slots[0];
    guest.state = CLOISTER_DOM_sealed;
    guest.exported = 9;
    guest.log = name;
    guest.log_size = sizeof(name);
    memset(guest.instance, 7, sizeof(guest.instance));
    memset(domain.handle, 8, sizeof(domain.handle));
    domain.shutdown_code = SHUTDOWN_suspend;
    still = true;
    image = VALID;
    counter = 0;
    cloister_release_expect(&guest, "record", 6);
    arrived = "record";
}

static int ask(unsigned int action, uint8_t challenge,
               struct cloister_migrate *m)
{
    int rc;

    *m = (struct cloister_migrate){
        .domid = 5,
        .action = CLOISTER_MIGRATE_offer,
    };
    memcpy(m->owner, name, sizeof(m->owner));
    its_challenge = challenge;
    if ( action == CLOISTER_MIGRATE_release )
        cloister_migrate_op(m);
    memset(m->challenge, challenge, sizeof(m->challenge));
    m->action = (uint16_t)action;
    rc = cloister_migrate_op(m);

    return locked || guest.lock || owners_lock ? -1 : rc;
}

static struct cloister_release what(uint8_t challenge)
{
    struct cloister_release w = {.nonce = 9};

    memset(w.uuid, 8, sizeof(w.uuid));
    memset(w.instance, 7, sizeof(w.instance));
    memset(w.challenge, challenge, sizeof(w.challenge));

    return w;
}

static int open_it(const struct cloister_release *w,
                   const struct cloister_migrate *m, uint8_t owner[32])
{
    struct cloister_record_key k = m->key;
    uint8_t raw[CL_KEY_SIZE];
    int rc = cloister_release_open(w, &k, raw, owner);

    return rc ? rc : memcmp(raw, raw_key, sizeof(raw)) ? -1 : 0;
}

TEST(released_for_one_challenge)
{
    struct cloister_release w = what(1);
    struct cloister_migrate m, again;
    uint8_t owner[32];

    fresh();
    CHECK(!ask(CLOISTER_MIGRATE_release, 1, &m));
    CHECK(image == USED && guest.release.done);
    CHECK(!open_it(&w, &m, owner) && !memcmp(owner, name, 32));
    /* The same once more, for a link that was cut; nothing for others. */
    CHECK(!ask(CLOISTER_MIGRATE_release, 1, &again));
    CHECK(!memcmp(&m, &again, sizeof(m)));
    CHECK(ask(CLOISTER_MIGRATE_release, 2, &m) == -EEXIST);
    cloister_release_cancel(&guest);
    CHECK(image == USED && guest.release.done);
}

/* What the guest would meet there is known while it still can stay here. */
TEST(not_to_where_it_cannot_run)
{
    struct cloister_migrate m;

    fresh();
    could = CLOISTER_WHY_no_slot;
    CHECK(ask(CLOISTER_MIGRATE_offer, 1, &m) == -EPERM);
    could = CLOISTER_WHY_none;
    busy = -ERESTART;
    CHECK(ask(CLOISTER_MIGRATE_offer, 1, &m) == -ERESTART);
    busy = 0;

    CHECK(!ask(CLOISTER_MIGRATE_offer, 1, &m));
    processor = 1;
    m.action = CLOISTER_MIGRATE_release;
    CHECK(cloister_migrate_op(&m) == -EXDEV && image == VALID);
    processor = 0;
    guest.siom = "";
    CHECK(cloister_migrate_op(&m) == -EXDEV && image == VALID);
    m.cards = 1;
    CHECK(!cloister_migrate_op(&m) && image == USED);
    /* It was released: to the same place it goes once more, whatever that is. */
    m.cards = 0;
    CHECK(!cloister_migrate_op(&m));
}

TEST(bound_to_all_of_it)
{
    struct cloister_release w = what(1);
    struct cloister_migrate m;
    uint8_t owner[32];

    fresh();
    CHECK(!ask(CLOISTER_MIGRATE_release, 1, &m));
    for ( size_t i = 0; i < sizeof(w); i++ )
    {
        ((uint8_t *)&w)[i] ^= 1;
        CHECK(open_it(&w, &m, owner) == -EBADMSG);
        ((uint8_t *)&w)[i] ^= 1;
    }
    for ( size_t i = 0; i < sizeof(m.key); i++ )
    {
        ((uint8_t *)&m.key)[i] ^= 1;
        CHECK(open_it(&w, &m, owner) == -EBADMSG);
        ((uint8_t *)&m.key)[i] ^= 1;
    }
    CHECK(!open_it(&w, &m, owner));
}

TEST(only_owners_hosts_open_it)
{
    struct cloister_release w = what(1);
    struct cloister_migrate m;
    uint8_t owner[32];

    fresh();
    CHECK(!ask(CLOISTER_MIGRATE_release, 1, &m));
    cloister_owners_wipe();
    CHECK(!cloister_owner_any() && open_it(&w, &m, owner) == -EBADMSG);
    cloister_owner_add(other);
    CHECK(cloister_owner_any() && open_it(&w, &m, owner) == -EBADMSG);
    cloister_owner_add(mine);
    CHECK(!open_it(&w, &m, owner) && !memcmp(owner, name, 32));
}

/* Salts are fresh: no two releases share a cipher key, whoever chose what. */
TEST(salts)
{
    struct cloister_migrate a, b;

    fresh();
    CHECK(!ask(CLOISTER_MIGRATE_release, 1, &a));
    fresh();
    CHECK(!ask(CLOISTER_MIGRATE_release, 1, &b));
    CHECK(memcmp(a.key.salt, b.key.salt, sizeof(a.key.salt)));
    CHECK(memcmp(a.key.key, b.key.key, sizeof(a.key.key)));
    fresh();
    no_random = true;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &a) == -EIO && image == VALID);
    no_random = false;
}

/* The guest goes on as if nobody had asked. */
TEST(no_such_owner)
{
    struct cloister_migrate m;

    fresh();
    cloister_owners_wipe();
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -ENOENT && image == VALID);
    cloister_owner_add(other);
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -ENOENT && image == VALID);
    CHECK(!guest.release.nonce);
    cloister_owner_add(mine);
    guest.log_size = 31;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -ENOENT && image == VALID);
    guest.log = NULL;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -ENOENT && image == VALID);
}

TEST(only_of_a_guest_that_stands)
{
    struct cloister_migrate m;

    fresh();
    guest.state = CLOISTER_DOM_building;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -EINVAL);
    fresh();
    guest.exported = 0;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -EINVAL);
    fresh();
    domain.shutdown_code = 3;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -EINVAL);
    fresh();
    still = false;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -EINVAL);
    fresh();
    guest.vm.key = NULL;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -EINVAL);
    fresh();
    domain.is_dying = true;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -ESRCH);
    domain.is_dying = false;
    CHECK(image == VALID);
    image = USED;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -EEXIST);
    m.domid = 6;
    CHECK(cloister_migrate_op(&m) == -ESRCH);
    CHECK(ask(7, 1, &m) == -EOPNOTSUPP);
    locked = 1;
    CHECK(cloister_migrate_op(&m) == -ERESTART);
    locked = 0;
}

/* The TPM takes its time; whoever resumes the guest meanwhile can. */
TEST(counter)
{
    struct cloister_release w = what(1);
    struct cloister_migrate m;
    uint8_t owner[32];

    fresh();
    counter = -ERESTART;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -ERESTART);
    CHECK(image == TAKEN && !guest.release.done && !m.key.salt[0]);
    CHECK(ask(CLOISTER_MIGRATE_release, 2, &m) == -EEXIST && image == TAKEN);
    cloister_release_cancel(&guest);
    CHECK(image == VALID && !guest.release.nonce);
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -ERESTART);
    counter = -EIO;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -EIO && image == VALID);
    counter = -ERESTART;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -ERESTART);
    counter = 0;
    CHECK(!ask(CLOISTER_MIGRATE_release, 1, &m) && image == USED);
    CHECK(!open_it(&w, &m, owner));
    /* Saved again by a Xen that forgot: another image, another release. */
    fresh();
    counter = -ERESTART;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -ERESTART);
    image = UNKNOWN;
    counter = 0;
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -EEXIST);
}

TEST(target)
{
    static const uint8_t nobody[32];
    struct cloister_migrate m;

    fresh();
    CHECK(!ask(CLOISTER_MIGRATE_owner, 0, &m) && !memcmp(m.owner, name, 32));
    CHECK(!ask(CLOISTER_MIGRATE_offer, 0xC4, &m));
    CHECK(m.challenge[31] == 0xC4 && memcmp(m.proof, nobody, 32));
    m.owner[0] ^= 1;
    memset(m.proof, 0, sizeof(m.proof));
    CHECK(cloister_migrate_op(&m) == -ENOENT && !memcmp(m.proof, nobody, 32));
    arrived = NULL;
    CHECK(ask(CLOISTER_MIGRATE_offer, 0, &m) == -EINVAL);
    CHECK(!ask(CLOISTER_MIGRATE_receive, 0, &m));
    CHECK(!memcmp(&received, &m.key, sizeof(received)));
    domain.arch.cloister = NULL;
    CHECK(ask(CLOISTER_MIGRATE_offer, 0, &m) == -EINVAL);
    domain.arch.cloister = &guest;
}

/* A host that is none of the owner's, or that has got something else. */
TEST(proof)
{
    struct cloister_migrate m, good;

    fresh();
    CHECK(!ask(CLOISTER_MIGRATE_offer, 1, &good));
    good.action = CLOISTER_MIGRATE_release;
    for ( size_t i = 0; i < sizeof(m.proof); i++ )
    {
        m = good;
        m.proof[i] ^= 1;
        CHECK(cloister_migrate_op(&m) == -EACCES && image == VALID);
        m = good;
        m.challenge[i] ^= 1;
        CHECK(cloister_migrate_op(&m) == -EACCES && image == VALID);
    }
    arrived = "Record";
    CHECK(ask(CLOISTER_MIGRATE_release, 1, &m) == -EACCES && image == VALID);
    CHECK(!guest.release.nonce);
    /* Of another owner, who is known on both. */
    cloister_owner_add(other);
    m = good;
    prove(&owners[1], &guest.release.offer, m.proof);
    CHECK(cloister_migrate_op(&m) == -EACCES && image == VALID);
    m = good;
    CHECK(!cloister_migrate_op(&m) && image == USED);
}

/* The newest are kept, each once. */
TEST(owners_come_and_go)
{
    uint8_t secret[32] = {99};
    struct owner o;

    fresh();
    cloister_owner_add(mine);
    CHECK(get_owner(0, &o) && !get_owner(1, &o));
    for ( unsigned int i = 1; i < CLOISTER_OWNERS; i++ )
    {
        secret[1] = (uint8_t)i;
        cloister_owner_add(secret);
    }
    CHECK(get_owner(15, &o) && !get_owner(16, &o) && find_owner(&guest, &o));
    cloister_owner_add(secret);
    CHECK(find_owner(&guest, &o));
    cloister_owner_add(other);
    CHECK(!find_owner(&guest, &o));
    cloister_owners_wipe();
    CHECK(!get_owner(0, &o) && !owners[3].secret[0]);
}
