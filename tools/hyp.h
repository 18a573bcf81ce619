/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cloister's hypercall.
 *
 * Unless said otherwise functions return 0 or -errno as Xen gave it (see
 * abi/hypercall.h); on error the output is unchanged.
 */
#ifndef CLOISTER_TOOLS_HYP_H
#define CLOISTER_TOOLS_HYP_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/hypercall.h>

#include "cloister.h"
#include "evlog.h"

/* An open connection to the hypervisor. */
struct hyp;

/*
 * The first four are in xcall.c, or in noxen.c.  open returns NULL with errno
 * set when there is no way to make hypercalls; close: NULL is fine.
 */
struct hyp *hyp_open(void);
void hyp_close(struct hyp *hyp);

/* arg is copied to memory that Xen can reach; back only upon success. */
int hyp_call(struct hyp *hyp, unsigned int op, void *arg, size_t size);

/*
 * With memory that Xen can reach for *length bytes at data, in or out, whose
 * address goes to *buffer; both are fields of *arg.
 */
int hyp_call_with(struct hyp *hyp, unsigned int op, void *arg, size_t size,
                  uint64_t *buffer, uint32_t *length, void *data, bool in);

/* Cloister's state on this host. */
int hyp_host(struct hyp *hyp, struct cloister_host *out);

/* One domain.  -ESRCH: there is none with that id. */
int hyp_domain(struct hyp *hyp, unsigned int domid,
               struct cloister_domain_info *out);

/* One refused seal.  -ENOENT: forgotten already, or never happened. */
int hyp_refusal(struct hyp *hyp, uint64_t number,
                struct cloister_refusal *out);

/* One entry of the ledger.  -ENOENT: forgotten already, or never happened. */
int hyp_ledger(struct hyp *hyp, uint64_t number, struct cloister_ledger *out);

/* What was refused, by reason; domid: CLOISTER_DOMID_HOST for the host. */
int hyp_counts(struct hyp *hyp, unsigned int domid,
               struct cloister_counts *out);

/*
 * Ask for protection of a domain; off: say that it is not wanted.  -EBUSY: too
 * late; -EINVAL: not this domain, or not with this Xen's options.
 */
int hyp_protect(struct hyp *hyp, unsigned int domid, bool off);

/* Secure I/O management.  -ENODEV: that domain has no network card of ours. */
int hyp_net_host(struct hyp *hyp, struct cloister_net_host *out);
int hyp_net_port(struct hyp *hyp, unsigned int domid,
                 struct cloister_net_port *out);
int hyp_net_set(struct hyp *hyp, struct cloister_net_set *set);

/*
 * The launch log of a domain, or the host's event log (CLOISTER_LOG_HOST); to
 * be released with evlog_free.  -ENOENT: the domain was not measured.
 */
int hyp_log(struct hyp *hyp, unsigned int domid, struct evlog *out);

/*
 * The host key: see CLOISTER_HOSTKEY_*.  With an error other than those that
 * abi/hypercall.h has for it key is unchanged.
 */
int hyp_hostkey(struct hyp *hyp, struct cloister_hostkey *key);

/* Brings a sealed secret to a domain, however long the TPM takes. */
int hyp_provision(struct hyp *hyp, struct cloister_provision *p);

/* What -EPERM means to a guest. */
#define NOT_PROTECTED                                                         \
    "this is no protected guest, or its kernel lets no hypercall pass "       \
    "(xen_privcmd.unrestricted=1 on its command line)"

/*
 * What a guest asks about itself: its secret, for which it waits up to
 * `seconds`; a report with body.data.
 */
int hyp_secret(struct hyp *hyp, unsigned int seconds,
               struct cloister_secret *out);
int hyp_report(struct hyp *hyp, struct cloister_report *r);

/*
 * The list of saved images: see CLOISTER_IMAGES_*.  data: op->length bytes,
 * to be read (load) or filled (get); NULL for peek.
 */
int hyp_images(struct hyp *hyp, struct cloister_images *op, void *data);

/* The key of a guest that moves: see CLOISTER_MIGRATE_*. */
int hyp_migrate(struct hyp *hyp, struct cloister_migrate *m);

/* What the owner of a guest needs; record: op->length bytes of room. */
int hyp_dump(struct hyp *hyp, struct cloister_dump *op, void *record);

/*
 * Says on standard error why a hypercall, or hyp_open, failed with -errno;
 * `what` names what was being done.  Returns the fitting exit status.
 */
enum cli_exit hyp_complain(int err, const char *what);

/*
 * Opens the connection and fetches the host's state: how every verb begins.
 * Complains and leaves *hyp NULL unless it returns CLI_OK.
 */
enum cli_exit hyp_start(struct hyp **hyp, struct cloister_host *host);

#endif /* CLOISTER_TOOLS_HYP_H */
