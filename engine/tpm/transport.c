/* SPDX-License-Identifier: BSD-2-Clause */
/* A command's way through either interface; see cloister/tpm.h. */
#include <string.h>

#include "transport.h"

static const char *const state_names[] = {
    [CL_TPM_IDLE] = "nothing",
    [CL_TPM_LOCALITY] = "activeLocality",
    [CL_TPM_SEIZE] = "activeLocality after Seize (TIMEOUT_B)",
    [CL_TPM_READY] = "commandReady (TIMEOUT_B)",
    [CL_TPM_SEND] = "burstCount or Expect for the command (TIMEOUT_A, _C)",
    [CL_TPM_SENT] = "the end of Expect (TIMEOUT_C)",
    [CL_TPM_EXEC] = "dataAvail (command duration)",
    [CL_TPM_RECV] = "burstCount or dataAvail for the response (TIMEOUT_A, _C)",
    [CL_TPM_DRAIN] = "the end of dataAvail, or of goIdle (TIMEOUT_C)",
    [CL_TPM_ABORT] = "commandReady, or goIdle, after an abort (TIMEOUT_B, _C)",
    [CL_TPM_RELEASE] = "the end of activeLocality (TIMEOUT_A)",
};

/* commandSize or responseSize, big-endian (TPM 2.0 Library, Part 1). */
static uint32_t header_size(const uint8_t *b)
{
    return (uint32_t)b[2] << 24 | (uint32_t)b[3] << 16 | (uint32_t)b[4] << 8 |
           b[5];
}

int cl_tpm_header_received(struct cl_tpm *t)
{
    uint32_t size = header_size(t->buf);

    if ( size < CL_TPM_HEADER_SIZE || size > sizeof(t->buf) )
        return -EBADMSG;

    t->len = size;

    return 0;
}

static void release(struct cl_tpm *t)
{
    t->held = false;
    if ( t->crb )
        cl_crb_relinquish(t);
    else
        cl_tis_relinquish(t);
    enter(t, CL_TPM_RELEASE);
}

/*
 * "Again" leaves the locality as it was: what had to be held for this command
 * must be held for it once more.
 */
static bool has_to_come_again(const struct cl_tpm *t)
{
    uint32_t rc = cl_tpm2_rc(t->buf, t->len);

    return rc == CL_TPM2_RC_RETRY || rc == CL_TPM2_RC_YIELDED ||
           rc == CL_TPM2_RC_TESTING;
}

void cl_tpm_complete(struct cl_tpm *t)
{
    t->rsp_len = t->len;
    t->result = 0;
    t->held = t->hold || (t->held && has_to_come_again(t));
    if ( t->held )
        enter(t, CL_TPM_IDLE);
    else
        release(t);
}

static void fail(struct cl_tpm *t, int err)
{
    bool early = t->state == CL_TPM_LOCALITY || t->state == CL_TPM_SEIZE;

    t->hold = false;
    t->failed_in = t->state;
    t->result = err; /* rsp_len is still 0: only success changes it */
    memset(t->buf, 0, sizeof(t->buf));

    if ( err == -ENODEV || early )
    {
        release(t);
        return;
    }

    if ( t->crb )
        cl_crb_abort(t);
    else
        cl_tis_abort(t);
    enter(t, CL_TPM_ABORT);
}

/* The abort is over, or has had its time. */
static int step(struct cl_tpm *t)
{
    int rc = t->crb ? cl_crb_step(t) : cl_tis_step(t);

    if ( t->state != CL_TPM_ABORT || rc == WAIT )
        return rc;
    release(t);

    return NEXT;
}

int cl_tpm_poll(struct cl_tpm *t)
{
    unsigned int i;
    int rc = NEXT;

    if ( t->state == CL_TPM_IDLE )
        return t->result;

    t->now = t->p->now_us(t->p->ctx);
    t->budget = CL_TPM_POLL_BURST;

    for ( i = 0; i < POLL_STEPS && rc != WAIT; i++ )
    {
        rc = step(t);
        if ( rc < 0 )
            fail(t, rc);
        if ( t->state == CL_TPM_IDLE )
            return t->result;
    }

    return -EINPROGRESS;
}

int cl_tpm_start(struct cl_tpm *t, const uint8_t *cmd, size_t len)
{
    if ( t->state != CL_TPM_IDLE )
        return -EBUSY;
    if ( len < CL_TPM_HEADER_SIZE || len > sizeof(t->buf) ||
         header_size(cmd) != len )
        return -EINVAL;

    memcpy(t->buf, cmd, len);
    t->len = len;
    t->off = 0;
    t->rsp_len = 0;
    t->hold = false;
    t->result = -EINPROGRESS;
    t->duration_us = cl_tpm2_duration_us(cmd, len);
    t->now = t->p->now_us(t->p->ctx);
    enter(t, CL_TPM_LOCALITY);

    return 0;
}

int cl_tpm_init(struct cl_tpm *t, const struct cl_tpm_platform *p,
                unsigned int locality)
{
    if ( locality > LAST_LOCALITY )
        return -EINVAL;

    memset(t, 0, sizeof(*t));
    t->p = p;
    t->locality = locality;
    t->state = CL_TPM_IDLE;
    t->result = -ENODATA;

    return 0;
}

int cl_tpm_init_crb(struct cl_tpm *t, const struct cl_tpm_platform *p,
                    unsigned int locality)
{
    int rc = cl_tpm_init(t, p, locality);

    if ( !rc )
        t->crb = true;

    return rc;
}

void cl_tpm_hold(struct cl_tpm *t, bool hold)
{
    t->hold = hold;
}

void cl_tpm_let_go(struct cl_tpm *t)
{
    if ( t->state != CL_TPM_IDLE || !t->held )
        return;

    release(t);
    enter(t, CL_TPM_IDLE);
}

void cl_tpm_wipe(struct cl_tpm *t)
{
    memset(t->buf, 0, sizeof(t->buf));
    t->rsp_len = 0;
}

const char *cl_tpm_where(const struct cl_tpm *t)
{
    bool ended = t->state == CL_TPM_IDLE || t->state == CL_TPM_ABORT ||
                 t->state == CL_TPM_RELEASE;

    return state_names[ended && t->result ? t->failed_in : t->state];
}
