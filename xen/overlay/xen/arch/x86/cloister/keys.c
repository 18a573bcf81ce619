/* SPDX-License-Identifier: GPL-2.0-only */
/* Instance keys: from the TPM's generator mixed with the CPU's. */

#include <xen/init.h>
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

struct seed {
    uint8_t tpm[32];
    uint64_t cpu[8];            /* 512 bits: RDRAND's output is not full
                                   entropy (SP 800-90A CTR_DRBG, reseeded) */
    uint64_t epoch;
    uint64_t domain;
};

static enum cloister_reason gather(struct seed *s, uint16_t domid)
{
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(s->cpu); i++ )
        if ( !cpu_random(&s->cpu[i]) )
            return CLOISTER_WHY_no_random;

    if ( !cloister_tpm_random(s->tpm) && !cloister_unsafe_lab )
        return CLOISTER_WHY_tpm_busy;

    s->epoch = cloister_keys.epoch;
    s->domain = domid;

    return CLOISTER_WHY_none;
}

static int install(const struct seed *s)
{
    struct cloister_simd simd;
    uint8_t random[CL_KEY_SIZE];
    int slot;

    BUILD_BUG_ON(sizeof(random) != SHA2_256_DIGEST_SIZE);
    sha2_256_digest(random, s, sizeof(*s));

    spin_lock(&keys_lock);
    cloister_simd_begin(&simd);
    slot = cl_key_install(&cloister_keys, random);
    cloister_simd_end(&simd);
    spin_unlock(&keys_lock);

    return slot;
}

enum cloister_reason cloister_key_take(struct cloister_domain *cd)
{
    struct seed s = {};
    enum cloister_reason why = gather(&s, cd->vm.id);
    int slot;

    if ( why )
        return why;

    slot = install(&s);
    cl_wipe(&s, sizeof(s));
    if ( slot < 0 )
        return slot == -ENOSPC ? CLOISTER_WHY_no_slot : CLOISTER_WHY_no_aes;

    cd->slot = slot;
    cd->vm.key = &cloister_keys.slot[slot];

    return CLOISTER_WHY_none;
}

void cloister_key_drop(struct cloister_domain *cd)
{
    if ( cd->slot < 0 )
        return;

    spin_lock(&cd->lock);
    cd->vm.key = NULL;
    spin_unlock(&cd->lock);

    spin_lock(&keys_lock);
    cl_key_erase(&cloister_keys, cd->slot);
    spin_unlock(&keys_lock);
    cd->slot = -1;
}

void cloister_keys_wipe(void)
{
    unsigned int i;

    for ( i = 0; i < cloister_keys.slots; i++ )
        cl_key_erase(&cloister_keys, i);
}
