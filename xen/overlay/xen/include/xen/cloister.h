/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cloister: what the rest of Xen calls.
 *
 * Each hook is one call from an existing file.  Hooks for a domain do
 * nothing unless SMM controls the domain (d->arch.cloister is set), and
 * nothing at all without CONFIG_CLOISTER.
 *
 * Locking: hooks may be called with the p2m lock, the page_alloc_lock or a
 * grant entry's lock held.  Cloister's own locks (per domain, and one for
 * the page permission table) are innermost.
 */
#ifndef __XEN_CLOISTER_H__
#define __XEN_CLOISTER_H__

#include <xen/errno.h>
#include <xen/mm-frame.h>
#include <xen/pci.h>
#include <xen/types.h>

#include "../../arch/x86/cloister/abi/call.h"

struct domain;
struct hvm_domain_context;
struct p2m_domain;
struct page_info;
struct vcpu;
struct xen_domctl;
struct xen_sysctl;

#ifdef CONFIG_CLOISTER

/* ---- Life of a domain ------------------------------------------------- */

/* From arch_domain_create: decides whether SMM controls this domain. */
int cloister_domain_create(struct domain *d);

/* From arch_domain_destroy, when no page of the domain is left. */
void cloister_domain_destroy(struct domain *d);

/*
 * From the unpause that would run the domain for the first time.  0: go on
 * (sealed, or not to be protected); -ERESTART: call again; else refused, the
 * reason is on record and the domain is as it was before.
 */
int cloister_seal(struct domain *d);

/* From domain_kill, domain paused: erases the key. */
void cloister_domain_kill(struct domain *d);

/* From __context_switch, interrupts off. */
void cloister_context_switch(const struct vcpu *prev,
                             const struct vcpu *next);

/* ---- Life of a page --------------------------------------------------- */

/*
 * From assign_pages: pages [pg, pg + nr) come under SMM's control, or
 * -ENOMEM and the domain must not get them.  cloister_unassign undoes it.
 */
int cloister_assign(struct domain *d, struct page_info *pg, unsigned int nr);
void cloister_unassign(struct domain *d, struct page_info *pg,
                       unsigned int nr);

/* From populate_physmap: the pages stand at gfn from now on. */
void cloister_populate(struct domain *d, mfn_t mfn, unsigned long gfn,
                       unsigned int order);

/* From guest_remove_page (decrease_reservation): out of the memory map. */
void cloister_remove(struct domain *d, struct page_info *pg);

/* From free_domheap_pages: nobody uses the pages; wiped on return. */
void cloister_free(struct domain *d, struct page_info *pg,
                   unsigned int order);

/*
 * From the grant table: the guest's own grant of this page begins (true: it
 * was counted, and cloister_unshare must follow) or ends.
 */
bool cloister_share(struct domain *d, mfn_t mfn);
void cloister_unshare(struct domain *d, mfn_t mfn);

/* ---- Others' requests for a page -------------------------------------- */

/*
 * A PV domain asks to map a page of *owner.  For a sealed owner *page and
 * *owner are replaced by a view and its owner (the reference to the old page
 * is dropped, one to the view is held).  *page is NULL for a request by raw
 * frame number: then it is looked up by mfn first, and stays NULL if nothing
 * needs to change.
 */
int cloister_pv_foreign(struct domain **owner, struct page_info **page,
                        mfn_t mfn, bool write);

/* The same for a PVH domain, which always asks by gfn. */
int cloister_pvh_foreign(struct domain *owner, struct page_info **page);

/*
 * From hypercalls that may ask for many pages: all of this CPU's views between
 * the two share one window for vector registers.  In between there is neither
 * another vCPU nor a way back to a guest.
 */
void cloister_batch_begin(void);
void cloister_batch_end(void);

/*
 * Last check, by owner, with a reference to the page held: may a mapping by
 * `mapper` of a page of `owner` be made?
 */
bool cloister_may_map(const struct domain *mapper, const struct domain *owner,
                      const struct page_info *pg, bool write);

/*
 * May frames [mfn, mfn + (1 << order)) go into d's memory map as I/O memory?
 * Not if one of them is memory that is, or may be tomorrow, another domain's.
 */
bool cloister_may_map_io(const struct domain *d, mfn_t mfn,
                         unsigned int order);

/*
 * I/O memory that dom0 must not reach although its drivers ask for it: the
 * TPM's localities above 0, say, and SIOM's NIC with its page of the
 * memory-mapped configuration space.  dom0 has no right to it (iomem_caps),
 * but its memory map does not say so, since its driver maps all localities in
 * one go and would give up; cloister_io_sink() is what it gets instead.
 */
