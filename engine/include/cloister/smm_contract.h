/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contracts of smm.h, which includes it for proofs: each function is declared
 * once more, with what is proved of it in tests/proofs.
 */
#ifndef CLOISTER_SMM_CONTRACT_H
#define CLOISTER_SMM_CONTRACT_H

#include <errno.h>

#include <cloister/contract.h>

/* ---- Page permission table -------------------------------------------- */

/* A proof has a table of two leaves, each of which may be there or not. */
#define CL_SLOT(t, mfn)  (&(t)->root[(mfn) / CL_LEAF_PAGES])
#define CL_ENTRY(t, mfn) (&CL_SLOT(t, mfn)->leaf[(mfn) % CL_LEAF_PAGES])
#define CL_IN_LEAF(t, mfn, nr)                                            \
    ((nr) && (nr) <= CL_LEAF_PAGES && (mfn) < (t)->frames &&              \
     (nr) <= (t)->frames - (mfn) &&                                       \
     (mfn) / CL_LEAF_PAGES == ((mfn) + (nr) - 1) / CL_LEAF_PAGES)
#define CL_TABLE_SLOT(s)                                                  \
    ((s).used <= CL_LEAF_PAGES &&                                         \
     ((s).used ? CL_BYTES((s).leaf, CL_PAGE_SIZE) : !(s).leaf))
#define CL_TABLE(t)                                                       \
    ((t)->frames <= 2 * CL_LEAF_PAGES &&                                  \
     CL_BYTES((t)->root, 2 * sizeof(*(t)->root)) &&                       \
     CL_TABLE_SLOT((t)->root[0]) && CL_TABLE_SLOT((t)->root[1]))

struct cl_page *cl_ppt_find(const struct cl_ppt *t, uint64_t mfn)
    CL_REQUIRES(CL_OBJECT(t) && CL_TABLE(t))
    CL_ASSIGNS()
    CL_ENSURES(mfn < t->frames || !CL_RESULT)
    CL_ENSURES(!CL_RESULT || CL_RESULT == CL_ENTRY(t, mfn))
    CL_ENSURES(mfn >= t->frames || !CL_SLOT(t, mfn)->leaf == !CL_RESULT);

int cl_ppt_hold(struct cl_ppt *t, uint64_t mfn, uint32_t nr, void **spare)
    CL_REQUIRES(CL_OBJECT(t) && CL_TABLE(t) && CL_OBJECT(spare))
    CL_REQUIRES(!CL_IN_LEAF(t, mfn, nr) ||
                CL_SLOT(t, mfn)->used <= CL_LEAF_PAGES - nr)
    CL_ASSIGNS(CL_WHOLE(t->root), *spare)
    CL_ENSURES(CL_RESULT == 0 || CL_RESULT == -EINVAL || CL_RESULT == -ENOMEM)
    CL_ENSURES((CL_RESULT == -EINVAL) == !CL_IN_LEAF(t, mfn, nr))
    CL_ENSURES(CL_RESULT == 0 || CL_SAME(*spare))
    CL_ENSURES(CL_RESULT != 0 || CL_SLOT(t, mfn)->leaf)
    CL_ENSURES(CL_RESULT != 0 || (CL_SLOT(t, mfn)->used >= nr &&
                                  CL_SLOT(t, mfn)->used <= CL_LEAF_PAGES));

void *cl_ppt_drop(struct cl_ppt *t, uint64_t mfn, uint32_t nr)
    CL_REQUIRES(CL_OBJECT(t) && CL_TABLE(t))
    CL_ASSIGNS(CL_WHOLE(t->root))
    CL_ENSURES(!CL_RESULT || (CL_IN_LEAF(t, mfn, nr) &&
                              !CL_SLOT(t, mfn)->leaf &&
                              !CL_SLOT(t, mfn)->used))
    CL_ENSURES(!CL_IN_LEAF(t, mfn, nr) || CL_RESULT ||
               CL_SLOT(t, mfn)->used <= CL_LEAF_PAGES);

/* ---- VM and verbs ----------------------------------------------------- */

/*
 * What holds of every entry and every VM between verbs:
 *
 *  - a free entry is all zero, any other has an owner;
 *  - private means that no grant is active, shared that one is; ciphertext in
 *    place (incoming, resting) is granted to nobody;
 *  - a page that leaves is nowhere in the memory map, and has no view;
 *  - a VM counts its pages by their state, so that a state that a page of it
 *    is in has at least one;
 *  - no page has a view that is newer than its key's last nonce.
 */
