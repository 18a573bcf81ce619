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

#include "sequence.h"

#define CLOISTER_KEY_SLOTS  1024

/*
 * Pages that the toolstack empties when a guest is restored: what is in them
 * is no state of the guest.  The first two are granted to their daemons, the
 * others nobody uses.
 */
enum {
    CLOISTER_RING_console,
    CLOISTER_RING_store,
    CLOISTER_RING_ioreq,
    CLOISTER_RING_bufioreq,
    CLOISTER_RINGS
};

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
    int from;                   /* the same for the key of the saved image
                                   that this domain is restored from */
    enum cloister_reason reason;    /* of the last refusal */
    uint64_t detail;
    uint64_t refused;           /* with counts: under the ledger's lock */
    uint64_t counts[CLOISTER_COUNTS];
    uint64_t moved;
    unsigned long cursor;       /* next gfn to seal (domctl lock) */
    struct cloister_ring {      /* as of the seal */
        unsigned long gfn;      /* ~0: there is none */
        mfn_t mfn;
        unsigned int pins;      /* references that its daemon holds */
    } ring[CLOISTER_RINGS];
    struct cloister_restore *restore;   /* from sethvmcontext to the seal
                                           (domctl lock) */
    bool loaded_first, loaded_others;   /* CPU contexts before the seal: the
                                   first vCPU's, others' (domctl lock) */
    bool arrived;               /* its key came from another host, and it runs
                                   (domctl lock) */
    uint8_t instance[16];       /* names the key, see cloister_instance_id */
    uint64_t exported;          /* nonce of the newest image, 0: none since
                                   the domain last ran (domctl lock) */
    struct {                    /* of .exported's key (domctl lock) */
        uint64_t nonce;         /* of that image; 0: none */
        bool done;              /* else the image may still be given back */
        unsigned int ticket;    /* to be passed before */
        struct cloister_offer offer;    /* as it must be proved */
        struct cloister_record_key key;
    } release;
    bool moving;                /* the seal replaces a page (gfn lock) */
    bool cut;                   /* since the seal's beginning nobody else has a
                                   page of its in a TLB */
    bool odd_map;               /* before the seal there was anything else in
                                   its memory map than pages of its own, that
                                   it may read, write and execute (p2m lock) */
    uint64_t grace;             /* nobody acts on what it was before the seal
                                   once this RCU grace period is over; 0: not
                                   begun (domctl lock) */
    s_time_t deadline;          /* to give up waiting for the TPM, or 0 */
    struct vcpu *suspender;     /* that has suspended it, or NULL
                                   (shutdown_lock) */
    bool cancelled;             /* it was told that this was cancelled, and is
                                   to go on, not to be saved (domctl lock) */
    s_time_t last_run;          /* written by __context_switch */
    s_time_t last_view;         /* when somebody last got one */
    struct cloister_port *siom; /* its place in SIOM, or NULL */
    struct {                    /* putting its pages to rest (tasklet) */
        unsigned long next;     /* gfn */
        s_time_t run;           /* last_run when it was begun ... */
        s_time_t done;          /* ... and when it was last done */
        uint64_t left;          /* private pages that could not rest then */
    } rest;

    /* measure.c, under the domctl lock; others read the log under the
       domain's, once it is sealed. */
    struct cloister_measuring *measuring;
    uint8_t *log;               /* launch log, log_size bytes; or NULL */
    size_t log_size;
    uint8_t measurement[32];
    uint64_t launch_epoch;      /* of its launch event, 0: none */

    /* Under cloister_sequence_lock. */
    struct cloister_secret *secret;     /* that it has not fetched, or NULL */
    bool had_secret;
    s_time_t next_report;       /* not before */
};

/* Lock order: p2m, page_alloc, then one domain's lock, then the table's. */

/* ---- setup.c: the host ------------------------------------------------ */

