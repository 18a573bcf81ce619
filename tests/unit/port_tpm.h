/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The port's users of the TPM on a software TPM: what stands in for Xen, and
 * does what the port's tpm.c does with a work's commands.  Included once, by
 * the test, which then includes the port's files.
 */
#ifndef PORT_TPM_H
#define PORT_TPM_H

#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include <cloister/tpm2.h>
#include <abi/hypercall.h>
#include <abi/reason.h>

#include "port_locks.h"
#include "swtpm.h"

#define CLOISTER_PRIVATE_H

typedef int64_t s_time_t;

#define SECONDS(s) ((s_time_t)(s) * 1000000000)
#define NOW() now
#define cf_check
#define read_atomic(p) (*(p))
#define printk(...) ((void)0)
#define safe_strcpy(d, s) snprintf(d, sizeof(d), "%s", s)
#define raise_softirq(nr) ((void)0)
#define xmalloc(type) ((type *)malloc(sizeof(type)))
#define XFREE(p) (free(p), (p) = NULL)
#define ERESTART 85

#include "../../xen/overlay/xen/arch/x86/cloister/sequence.h"

struct cloister_domain
{
    unsigned int state;
    void *log;
    uint8_t measurement[32];
    uint64_t launch_epoch;
    struct cloister_secret *secret;
    bool had_secret;
    s_time_t next_report;
};

struct domain
{
    uint8_t handle[16];
    struct
    {
        struct cloister_domain *cloister;
    } arch;
};

static struct cloister_domain guest = {
    .state = CLOISTER_DOM_sealed,
    .log = "log",
    .measurement = {1, 2, 3},
    .launch_epoch = 7,
};
static struct domain domain = {.handle = {9, 8, 7}, .arch.cloister = &guest};
static struct vcpu
{
    struct domain *domain;
} running __attribute__((unused)) = {&domain};

static struct vcpu *const current __attribute__((unused)) = &running;

static s_time_t now = SECONDS(100);
static bool settled = true, present = true, no_random;

void cloister_secret_drop(struct cloister_domain *cd);

static inline struct domain *rcu_lock_domain_by_id(uint16_t domid)
{
    return domid == 5 ? &domain : NULL;
}

static inline void rcu_unlock_domain(struct domain *d)
{
    (void)d;
}

static inline bool cloister_sealed(const struct domain *d)
{
    return d->arch.cloister &&
           d->arch.cloister->state >= CLOISTER_DOM_sealing;
}

static inline bool cloister_events_settled(void)
{
    return settled;
}

static inline bool cloister_tpm_present(void)
{
    return present;
}

static inline void cloister_request_overwrite(void)
{
}

static inline void cloister_tpm_kick(void)
{
}

static inline int cloister_key_random(uint8_t random[32], uint16_t domid)
{
    (void)domid;
    memset(random, 0x5A, 32);

    return no_random;
}

static inline void sha2_256_digest(uint8_t digest[32], const void *msg,
                                   size_t len)
{
    SHA256(msg, len, digest);
}

#include "../../xen/overlay/xen/arch/x86/cloister/sequence.c"

/* ---- What tpm.c does ------------------------------------------------------ */

static unsigned int commands, held, die_at;
static bool loses; /* it has carried out the command at which it dies */

/* Whoever has a turn when the locality is not held, or NULL. */
static void (*other)(void) __attribute__((unused));

/* One command of the work, if it has one. */
static void tick(void)
{
    uint8_t cmd[CL_TPM2_CMD_MAX], rsp[CL_TPM_BUF_SIZE];
    bool hold = false;
    size_t n, len = cloister_sequence_work.cmd(cmd, sizeof(cmd), &hold);

    now += SECONDS(1) / 100;
    if ( !len )
        return;
    commands++;
    held += hold;
    n = commands == die_at && !loses
            ? 0
            : swtpm_command(cmd, len, rsp, sizeof(rsp));
    if ( commands == die_at )
        n = 0;
    cloister_sequence_work.rsp(n ? rsp : NULL, n);
    if ( other && !hold )
        other();
}

/* No sequence runs, and the TPM holds nothing of the last one. */
static inline bool idle(const struct cloister_sequence *s)
{
    static const uint8_t none[CL_TPM2_DATA_MAX];

    return !seq && !cloister_sequence_lock && !s->running && !s->primary &&
           !s->object && !s->session &&
           !memcmp(s->secret, none, sizeof(none));
}

#endif /* PORT_TPM_H */
