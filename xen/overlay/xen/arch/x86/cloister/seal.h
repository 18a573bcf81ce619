/* SPDX-License-Identifier: GPL-2.0-only */
/* The seal: what its files share.  Others have private.h. */
#ifndef CLOISTER_PORT_SEAL_H
#define CLOISTER_PORT_SEAL_H

#include <xen/mm.h>

#include "abi/reason.h"

/*
 * References that others hold.  The domain's own may be gone: a page that
 * was taken out of its map lives as long as somebody maps it, and can be
 * Xen's own.
 */
static inline unsigned int others_refs(const struct page_info *pg)
{
    unsigned long info = read_atomic(&pg->count_info);

    return (info & PGC_count_mask) - !!(info & PGC_allocated);
}

static inline bool is_allocated(const struct page_info *pg)
{
    return read_atomic(&pg->count_info) & PGC_allocated;
}

/* ---- seal_check.c ------------------------------------------------------- */

/*
 * Why this domain cannot be sealed as it is now, but for the host, its pages
 * and a record; or none.  SMM controls it and it is paused.  Under the domctl
 * lock, without the p2m's; takes the grant table's.
 */
enum cloister_reason cloister_domain_reason(struct domain *d);

/* ---- seal_pages.c ------------------------------------------------------- */

/*
 * Seals the pages of the memory map from the domain's cursor on, those that a
 * record vouches for first.  -ERESTART: call again; 0: *why is none and all
 * are sealed, or why not, with the cursor at the page that it is about.  The
 * domain's state is sealing.  Under the domctl lock; takes the grant table's,
 * the p2m's and the domain's.
 */
int cloister_seal_pages(struct domain *d, enum cloister_reason *why);

/*
 * One page of the memory map, which becomes the guest's alone.  Under the gfn's
 * lock; takes the domain's.
 */
enum cloister_reason cloister_seal_page(struct domain *d, unsigned long gfn,
                                        mfn_t mfn);

/*
 * Undoes it for every page that was sealed; cannot fail.  Under the domctl
 * lock; takes page_alloc_lock and the domain's.
 */
void cloister_unseal_pages(struct domain *d);

#endif /* CLOISTER_PORT_SEAL_H */