extern unsigned int cloister_mode;      /* CLOISTER_MODE_* */
extern bool cloister_unsafe_lab;
extern bool cloister_restore_lazy;      /* decrypt pages on first touch */
extern bool cloister_has_aes;
extern struct domain *dom_view;         /* owns all views; has no number
                                           that a hypercall could name */

/* Why no domain can be protected on this host, or CLOISTER_WHY_none. */
enum cloister_reason cloister_host_reason(void);

/* ---- domain.c --------------------------------------------------------- */

/*
 * Has a domain with this UUID been protected, and ended, since the host was
 * started?  Then this one is protected too, or does not run (cloister=optin;
 * of those that have ended Xen remembers the newest).
 */
bool cloister_recalled(const struct domain *d);

/* dom0's administrator does not want that of this UUID any longer. */
void cloister_forget(const struct domain *d);

/* ---- host_ports.c, host_down.c ---------------------------------------- */

/* Is one of these ports dom0's for part of what it does only? */
bool cloister_watches_port(unsigned int first, unsigned int nr);

/*
 * Switches the host off as dom0 has asked, or halts it if dom0 has not said how:
 * does not return.  Interrupts are on.
 */
void cloister_power_off(void);

/* ---- overwrite.c -------------------------------------------------------- */

/* Before there is anything in memory that is worth it; asks once. */
void cloister_request_overwrite(void);

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
 * The engine's cipher may use vector registers between begin and end, whoever
 * they belong to: XMM0-15 by legacy SSE encodings in the narrow window, what
 * cloister_gcm_impl needs in the wide one.  Nothing in between may sleep,
 * switch vCPU, or open a window; no window in an interrupt handler.
 */
struct cloister_simd {
    uint8_t xmm[16][16];        /* narrow */
    uint64_t xcr0;              /* wide */
    unsigned long cr0;
};

void cloister_simd_begin(struct cloister_simd *s);
void cloister_simd_end(struct cloister_simd *s);

/* Which vectors pages are encrypted with.  Chosen at boot. */
extern enum cl_gcm_impl cloister_gcm_impl;

void cloister_simd_init(void);

/*
 * Between cloister_batch_begin() and cloister_batch_end() (xen/cloister.h), s
 * is not used: the first begin opens a window that stays open.
 */
void cloister_wide_begin(struct cloister_simd *s);
void cloister_wide_end(struct cloister_simd *s);

/* Is no hypercall on this CPU between the two?  For assertions. */
bool cloister_batch_ended(void);

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

/* The same for the key of the image that the domain is restored from. */
enum cloister_reason cloister_key_adopt(struct cloister_domain *cd,
                                        uint8_t raw[CL_KEY_SIZE],
                                        uint64_t epoch);
void cloister_key_disown(struct cloister_domain *cd);

/* A fresh epoch for the domain's key: older views are worth nothing now. */
void cloister_key_renew(struct cloister_domain *cd);

/* 32 bytes that nobody had before, for the same reasons. */
enum cloister_reason cloister_key_random(uint8_t random[32], uint16_t domid);

/* The CPU's alone; false: its generator has failed. */
bool cloister_cpu_random(uint64_t *to, unsigned int words);

/* ---- wrap.c: wraps the keys of saved guests ----------------------------- */

struct cloister_record;
struct cloister_record_key;

/* Makes sure that the host has a secret.  As cloister_key_take(). */
enum cloister_reason cloister_wrap_init(void);

/* Before other software gets the machine: no image can be opened any more. */
void cloister_wrap_wipe(void);

/*
 * Names the secret to wrap with, and gives nothing away.  false: there is
 * none.  is: is it this host's?  lasts: will it be after a restart?
 */
bool cloister_host_id(uint8_t id[16]);
bool cloister_host_is(const uint8_t id[16]);
bool cloister_host_lasts(const uint8_t id[16]);

/*
 * A cipher key for this label (at most 15 bytes) and salt, under the secret
 * that `host` names.  Inside the vector section.  -ENOENT: no such secret.
 */
int cloister_wrap_cipher(const uint8_t host[16], const char *label,
                         const uint8_t salt[32], struct cl_gcm_key *key);

