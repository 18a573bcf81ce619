/* SPDX-License-Identifier: GPL-2.0-only */
/* Who uses the TPM: one command each, or several that belong together. */
#ifndef CLOISTER_SEQUENCE_H
#define CLOISTER_SEQUENCE_H

#include <cloister/tpm2.h>

/*
 * Somebody who has commands for the TPM.  Both are called from the timer, one
 * at a time.  cmd: the next command and its length, 0: none now; *hold: keep
 * the locality afterwards (cl_tpm_hold()).  rsp: what came of it, NULL and 0
 * if nothing did; 0, -EAGAIN or -ENOTCONN (cmd will be asked again), or an
 * error that counts against the TPM.
 */
struct cloister_tpm_work {
    size_t (*cmd)(uint8_t *buf, size_t cap, bool *hold);
    int (*rsp)(const uint8_t *rsp, size_t len);
};

/* ---- sequence.c: commands that belong together ------------------------- */

enum cloister_step {
    CLOISTER_STEP_primary,      /* the storage key */
    CLOISTER_STEP_signer,       /* the report key, as the object */
    CLOISTER_STEP_trial,        /* a policy session: for its digest only ... */
    CLOISTER_STEP_session,      /* ... or for use */
    CLOISTER_STEP_locality,     /* the policy: locality 2 */
    CLOISTER_STEP_pcr,          /* the policy: .mask, .pcrs */
    CLOISTER_STEP_digest,       /* of the policy */
    CLOISTER_STEP_seal,         /* .secret, under it; .take */
    CLOISTER_STEP_import,       /* .public, .duplicate, .seed; to .private */
    CLOISTER_STEP_load,         /* .private, .public */
    CLOISTER_STEP_check,        /* the TPM has made the object: .hash, .ticket */
    CLOISTER_STEP_unseal,       /* to .secret */
    CLOISTER_STEP_quote,        /* .mask, .data; .take */
    CLOISTER_STEP_clean,        /* always last */
};

/*
 * What slices point to stays as it is while the sequence runs.  take: parses a
 * response; as tpm2.h says.
 */
struct cloister_sequence {
    const uint8_t *steps;
    uint32_t mask;              /* of PCRs */
    struct cl_tpm2_slice pcrs;  /* their digest; empty: as they are */
    struct cl_tpm2_slice private, public, duplicate, seed, hash, ticket;
    struct cl_tpm2_slice data;  /* seal: for the creation data */
    int (*take)(const uint8_t *rsp, size_t len);
    uint8_t secret[CL_TPM2_DATA_MAX];   /* zeros after a failure */
    size_t size;                /* of it */

    bool running;               /* else: result */
    int result;                 /* 0; -EBADMSG, -ENXIO, -EACCES: what it was
                                   given is no good; -EIO: the TPM */

    unsigned int at, flushes;   /* sequence.c's own */
    bool trial;
    uint32_t primary, session, object;  /* handles, 0: none */
    uint8_t policy[CL_TPM2_DIGEST];
    uint8_t imported[512];
};

extern spinlock_t cloister_sequence_lock;
extern const struct cloister_tpm_work cloister_sequence_work;

/*
 * Under the lock: starts it.  guest: for a guest's sake, which can wait.
 * -EAGAIN: another one runs; -ENODEV: no TPM.
 */
int cloister_sequence_start(struct cloister_sequence *s, bool guest);

#endif /* CLOISTER_SEQUENCE_H */
