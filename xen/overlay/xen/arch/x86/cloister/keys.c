/* SPDX-License-Identifier: GPL-2.0-only */
/* Instance keys: from the TPM's generator mixed with the CPU's. */

#include <xen/init.h>
#include <xen/param.h>
#include <xen/sha2.h>
#include <xen/vmap.h>

#include <asm/processor.h>

#include <cloister/wipe.h>

#include "private.h"

struct cl_key_table cloister_keys;

static DEFINE_SPINLOCK(keys_lock);

int __init cloister_keys_init(void)
{
    cloister_keys.slot = vzalloc(CLOISTER_KEY_SLOTS *
                                 sizeof(*cloister_keys.slot));
    if ( !cloister_keys.slot )
        return -ENOMEM;
    cloister_keys.slots = CLOISTER_KEY_SLOTS;

    return 0;
}

/*
 * RDRAND may fail now and then; Intel's guide (DRNG, section 5.2.1) asks for
 * at most 10 tries before it is taken for broken.
 */
static bool cpu_random(uint64_t *value)
{
    unsigned int tries;
    bool ok = false;

    for ( tries = 0; tries < 10 && !ok; tries++ )
        asm volatile ( "rdrand %0" : "=r" (*value), "=@ccc" (ok) );

    return ok;
}

bool cloister_cpu_random(uint64_t *to, unsigned int words)
{
    bool ok = true;

    while ( ok && words-- )
        ok = cpu_random(to++);

    return ok;
}

struct seed {
    uint8_t tpm[32];
    uint64_t cpu[8];            /* 512 bits: RDRAND's output is not full
                                   entropy (SP 800-90A CTR_DRBG, reseeded) */
    uint64_t epoch;
    uint64_t domain;            /* DOMID_INVALID: for the host */
};

static enum cloister_reason gather(struct seed *s, uint16_t domid)
{
    if ( !cloister_cpu_random(s->cpu, ARRAY_SIZE(s->cpu)) )
        return CLOISTER_WHY_no_random;

    if ( !cloister_tpm_random(s->tpm) && !cloister_unsafe_lab )
        return CLOISTER_WHY_tpm_busy;

    s->epoch = cloister_keys.epoch;
    s->domain = domid;

    return CLOISTER_WHY_none;
}

enum cloister_reason cloister_key_random(uint8_t random[32], uint16_t domid)
{
    struct seed s = {};
    enum cloister_reason why = gather(&s, domid);

    BUILD_BUG_ON(SHA2_256_DIGEST_SIZE != 32);
    if ( !why )
        sha2_256_digest(random, &s, sizeof(s));
    cl_wipe(&s, sizeof(s));

    return why;
}

/*
 * Debug builds can have each key begin with the marker that the tests' guests
 * hold, so that a search for the one finds the other.
 */
#ifdef CONFIG_DEBUG
static bool __ro_after_init opt_plant;
boolean_param("cloister-plant", opt_plant);
#else
#define opt_plant false
#endif

#define PLANTED     16

static void plant(uint8_t to[PLANTED])
{
    /* In two, as Xen's image is not to have it. */
    memcpy(to, "CLOISTER", PLANTED / 2);
    memcpy(to + PLANTED / 2, "-SECRET-", PLANTED / 2);
}

/* What is looked for must be there. */
static void tell_planted(int slot)
{
    const uint8_t *p = (const void *)&cloister_keys.slot[slot];
    unsigned int i, found = 0;
    uint8_t marker[PLANTED];

    plant(marker);
    for ( i = 0; i <= sizeof(cloister_keys.slot[slot]) - PLANTED; i++ )
        found += !memcmp(p + i, marker, PLANTED);
    printk(XENLOG_WARNING "Cloister: ***** KEYS ARE PLANTED: %u in slot %d"
           " *****\n", found, slot);
}

/* Into an empty slot: with its epoch, or with the next one if that is 0. */
static int install(uint8_t raw[CL_KEY_SIZE], uint64_t epoch)
{
    struct cloister_simd simd;
    int slot;

    spin_lock(&keys_lock);
    cloister_simd_begin(&simd);
    slot = epoch ? cl_key_adopt(&cloister_keys, raw, epoch)
                 : cl_key_install(&cloister_keys, raw);
    cloister_simd_end(&simd);
    spin_unlock(&keys_lock);

    return slot;
}

static enum cloister_reason slot_reason(int slot)
{
    if ( slot >= 0 )
        return CLOISTER_WHY_none;

    return slot == -ENOSPC ? CLOISTER_WHY_no_slot : CLOISTER_WHY_no_aes;
}

enum cloister_reason cloister_key_take(struct cloister_domain *cd)
{
    uint8_t random[CL_KEY_SIZE];
    enum cloister_reason why = cloister_wrap_init() ?:
                               cloister_key_random(random, cd->vm.id);
    int slot;

    if ( why )
        return why;

    if ( opt_plant )
        plant(random);
    cloister_instance_id(random, cd->instance);
    slot = install(random, 0);
    if ( slot >= 0 )
    {
        if ( opt_plant )
            tell_planted(slot);
        cd->slot = slot;
        cd->vm.key = &cloister_keys.slot[slot];
    }

    return slot_reason(slot);
}

enum cloister_reason cloister_key_adopt(struct cloister_domain *cd,
                                        uint8_t raw[CL_KEY_SIZE],
                                        uint64_t epoch)
{
    int slot = install(raw, epoch);

    if ( slot >= 0 )
    {
        cd->from = slot;
        cd->vm.from = &cloister_keys.slot[slot];
    }

    return slot_reason(slot);
}

/* Once, whoever else is about to: the slot may be another domain's soon. */
static void erase(int *slot)
{
    spin_lock(&keys_lock);
    if ( *slot >= 0 )
        cl_key_erase(&cloister_keys, *slot);
    *slot = -1;
    spin_unlock(&keys_lock);
}

void cloister_key_drop(struct cloister_domain *cd)
{
    spin_lock(&cd->lock);
    cd->vm.key = NULL;
    spin_unlock(&cd->lock);
    erase(&cd->slot);
}

void cloister_key_disown(struct cloister_domain *cd)
{
    spin_lock(&cd->lock);
    cd->vm.from = NULL;
    spin_unlock(&cd->lock);
    erase(&cd->from);
}

void cloister_key_renew(struct cloister_domain *cd)
{
    spin_lock(&keys_lock);
    spin_lock(&cd->lock);
    cl_vm_renew(&cloister_keys, &cd->vm);
    spin_unlock(&cd->lock);
    spin_unlock(&keys_lock);
}

void cloister_keys_wipe(void)
{
    unsigned int i;

    for ( i = 0; i < cloister_keys.slots; i++ )
        cl_key_erase(&cloister_keys, i);
    cloister_wrap_wipe();
}