#define CL_PAGE_VALID(p)                                                  \
    ((p)->state < CL_PAGE_STATES &&                                       \
     ((p)->state == CL_PAGE_FREE) == !(p)->owner &&                       \
     ((p)->state != CL_PAGE_FREE ||                                       \
      (!(p)->version && !(p)->gfn && !(p)->shares)) &&                    \
     ((p)->state != CL_PAGE_PRIVATE || !(p)->shares) &&                   \
     ((p)->state != CL_PAGE_SHARED || (p)->shares) &&                     \
     ((p)->state != CL_PAGE_LEAVING ||                                    \
      ((p)->gfn == CL_GFN_NONE && !(p)->version)) &&                      \
     (((p)->state != CL_PAGE_INCOMING && (p)->state != CL_PAGE_RESTING) || \
      !(p)->shares) &&                                                    \
     ((p)->state < CL_PAGE_PRIVATE || (p)->state == CL_PAGE_LEAVING ||    \
      (p)->gfn != CL_GFN_NONE))
#define CL_VM_VALID(vm, p)                                                \
    ((vm)->id && !(vm)->pages[CL_PAGE_FREE] &&                            \
     ((p)->owner != (vm)->id || (vm)->pages[(p)->state]))
/* No machine has as many pages. */
#define CL_VM_SMALL(vm)                                                   \
    ((vm)->pages[1] < UINT32_MAX && (vm)->pages[2] < UINT32_MAX &&        \
     (vm)->pages[3] < UINT32_MAX && (vm)->pages[4] < UINT32_MAX &&        \
     (vm)->pages[5] < UINT32_MAX && (vm)->pages[6] < UINT32_MAX)
#define CL_VALID(vm, p) (CL_PAGE_VALID(p) && CL_VM_VALID(vm, p))

#define CL_PAGES_OF(vm)                                                   \
    ((vm)->pages[0] + (vm)->pages[1] + (vm)->pages[2] + (vm)->pages[3] +  \
     (vm)->pages[4] + (vm)->pages[5] + (vm)->pages[6])
#define CL_PAGES_WERE(vm)                                                 \
    (CL_OLD((vm)->pages[0]) + CL_OLD((vm)->pages[1]) +                    \
     CL_OLD((vm)->pages[2]) + CL_OLD((vm)->pages[3]) +                    \
     CL_OLD((vm)->pages[4]) + CL_OLD((vm)->pages[5]) +                    \
     CL_OLD((vm)->pages[6]))
#define CL_PAGE_SAME(p)                                                   \
    (CL_SAME((p)->version) && CL_SAME((p)->gfn) && CL_SAME((p)->owner) && \
     CL_SAME((p)->state) && CL_SAME((p)->shares) &&                       \
     CL_SAME((p)->tag[0]) && CL_SAME((p)->tag[15]))
#define CL_VM_SAME(vm)                                                    \
    (CL_SAME((vm)->pages[0]) && CL_SAME((vm)->pages[1]) &&                \
     CL_SAME((vm)->pages[2]) && CL_SAME((vm)->pages[3]) &&                \
     CL_SAME((vm)->pages[4]) && CL_SAME((vm)->pages[5]) &&                \
     CL_SAME((vm)->pages[6]))

/* A verb takes valid to valid, or returns an error and changes nothing. */
#define CL_VERB(vm, p)                                                    \
    CL_REQUIRES(CL_OBJECT(vm) && CL_OBJECT(p) && CL_VALID(vm, p) &&       \
                CL_VM_SMALL(vm))                                          \
    CL_ASSIGNS(*(p), (vm)->pages)                                         \
    CL_ENSURES(CL_VALID(vm, p))                                           \
    CL_ENSURES(CL_RESULT <= 0)                                            \
    CL_ENSURES(!CL_RESULT || (CL_PAGE_SAME(p) && CL_VM_SAME(vm)))