/*
 * SHA-256(label, secret, salt): a key for this purpose.  label: at most 15
 * bytes; salt: 32 bytes, or NULL for zeros.
 */
void cloister_derive(const uint8_t secret[32], const char *label,
                     const uint8_t *salt, uint8_t out[32]);

/*
 * Wraps and unwraps the 32-byte instance key `raw`; what of the record's
 * header names guest and instance is authenticated with it.  0; -ENOENT: no
 * host secret; -EIO: no random numbers; -EBADMSG: not what was wrapped.
 */
int cloister_wrap(const struct cloister_record *head,
                  const uint8_t raw[CL_KEY_SIZE],
                  struct cloister_record_key *out);
int cloister_unwrap(const struct cloister_record *head,
                    const struct cloister_record_key *in,
                    uint8_t raw[CL_KEY_SIZE]);

/* ---- images.c: which saved images may still be restored ---------------- */

/* One that was just saved. */
void cloister_image_add(const uint8_t instance[16], uint64_t nonce);

/* Why it may not be restored, or none. */
enum cloister_reason cloister_image_ask(const uint8_t instance[16],
                                        uint64_t nonce);

/*
 * take: the same, and now it is the caller's, who may use it once *ticket has
 * been passed (cloister_counter_pass()), and calls end: it was used, or it may
 * be restored as before.  false: it has been forgotten meanwhile.
 */
enum cloister_reason cloister_image_take(const uint8_t instance[16],
                                         uint64_t nonce, unsigned int *ticket);
bool cloister_image_end(const uint8_t instance[16], uint64_t nonce, bool used);

/*
 * It may not be restored from now on; its guest may go on once *ticket has
 * been passed.  false: it has been restored, or may have been.
 */
bool cloister_image_void(const uint8_t instance[16], uint64_t nonce,
                         unsigned int *ticket);

int cloister_images_op(struct cloister_images *op);

/* ---- counter.c: a counter in the TPM ------------------------------------ */

/* Its value is known: 0; -ERESTART: call again; or -errno. */
int cloister_counter_ready(void);

/* The value (0: not known); promise: and something hangs on it from now on. */
uint64_t cloister_counter_value(void);
uint64_t cloister_counter_promise(void);

/*
 * A ticket is passed when nothing that was promised before it was drawn can be
 * redeemed any more.  0; -ERESTART: call again; -ETIMEDOUT, -ENODEV, -EIO,
 * -EBADMSG: the TPM, or what stands there is not this Xen's counter.
 */
unsigned int cloister_counter_ticket(void);
int cloister_counter_pass(unsigned int ticket);

/* ---- migrate.c: the key of a guest that moves to another host ------------ */

/* An owner's migration key, which this host's TPM has unsealed. */
void cloister_owner_add(const uint8_t secret[CLOISTER_MIGRATION_KEY]);

/* Is there one?  Else nothing that comes from another host is kept. */
bool cloister_owner_any(void);

/* Before other software gets the machine.  Takes no lock. */
void cloister_owners_wipe(void);

/*
 * The instance key that was released as `what`, and the name of the owner's
 * key that it was wrapped with.  -EBADMSG: not this, or by nobody known.
 */
int cloister_release_open(const struct cloister_release *what,
                          struct cloister_record_key *key,
                          uint8_t raw[CL_KEY_SIZE], uint8_t owner[32]);

/*
 * Its image has just been saved, as this record: what the target must have
 * before the key is released.
 */
void cloister_release_expect(struct cloister_domain *cd, const void *record,
                             size_t length);

/* Its guest goes on instead: unless it is too late.  Under the domctl lock. */
void cloister_release_cancel(struct cloister_domain *cd);

int cloister_migrate_op(struct cloister_migrate *m);

/* ---- record.c ---------------------------------------------------------- */

/*
 * Bytes that a record of a sealed domain may need, as it is now; 0: more than
 * a context can have.  Takes no lock.
 */
