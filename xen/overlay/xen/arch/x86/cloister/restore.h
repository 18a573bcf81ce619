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
    uint32_t next;              /* page to be put in place */
    bool cut;                   /* nobody else can see any of them */
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

#endif /* CLOISTER_PORT_RESTORE_H */
