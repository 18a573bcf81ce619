/* SPDX-License-Identifier: GPL-2.0-only */
/* Xen around the port's files: memory, domains, locks, and the host. */
#include <stdarg.h>

#include <openssl/sha.h>

#include "private.h"
#include "siom.h"
#include "fake_host.h"

struct fake_host fake_host;
s_time_t fake_now;
unsigned int fake_held, fake_rcu, fake_paused;
int domlist_read_lock;
bool iommu_enabled, iommu_intremap;

/* ---- From the same Xen each time --------------------------------------------- */

extern uint8_t fake_first[], fake_last[];

/* Not 0: so these are not among what is reset. */
static uint8_t *at_first = (uint8_t *)1;

/* Red zones are copied, too. */
__attribute__((no_sanitize("address"), noinline)) static void
copy(volatile uint64_t *to, const volatile uint64_t *from, size_t bytes)
{
    size_t i;

    for ( i = 0; i < bytes / sizeof(*to); i++ )
        if ( to[i] != from[i] )
            to[i] = from[i];
}

void fake_reset(void)
{
    const uintptr_t begin = ((uintptr_t)fake_first + 7) & ~7ul;
    const size_t size = (uintptr_t)fake_last - begin;

    if ( (uintptr_t)at_first == 1 )
    {
        at_first = malloc(size);
        copy((uint64_t *)at_first, (uint64_t *)begin, size);
        return;
    }
    fake_free_all();
    copy((uint64_t *)begin, (uint64_t *)at_first, size);
}

/* ---- Memory -------------------------------------------------------------------- */

#define MOST 256
static void *allocated[MOST];

/* Large ones are kept for the next input: to give them back takes longer. */
#define LARGE 65536u
#define KEPT 4
static struct
{
    void *p;
    size_t size;
    bool used;
} kept[KEPT] = {{NULL, 1}};     /* not 0: so not reset */

static void *alloc(size_t size)
{
    unsigned int i;
    void *p;

    for ( i = 0; i < KEPT && size > LARGE; i++ )
        if ( !kept[i].used && (!kept[i].p || kept[i].size == size) )
        {
            kept[i].used = true;
            kept[i].size = size;
            kept[i].p = kept[i].p ? kept[i].p : malloc(size);

            return kept[i].p;
        }
    /* As much as is needed for vectors; and Xen gives no NULL for nothing. */
    if ( posix_memalign(&p, 16, size ? size : 1) )
        abort();

    return p;
}

static void give_back(void *p)
{
    unsigned int i;

    for ( i = 0; i < KEPT; i++ )
        if ( p && kept[i].p == p )
        {
            kept[i].used = false;
            return;
        }
    free(p);
}

void *fake_alloc(size_t size, bool zero)
{
    unsigned int i = 0;

    if ( fake_host.no_memory )
        return NULL;
    while ( i < MOST && allocated[i] )
        i++;
    lock_check(i < MOST && size < (16u << 20), "bounded memory", __LINE__);
    allocated[i] = alloc(size);
    memset(allocated[i], zero ? 0 : FAKE_POISON, size);

    return allocated[i];
}

void fake_free(void *p)
{
    unsigned int i = 0;

    while ( p && i < MOST && allocated[i] != p )
        i++;
    if ( !p )
        return;
    lock_check(i < MOST, "freed, and not allocated", __LINE__);
    give_back(p);
    allocated[i] = NULL;
}

void fake_free_all(void)
{
    unsigned int i;

    for ( i = 0; i < MOST; i++ )
        give_back(allocated[i]);
    memset(allocated, 0, sizeof(allocated));
}

/* ---- The caller's memory -------------------------------------------------------- */

uint8_t fake_guest[FAKE_GUEST_SIZE];
struct fake_copy fake_copy[FAKE_COPIES];
unsigned int fake_copies;

static uint8_t *guest(bool to, unsigned long at, size_t size)
{
    lock_check(fake_copies < FAKE_COPIES, "bounded copies", __LINE__);
    lock_check(!fake_held, "a lock is held, and the caller's memory may fault",
               __LINE__);
    fake_copy[fake_copies++] = (struct fake_copy){to, at, size};
    if ( at < FAKE_GUEST_AT || size > FAKE_GUEST_SIZE ||
         at - FAKE_GUEST_AT > FAKE_GUEST_SIZE - size )
        return NULL;

    return fake_guest + (at - FAKE_GUEST_AT);
}