size_t cloister_record_room(struct domain *d);

/*
 * A record of a sealed domain, which is paused, for its owner (dump.c): of the
 * pages that others have views of, and no image.  0; -EAGAIN: they were given
 * or taken meanwhile, or its key is gone; -ENODATA: pages rest, which is on
 * record; -ENOMEM.
 */
int cloister_record_dump(struct domain *d, void *buf, size_t room,
                         size_t *length);

/* ---- record_state.c ---------------------------------------------------- */

/* Names an instance by its key, and gives nothing away. */
void cloister_instance_id(const uint8_t raw[CL_KEY_SIZE], uint8_t id[16]);

/* HVM parameter that says where the ring is. */
extern const uint8_t cloister_ring_param[CLOISTER_RINGS];

/* Which of the rings this page of the memory map is, or CLOISTER_RINGS. */
static inline unsigned int cloister_ring(const struct cloister_domain *cd,
                                         unsigned long gfn)
{
    unsigned int i;

    for ( i = 0; i < CLOISTER_RINGS && cd->ring[i].gfn != gfn; i++ )
        ;

    return i;
}

/* SHA-256 of what the domain's processors can do. */
void cloister_cpu_digest(const struct domain *d, uint8_t digest[32]);

/* Parameter `index` as a record has it; 0 if it has not. */
uint64_t cloister_param(const struct domain *d, unsigned int index);

/* No vCPU runs, and none will until dom0 resumes the domain. */
bool cloister_is_still(const struct domain *d);

/* ---- dump.c ------------------------------------------------------------ */

int cloister_dump_op(struct cloister_dump *op);

/*
 * The guest ends, and its key is gone: so does the copy that is on its way to
 * its owner.  Takes dump.c's lock, under which it takes the domain's.
 */
void cloister_dump_drop(const struct cloister_domain *cd);

/* A key on its way to its owner, as the host goes down.  Takes no lock. */
void cloister_dump_wipe(void);

/*
 * Does the guest's command line, as this launch log has it, hold the option
 * (at most 20 characters) with this value in lowercase hex?
 */
bool cloister_log_names(const uint8_t *log, size_t size, const char *option,
                        const uint8_t value[32]);

/* Its item `config`, copied; false: it has none. */
bool cloister_log_config(const uint8_t *log, size_t size,
                         struct cloister_launch_config *c);

/* ---- restore.c --------------------------------------------------------- */

/*
 * Steps of the seal of a domain that is restored.  check: does it fit to its
 * record?  take: the image is this domain's now (*rc: -ERESTART: again);
 * untake: or not, after all.  log: its launch log and measurement are those of
 * the guest that was saved.  finish: loads the vCPUs, and uses up the image, and
 * attaches the network card.
 */
enum cloister_reason cloister_restore_check(struct domain *d);
enum cloister_reason cloister_restore_take(struct cloister_domain *cd,
                                           int *rc);
void cloister_restore_untake(struct cloister_domain *cd);
enum cloister_reason cloister_restore_log(struct cloister_domain *cd);
enum cloister_reason cloister_restore_finish(struct domain *d);
void cloister_restore_drop(struct cloister_domain *cd);

/* A record in the clear, as the host goes down.  Takes no lock. */
void cloister_restore_wipe(struct cloister_domain *cd);

/* ---- restore_record.c -------------------------------------------------- */

/*
 * The instance that was saved, while hvm_load() checks what Xen has sealed;
 * else NULL.
 */
const uint8_t *cloister_restore_source(const struct cloister_domain *cd);

/* It comes from another host, which has let it go. */
bool cloister_restore_is_foreign(const struct cloister_domain *cd);

/* ---- restore_key.c ----------------------------------------------------- */

/*
 * A record from another host, whose key comes last: -EINVAL: there is none.
 * offer: its challenge, and which record it is; -EEXIST: it has its key.
 * receive: -EBADMSG: not its key, it goes on waiting; -EACCES: its key, and
 * refused for good.  Under the domctl lock.
 */
