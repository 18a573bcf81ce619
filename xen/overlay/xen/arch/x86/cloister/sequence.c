/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sequences of TPM commands about objects and sessions, one sequence at a
 * time.
 *
 * Whoever else uses the TPM could flush an object or a session between two
 * commands and put his own under the same handle.  Where that would be more
 * than a failure the locality is held, and no longer, as others wait meanwhile:
 * from the load of an object to the use of what is in it, and while the digest
 * of a policy is made and until something is sealed with it: what is sealed
 * names the PCRs as they are then, and would never open if the digest were of
 * others.  A session for use can only be refused, the storage key says itself
 * whose it is in what it is used for, and so does a signature.
 *
 * Two more reasons, as others are to be disturbed as little as possible, and
 * not to disturb: whoever extends a PCR (IMA in dom0) makes a session useless
 * that has met PolicyPCR; and a TPM has room for three objects, of which dom0
 * uses up to two at a time.  So the locality is held from PolicyPCR until what
 * was loaded has been flushed again.
 */

#include <xen/sched.h>
#include <xen/sha2.h>

#include <cloister/wipe.h>

#include "private.h"

#define LOCALITY    2
#define FLUSHES     5

DEFINE_SPINLOCK(cloister_sequence_lock);

/* Protected by the lock. */
static struct cloister_sequence *seq;   /* NULL: nothing is going on */
static s_time_t host_waits;             /* guests have to, until then */

/* After these nobody else may have a turn. */
static bool holds(enum cloister_step s)
{
    switch ( s )
    {
    case CLOISTER_STEP_trial:
    case CLOISTER_STEP_pcr:
    case CLOISTER_STEP_digest:
    case CLOISTER_STEP_load:
    case CLOISTER_STEP_check:
    case CLOISTER_STEP_unseal:
        return true;

    case CLOISTER_STEP_locality:
        return seq->trial;

    default:
        return false;
    }
}

/* ---- One command each --------------------------------------------------- */

/* PolicyLocality alone (Part 3, 23.8); the last byte is TPMA_LOCALITY. */
static size_t signer_cmd(uint8_t *buf, size_t cap)
{
    static const uint8_t in[CL_TPM2_DIGEST + 5] = {
        [CL_TPM2_DIGEST + 2] = 0x01, 0x6f, 1U << LOCALITY
    };
    uint8_t policy[CL_TPM2_DIGEST];

    sha2_256_digest(policy, in, sizeof(in));

    return cl_tpm2_create_signer_cmd(buf, cap, policy);
}

static size_t seal_cmd(uint8_t *buf, size_t cap)
{
    struct cl_tpm2_seal s = {
        .parent = seq->primary,
        .data = { seq->secret, seq->size },
        .info = seq->data,
        .mask = seq->mask,
    };

    memcpy(s.policy, seq->policy, sizeof(s.policy));

    return cl_tpm2_seal_cmd(buf, cap, &s);
}

/* What is to be flushed next; the object first, see above. */
static uint32_t *leftover(void)
{
    return seq->object ? &seq->object
           : seq->session ? &seq->session : &seq->primary;
}

static size_t clean_cmd(uint8_t *buf, size_t cap)
{
    return *leftover() ? cl_tpm2_flush_cmd(buf, cap, *leftover()) : 0;
}

static size_t step_cmd(enum cloister_step s, uint8_t *buf, size_t cap)
{
    static const uint8_t nonce[16];     /* is not used for anything */

    switch ( s )
    {
    case CLOISTER_STEP_primary:
        return cl_tpm2_create_primary_cmd(buf, cap, CL_TPM2_RH_OWNER);
    case CLOISTER_STEP_signer:
        return signer_cmd(buf, cap);
    case CLOISTER_STEP_trial:
    case CLOISTER_STEP_session:
        seq->trial = s == CLOISTER_STEP_trial;
        return cl_tpm2_start_policy_cmd(buf, cap, seq->trial, nonce);
    case CLOISTER_STEP_locality:
        return cl_tpm2_policy_locality_cmd(buf, cap, seq->session, LOCALITY);
    case CLOISTER_STEP_pcr:
        return cl_tpm2_policy_pcr_cmd(buf, cap, seq->session, seq->mask,
                                      seq->pcrs);
    case CLOISTER_STEP_digest:
        return cl_tpm2_policy_digest_cmd(buf, cap, seq->session);
    case CLOISTER_STEP_seal:
        return seal_cmd(buf, cap);
    case CLOISTER_STEP_import:
        return cl_tpm2_import_cmd(buf, cap, seq->primary, seq->public,
                                  seq->duplicate, seq->seed);
    case CLOISTER_STEP_load:
        return cl_tpm2_load_cmd(buf, cap, seq->primary, seq->private,
                                seq->public);
    case CLOISTER_STEP_check:
        return cl_tpm2_check_creation_cmd(buf, cap, seq->object, seq->hash,
                                          seq->ticket);
    case CLOISTER_STEP_unseal:
        return cl_tpm2_unseal_cmd(buf, cap, seq->object, seq->session);
    case CLOISTER_STEP_quote:
        return cl_tpm2_quote_cmd(buf, cap, seq->object, seq->session,
                                 seq->data, seq->mask);
    case CLOISTER_STEP_clean:
        break;
    }

    return clean_cmd(buf, cap);
}

