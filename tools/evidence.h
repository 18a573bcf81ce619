/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Evidence: a folder of plain files (docs/formats.md).
 *
 *   quote.msg, quote.sig   TPMS_ATTEST and TPMT_SIGNATURE, big-endian, as
 *                          tpm2_checkquote takes them
 *   pcrs                   the values of EVIDENCE_PCRS, 32 bytes each, by
 *                          number
 *   host.log               the host's event log
 *   guest, launch.log      16 bytes, the guest's UUID, and its launch log; not
 *                          there if the host alone is meant
 *   storage.*, report.*    public area (TPM2B_PUBLIC) of the TPM's two other
 *                          keys, TPMS_ATTEST and TPMT_SIGNATURE by which the
 *                          signing key certifies them; may be missing, and
 *                          then all six
 *   ak.pem                 the key that signed; of use only to compare it with
 *                          the one that one trusts
 */
#ifndef CLOISTER_TOOLS_EVIDENCE_H
#define CLOISTER_TOOLS_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cloister.h"
#include "evlog.h"

/* Firmware, boot loader and Secure Boot (0-9), Cloister's two. */
#define EVIDENCE_PCRS 0x6003ffu
#define EVIDENCE_NR_PCRS 12u

#define NONCE_MIN 8u
#define NONCE_MAX 64u

struct nonce
{
    uint8_t bytes[NONCE_MAX];
    size_t size;
};

/* From hex digits.  false: complained. */
bool nonce_parse(const char *text, struct nonce *out);

/* A key, and that it is the same TPM's. */
struct certified
{
    struct evlog pub, msg, sig;
};

struct evidence
{
    struct evlog msg, sig, pcrs, host, launch, guest; /* guest: 16 bytes */
    struct certified storage, report;
    bool has_guest, has_keys;
};

/* Reads a folder.  Complains and returns the exit status unless CLI_OK. */
enum cli_exit evidence_load(struct evidence *ev, const char *dir);

/* The same as a new folder; if it exists, without older evidence's files. */
enum cli_exit evidence_save(const struct evidence *ev, const char *dir,
                            const char *ak_pem);

void evidence_free(struct evidence *ev);

/* Value of one of EVIDENCE_PCRS; pcrs has EVIDENCE_NR_PCRS * 32 bytes. */
const uint8_t *evidence_pcr(const struct evidence *ev, unsigned int pcr);

/* Whether the host's log, played into that PCR, gives its value in pcrs. */
bool evidence_replays(const struct evidence *ev, unsigned int pcr);

#endif /* CLOISTER_TOOLS_EVIDENCE_H */
