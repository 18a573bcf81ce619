/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of Xen as the port's files need in a fuzz target: included in front
 * of each file.  What is more than a line is in ../fake.c, hvm.c and tpm.c.
 *
 * All variables of all files are between two marks (../first.c, last.c), so
 * that each input begins with the same Xen; and what Xen allocates, or has on
 * its stack, is full of FAKE_POISON until it is written to.
 */
#ifndef CLOISTER_FUZZ_FAKE_H
#define CLOISTER_FUZZ_FAKE_H

#pragma clang section bss = ".fake.bss"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With Xen's own names in them: before a header of the same name is faked. */
#include <xen/domctl.h>
#include <xen/hvm/params.h>
#include <xen/hvm/save.h>

#include "port_locks.h"

#define CONFIG_CLOISTER
#define ERESTART 85
#define FAKE_POISON 0xAA        /* -ftrivial-auto-var-init=pattern */

#undef HVM_SAVE_CODE_MAX
#define HVM_SAVE_CODE_MAX 21    /* series/: the record's */

/* ---- Words ---------------------------------------------------------------- */

typedef int64_t s_time_t;
typedef unsigned int p2m_type_t;
typedef struct { unsigned long m; } mfn_t;
typedef struct { unsigned long g; } gfn_t;
typedef struct { uint32_t sbdf; } pci_sbdf_t;

#define _mfn(n) ((mfn_t){ n })
#define mfn_x(n) ((n).m)
#define gfn_x(n) ((n).g)
#define INVALID_MFN _mfn(~0UL)
#define mfn_valid(n) ((n).m < FAKE_FRAMES)

#define likely(x) (x)
#define cf_check
#define __init
#define __ro_after_init
#define integer_param(name, var)
#define boolean_param(name, var)
#define __initcall(f) \
    static void __attribute__((constructor)) f##_at_boot(void) { f(); }

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BUILD_BUG_ON(x) _Static_assert(!(x), #x)
#define ROUNDUP(x, a) (((x) + (a) - 1) & ~((a) - 1ul))
#define KB(n) ((n) * 1024ul)
#define MB(n) (KB(n) * 1024)
#define min(a, b) ((a) < (b) ? (a) : (b))
#define SECONDS(s) ((s_time_t)(s) * 1000000000)
#define NOW() (fake_now)
#define read_atomic(p) (*(p))
#define write_atomic(p, x) (*(p) = (x))
#define smp_wmb() ((void)0)
#define printk(...) ((void)0)
#define safe_strcpy(d, s) snprintf(d, sizeof(d), "%s", s)
#define raise_softirq(nr) ((void)0)
#define SHA2_256_DIGEST_SIZE 32

extern s_time_t fake_now;

void sha2_256_digest(uint8_t digest[32], const void *msg, size_t len);
size_t strlcpy(char *to, const char *from, size_t size);

/* ---- Locks: port_locks.h's, counted ----------------------------------------- */

extern unsigned int fake_held;

#undef spin_lock
#undef spin_unlock
#define spin_lock(l) (lock_check(!*(l), "taken twice: " #l, __LINE__), \
                      (*(l))++, (void)fake_held++)
#define spin_unlock(l) (lock_check(*(l), "not taken: " #l, __LINE__), \
                        (*(l))--, (void)fake_held--)
#define spin_lock_init(l) (*(l) = 0)
#define spin_lock_irqsave(l, flags) ((flags) = 0, spin_lock(l))
#define spin_unlock_irqrestore(l, flags) ((void)(flags), spin_unlock(l))
#define nrspin_lock(l) spin_lock(l)
#define nrspin_unlock(l) spin_unlock(l)

/* Under this one, and no other, the caller's memory may be reached. */
extern bool fake_domctl_lock;
bool domctl_lock_acquire(void);
void domctl_lock_release(void);

/* ---- Memory of Xen's -------------------------------------------------------- */

/* Poisoned, unless zero; fake_free_all() frees what is left. */
void *fake_alloc(size_t size, bool zero);
void fake_free(void *p);
void fake_free_all(void);

#define xmalloc(type) ((type *)fake_alloc(sizeof(type), false))
#define xzalloc(type) ((type *)fake_alloc(sizeof(type), true))
#define xvmalloc_array(type, n) ((type *)fake_alloc(sizeof(type) * (n), false))
#define xvzalloc_array(type, n) ((type *)fake_alloc(sizeof(type) * (n), true))
#define vzalloc(n) fake_alloc(n, true)
#define xfree(p) fake_free(p)
#define xvfree(p) fake_free(p)
#define XFREE(p) (fake_free(p), (p) = NULL)

/* ---- Memory of the caller's ------------------------------------------------- */

#define FAKE_GUEST_AT 0x100000ul        /* its first address ... */
#define FAKE_GUEST_SIZE 0x8000u         /* ... and bytes; there is no more */

extern uint8_t fake_guest[FAKE_GUEST_SIZE];

/* What was read and written since fake_copies was set to 0. */
#define FAKE_COPIES 16
extern struct fake_copy
{
    bool to;
    unsigned long at;
    size_t size;
} fake_copy[FAKE_COPIES];
extern unsigned int fake_copies;

unsigned long fake_from(void *to, unsigned long at, size_t size);
unsigned long fake_to(unsigned long at, const void *from, size_t size);

#define copy_from_guest(to, handle, n) \
    fake_from(to, (unsigned long)(handle).p, (n) * sizeof(*(to)))
#define copy_to_guest(handle, from, n) \
    fake_to((unsigned long)(handle).p, from, (n) * sizeof(*(from)))

/* ---- Domains ------------------------------------------------------------------ */