int cl_page_assign(struct cl_vm *vm, struct cl_page *p)
    CL_VERB(vm, p)
    CL_ENSURES((CL_RESULT == -EBUSY) == (CL_OLD(p->state) != CL_PAGE_FREE))
    CL_ENSURES(CL_RESULT == 0 || CL_RESULT == -EBUSY)
    CL_ENSURES(CL_RESULT || (p->state == CL_PAGE_BUILDING && !p->version &&
                             p->owner == vm->id && !p->shares &&
                             p->gfn == CL_GFN_NONE))
    CL_ENSURES(CL_PAGES_OF(vm) == CL_PAGES_WERE(vm) + !CL_RESULT);

int cl_page_bind(struct cl_vm *vm, struct cl_page *p, uint64_t gfn)
    CL_VERB(vm, p)
    CL_ENSURES(CL_RESULT != 0 || CL_OLD(p->owner) == vm->id)
    CL_ENSURES(CL_RESULT || CL_OLD(p->state) == CL_PAGE_BUILDING)
    CL_ENSURES(CL_RESULT || p->gfn == gfn)
    CL_ENSURES(CL_RESULT || (p->state == CL_PAGE_BUILDING) == !vm->sealed)
    CL_ENSURES(CL_PAGES_OF(vm) == CL_PAGES_WERE(vm));

int cl_page_seal(struct cl_vm *vm, struct cl_page *p, uint64_t gfn)
    CL_VERB(vm, p)
    CL_ENSURES(CL_RESULT != 0 || CL_OLD(p->owner) == vm->id)
    CL_ENSURES(CL_RESULT || CL_OLD(p->state) == CL_PAGE_BUILDING)
    CL_ENSURES(CL_RESULT || p->gfn == gfn)
    CL_ENSURES(CL_RESULT || p->state == (p->shares ? CL_PAGE_SHARED
                                                   : CL_PAGE_PRIVATE))
    CL_ENSURES(CL_PAGES_OF(vm) == CL_PAGES_WERE(vm));

int cl_page_unseal(struct cl_vm *vm, struct cl_page *p)
    CL_VERB(vm, p)
    CL_ENSURES(CL_RESULT != 0 || CL_OLD(p->owner) == vm->id)
    CL_ENSURES(CL_RESULT || (!vm->sealed && p->state == CL_PAGE_BUILDING))
    CL_ENSURES(CL_PAGES_OF(vm) == CL_PAGES_WERE(vm));

int cl_page_share(struct cl_vm *vm, struct cl_page *p)
    CL_VERB(vm, p)
    CL_ENSURES(CL_RESULT != 0 || CL_OLD(p->owner) == vm->id)
    CL_ENSURES(CL_RESULT || p->shares == CL_OLD(p->shares) + 1)
    CL_ENSURES(CL_RESULT || p->state != CL_PAGE_PRIVATE)
    CL_ENSURES(CL_PAGES_OF(vm) == CL_PAGES_WERE(vm));

int cl_page_unshare(struct cl_vm *vm, struct cl_page *p)
    CL_VERB(vm, p)
    CL_ENSURES(CL_RESULT != 0 || CL_OLD(p->owner) == vm->id)
    CL_ENSURES(CL_RESULT || p->shares == CL_OLD(p->shares) - 1)
    CL_ENSURES(CL_PAGES_OF(vm) == CL_PAGES_WERE(vm));

int cl_page_leave(struct cl_vm *vm, struct cl_page *p)
    CL_VERB(vm, p)
    CL_ENSURES(CL_RESULT != 0 || CL_OLD(p->owner) == vm->id)
    CL_ENSURES(CL_RESULT || (p->state == CL_PAGE_LEAVING && !p->version &&
                             CL_SAME(p->shares)))
    CL_ENSURES(CL_PAGES_OF(vm) == CL_PAGES_WERE(vm));

int cl_page_free(struct cl_vm *vm, struct cl_page *p, void *mem)
    CL_REQUIRES(CL_OBJECT(vm) && CL_OBJECT(p) && CL_VALID(vm, p) &&
                CL_VM_SMALL(vm) && CL_BYTES(mem, CL_PAGE_SIZE))
    CL_ASSIGNS(*p, vm->pages, CL_WHOLE(mem))
    CL_ENSURES(CL_VALID(vm, p))
    CL_ENSURES(CL_RESULT == 0 || CL_RESULT == -EPERM)
    CL_ENSURES(!CL_RESULT || (CL_PAGE_SAME(p) && CL_VM_SAME(vm) &&
                              CL_SAME(((uint8_t *)mem)[0])))
    CL_ENSURES(CL_RESULT || (CL_OLD(p->owner) == vm->id &&
                             p->state == CL_PAGE_FREE))
    CL_ENSURES(CL_RESULT || !CL_ANY(mem, CL_PAGE_SIZE))
    CL_ENSURES(CL_PAGES_OF(vm) == CL_PAGES_WERE(vm) - !CL_RESULT);