int cloister_restore_offer(const struct cloister_domain *cd,
                           struct cloister_offer *offer);
int cloister_restore_receive(struct domain *d,
                             struct cloister_record_key *key);

/* ---- rest.c ------------------------------------------------------------ */

/*
 * Decrypts a page at gfn that is asleep, and has the memory map say so.  0 or
 * -errno; -EBADMSG: it is not what it should be.  Under the gfn's lock.
 */
int cloister_open_page(struct domain *d, gfn_t gfn, mfn_t mfn);

/* ---- secret.c, report.c ------------------------------------------------- */

int cloister_provision_op(const struct cloister_provision *p);

/* For current, which is sealed. */
int cloister_secret_op(struct cloister_secret *s);
int cloister_report_op(struct cloister_report *r);

/* What the last sequence for a secret has left.  Takes no lock. */
void cloister_provision_wipe(void);

/* Erases a secret that the domain has not fetched; wipe: takes no lock. */
void cloister_secret_drop(struct cloister_domain *cd);
void cloister_secret_wipe(struct cloister_domain *cd);

/* ---- hostkey.c -------------------------------------------------------- */

/*
 * The PCRs that the host key is bound to, bit N for PCR N: never 0 once
 * cloister_hostkey_init() has looked at what the command line asks for, before
 * anything is made of it.
 */
extern unsigned int cloister_key_pcrs;
void cloister_hostkey_init(void);

/*
 * A key for this purpose (a text of at most 31 bytes), the same in every boot
 * of this Xen on this host.  false: there is no host key (yet).
 */
bool cloister_host_key(uint8_t out[32], const char *what);

/* Before other software gets the machine.  Takes no lock. */
void cloister_hostkey_wipe(void);

int cloister_hostkey_op(struct cloister_hostkey *k);

/* ---- tpm.c ------------------------------------------------------------ */

/* The command or response that is under way.  Takes no lock. */
void cloister_tpm_wipe(void);

/* true: a TPM 2.0 has answered at locality 2. */
bool cloister_tpm_ready(void);
enum cloister_reason cloister_tpm_reason(void);

/*
 * Fetches 32 bytes that TPM2_GetRandom gave and nobody had before.  false:
 * none at hand now; more are on their way if the TPM works.
 */
bool cloister_tpm_random(uint8_t out[32]);
uint64_t cloister_tpm_bytes(void);

/* The hardware is there (whether it works or not). */
bool cloister_tpm_present(void);

/* There is something to do for one of the works. */
void cloister_tpm_kick(void);

/* ---- reset.c ---------------------------------------------------------- */

/*
 * The TPM was reset since Xen has first asked it: its PCRs are not those of
 * this boot, and stay so until the next.  Takes no lock.
 */
bool cloister_tpm_was_reset(void);

/*
 * The TPM's timer only: it looks as if.  Asks before anything else is, unless
 * the last question failed, when it is others' turn.
 */
void cloister_reset_soon(void);

/* The TPM's timer only, once: it was, whatever its counts say. */
void cloister_reset_found(void);

extern const struct cloister_tpm_work cloister_reset_work;

/* ---- measure.c -------------------------------------------------------- */

/*
 * Measures a domain that is being sealed.  -ERESTART: call again; 0: *why is
 * none and its log and measurement are there, or why not.
 */
int cloister_measure(struct domain *d, enum cloister_reason *why);
void cloister_measure_stop(struct cloister_domain *cd);
void cloister_measure_drop(struct cloister_domain *cd);

/* ---- events.c --------------------------------------------------------- */

extern const struct cloister_tpm_work cloister_events_work;
extern const struct cloister_tpm_work cloister_counter_work;
extern const struct cloister_tpm_work cloister_dump_work;

int cloister_events_init(void);

/* The launch of a measured domain, once; -ENOSPC: the log is full. */
int cloister_event_launch(struct domain *d);
void cloister_event_end(struct domain *d);