static int import_rsp(const uint8_t *rsp, size_t len)
{
    struct cl_tpm2_slice private;
    int rc = cl_tpm2_import_rsp(rsp, len, &private);

    if ( rc )
        return rc;
    if ( private.len > sizeof(seq->imported) )
        return -EBADMSG;
    memcpy(seq->imported, private.p, private.len);
    seq->private = (struct cl_tpm2_slice){ seq->imported, private.len };

    return 0;
}

static int clean_rsp(const uint8_t *rsp, size_t len)
{
    int rc = cl_tpm2_empty_rsp(rsp, len, false);

    /* What stays in the TPM is room that is missing next time. */
    if ( !len && seq->flushes++ < FLUSHES )
        return rc;
    if ( rc != -EAGAIN )
        *leftover() = 0;

    return rc == -EAGAIN ? rc : 0;
}

static int step_rsp(enum cloister_step s, const uint8_t *rsp, size_t len)
{
    switch ( s )
    {
    case CLOISTER_STEP_primary:
        return cl_tpm2_create_primary_rsp(rsp, len, &seq->primary);
    case CLOISTER_STEP_signer:
        return cl_tpm2_create_primary_rsp(rsp, len, &seq->object);
    case CLOISTER_STEP_trial:
    case CLOISTER_STEP_session:
        return cl_tpm2_start_policy_rsp(rsp, len, &seq->session);
    case CLOISTER_STEP_locality:
    case CLOISTER_STEP_pcr:
        return cl_tpm2_empty_rsp(rsp, len, false);
    case CLOISTER_STEP_digest:
        return cl_tpm2_policy_digest_rsp(rsp, len, seq->policy);
    case CLOISTER_STEP_seal:
    case CLOISTER_STEP_quote:
        return seq->take(rsp, len);
    case CLOISTER_STEP_import:
        return import_rsp(rsp, len);
    case CLOISTER_STEP_load:
        return cl_tpm2_load_rsp(rsp, len, &seq->object);
    case CLOISTER_STEP_check:
        return cl_tpm2_check_creation_rsp(rsp, len);
    case CLOISTER_STEP_unseal:
        return cl_tpm2_unseal_rsp(rsp, len, seq->secret, sizeof(seq->secret),
                                  &seq->size);
    case CLOISTER_STEP_clean:
        break;
    }

    return clean_rsp(rsp, len);
}

/* What it means that the TPM said no. */
static int refusal(enum cloister_step s)
{
    switch ( s )
    {
    case CLOISTER_STEP_import:  /* of another TPM, or cleared since */
    case CLOISTER_STEP_load:
        return -ENXIO;
    case CLOISTER_STEP_check:
        return -EBADMSG;
    case CLOISTER_STEP_pcr:     /* another firmware, boot loader or Xen */
    case CLOISTER_STEP_unseal:
        return -EACCES;
    default:
        return -EIO;
    }
}

/* Of a command that has failed; what is no response is the TPM's fault. */
static int result(enum cloister_step s, int rc)
{
    if ( rc == -EBADMSG )
        return -EIO;

    return rc == -EIO ? refusal(s) : rc;
}

/* ---- The sequence ------------------------------------------------------- */

static void go_to(enum cloister_step s)
{
    while ( seq->steps[seq->at] != s )
        seq->at++;
}

static void end(void)
{
    if ( seq->result )
        cl_wipe(seq->secret, sizeof(seq->secret));
    seq->running = false;
    seq = NULL;
}

static size_t cf_check sequence_cmd(uint8_t *buf, size_t cap, bool *hold)
{
    enum cloister_step s;
    size_t len = 0;

    spin_lock(&cloister_sequence_lock);
    /* PCR 21 is part of policies and quotes. */
    if ( seq && (seq->at || cloister_events_settled()) )
    {
        s = seq->steps[seq->at];
        len = step_cmd(s, buf, cap);
        *hold = holds(s);
        if ( !len && s != CLOISTER_STEP_clean )
        {
            seq->result = -EBADMSG;     /* does not fit: not one of ours */
            go_to(CLOISTER_STEP_clean);
            len = clean_cmd(buf, cap);
            *hold = false;
        }
        if ( !len )
            end();
    }
    spin_unlock(&cloister_sequence_lock);

    return len;
}

/* Not the TPM's fault when it says no; when it does not answer it is. */
static int cf_check sequence_rsp(const uint8_t *rsp, size_t len)
{
    enum cloister_step s;
    int rc;

    spin_lock(&cloister_sequence_lock);
    s = seq->steps[seq->at];
    rc = step_rsp(s, rsp, len);
    if ( rc && rc != -EAGAIN )
    {
        seq->result = seq->result ?: result(s, rc);
        go_to(CLOISTER_STEP_clean);
    }
    else if ( !rc && s != CLOISTER_STEP_clean )
        seq->at++;
    spin_unlock(&cloister_sequence_lock);

    return len && rc == -EIO ? 0 : rc;
}

const struct cloister_tpm_work cloister_sequence_work = {
    .cmd = sequence_cmd,
    .rsp = sequence_rsp,
};

int cloister_sequence_start(struct cloister_sequence *s, bool guest)
{
    ASSERT(spin_is_locked(&cloister_sequence_lock));
    if ( !cloister_tpm_present() )
        return -ENODEV;
    if ( !guest && seq )
        host_waits = NOW() + SECONDS(1);
    if ( seq || (guest && NOW() < host_waits) )
        return -EAGAIN;

    s->at = s->flushes = 0;
    s->primary = s->object = s->session = 0;
    s->result = 0;
    s->running = true;
    seq = s;
    cloister_tpm_kick();

    return 0;
}
