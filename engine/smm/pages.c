/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page state machine.  smm.h has the chart; each function here is one
 * of its arrows: checks first, which change nothing, then the change, which
 * cannot fail.
 */

#include <errno.h>
#include <string.h>

#include <cloister/smm.h>
#include <cloister/wipe.h>

static int check_owner(const struct cl_vm *vm, const struct cl_page *p)
{
    return p->state != CL_PAGE_FREE && p->owner == vm->id ? 0 : -EPERM;
}

static int check_state(const struct cl_vm *vm, const struct cl_page *p,
                       enum cl_page_state s)
{
    int rc = check_owner(vm, p);

    return rc ? rc : p->state == s ? 0 : -EINVAL;
}

static void do_move(struct cl_vm *vm, struct cl_page *p,
                    enum cl_page_state to)
{
    if ( p->state != CL_PAGE_FREE )
        vm->pages[p->state]--;
    if ( to != CL_PAGE_FREE )
        vm->pages[to]++;
    p->state = (uint8_t)to;
}

/* Where a page of the memory map of a sealed VM belongs. */
static enum cl_page_state closed_state(const struct cl_page *p)
{
    return p->shares ? CL_PAGE_SHARED : CL_PAGE_PRIVATE;
}

static bool is_closed(const struct cl_page *p)
{
    return p->state == CL_PAGE_PRIVATE || p->state == CL_PAGE_SHARED;
}

/* Holds ciphertext, to be opened before anyone uses it. */
static bool is_cipher(const struct cl_page *p)
{
    return p->state == CL_PAGE_INCOMING || p->state == CL_PAGE_RESTING;
}

/* No view of an earlier state of affairs may verify later. */
static void do_forget_view(struct cl_page *p)
{
    p->version = 0;
    memset(p->tag, 0, sizeof(p->tag));
}

int cl_page_assign(struct cl_vm *vm, struct cl_page *p)
{
    if ( p->state != CL_PAGE_FREE )
        return -EBUSY;

    p->owner = vm->id;
    p->gfn = CL_GFN_NONE;
    p->shares = 0;
    do_forget_view(p);
    do_move(vm, p, CL_PAGE_BUILDING);

    return 0;
}

int cl_page_bind(struct cl_vm *vm, struct cl_page *p, uint64_t gfn)
{
    int rc = check_state(vm, p, CL_PAGE_BUILDING);

    if ( rc )
        return rc;
    if ( gfn >= CL_GFN_NONE )
        return -ERANGE;

    p->gfn = (uint32_t)gfn;
    if ( vm->sealed )
        do_move(vm, p, closed_state(p));

    return 0;
}

int cl_page_seal(struct cl_vm *vm, struct cl_page *p, uint64_t gfn)
{
    int rc = check_owner(vm, p);

    if ( rc )
        return rc;
    if ( is_closed(p) || is_cipher(p) )
        return -EEXIST;
    if ( p->state != CL_PAGE_BUILDING )
        return -EINVAL;
    if ( gfn >= CL_GFN_NONE )
        return -ERANGE;

    p->gfn = (uint32_t)gfn;
    do_move(vm, p, closed_state(p));

    return 0;
}

int cl_page_unseal(struct cl_vm *vm, struct cl_page *p)
{
    int rc = check_owner(vm, p);

    if ( rc )
        return rc;
    if ( vm->sealed || !is_closed(p) )
        return -EINVAL;

    do_move(vm, p, CL_PAGE_BUILDING);

    return 0;
}

int cl_page_share(struct cl_vm *vm, struct cl_page *p)
{
    int rc = check_owner(vm, p);

    if ( rc )
        return rc;
    if ( p->state == CL_PAGE_LEAVING || is_cipher(p) )
        return -EINVAL;
    if ( p->shares == CL_SHARES_MAX )
        return -ENOSPC;

    p->shares++;
    if ( p->state == CL_PAGE_PRIVATE )
        do_move(vm, p, CL_PAGE_SHARED);

    return 0;
}

int cl_page_unshare(struct cl_vm *vm, struct cl_page *p)
{
    int rc = check_owner(vm, p);

    if ( rc )
        return rc;
    if ( !p->shares )
        return -EINVAL;

    p->shares--;
    if ( p->state == CL_PAGE_SHARED && !p->shares )
        do_move(vm, p, CL_PAGE_PRIVATE);

    return 0;
}

int cl_page_leave(struct cl_vm *vm, struct cl_page *p)
{
    int rc = check_owner(vm, p);

    if ( rc )
        return rc;
    if ( p->state == CL_PAGE_LEAVING )
        return -EINVAL;

    p->gfn = CL_GFN_NONE;
    do_forget_view(p);
    do_move(vm, p, CL_PAGE_LEAVING);

    return 0;
}