bool cloister_hides_io(mfn_t mfn);
mfn_t cloister_io_sink(mfn_t mfn);

/*
 * Must this frame be mapped read-only, whatever was asked?  Views, and what
 * Xen shares of its own (DOMID_XEN), which PVH domains could write to.
 */
bool cloister_read_only(mfn_t mfn);

/*
 * In common/grant_table.c: true if the domain's table grants nothing but the
 * console and xenstore rings at these gfns, and nobody else maps the table.
 */
bool gnttab_ready_to_seal(struct domain *d, unsigned long console,
                          unsigned long store);

/*
 * Also there: references that active mappings of grant `ref` hold, and the
 * page that they are to (INVALID_MFN if there is none).  Takes the grant
 * table's lock, which comes before the p2m's.
 */
unsigned int gnttab_pins(struct domain *d, unsigned int ref, mfn_t *mfn);

/* ---- Saving and restoring --------------------------------------------- */

/* True once the domain's state may not leave Xen in the clear. */
bool cloister_sealed(const struct domain *d);

/*
 * In place of hvm_save_size() and hvm_save() for a sealed domain, which is
 * paused: the context is one record that stands for all its state.  On
 * failure nothing of it is in h, and the reason is on record.
 */
uint32_t cloister_hvm_size(struct domain *d);
int cloister_hvm_save(struct domain *d, struct hvm_domain_context *h);

/*
 * From sethvmcontext, before hvm_load(): -EINVAL if there is anything behind
 * the end mark, or none.
 */
int cloister_check_context(struct domain *d,
                           const struct hvm_domain_context *h);

/*
 * Around domain_resume(), under the domctl lock.  -EPERM: the domain's saved
 * image has been restored, and it must not run twice from one state.  The
 * image of a domain that goes on may not be restored any more.
 */
int cloister_resume(struct domain *d);
void cloister_resumed(struct domain *d);

/*
 * From log-dirty's start (all pages are write-protected), clean (again) and
 * stop, domain paused; and for each page that is written to, by the guest or
 * on its behalf, before it is.
 */
enum cloister_tracking {
    CLOISTER_TRACK_start,
    CLOISTER_TRACK_clean,
    CLOISTER_TRACK_stop,
};

/*
 * From p2m_get_gfn_type_access(), which holds the p2m lock, for a page that is
 * encrypted in place: decrypts it, and gives it back its type.  -EAGAIN: the
 * domain is being sealed; else -errno: it is not what was encrypted, and the
 * domain was crashed.
 */
int cloister_wake(struct domain *d, gfn_t gfn, mfn_t mfn);

/*
 * The type (p2m_type_t) of an entry of d's memory map, of which it says `type`:
 * p2m_ram_asleep for pages that a restored guest has not touched yet, whatever
 * the map says.  mixed: there are some, so that a large entry may have pages of
 * two types.  With the p2m lock; without, the answer may be old.  Takes the
 * lock of the page permission table.
 */
unsigned int cloister_type(const struct domain *d, mfn_t mfn,
                           unsigned int type);
bool cloister_is_mixed(const struct domain *d);

void cloister_track(struct domain *d, enum cloister_tracking what);
void cloister_dirty(struct domain *d, unsigned long gfn);

/* ---- Policy: 0, or -EPERM and an entry in the ledger ------------------- */

/*
 * A domctl on a domain, before anything is done about it.  1: go on; 0: done
 * already, in the way that a sealed domain allows; -EPERM: refused.  Asked
 * early for those that need no lock, and again under the domctl lock (locked),
 * when XSM has agreed and no seal can come in between.
 */
int cloister_domctl(struct domain *d, const struct xen_domctl *op,
                    bool locked);

/*
 * May current ask for operation `op` about domain d?  `call` is one of
 * CLOISTER_CALL_* that concern domains.
 */
int cloister_may(unsigned int call, const struct domain *d, unsigned int op);

/* The same for calls that concern the host. */
int cloister_may_host(unsigned int call, unsigned int op);

/* For those the copied arguments matter, too. */
int cloister_sysctl(const struct xen_sysctl *op);

/* struct xen_platform_op, or compat_platform_op, which begins alike. */
int cloister_platform(const void *op);

/* May dom0 set this EFI variable?  guid: its vendor, 16 bytes. */
int cloister_may_set_variable(const void *guid);

/* May dom0 press this debug key?  (Who stands at the machine may.) */
int cloister_may_press(unsigned char key);

/*
 * From SCHEDOP_remote_shutdown: -EPERM if d would have to look suspended by
 * itself; only what a sealed domain has suspended itself can be resumed.
 */