#define FAKE_FRAMES 64

struct cpu_policy { uint8_t is[40]; };

struct page_info
{
    struct page_info *next;
    unsigned long mfn;
};

struct page_list_head { struct page_info *first; };

struct vcpu
{
    struct domain *domain;
    unsigned int vcpu_id;
    bool is_running, is_initialised;
    unsigned int paused;
    struct { struct { uint64_t rax; } user_regs; } arch;
};

struct cloister_domain;

struct domain
{
    domid_t domain_id;
    bool exists, hvm, is_dying, creation_finished, is_shut_down;
    unsigned int shutdown_code, paused, max_vcpus, options;
    uint8_t handle[16];
    spinlock_t shutdown_lock, page_alloc_lock;
    struct page_list_head page_list;
    struct vcpu *vcpu[2];
    struct
    {
        struct cloister_domain *cloister;
        struct cpu_policy *cpu_policy;
        unsigned int tsc_mode, emulation_flags, nr_e820;
        struct { uint64_t params[HVM_NR_PARAMS]; } hvm;
    } arch;
};

#define FAKE_DOMAINS 5          /* by number; dom0 is the first */
extern struct domain fake_domain[FAKE_DOMAINS];
extern struct vcpu *fake_current;

/* Domains that are held by their RCU lock. */
extern unsigned int fake_rcu, fake_paused;
extern int domlist_read_lock;

#define current fake_current
#define rcu_read_lock(l) ((void)(l), fake_rcu++)
#define rcu_read_unlock(l) ((void)(l), fake_rcu--)
#define for_each_domain(d)                                                  \
    for ( (d) = fake_domain; (d) < fake_domain + FAKE_DOMAINS; (d)++ )      \
        if ( (d)->exists )
#define for_each_vcpu(d, v)                                                 \
    for ( unsigned int at_ = 0; at_ < (d)->max_vcpus &&                     \
                                ((v) = (d)->vcpu[at_]) != NULL; at_++ )
#define is_hvm_domain(d) ((d)->hvm)
#define is_hardware_domain(d) (!(d)->domain_id)
#define is_control_domain(d) (!(d)->domain_id)
#define domain_tot_pages(d) 3u
#define page_list_for_each(pg, list) \
    for ( (pg) = (list)->first; (pg); (pg) = (pg)->next )
#define page_to_mfn(pg) _mfn((pg)->mfn)

struct domain *rcu_lock_domain_by_id(domid_t id);
struct domain *rcu_lock_domain_by_any_id(domid_t id);
void rcu_unlock_domain(struct domain *d);
struct vcpu *domain_vcpu(const struct domain *d, unsigned int id);
#define domain_pause(d) ((void)(d)->paused++, (void)fake_paused++)
#define domain_unpause(d) ((void)(d)->paused--, (void)fake_paused--)
#define vcpu_pause(v) ((void)(v)->paused++, (void)fake_paused++)
#define vcpu_unpause(v) ((void)(v)->paused--, (void)fake_paused--)
#define vcpu_sleep_sync(v) ((void)(v))
#define system_state 9
#define SYS_STATE_smp_boot 4
#define paging_mode_log_dirty(d) false
#define p2m_flush_hardware_cached_dirty(d) ((void)(d))
#define hvm_sync_pir_to_irr(v) ((void)(v))
gfn_t mfn_to_gfn(const struct domain *d, mfn_t mfn);
mfn_t get_gfn_query_unlocked(const struct domain *d, unsigned long gfn,
                             p2m_type_t *t);

/* ---- The host --------------------------------------------------------------- */

#define __HYPERVISOR_cloister_op 55
#define ACPI_ADR_SPACE_SYSTEM_IO 1
extern bool iommu_enabled, iommu_intremap;

const char *xen_commandline(void);
int xen_build_id(const void **id, unsigned int *len);
bool ioports_access_permitted(const struct domain *d, unsigned long first,
                              unsigned long last);
long hypercall_create_continuation(unsigned int op, const char *format,
                                   unsigned int cmd, ...);

/* ---- HVM contexts ------------------------------------------------------------- */

struct hvm_domain_context
{
    uint32_t cur, size;
    uint8_t *data;
};

typedef int hvm_save_handler(struct vcpu *v, struct hvm_domain_context *h);
typedef int hvm_check_handler(const struct domain *d,
                              struct hvm_domain_context *h);
typedef int hvm_load_handler(struct domain *d, struct hvm_domain_context *h);
#define HVMSR_PER_DOM 0

void hvm_register_savevm(uint16_t code, const char *name,
                         hvm_save_handler *save, hvm_check_handler *check,
                         hvm_load_handler *load, size_t size, int kind);
size_t hvm_save_size(struct domain *d);
int hvm_save(struct domain *d, struct hvm_domain_context *h);
int hvm_load(struct domain *d, bool real, struct hvm_domain_context *h);
int hvm_save_one(struct domain *d, unsigned int type, unsigned int instance,
                 XEN_GUEST_HANDLE_64(uint8) to, uint64_t *size);
int _hvm_init_entry(struct hvm_domain_context *h, uint16_t code,
                    uint16_t instance, uint32_t length);
void _hvm_write_entry(struct hvm_domain_context *h, const void *from,
                      uint32_t length);
int _hvm_check_entry(struct hvm_domain_context *h, uint16_t code,
                     uint32_t length, bool strict);
void _hvm_read_entry(struct hvm_domain_context *h, void *to, uint32_t length);
#define hvm_save_entry(type, instance, h, from) \
    _hvm_init_entry(h, HVM_SAVE_CODE(type), instance, 0)

#endif /* CLOISTER_FUZZ_FAKE_H */
