/* SPDX-License-Identifier: GPL-2.0-only */
/* Restoring: what its files share.  Others have private.h. */
#ifndef CLOISTER_PORT_RESTORE_H
#define CLOISTER_PORT_RESTORE_H

#include <asm/hvm/save.h>

#include <cloister/record.h>

#include "private.h"

#define DESC    sizeof(struct hvm_save_descriptor)
#define HEADER  (DESC + sizeof(struct hvm_save_header))

/* From sethvmcontext to the seal.  Under the domctl lock. */
struct cloister_restore {
    uint8_t instance[16];
    uint64_t nonce;
    uint8_t header[HEADER];     /* the context's, in the clear */
    bool foreign;               /* saved on another host, on whose list it is */
    bool checking;              /* what hvm_load() sees was sealed by Xen */
    void *sealed;               /* the record, until its key has come; or NULL */
    size_t length;              /* of sealed */
    struct cloister_offer offer;        /* of sealed */
    size_t size;                /* of body */
    void *body;                 /* the record in the clear */
    struct cl_record_body b;
    uint32_t next;              /* page that is expected next */
    unsigned long left;         /* of the domain's pages, to be put in place */
    unsigned long *placed;      /* a bit for each that has been; or NULL */
    bool lost;                  /* the index is needed to go on */
    uint32_t *index;            /* of its pages, mask + 1 of them; or NULL */
    uint32_t mask;
    uint32_t indexed;           /* pages that are entered there */
    uint64_t factor;            /* of the hash that is their place in it */
    unsigned long extra;        /* the gfn of one that is not in the record,
                                   and one; 0: there is none */
    uint32_t opened;            /* page to be decrypted, if none is left asleep */
    bool done;                  /* with all of them */
    bool taken;                 /* the image, by this restore */
    unsigned int ticket;        /* ... which it may use once this is passed */
};

/* ---- restore_record.c --------------------------------------------------- */

/* What came of cl_record_head() or cl_record_open(), as a reason. */
enum cloister_reason cloister_record_reason(int rc);

/*
 * Opens the record buf of len bytes with the instance's key, which is wiped,
 * into cd->restore->body; the key is the domain's `from` then.  none, or why
 * it cannot be: rec_forged, say, if it is not the key of this instance.  Under
 * the domctl lock.
 */
enum cloister_reason cloister_record_decrypt(struct cloister_domain *cd,
                                             const void *buf, size_t len,
                                             uint8_t raw[CL_KEY_SIZE]);

/*
 * Does the record in the clear, whose header this is, fit to the domain, as
 * far as can be told before the pages are looked at?  none, or why not.  Under
 * the domctl lock; takes that of the list of images.
 */
enum cloister_reason cloister_record_fits(struct domain *d,
                                          const struct cloister_record *head);

/* ---- restore_pages.c ---------------------------------------------------- */

/*
 * The domain's pages, but the rings: each is what the record says, or will be
 * when it is touched.  -ERESTART: call again; 0: *why is none and all are in
 * place, or why not, with the domain's cursor at the gfn that it is about.  The
 * domain's state is sealing.  Under the domctl lock; takes the p2m's,
 * page_alloc_lock and the domain's.
 */
int cloister_restore_pages(struct domain *d, enum cloister_reason *why);

#endif /* CLOISTER_PORT_RESTORE_H */