/* ---- Ciphertext in place ------------------------------------------------ */

/* Keys that a VM may have or not. */
#define CL_KEY_OR_NONE(k) (!(k) || CL_OBJECT(k))

int cl_page_expect(struct cl_vm *vm, struct cl_page *p, uint64_t gfn,
                   uint64_t version, const uint8_t tag[CL_TAG_SIZE])
    CL_VERB(vm, p)
    CL_REQUIRES(CL_BYTES(tag, CL_TAG_SIZE))
    CL_ENSURES(CL_RESULT != 0 || CL_OLD(p->owner) == vm->id)
    CL_ENSURES(CL_RESULT || CL_OLD(p->state) == CL_PAGE_BUILDING)
    CL_ENSURES(CL_RESULT || (p->state == CL_PAGE_INCOMING && p->gfn == gfn &&
                             p->version == version))
    CL_ENSURES(CL_RESULT || CL_ANY(p->tag, CL_TAG_SIZE) ==
                                CL_ANY(tag, CL_TAG_SIZE))
    CL_ENSURES(CL_PAGES_OF(vm) == CL_PAGES_WERE(vm));

int cl_page_open(struct cl_vm *vm, struct cl_page *p, void *mem)
    CL_REQUIRES(CL_OBJECT(vm) && CL_OBJECT(p) && CL_VALID(vm, p) &&
                CL_VM_SMALL(vm) && CL_BYTES(mem, CL_PAGE_SIZE) &&
                CL_KEY_OR_NONE(vm->key) && CL_KEY_OR_NONE(vm->from))
    CL_ASSIGNS(*p, vm->pages, CL_WHOLE(mem))
    CL_ENSURES(CL_VALID(vm, p))
    CL_ENSURES(CL_RESULT == 0 || CL_RESULT == -EPERM || CL_RESULT == -EINVAL ||
               CL_RESULT == -EBADMSG)
    CL_ENSURES(!CL_RESULT || (CL_PAGE_SAME(p) && CL_VM_SAME(vm)))
    CL_ENSURES(!CL_RESULT || CL_RESULT == -EBADMSG ||
               CL_SAME(((uint8_t *)mem)[0]))
    CL_ENSURES((CL_RESULT != 0 && CL_RESULT != -EBADMSG) ||
               (CL_OLD(p->owner) == vm->id &&
                (CL_OLD(p->state) == CL_PAGE_INCOMING
                     ? vm->from && vm->from->epoch
                     : CL_OLD(p->state) == CL_PAGE_RESTING && vm->key &&
                           vm->key->epoch)))
    CL_ENSURES(CL_RESULT || (p->state == CL_PAGE_PRIVATE && !p->version &&
                             !CL_ANY(p->tag, CL_TAG_SIZE)))
    CL_ENSURES(CL_PAGES_OF(vm) == CL_PAGES_WERE(vm));

int cl_page_rest(struct cl_vm *vm, struct cl_page *p, void *mem)
    CL_REQUIRES(CL_OBJECT(vm) && CL_OBJECT(p) && CL_VALID(vm, p) &&
                CL_VM_SMALL(vm) && CL_BYTES(mem, CL_PAGE_SIZE) &&
                CL_KEY_OR_NONE(vm->key))
    CL_ASSIGNS(*p, vm->pages, CL_WHOLE(mem);
               vm->key != NULL: vm->key->counter)
    CL_ENSURES(CL_VALID(vm, p))
    CL_ENSURES(CL_RESULT == 0 || CL_RESULT == -EPERM || CL_RESULT == -EINVAL ||
               CL_RESULT == -EOVERFLOW)
    CL_ENSURES(!CL_RESULT || (CL_PAGE_SAME(p) && CL_VM_SAME(vm) &&
                              CL_SAME(((uint8_t *)mem)[0])))
    CL_ENSURES(!CL_RESULT || !vm->key || CL_SAME(vm->key->counter))
    CL_ENSURES(CL_RESULT || (CL_OLD(p->owner) == vm->id && vm->sealed &&
                             CL_OLD(p->state) == CL_PAGE_PRIVATE &&
                             p->state == CL_PAGE_RESTING))
    CL_ENSURES(CL_RESULT || (p->version == vm->key->counter &&
                             p->version == CL_OLD(vm->key->counter) + 1 &&
                             p->version < CL_DIRTY))
    CL_ENSURES(CL_PAGES_OF(vm) == CL_PAGES_WERE(vm));

