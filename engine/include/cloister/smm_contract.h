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

#endif /* CLOISTER_SMM_CONTRACT_H */