/* All or nothing; bytes that are missing. */
unsigned long fake_from(void *to, unsigned long at, size_t size)
{
    const uint8_t *p = guest(false, at, size);

    if ( !p )
        return size;
    memcpy(to, p, size);

    return 0;
}

unsigned long fake_to(unsigned long at, const void *from, size_t size)
{
    uint8_t *p = guest(true, at, size);

    if ( !p || fake_host.read_only )
        return size;
    memcpy(p, from, size);

    return 0;
}

/* ---- Domains ---------------------------------------------------------------------- */

struct domain fake_domain[FAKE_DOMAINS];
struct vcpu *fake_current;

struct domain *rcu_lock_domain_by_id(domid_t id)
{
    if ( id >= FAKE_DOMAINS || !fake_domain[id].exists )
        return NULL;
    fake_rcu++;

    return &fake_domain[id];
}

struct domain *rcu_lock_domain_by_any_id(domid_t id)
{
    return rcu_lock_domain_by_id(id == DOMID_SELF ? current->domain->domain_id
                                                  : id);
}

void rcu_unlock_domain(struct domain *d)
{
    lock_check(fake_rcu, "not held", __LINE__);
    fake_rcu--;
}

struct vcpu *domain_vcpu(const struct domain *d, unsigned int id)
{
    return id < d->max_vcpus ? d->vcpu[id] : NULL;
}

bool fake_domctl_lock;

bool domctl_lock_acquire(void)
{
    lock_check(!fake_domctl_lock, "the domctl lock is taken twice", __LINE__);
    fake_domctl_lock = !fake_host.busy;

    return fake_domctl_lock;
}

void domctl_lock_release(void)
{
    lock_check(fake_domctl_lock, "the domctl lock is not taken", __LINE__);
    fake_domctl_lock = false;
}

bool cloister_sealed(const struct domain *d)
{
    const struct cloister_domain *cd = d->arch.cloister;

    return cd && cd->state > CLOISTER_DOM_building;
}

/* ---- Pages ------------------------------------------------------------------------ */

struct cl_ppt cloister_ppt;
static struct cl_ppt_slot root[2];
static _Alignas(64) uint8_t leaf[2][CL_PAGE_SIZE];
static struct page_info pages[FAKE_FRAMES];

#define EACH 3

void fake_table_begin(void)
{
    void *spare = leaf[0];

    if ( cloister_ppt.root )
        return;
    cloister_ppt = (struct cl_ppt){.root = root, .frames = 200};
    lock_check(!cl_ppt_hold(&cloister_ppt, 0, FAKE_FRAMES, &spare), "table",
               __LINE__);
}

struct cl_page *fake_page(unsigned int frame)
{
    return cl_ppt_find(&cloister_ppt, frame);
}

void fake_pages_assign(struct domain *d)
{
    unsigned int i, first = d->domain_id * EACH;

    for ( i = 0; i < EACH; i++ )
    {
        pages[first + i].mfn = first + i;
        pages[first + i].next = i + 1 < EACH ? &pages[first + i + 1] : NULL;
        cl_page_assign(&d->arch.cloister->vm, fake_page(first + i));
        cl_page_bind(&d->arch.cloister->vm, fake_page(first + i), 0x100 + i);
    }
    d->page_list.first = &pages[first];
}

void fake_pages_free(struct domain *d)
{
    static uint8_t mem[CL_PAGE_SIZE];
    unsigned int i;

    for ( i = 0; i < EACH; i++ )
        cl_page_free(&d->arch.cloister->vm,
                     fake_page(d->domain_id * EACH + i), mem);
    d->page_list.first = NULL;
}

gfn_t mfn_to_gfn(const struct domain *d, mfn_t mfn)
{
    return (gfn_t){0x100 + (mfn.m - d->domain_id * EACH)};
}