/* The PCRs hold all that is in the log; never again once the TPM was reset. */
bool cloister_events_settled(void);

/*
 * Copies up to *len bytes from offset on; *gen changes when what has been
 * read before is not a beginning of the log any more.
 */
int cloister_events_read(uint64_t offset, uint8_t *out, uint32_t *len,
                         uint64_t *total, uint64_t *gen);

/* ---- refusal.c -------------------------------------------------------- */

/* Writes a refusal to the log and to the ring that cloister(1) reads. */
void cloister_refuse(struct domain *d, enum cloister_reason why,
                     uint64_t detail);

/* Entry nr of the ring; -ENOENT if it is not there (any more). */
int cloister_refusal_get(struct cloister_refusal *r);
uint64_t cloister_refusals(void);

const char *cloister_reason_text(enum cloister_reason why);

/* ---- seal.c, seal_pages.c ---------------------------------------------- */

/*
 * Whether the domain could be sealed, but for its pages and its record:
 * -ERESTART, or 0 with *why set.  It has a key then.  Under the domctl lock.
 */
int cloister_seal_could(struct domain *d, enum cloister_reason *why);

/*
 * Nobody but the guest maps the page at gfn any more, or the reason; *pg may
 * be another page then.  Under the gfn's lock, while sealing.
 */
enum cloister_reason cloister_cut(struct domain *d, unsigned long gfn,
                                  const struct cl_page *p,
                                  struct page_info **pg);

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

/* ---- siom_nic.c ------------------------------------------------------- */

/* Is this page of I/O memory the NIC's?  What else of it is not dom0's. */
bool cloister_nic_hides_io(unsigned long mfn);
int cloister_nic_dom0_permissions(struct domain *d);

/* The host goes down: no more DMA, and no frame is left in its buffers. */
void cloister_nic_wipe(void);

/* ---- siom_port.c ------------------------------------------------------ */

/*
 * At the seal, if SIOM is on.  prepare: all that the guest's network card may
 * fail for; attach: the guest has it; detach: at its death, or when the seal
 * is refused after all.
 */
enum cloister_reason cloister_siom_prepare(struct domain *d);
enum cloister_reason cloister_siom_attach(struct domain *d);
void cloister_siom_detach(struct domain *d);

/* From cloister_domain_destroy: nobody uses the domain any more. */
void cloister_siom_destroy(struct domain *d);

/* The host goes down, nothing else runs: frames on their way.  No lock. */
void cloister_siom_wipe(const struct domain *d);

/*
 * siom_save.c: the card as an entry of the HVM context (abi/record.h).  save
 * writes one if the domain has a card; check keeps it for attach.  -ENODEV:
 * this host gives no cards; -EPERM: not in a sealed record.
 */
struct hvm_domain_context;
int cf_check cloister_siom_save(struct vcpu *v, struct hvm_domain_context *h);
int cloister_siom_check(const struct domain *d, struct hvm_domain_context *h);

/* The record that check has seen is of no use any more. */
void cloister_siom_forget(struct cloister_domain *cd);

/* siom_op.c: what the hypercall asks. */
int cloister_net_host(struct cloister_net_host *h);
int cloister_net_port(struct cloister_net_port *p);
int cloister_net_set(const struct cloister_net_set *s);

/* Has dom0 settled anything of the domain's card?  What. */
bool cloister_net_settled(const struct domain *d,
                          struct cloister_launch_net *out);

/* From cloister_context_switch: whose bus is on this CPU from now on. */
void cloister_siom_switch(const struct domain *next);

/* ---- survive.c, orphans.c: dom0's end --------------------------------- */

/*
 * dom0 wants the machine off or reset by its own means (SHUTDOWN_*).  True: it
 * is dom0 that ends instead, as a protected guest runs.
 */
bool cloister_dom0_ends(uint8_t reason);

/* From now on Xen empties guests' console rings. */
void cloister_keep_consoles(void);

#endif /* CLOISTER_PRIVATE_H */
