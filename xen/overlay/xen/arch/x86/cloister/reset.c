/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Was the TPM reset alone, while the host runs?  Then its PCRs began anew, and
 * whoever did it can extend those of the firmware as he likes: nothing that
 * they say is about this boot.  The TPM counts its resets; Xen asks for that
 * whenever it uses the TPM and the last answer is older than ASK_EVERY, and at
 * once when a command fails, or the TPM says that nobody has started it.  (Xen
 * cannot: TPM2_Startup is for localities 0 and 3, Part 3, 9.3.)
 *
 * It is noticed at the next use, not before: until then, and with a TPM that
 * was reset before the first answer, nobody is told.  TPM2_Clear sets the counts
 * to zero (Part 3, 24.6): to Xen that is the same, and the host key is lost then.
 * As many resets as Xen has first heard of may follow, and the counts are what
 * they were: events.c looks for that.
 */

#include <xen/sched.h>

#include "private.h"

#define ASK_EVERY   SECONDS(10)

struct counts {
    uint32_t resets, restarts;
};

/* Owned by the TPM's timer. */
static struct counts first, heard;
static bool known;              /* the first ones are */
static s_time_t next;           /* time to ask */
static bool others_turn;

/* Read by anyone. */
static bool was_reset;

bool cloister_tpm_was_reset(void)
{
    return read_atomic(&was_reset);
}

void cloister_reset_soon(void)
{
    next = 0;
}

/* A TPM that does not answer this is to fail others' commands as well. */
static size_t cf_check reset_cmd(uint8_t *buf, size_t cap, bool *hold)
{
    bool now = NOW() >= next && !others_turn && !was_reset;

    others_turn = false;

    return now ? cl_tpm2_read_clock_cmd(buf, cap) : 0;
}

static bool same(const struct counts *a, const struct counts *b)
{
    return a->resets == b->resets && a->restarts == b->restarts;
}

void cloister_reset_found(void)
{
    printk(XENLOG_ERR
           "Cloister: TPM: reset, or cleared, while the host runs: its PCRs do"
           " not count; no guest can be protected until the host reboots\n");
    write_atomic(&was_reset, true);
}

/*
 * A TPM that is ill may answer anything, and be as before when it is well
 * again: what it says twice in a row counts.
 */
static void hear(const struct counts *now)
{
    bool twice = same(now, &heard);

    heard = *now;
    next = NOW() + (twice ? ASK_EVERY : 0);
    if ( !twice )
        return;
    if ( known && !same(now, &first) )
        cloister_reset_found();
    first = *now;
    known = true;
}

/*
 * It has answered, though not what was asked: it is asked again after some time
 * only.  In failure mode it answers nothing, and what ends that is a reset.
 */
static bool useless(const uint8_t *rsp, size_t len, int rc)
{
    return len && (rc == -EIO || rc == -EBADMSG) &&
           cl_tpm2_rc(rsp, len) != CL_TPM2_RC_FAILURE;
}

static void postpone(void)
{
    static bool said;

    next = NOW() + ASK_EVERY;
    if ( known || said )
        return;
    said = true;
    printk(XENLOG_WARNING
           "Cloister: TPM: does not say how often it was reset: that it is reset"
           " while the host runs may not be noticed\n");
}

static int cf_check reset_rsp(const uint8_t *rsp, size_t len)
{
    struct counts now;
    int rc = cl_tpm2_read_clock_rsp(rsp, len, &now.resets, &now.restarts);

    if ( !rc )
        hear(&now);
    else if ( rc == -ENOTCONN && known )
        cloister_reset_found();
    else if ( useless(rsp, len, rc) )
        postpone();
    others_turn = rc && rc != -ENOTCONN;

    return len && rc == -EIO ? 0 : rc;
}

const struct cloister_tpm_work cloister_reset_work = {
    .cmd = reset_cmd,
    .rsp = reset_rsp,
};