/* ---- Views ------------------------------------------------------------ */

int cl_view_begin(struct cl_vm *vm, const struct cl_page *p,
                  struct cl_view *v)
    CL_REQUIRES(CL_OBJECT(vm) && CL_OBJECT(p) && CL_VALID(vm, p) &&
                CL_OBJECT(v) && (!vm->key || CL_OBJECT(vm->key)))
    CL_REQUIRES(!vm->key || p->version <= vm->key->counter)
    CL_ASSIGNS(*v; vm->key != NULL: vm->key->counter)
    CL_ENSURES(CL_RESULT <= 0)
    CL_ENSURES(CL_RESULT ||
               (vm->sealed && vm->key && vm->key->epoch &&
                p->owner == vm->id && (p->state == CL_PAGE_PRIVATE ||
                                       p->state == CL_PAGE_SHARED)))
    CL_ENSURES(CL_RESULT || (v->key == vm->key && v->gfn == p->gfn &&
                             v->epoch == vm->key->epoch))
    CL_ENSURES(CL_RESULT || (v->version == vm->key->counter &&
                             v->version == CL_OLD(vm->key->counter) + 1 &&
                             v->version > p->version))
    CL_ENSURES(!CL_RESULT || !vm->key || CL_SAME(vm->key->counter));

int cl_view_end(struct cl_vm *vm, struct cl_page *p, const struct cl_view *v)
    CL_REQUIRES(CL_OBJECT(vm) && CL_OBJECT(p) && CL_VALID(vm, p) &&
                CL_OBJECT(v) && CL_OBJECT(v->key) && vm->views < UINT64_MAX)
    CL_REQUIRES(v->gfn != CL_GFN_NONE && v->version < CL_DIRTY)
    CL_ASSIGNS(*p, vm->views)
    CL_ENSURES(CL_VALID(vm, p))
    CL_ENSURES(CL_RESULT == 0 || CL_RESULT == -ENOENT)
    CL_ENSURES((CL_RESULT == 0) == (vm->key == v->key &&
                                    v->key->epoch == v->epoch))
    CL_ENSURES((p->version & ~CL_DIRTY) >= (CL_OLD(p->version) & ~CL_DIRTY))
    CL_ENSURES(CL_SAME(p->version) ||
               (!CL_RESULT && p->version == v->version &&
                p->gfn == v->gfn && p->owner == vm->id))
    CL_ENSURES(CL_SAME(p->state) && CL_SAME(p->owner) && CL_SAME(p->gfn) &&
               CL_SAME(p->shares));

int cl_view_open(const struct cl_view *v, const void *src, void *dst)
    CL_REQUIRES(CL_OBJECT(v) && CL_OBJECT(v->key) &&
                CL_BYTES(src, CL_PAGE_SIZE) && CL_BYTES(dst, CL_PAGE_SIZE))
    CL_ASSIGNS(CL_WHOLE(dst))
    CL_ENSURES(CL_RESULT == 0 || CL_RESULT == -EBADMSG);

/* ---- What a record may vouch for --------------------------------------- */

/* Of a function that a VM's key is asked for the time. */
#define CL_TIMED(vm, ...)                                                 \
    CL_REQUIRES(CL_OBJECT(vm) && CL_KEY_OR_NONE((vm)->key))               \
    CL_ASSIGNS(__VA_ARGS__; (vm)->key != NULL: (vm)->key->counter)        \
    CL_ENSURES(!(vm)->key || (vm)->key->counter >= CL_OLD((vm)->key->counter))

