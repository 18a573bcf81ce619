/* SPDX-License-Identifier: BSD-2-Clause */
/* How often others were refused something, by domain and reason. */
#ifndef CLOISTER_TOOLS_COUNTS_H
#define CLOISTER_TOOLS_COUNTS_H

#include "domains.h"
#include "hyp.h"

/*
 * Fetches the counts of domains->list[i], or with i == domains->count the
 * host's.  Returns false for dom0, which is no guest, and for a domain that has
 * just gone.
 */
bool counts_fetch(struct hyp *hyp, const struct domains *domains, size_t i,
                  struct cloister_counts *out);

/* The reason that counts[i] is about, if it was ever refused; else 0. */
uint32_t counts_reason(const struct cloister_counts *c, size_t i);

/* cloister log --counts; the caller owns req.  Complains by itself. */
enum cli_exit counts_show(const struct request *req);

#endif /* CLOISTER_TOOLS_COUNTS_H */
