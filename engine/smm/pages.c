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
    if ( is_closed(p) )
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
    if ( p->state == CL_PAGE_LEAVING )
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