int cloister_may_shut_down(const struct domain *d, unsigned int reason);

/* From domain_shutdown (its shutdown_lock is held): d begins to shut down. */
void cloister_shuts_down(struct domain *d);

/* May populate_physmap put pages at [gfn, gfn + (1 << order))? */
int cloister_may_populate(struct domain *d, unsigned long gfn,
                          unsigned int order);

/*
 * From p2m_set_entry, under the p2m lock: may current change the memory map
 * of this p2m's domain so?
 */
int cloister_may_set_entry(struct p2m_domain *p2m, gfn_t gfn, mfn_t mfn,
                           unsigned int order, unsigned int type,
                           unsigned int access);

/* From iommu_map: may d's devices reach these frames? */
int cloister_may_dma(const struct domain *d, mfn_t mfn, unsigned long nr,
                     unsigned int flags);
/* ---- Secure I/O management -------------------------------------------- */

/*
 * From hvm_domain_initialise, before anybody else claims port 0xcf8: a PVH
 * guest gets a virtual PCI bus, which is there from the seal on.
 */
int cloister_siom_create(struct domain *d);

/* From p2m_set_entry: what was translated before may not be used any more. */
void cloister_p2m_changed(struct domain *d);

/* ---- The host --------------------------------------------------------- */

/* True if dom0's devices must be confined: protection is not off. */
bool cloister_wants_strict_iommu(void);

/* Takes from dom0 the I/O memory and ports that only Xen uses. */
int cloister_dom0_permissions(struct domain *d);

/* At boot: dom0 shall not reach these frames of I/O memory. */
void cloister_hide_io(unsigned long first, unsigned long last);

/*
 * Is this vCPU's state, or what Xen keeps of it on its stack, not for the
 * log?  Fine at any time during boot and in any context.
 */
bool cloister_hides_state(const struct vcpu *v);

/*
 * Would this write to a port have the keyboard controller reset the machine,
 * past Xen?  Then it is not for the controller; it is dom0's end, as if it
 * had asked Xen.  (dom0 needs the rest of the controller.)
 */
bool cloister_resets_host(unsigned int port, unsigned int bytes,
                          uint32_t data);

/*
 * The host goes down, by whatever way: erases all keys, then the memory of
 * sealed domains.  Nothing of them runs any more.
 */
void cloister_host_down(void);

/*
 * After that: halts this processor, the last one.  Returns only with
 * cloister=off.
 */
void cloister_stay_down(void);

/*
 * In common/efi/runtime.c: asks the firmware, by the TCG's variable, to clear
 * memory before anyone boots next.  0, or -EOPNOTSUPP: it does not offer to.
 */
int efi_request_overwrite(void);

/* EFI_GUID; and the variable's value: clear, whatever the shutdown was like. */
#define CLOISTER_MOR_GUID                                                     \
    { 0xe20939be, 0x32d4, 0x41be,                                             \
      { 0xa1, 0x50, 0x89, 0x7f, 0x85, 0xd4, 0x98, 0x29 } }
#define CLOISTER_MOR_REQUEST    0x11

/* Is this SIOM's NIC?  Then for dom0 it is not there. */
bool cloister_hides_pci(pci_sbdf_t sbdf);

/* The IOMMU has stopped a DMA.  true: it was SIOM's NIC, which SIOM resets. */
bool cloister_nic_fault(pci_sbdf_t sbdf);

/* ---- dom0's end ------------------------------------------------------- */

/*
 * From domain_shutdown of dom0, its shutdown_lock held.  true: a protected
 * guest runs; dom0 ends as any domain does and Xen goes on.  false: as stock.
 */
bool cloister_survives(struct domain *d, uint8_t reason);

/*
 * dom0 wants the machine switched off.  true: it is dom0 that ends instead,
 * as a protected guest runs.
 */
bool cloister_dom0_powers_off(void);

/* A domain has shut down (its shutdown_lock is held). */
void cloister_domain_ended(const struct domain *d);

#else /* !CONFIG_CLOISTER */

/* clang-format off */
static inline int cloister_domain_create(struct domain *d) { return 0; }
static inline void cloister_domain_destroy(struct domain *d) {}
static inline int cloister_seal(struct domain *d) { return 0; }
static inline void cloister_domain_kill(struct domain *d) {}
static inline void cloister_context_switch(const struct vcpu *prev,
                                           const struct vcpu *next) {}
static inline int cloister_assign(struct domain *d, struct page_info *pg,
                                  unsigned int nr) { return 0; }
static inline void cloister_unassign(struct domain *d, struct page_info *pg,
                                     unsigned int nr) {}
static inline void cloister_populate(struct domain *d, mfn_t mfn,
                                     unsigned long gfn, unsigned int order) {}