int cl_page_free(struct cl_vm *vm, struct cl_page *p, void *mem)
{
    int rc = check_owner(vm, p);

    if ( rc )
        return rc;

    /* Wiped while it still belongs to the VM: never free and not wiped. */
    cl_wipe(mem, CL_PAGE_SIZE);
    do_move(vm, p, CL_PAGE_FREE);
    memset(p, 0, sizeof(*p));

    return 0;
}

/* ---- Ciphertext in place ------------------------------------------------- */

int cl_page_expect(struct cl_vm *vm, struct cl_page *p, uint64_t gfn,
                   uint64_t version, const uint8_t tag[CL_TAG_SIZE])
{
    int rc = check_state(vm, p, CL_PAGE_BUILDING);

    if ( rc )
        return rc;
    if ( p->shares )
        return -EBUSY;
    if ( gfn >= CL_GFN_NONE )
        return -ERANGE;

    p->gfn = (uint32_t)gfn;
    p->version = version;
    memcpy(p->tag, tag, sizeof(p->tag));
    do_move(vm, p, CL_PAGE_INCOMING);

    return 0;
}

/*
 * The page's ciphertext, as a view that was taken with this key.  What the VM's
 * own key has encrypted in place belongs to no epoch: it stays good when views
 * do not any more (cl_vm_renew).
 */
static struct cl_view in_place(const struct cl_page *p,
                               const struct cl_key *key)
{
    struct cl_view v = {
        .key = key,
        .version = p->version,
        .gfn = p->gfn,
        .epoch = p->state == CL_PAGE_RESTING ? 0 : key->epoch,
    };

    memcpy(v.tag, p->tag, sizeof(v.tag));

    return v;
}

int cl_page_open(struct cl_vm *vm, struct cl_page *p, void *mem)
{
    const struct cl_key *key;
    struct cl_view v;
    int rc = check_owner(vm, p);

    if ( rc )
        return rc;
    if ( !is_cipher(p) )
        return -EINVAL;
    key = p->state == CL_PAGE_INCOMING ? vm->from : vm->key;
    if ( !key || !key->epoch )
        return -EINVAL;

    v = in_place(p, key);
    rc = cl_view_open(&v, mem, mem);
    if ( rc )
        return rc;

    do_forget_view(p);
    do_move(vm, p, CL_PAGE_PRIVATE);

    return 0;
}

int cl_page_rest(struct cl_vm *vm, struct cl_page *p, void *mem)
{
    struct cl_view v;
    int rc = check_state(vm, p, CL_PAGE_PRIVATE);

    if ( rc )
        return rc;
    rc = cl_view_begin(vm, p, &v);
    if ( rc )
        return rc;

    v.epoch = 0;
    cl_view_run(&v, mem, mem);
    p->version = v.version;
    memcpy(p->tag, v.tag, sizeof(p->tag));
    do_move(vm, p, CL_PAGE_RESTING);

    return 0;
}

/* ---- What a record may vouch for ----------------------------------------- */

/*
 * A number that lies between all views before and all views after; not 0.  It
 * does not go beyond the last nonce: a key whose nonces are used up has no view
 * after, and one of a saved VM must not come to have one as its counter wraps.
 */
static uint64_t now(struct cl_vm *vm)
{
    if ( !vm->key )
        return 0;
    if ( vm->key->counter < CL_DIRTY - 1 )
        vm->key->counter++;

    return vm->key->counter;
}

static void do_since(struct cl_vm *vm)
{
    if ( !vm->still && !vm->tracked )
        vm->since = 0;
    else if ( !vm->since )
        vm->since = now(vm);
}

void cl_vm_still(struct cl_vm *vm, bool still)
{
    /* It runs again: a page that was dirty may be written to, and none tells. */
    if ( vm->still && !still )
    {
        vm->tracked = false;
        vm->since = 0;
    }
    if ( still && !vm->still )
        vm->stopped = now(vm);
    vm->still = still;
    do_since(vm);
}

void cl_vm_track(struct cl_vm *vm, bool tracked)
{
    vm->tracked = tracked;
    do_since(vm);
    cl_vm_clean(vm);
}

void cl_vm_clean(struct cl_vm *vm)
{
    vm->cleaned = now(vm);
}

void cl_page_dirty(struct cl_vm *vm, struct cl_page *p)
{
    if ( !vm->key || p->owner != vm->id || !is_closed(p) )
        return;

    p->version = CL_DIRTY | vm->key->counter;
    memset(p->tag, 0, sizeof(p->tag));
}

bool cl_page_recordable(const struct cl_vm *vm, const struct cl_page *p)
{
    return is_closed(p) && p->owner == vm->id && vm->since &&
           !(p->version & CL_DIRTY) && p->version > vm->since;
}

void cl_vm_renew(struct cl_key_table *t, struct cl_vm *vm)
{
    /* With an epoch, a slot that was erased would pass for a key: of zeros. */
    if ( vm->key && vm->key->epoch )
        vm->key->epoch = ++t->epoch;
    vm->since = 0;
    do_since(vm);
}
