/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A verifier's policy: a text file, one setting a line, # for comments.  Names
 * of files are relative to the policy's own folder.
 *
 *   key FILE            the host's attestation key (PEM)
 *   expect FILE         launch log that the guest must have
 *   reference DIR       other evidence: firmware and Xen must be the same
 *   reference none      whatever was booted: seal needs one or the other
 *   measurement HEX     instead of expect: the guest's launch measurement; in
 *                       seal also for a guest that does not run yet
 *   pcrs N,N,...        a secret is sealed to these (default: as the host key
 *                       is, 0,2,4,7,8,9,21)
 *   sign FILE           the owner's key (PEM, Ed25519), which signs secrets
 */
#ifndef CLOISTER_TOOLS_VPOLICY_H
#define CLOISTER_TOOLS_VPOLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "verify.h"

#define VPOLICY_PCRS 0x200395u

struct vpolicy
{
    char *key, *expect, *reference, *sign; /* names; NULL: not said */
    uint8_t measurement[CLOISTER_DIGEST_SIZE];
    bool has_measurement;
    bool any_host; /* reference none */
    uint32_t pcrs; /* mask; 0: not said */
};

/* Complains and returns false; to be released anyway. */
bool vpolicy_load(struct vpolicy *p, const char *path);
void vpolicy_free(struct vpolicy *p);

/* What the request does not say the policy does. */
void vpolicy_apply(const struct vpolicy *p, struct verify_request *req);

#endif /* CLOISTER_TOOLS_VPOLICY_H */
