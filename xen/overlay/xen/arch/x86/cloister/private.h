/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the port share.  Nothing else includes this. */
#ifndef CLOISTER_PRIVATE_H
#define CLOISTER_PRIVATE_H

#include <xen/cloister.h>
#include <xen/mm.h>
#include <xen/sched.h>
#include <xen/spinlock.h>

#include <cloister/smm.h>

#include "abi/hypercall.h"
#include "abi/reason.h"

#define CLOISTER_KEY_SLOTS  1024

/*
 * What SMM keeps for one domain.  Reached by d->arch.cloister, which is set
 * before the domain owns a page and stays until it owns none.
 */
struct cloister_domain {
    spinlock_t lock;            /* innermost; protects vm, its pages' entries,
                                   state and moved */
    unsigned int state;         /* CLOISTER_DOM_*; goes up only, but for
                                   sealing -> building on refusal */
    bool wanted;                /* to be sealed when it first runs */
    struct cl_vm vm;
    int slot;                   /* in the key table, or -1 */
    enum cloister_reason reason;    /* of the last refusal */
    uint64_t detail;
    uint64_t refused;           /* with counts: under the ledger's lock */
    uint64_t counts[CLOISTER_COUNTS];
    uint64_t moved;
    unsigned long cursor;       /* next gfn to seal (domctl lock) */
    struct cloister_ring {      /* console, xenstore; while sealing */
        unsigned long gfn;
        mfn_t mfn;
        unsigned int pins;      /* references that its daemon holds */
    } ring[2];
    s_time_t deadline;          /* to give up waiting for the TPM, or 0 */
    s_time_t last_run;          /* written by __context_switch */
    struct cloister_port *siom; /* its place in SIOM, or NULL */
};

/* Lock order: p2m, page_alloc, then one domain's lock, then the table's. */

/* ---- setup.c: the host ------------------------------------------------ */

extern unsigned int cloister_mode;      /* CLOISTER_MODE_* */
extern bool cloister_unsafe_lab;
extern bool cloister_has_aes;
extern struct domain *dom_view;         /* owns all views; has no number
                                           that a hypercall could name */

/* Why no domain can be protected on this host, or CLOISTER_WHY_none. */
enum cloister_reason cloister_host_reason(void);

/* ---- host.c ----------------------------------------------------------- */

/* Is one of these ports dom0's for part of what it does only? */
bool cloister_watches_port(unsigned int first, unsigned int nr);

/* ---- table.c: the page permission table ------------------------------- */

extern struct cl_ppt cloister_ppt;

int cloister_table_init(void);

/* Room for the entries of nr frames from mfn on: 0 or -ENOMEM. */
int cloister_table_hold(unsigned long mfn, unsigned long nr);
void cloister_table_drop(unsigned long mfn, unsigned long nr);

/* Between the two no leaf goes away. */
void cloister_table_lock(void);
void cloister_table_unlock(void);

/* Memory that the table takes now, in bytes. */
uint64_t cloister_table_bytes(void);

/* ---- simd.c: vector registers in Xen ---------------------------------- */

/*
 * The engine's cipher may use XMM0-15 between begin and end, whoever the
 * registers belong to.  Nothing in between may sleep, or switch vCPU.
 */
struct cloister_simd {
    uint8_t xmm[16][16];
    unsigned long cr0;
};

void cloister_simd_begin(struct cloister_simd *s);
void cloister_simd_end(struct cloister_simd *s);

/* ---- keys.c ----------------------------------------------------------- */

extern struct cl_key_table cloister_keys;

int cloister_keys_init(void);

/*
 * Gives the domain its instance key.  none: done; tpm_busy: nothing has
 * changed, try again later; else why it cannot be.
 */
enum cloister_reason cloister_key_take(struct cloister_domain *cd);
void cloister_key_drop(struct cloister_domain *cd);

/* Erases all keys, whoever uses them: the host goes down. */
void cloister_keys_wipe(void);

/* ---- tpm.c ------------------------------------------------------------ */

/* true: a TPM 2.0 has answered at locality 2. */
bool cloister_tpm_ready(void);
enum cloister_reason cloister_tpm_reason(void);

/*
 * Fetches 32 bytes that TPM2_GetRandom gave and nobody had before.  false:
 * none at hand now; more are on their way if the TPM works.
 */
bool cloister_tpm_random(uint8_t out[32]);
uint64_t cloister_tpm_bytes(void);

/* ---- seal.c ----------------------------------------------------------- */

/* Writes a refusal to the log and to the ring that cloister(1) reads. */
void cloister_refuse(struct domain *d, enum cloister_reason why,
                     uint64_t detail);

/* Entry nr of the ring; -ENOENT if it is not there (any more). */
int cloister_refusal_get(struct cloister_refusal *r);
uint64_t cloister_refusals(void);

const char *cloister_reason_text(enum cloister_reason why);

/* ---- views.c ---------------------------------------------------------- */

uint64_t cloister_views_live(void);
uint64_t cloister_views_limit(void);

/* ---- ledger.c --------------------------------------------------------- */

/*
 * Counts a request by current that was turned down, enters it into the
 * ledger and, now and then, into the log.  d: whose memory or state was asked
 * for, which SMM controls; NULL: the host.  CLOISTER_CALL_* says what op and
 * detail are.  Any context.
 */
void cloister_note(const struct domain *d, unsigned int call, unsigned int op,
                   enum cloister_reason why, uint64_t detail);

/* Entry e->number; -ENOENT if it is not there (any more). */
int cloister_ledger_get(struct cloister_ledger *e);

/* The counts of domain c->domid: 0, -ESRCH, or -ENOENT if it has none. */
int cloister_counts_get(struct cloister_counts *c);

/* ---- siom_port.c ------------------------------------------------------ */

/*
 * attach: at the seal, gives the guest its network card, if SIOM is on;
 * detach: at its death, or when the seal is refused after all.
 */
enum cloister_reason cloister_siom_attach(struct domain *d);
void cloister_siom_detach(struct domain *d);

/* siom_op.c: what the hypercall asks. */
int cloister_net_host(struct cloister_net_host *h);
int cloister_net_port(struct cloister_net_port *p);
int cloister_net_set(const struct cloister_net_set *s);

/* From cloister_context_switch: whose bus is on this CPU from now on. */
void cloister_siom_switch(const struct domain *next);

/* ---- survive.c, orphans.c: dom0's end --------------------------------- */

/* dom0 has ended and Xen has not. */
bool cloister_orphaned(void);

/* From now on Xen empties guests' console rings. */
void cloister_keep_consoles(void);

#endif /* CLOISTER_PRIVATE_H */