static inline void cloister_remove(struct domain *d, struct page_info *pg) {}
static inline void cloister_free(struct domain *d, struct page_info *pg,
                                 unsigned int order) {}
static inline bool cloister_share(struct domain *d, mfn_t mfn)
{ return false; }
static inline void cloister_unshare(struct domain *d, mfn_t mfn) {}
static inline int cloister_pv_foreign(struct domain **owner,
                                      struct page_info **page, mfn_t mfn,
                                      bool write) { return 0; }
static inline int cloister_pvh_foreign(struct domain *owner,
                                       struct page_info **page) { return 0; }
static inline void cloister_batch_begin(void) {}
static inline void cloister_batch_end(void) {}
static inline bool cloister_may_map(const struct domain *mapper,
                                    const struct domain *owner,
                                    const struct page_info *pg, bool write)
{ return true; }
static inline bool cloister_may_map_io(const struct domain *d, mfn_t mfn,
                                       unsigned int order) { return true; }
static inline bool cloister_hides_io(mfn_t mfn) { return false; }
static inline mfn_t cloister_io_sink(mfn_t mfn) { return INVALID_MFN; }
static inline bool cloister_read_only(mfn_t mfn) { return false; }
static inline bool cloister_sealed(const struct domain *d) { return false; }
static inline uint32_t cloister_hvm_size(struct domain *d) { return 0; }
static inline int cloister_hvm_save(struct domain *d,
                                    struct hvm_domain_context *h)
{ return -EOPNOTSUPP; }
static inline int cloister_check_context(struct domain *d,
                                         const struct hvm_domain_context *h)
{ return 0; }
static inline int cloister_resume(struct domain *d) { return 0; }
static inline void cloister_resumed(struct domain *d) {}
static inline int cloister_wake(struct domain *d, gfn_t gfn, mfn_t mfn)
{ return -EOPNOTSUPP; }
static inline unsigned int cloister_type(const struct domain *d, mfn_t mfn,
                                         unsigned int type) { return type; }
static inline bool cloister_is_mixed(const struct domain *d) { return false; }
#define cloister_track(d, what) ((void)(d))
static inline void cloister_dirty(struct domain *d, unsigned long gfn) {}
static inline int cloister_domctl(struct domain *d,
                                  const struct xen_domctl *op, bool locked)
{ return 1; }
static inline int cloister_may(unsigned int call, const struct domain *d,
                               unsigned int op) { return 0; }
static inline int cloister_may_host(unsigned int call, unsigned int op)
{ return 0; }
static inline int cloister_sysctl(const struct xen_sysctl *op) { return 0; }
static inline int cloister_platform(const void *op) { return 0; }
static inline int cloister_may_set_variable(const void *guid) { return 0; }
static inline int cloister_may_press(unsigned char key) { return 0; }
static inline int cloister_may_shut_down(const struct domain *d,
                                         unsigned int reason) { return 0; }
static inline void cloister_shuts_down(struct domain *d) {}
static inline int cloister_may_populate(struct domain *d, unsigned long gfn,
                                        unsigned int order) { return 0; }
static inline int cloister_may_set_entry(struct p2m_domain *p2m, gfn_t gfn,
                                         mfn_t mfn, unsigned int order,
                                         unsigned int type,
                                         unsigned int access) { return 0; }
static inline int cloister_may_dma(const struct domain *d, mfn_t mfn,
                                   unsigned long nr, unsigned int flags)
{ return 0; }
static inline int cloister_siom_create(struct domain *d) { return 0; }
static inline void cloister_p2m_changed(struct domain *d) {}
static inline bool cloister_wants_strict_iommu(void) { return false; }
static inline int cloister_dom0_permissions(struct domain *d) { return 0; }
static inline void cloister_hide_io(unsigned long first, unsigned long last) {}
static inline bool cloister_hides_state(const struct vcpu *v) { return false; }
static inline bool cloister_resets_host(unsigned int port, unsigned int bytes,
                                        uint32_t data) { return false; }
static inline void cloister_host_down(void) {}
static inline void cloister_stay_down(void) {}
static inline bool cloister_hides_pci(pci_sbdf_t sbdf) { return false; }
static inline bool cloister_nic_fault(pci_sbdf_t sbdf) { return false; }
static inline bool cloister_survives(struct domain *d, uint8_t reason)
{ return false; }
static inline bool cloister_dom0_powers_off(void) { return false; }
static inline void cloister_domain_ended(const struct domain *d) {}

#endif /* CONFIG_CLOISTER */
/* clang-format on */

#endif /* __XEN_CLOISTER_H__ */
