/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secure memory management: which VM may do what with each machine page.
 *
 * Three things live here, all in memory that the caller hands in:
 *
 *   page permission table   machine frame number -> owner, state, gfn, and
 *                           tag and version of the newest view of the page
 *   key table               slot -> instance key, epoch, nonce counter
 *   views                   ciphertext of a private page for anyone else
 *
 * Page states, and the verb on each arrow:
 *
 *          assign             seal               share
 *     free -----> building ---------> private <---------> shared
 *      ^           |  ^                |   |    unshare     |
 *      |           |  +----------------+   |                |
 *      |           |        unseal         |                |
 *      |           +-------------> leaving <----------------+
 *      |                leave         |
 *      +------------------------------+   (and from every state but free)
 *               free (wipes the page)
 *
 * A page that is granted to somebody when it is sealed becomes shared, not
 * private; unseal brings it back to building, too.
 *
 * Ciphertext in place: of a page that came with a saved image, and of a page
 * of a VM that rests.
 *
 *            expect              open               rest
 *   building ------> incoming --------> private <----------> resting
 *                    (key of the                   open      (the VM's key)
 *                    saved VM)
 *
 * Nothing but leave and free goes from there anywhere else: whoever wants to
 * use the page, opens it first.
 *
 * Every verb either does all it says and returns 0, or returns -errno and
 * has changed nothing (unit tests try every verb in every state).
 *
 * Locking.  The engine takes no lock.  Callers serialise all verbs on one
 * VM's pages by one lock of that VM, and cl_ppt_hold/cl_ppt_drop by one lock
 * of the table.  cl_ppt_find needs none, as long as the caller knows that
 * the frame is held (it owns the frame, or has a reference to it).
 */
#ifndef CLOISTER_SMM_H
#define CLOISTER_SMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cloister/gcm.h>

#define CL_PAGE_SIZE    4096u
#define CL_TAG_SIZE     16u
#define CL_KEY_SIZE     32u

/* ---- Page permission table -------------------------------------------- */

enum cl_page_state {
    CL_PAGE_FREE,       /* not controlled by SMM; must be 0 */
    CL_PAGE_BUILDING,   /* of a VM that has not been sealed: open to dom0 */
    CL_PAGE_PRIVATE,    /* everyone else gets views */
    CL_PAGE_SHARED,     /* granted by the guest itself; views for the rest */
    CL_PAGE_LEAVING,    /* out of the memory map, waits for the last user */
    CL_PAGE_INCOMING,   /* ciphertext that a record vouches for */
    CL_PAGE_RESTING,    /* ciphertext, encrypted in place */
    CL_PAGE_STATES
};

#define CL_GFN_NONE     UINT32_MAX
#define CL_SHARES_MAX   UINT8_MAX

/*
 * One machine page under SMM's control.  32 bytes: 1/128 of the page, the
 * bulk of SMM's memory.  All-zero is a valid free page.
 */
struct cl_page {
    uint64_t version;           /* of the newest view, or of the ciphertext
                                   in place; 0: none; CL_DIRTY: see there */
    uint8_t tag[CL_TAG_SIZE];   /* goes with it */
    uint32_t gfn;               /* CL_GFN_NONE: not in the memory map */
    uint16_t owner;             /* VM id, never 0 unless free */
    uint8_t state;              /* enum cl_page_state */
    uint8_t shares;             /* grants that are active now */
};

/* Entries of one leaf: a leaf fills one page of memory. */
#define CL_LEAF_PAGES   (CL_PAGE_SIZE / sizeof(struct cl_page))

struct cl_ppt_slot {
    struct cl_page *leaf;       /* CL_LEAF_PAGES entries, or NULL */
    uint32_t used;              /* entries held; the leaf goes with the last */
};

/* Two-level table indexed by machine frame number. */
struct cl_ppt {
    struct cl_ppt_slot *root;   /* handed in, all-zero */
    uint64_t frames;            /* first frame number that does not exist */
};

/* Root slots that a table over `frames` machine frames needs. */
static inline uint64_t cl_ppt_root_slots(uint64_t frames)
{
    return (frames + CL_LEAF_PAGES - 1) / CL_LEAF_PAGES;
}

/*
 * Entry of machine frame mfn, or NULL if SMM does not hold it.  The entry
 * stays valid until the frame is dropped.
 */
struct cl_page *cl_ppt_find(const struct cl_ppt *t, uint64_t mfn);

/*
 * Makes room for the entries of frames [mfn, mfn + nr), which must lie in
 * one leaf.  *spare is a zeroed page of memory for a leaf, or NULL; it is
 * set to NULL if the table took it.
 * 0; -EINVAL (range outside the table or across leaves); -ENOMEM (a leaf is
 * needed and *spare is NULL).
 */
int cl_ppt_hold(struct cl_ppt *t, uint64_t mfn, uint32_t nr, void **spare);

/*
 * Takes back what cl_ppt_hold gave.  All nr entries must be free.  Returns
 * the leaf's memory if nothing in it is held any more (the caller owns it
 * again), else NULL.
 */
void *cl_ppt_drop(struct cl_ppt *t, uint64_t mfn, uint32_t nr);

/* ---- Key table -------------------------------------------------------- */

/* One instance key.  Never copied, wiped when erased. */
struct cl_key {
    struct cl_gcm_key gcm;
    uint64_t epoch;             /* 0: the slot is empty */
    uint64_t counter;           /* last nonce used; 0 is never used */
};

struct cl_key_table {
    struct cl_key *slot;        /* handed in, all-zero, 16-byte aligned */
    uint32_t slots;
    uint64_t epoch;             /* last epoch given */
};

/*
 * Puts a fresh instance key into an empty slot and returns its number.
 * `random`: CL_KEY_SIZE bytes that were never used before; wiped on success
 * and on failure.  Must run inside the platform's vector section (gcm.h).
 * -ENOSPC: no slot is empty; -EOPNOTSUPP: the CPU lacks AES instructions.
 */
int cl_key_install(struct cl_key_table *t, uint8_t random[CL_KEY_SIZE]);

/* Wipes slot nr.  The next key in this slot gets another epoch. */
void cl_key_erase(struct cl_key_table *t, uint32_t nr);

/*
 * The same for the key of a saved VM, with the epoch that it had (not 0): to
 * open what was encrypted with it, never to encrypt.
 */
int cl_key_adopt(struct cl_key_table *t, uint8_t saved[CL_KEY_SIZE],
                 uint64_t epoch);

/* The key itself, to be wrapped by another; the caller wipes it. */
void cl_key_raw(const struct cl_key *k, uint8_t out[CL_KEY_SIZE]);

/* ---- VM and verbs ----------------------------------------------------- */

struct cl_vm {
    uint16_t id;                /* not 0 */
    bool sealed;
    struct cl_key *key;         /* set before the VM is sealed */
    const struct cl_key *from;  /* of the saved VM, for incoming pages */
    uint64_t pages[CL_PAGE_STATES]; /* by state; [CL_PAGE_FREE] stays 0 */
    uint64_t views;             /* given so far */
    uint64_t since;             /* see "What a record may vouch for" */
    uint64_t cleaned;
    uint64_t stopped;           /* when it became still */
    bool tracked;
    bool still;
};

/*
 * All verbs: -EPERM if the page is not this VM's (assign: -EBUSY if it is
 * anybody's), -EINVAL if the state has no such arrow.
 */

/* free -> building, not yet in the memory map. */
int cl_page_assign(struct cl_vm *vm, struct cl_page *p);

/*
 * Says where a page of `building` stands in the memory map.  In a sealed VM
 * (the guest balloons up) it becomes private.  -ERANGE: gfn is too large.
 */
int cl_page_bind(struct cl_vm *vm, struct cl_page *p, uint64_t gfn);

/*
 * building -> private at this gfn, or shared if grants of it are active.
 * The caller has made sure that nobody else maps the page.  -EEXIST: done
 * already, that is, the page stands twice in the memory map.  -ERANGE: gfn
 * is too large.
 */
int cl_page_seal(struct cl_vm *vm, struct cl_page *p, uint64_t gfn);

/*
 * private or shared -> building, when a seal is given up.  -EINVAL once the
 * VM is sealed.
 */
int cl_page_unseal(struct cl_vm *vm, struct cl_page *p);

/*
 * One more grant of the page is active: private -> shared; a page of
 * `building` only counts it.  -ENOSPC: too many.
 */
int cl_page_share(struct cl_vm *vm, struct cl_page *p);

/* One grant has ended; with the last, shared -> private. */
int cl_page_unshare(struct cl_vm *vm, struct cl_page *p);

/* The page left the memory map: no permission for anyone but its users. */
int cl_page_leave(struct cl_vm *vm, struct cl_page *p);

/*
 * any state -> free.  `mem` is the page itself (CL_PAGE_SIZE bytes), which
 * nobody else uses any more; it is wiped before the state changes.
 */
int cl_page_free(struct cl_vm *vm, struct cl_page *p, void *mem);

/*
 * building -> incoming: the page holds ciphertext, made with vm->from, of the
 * page at gfn.  -EBUSY: grants of it are active; -ERANGE: gfn is too large.
 */
int cl_page_expect(struct cl_vm *vm, struct cl_page *p, uint64_t gfn,
                   uint64_t version, const uint8_t tag[CL_TAG_SIZE]);

/*
 * incoming or resting -> private.  `mem` is the page itself, which nobody
 * else can see or write to; inside the platform's vector section.
 * -EBADMSG: it is not what was encrypted; it is zeroed, and can never be
 * opened (the one case in which a refusal changes something).
 * -EINVAL also if the key is gone.
 */
int cl_page_open(struct cl_vm *vm, struct cl_page *p, void *mem);

/*
 * private -> resting, with the VM's key, as a view of epoch 0, which no view
 * has: it opens whatever cl_vm_renew() does.  `mem` as above.  -EOVERFLOW: the
 * key's nonces are used up.
 */
int cl_page_rest(struct cl_vm *vm, struct cl_page *p, void *mem);

/* ---- Views ------------------------------------------------------------ */

/*
 * A view is AES-256-GCM ciphertext of one page, CL_PAGE_SIZE bytes:
 *   key    the VM's instance key
 *   nonce  4 zero bytes, then the version (8 bytes, little-endian)
 *   AAD    epoch, gfn, version (3 x 8 bytes, little-endian)
 * The version is the key's nonce counter, so it never repeats.
 */
struct cl_view {
    const struct cl_key *key;
    uint64_t version;
    uint64_t gfn;
    uint64_t epoch;
    uint8_t tag[CL_TAG_SIZE];
};

/*
 * Under the VM's lock: reserves a version for a view of a private or shared
 * page.  -EINVAL: the VM is not sealed, or the page's state allows no view;
 * -EOVERFLOW: the key's nonces are used up.
 */
int cl_view_begin(struct cl_vm *vm, const struct cl_page *p,
                  struct cl_view *v);

/*
 * Without the lock, inside the platform's vector section: encrypts `src`
 * (which the guest may be writing to) into `dst` (which nobody else can
 * see yet).  CL_PAGE_SIZE bytes each, not overlapping.  The key may be erased
 * meanwhile, as the VM dies: cl_view_end tells.
 */
void cl_view_run(struct cl_view *v, const void *src, void *dst);

/*
 * The same for nr views, with vectors as wide as `impl`; the section is to be
 * as wide, see gcm.h.
 */
struct cl_view_job {
    struct cl_view *v;
    const void *src;
    void *dst;
};

void cl_view_run_jobs(enum cl_gcm_impl impl, const struct cl_view_job *jobs,
                      unsigned int nr);

/*
 * Under the VM's lock: records tag and version, unless a newer view was
 * recorded first or the page has moved on.  -ENOENT: the key was erased, or
 * is another one, by now; what is in `dst` may be no ciphertext at all, and
 * nobody may see it.
 */
int cl_view_end(struct cl_vm *vm, struct cl_page *p, const struct cl_view *v);

/*
 * Opens a view: `src` to `dst`, CL_PAGE_SIZE bytes, the same or not
 * overlapping; v->key, version, gfn, epoch and tag as they were.  Inside the
 * platform's vector section.  -EBADMSG: not that view; `dst` is zeroed.
 */
int cl_view_open(const struct cl_view *v, const void *src, void *dst);

/* ---- What a record may vouch for --------------------------------------- */

/*
 * A view is worth something to a later restore only if the page has not
 * changed since.  That is so in two cases, and in all others a view is good
 * for looking at only:
 *
 *   still     no vCPU runs, nor will until the VM is told to go on: views
 *             newer than that moment stay true.
 *   tracked   writes are caught (log-dirty): views newer than the start stay
 *             true until cl_page_dirty().  After that the page may be
 *             written to unseen until the next cl_vm_clean().  Once the VM
 *             has been still, and runs again, tracking must start anew: views
 *             of dirty pages that were taken meanwhile hide what is unseen.
 *
 * vm->since is the version that the views must be newer than, 0 if none will
 * do.  A page that was written to has CL_DIRTY in its version, and
 * the value of the key's counter at that moment in the rest of it.
 */
#define CL_DIRTY    (1ull << 63)

/* Under the VM's lock, all of them. */
void cl_vm_still(struct cl_vm *vm, bool still);
void cl_vm_track(struct cl_vm *vm, bool tracked);
void cl_vm_clean(struct cl_vm *vm);
void cl_page_dirty(struct cl_vm *vm, struct cl_page *p);

/* Does the newest view of the page show what the page holds? */
bool cl_page_recordable(const struct cl_vm *vm, const struct cl_page *p);

/*
 * The VM's key gets a fresh epoch (its nonces go on): no view that was given
 * before verifies, nor is worth anything to a record.
 */
void cl_vm_renew(struct cl_key_table *t, struct cl_vm *vm);

#ifdef __CPROVER
#include <cloister/smm_contract.h>
#endif

#endif /* CLOISTER_SMM_H */