/* A moment after all views that were begun; 0 if the VM has no key. */
#define CL_NOW(vm, t)                                                     \
    ((vm)->key ? (t) <= (vm)->key->counter &&                             \
                 ((t) > CL_OLD((vm)->key->counter) ||                     \
                  CL_OLD((vm)->key->counter) >= CL_DIRTY - 1)             \
               : !(t))
/* vm->since is what it was, or set anew, or 0 as no view will do. */
#define CL_SINCE(vm)                                                      \
    ((vm)->still || (vm)->tracked                                         \
     ? CL_SAME((vm)->since) || CL_NOW(vm, (vm)->since) : !(vm)->since)

void cl_vm_still(struct cl_vm *vm, bool still)
    CL_TIMED(vm, vm->still, vm->tracked, vm->since, vm->stopped)
    CL_ENSURES(vm->still == still && CL_SINCE(vm))
    CL_ENSURES(CL_OLD(vm->still) && !still ? !vm->tracked && !vm->since
                                           : CL_SAME(vm->tracked))
    CL_ENSURES(still && !CL_OLD(vm->still) ? CL_NOW(vm, vm->stopped)
                                           : CL_SAME(vm->stopped));

void cl_vm_track(struct cl_vm *vm, bool tracked)
    CL_TIMED(vm, vm->tracked, vm->since, vm->cleaned)
    CL_ENSURES(vm->tracked == tracked && CL_SINCE(vm))
    CL_ENSURES(CL_NOW(vm, vm->cleaned));

void cl_vm_clean(struct cl_vm *vm)
    CL_TIMED(vm, vm->cleaned)
    CL_ENSURES(CL_NOW(vm, vm->cleaned));

void cl_page_dirty(struct cl_vm *vm, struct cl_page *p)
    CL_REQUIRES(CL_OBJECT(vm) && CL_OBJECT(p) && CL_VALID(vm, p) &&
                CL_KEY_OR_NONE(vm->key))
    CL_ASSIGNS(p->version, p->tag)
    CL_ENSURES(CL_VALID(vm, p))
    CL_ENSURES(vm->key && p->owner == vm->id &&
                       (p->state == CL_PAGE_PRIVATE ||
                        p->state == CL_PAGE_SHARED)
                   ? p->version == (CL_DIRTY | vm->key->counter) &&
                         !CL_ANY(p->tag, CL_TAG_SIZE)
                   : CL_SAME(p->version) && CL_SAME(p->tag[0]) &&
                         CL_SAME(p->tag[15]));

bool cl_page_recordable(const struct cl_vm *vm, const struct cl_page *p)
    CL_REQUIRES(CL_OBJECT(vm) && CL_OBJECT(p))
    CL_ASSIGNS()
    CL_ENSURES(CL_RESULT == (p->owner == vm->id && vm->since &&
                             (p->state == CL_PAGE_PRIVATE ||
                              p->state == CL_PAGE_SHARED) &&
                             p->version > vm->since && p->version < CL_DIRTY));

void cl_vm_renew(struct cl_key_table *t, struct cl_vm *vm)
    CL_REQUIRES(CL_OBJECT(t) && CL_OBJECT(vm) && CL_KEY_OR_NONE(vm->key) &&
                t->epoch < UINT64_MAX)
    CL_ASSIGNS(t->epoch, vm->since;
               vm->key != NULL: vm->key->counter, vm->key->epoch)
    CL_ENSURES(vm->key && CL_OLD(vm->key->epoch)
                   ? vm->key->epoch == t->epoch &&
                         t->epoch == CL_OLD(t->epoch) + 1
                   : CL_SAME(t->epoch) && (!vm->key || !vm->key->epoch))
    CL_ENSURES(vm->since ? vm->key && vm->since >= CL_OLD(vm->key->counter) &&
                               CL_NOW(vm, vm->since)
                         : 1);

/* ---- Key table -------------------------------------------------------- */

void cl_key_raw(const struct cl_key *k, uint8_t out[CL_KEY_SIZE])
    CL_REQUIRES(CL_OBJECT(k) && CL_BYTES(out, CL_KEY_SIZE))
    CL_ASSIGNS(CL_WHOLE(out))
    CL_ENSURES(CL_ANY(out, CL_KEY_SIZE) ==
               k->gcm.rk[cl_any % CL_KEY_SIZE / 16][cl_any % 16]);

#endif /* CLOISTER_SMM_CONTRACT_H */