mfn_t get_gfn_query_unlocked(const struct domain *d, unsigned long gfn,
                             p2m_type_t *t)
{
    *t = 0;

    return gfn - 0x100 < EACH ? _mfn(gfn - 0x100 + d->domain_id * EACH)
                              : INVALID_MFN;
}

void cloister_table_lock(void)
{
}

void cloister_table_unlock(void)
{
}

uint64_t cloister_table_bytes(void)
{
    return sizeof(leaf);
}

/* ---- The host --------------------------------------------------------------------- */

static uint64_t random_state;

bool fake_random(void *to, size_t size)
{
    uint8_t digest[32];

    if ( fake_host.no_random )
        return false;
    while ( size )
    {
        size_t n = size < 32 ? size : 32;

        random_state++;
        SHA256((const uint8_t *)&random_state, sizeof(random_state), digest);
        memcpy(to, digest, n);
        to = (uint8_t *)to + n;
        size -= n;
    }

    return true;
}

void sha2_256_digest(uint8_t digest[32], const void *msg, size_t len)
{
    SHA256(msg, len, digest);
}

size_t strlcpy(char *to, const char *from, size_t size)
{
    snprintf(to, size, "%s", from);

    return strlen(from);
}

long hypercall_create_continuation(unsigned int op, const char *format,
                                   unsigned int cmd, ...)
{
    va_list ap;

    va_start(ap, cmd);
    lock_check(op == 55 && !strcmp(format, "ih"), "continuation", __LINE__);
    fake_host.continued = true;
    fake_host.cmd = cmd;
    fake_host.arg = (unsigned long)va_arg(ap, XEN_GUEST_HANDLE_PARAM(void)).p;
    va_end(ap);

    return op;
}

const char *xen_commandline(void)
{
    return "cloister=on";
}

int xen_build_id(const void **id, unsigned int *len)
{
    *id = "build";
    *len = 5;

    return 0;
}

bool ioports_access_permitted(const struct domain *d, unsigned long first,
                              unsigned long last)
{
    return first > 0x100;
}

unsigned int cloister_mode;
bool cloister_unsafe_lab, cloister_has_aes;

enum cloister_reason cloister_host_reason(void)
{
    return CLOISTER_WHY_none;
}

bool cloister_watches_port(unsigned int first, unsigned int nr)
{
    return first < 0xd00 && nr > 0xcd0 - first;
}

void cloister_request_overwrite(void)
{
}

void cloister_simd_begin(struct cloister_simd *s)
{
}

void cloister_simd_end(struct cloister_simd *s)
{
}

bool cloister_batch_ended(void)
{
    return true;
}

uint64_t cloister_views_live(void)
{
    return 0;
}

uint64_t cloister_views_limit(void)
{
    return 1000;
}

void cloister_measure_drop(struct cloister_domain *cd)
{
    XFREE(cd->log);
}

int cloister_seal_could(struct domain *d, enum cloister_reason *why)
{
    *why = fake_host.could > 0 ? fake_host.could : CLOISTER_WHY_none;

    return fake_host.could < 0 ? -ERESTART : 0;
}

/* ---- SIOM --------------------------------------------------------------------------- */

struct cloister_siom_options cloister_siom_opts;
struct cl_siom *cloister_siom;

struct cloister_port *cloister_siom_port(const struct domain *d)
{
    return d->arch.cloister ? d->arch.cloister->siom : NULL;
}

enum cloister_reason cloister_siom_attach(struct domain *d)
{
    if ( d->arch.cloister->siom )
        d->arch.cloister->siom->active = true;

    return CLOISTER_WHY_none;
}

void cloister_siom_detach(struct domain *d)
{
    if ( d->arch.cloister->siom )
        d->arch.cloister->siom->active = false;
}

void cloister_siom_destroy(struct domain *d)
{
    if ( d->arch.cloister->siom )
        XFREE(d->arch.cloister->siom->saved);
    XFREE(d->arch.cloister->siom);
}

void cloister_siom_switch(const struct domain *next)
{
}

void cloister_siom_again(const struct cloister_port *cp)
{
}

void cloister_siom_kick(void)
{
}
