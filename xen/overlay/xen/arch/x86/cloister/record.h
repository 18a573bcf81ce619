/* SPDX-License-Identifier: GPL-2.0-only */
/* Saving: what its files share.  Others have private.h. */
#ifndef CLOISTER_PORT_RECORD_H
#define CLOISTER_PORT_RECORD_H

#include <xen/types.h>

#include "abi/reason.h"

struct cl_record;
struct cloister_domain;
struct cloister_record_state;
struct domain;

/* ---- record_state.c ----------------------------------------------------- */

/*
 * Fills in, of an all-zero *state, what it says of a sealed domain, which is
 * paused; epoch: of its key.  Takes no lock; cannot fail.
 */
void cloister_record_state(const struct domain *d, uint64_t epoch,
                           struct cloister_record_state *state);

/* ---- record_pages.c ---------------------------------------------------- */

/* How many pages a record of the domain may have at most.  Takes its lock. */
uint32_t cloister_record_most(struct cloister_domain *cd);

/*
 * Adds pages of a sealed domain, which is paused, to the record r.  dump: those
 * that others have views of; else all but the rings.  none, or why it cannot
 * be, with the page's gfn in *detail: save_stale, dump_asleep, or save_failed,
 * as r has no room.  Takes page_alloc_lock and the domain's.
 */
enum cloister_reason cloister_record_pages(struct domain *d, bool dump,
                                           struct cl_record *r,
                                           uint64_t *detail);

#endif /* CLOISTER_PORT_RECORD_H */
