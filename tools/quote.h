/* SPDX-License-Identifier: BSD-2-Clause */
/* Quotes by the TPM, through tpm2-tss. */
#ifndef CLOISTER_TOOLS_QUOTE_H
#define CLOISTER_TOOLS_QUOTE_H

#include "evidence.h"

/* A TPM with its attestation key loaded. */
struct quoter;

/*
 * Opens the TPM (conf: as tpm2-tools' --tcti; NULL: the default) and derives
 * its attestation key: an ECC P-256 key of the endorsement hierarchy that
 * signs only what the TPM itself has made; the same each time until the TPM is
 * cleared.  Complains and returns NULL.
 */
struct quoter *quoter_open(const char *conf);

/* NULL is fine. */
void quoter_close(struct quoter *q);

/*
 * Quotes EVIDENCE_PCRS with the nonce, and reads them: fills in msg, sig and
 * pcrs.  Complains and returns false.
 */
bool quoter_quote(struct quoter *q, const struct nonce *nonce,
                  struct evidence *ev);

/*
 * Has the attestation key say about the storage key and the report key that
 * they are this TPM's: fills in ev->keys.  Complains and returns false.
 */
bool quoter_certify(struct quoter *q, const struct nonce *nonce,
                    struct evidence *ev);

/* The key as PEM; to be freed.  Complains and returns NULL. */
char *quoter_key(struct quoter *q);

#endif /* CLOISTER_TOOLS_QUOTE_H */
