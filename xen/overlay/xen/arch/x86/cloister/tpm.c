/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TPM, one command at a time.
 *
 * The engine's driver is polled from a timer, so no CPU ever waits for the
 * TPM, and nothing is held while it works.  Who needs commands is asked in
 * turn (works[]); the last of them is here: a few random numbers are kept
 * ready, each is handed out once, and the pool is filled up again afterwards.
 */

#include <xen/init.h>
#include <xen/timer.h>
#include <xen/vmap.h>

#include <asm/io.h>

#include <cloister/tpm2.h>
#include <cloister/wipe.h>

#include "private.h"

#define TPM_BASE        0xfed40000UL
#define TPM_SIZE        0x5000
#define TPM_LOCALITY    2

#define POOL            16
#define RANDOM          32

#define POLL_PERIOD     MILLISECS(2)
#define RETRY_FIRST     MILLISECS(100)
#define RETRY_MOST      SECONDS(5)
#define FAILURES_MOST   5   /* in a row, before it counts as failed */
#define AGAIN_MOST      1000    /* in a row, before that is a failure: 2 s */

static DEFINE_SPINLOCK(pool_lock);
static uint8_t pool[POOL][RANDOM];
static unsigned int pooled;
static uint64_t bytes_taken;

/* Also under pool_lock. */
static bool timer_on;
static bool wanted;             /* asked for since works were last looked at */

/* Owned by the timer's handler, which never runs twice at a time. */
static void __iomem *regs;
static struct cl_tpm tpm;
static struct timer tpm_timer;
static const struct cloister_tpm_work *running; /* its command is under way */
static const struct cloister_tpm_work *holder;  /* of the locality */
static uint8_t cmd[CL_TPM2_CMD_MAX];            /* on its way to the driver */
static bool starting;           /* TPM2_Startup is to be sent */
static uint8_t partial[RANDOM];
static size_t have;
static s_time_t retry;

/* Read by anyone. */
static bool present, works_at_all;
static unsigned int failures;

static uint8_t cf_check tpm_read8(void *ctx, uint32_t offset)
{
    return readb(regs + offset);
}

static void cf_check tpm_write8(void *ctx, uint32_t offset, uint8_t value)
{
    writeb(value, regs + offset);
}

static uint32_t cf_check tpm_read32(void *ctx, uint32_t offset)
{
    return readl(regs + offset);
}

static uint64_t cf_check tpm_now_us(void *ctx)
{
    return NOW() / MICROSECS(1);
}

static const struct cl_tpm_platform platform = {
    .read8 = tpm_read8,
    .write8 = tpm_write8,
    .read32 = tpm_read32,
    .now_us = tpm_now_us,
};

bool cloister_tpm_ready(void)
{
    return read_atomic(&works_at_all) &&
           read_atomic(&failures) < FAILURES_MOST;
}

enum cloister_reason cloister_tpm_reason(void)
{
    if ( !present )
        return CLOISTER_WHY_no_tpm;
    if ( cloister_tpm_was_reset() )
        return CLOISTER_WHY_tpm_reset;
    if ( read_atomic(&failures) >= FAILURES_MOST )
        return CLOISTER_WHY_tpm_failed;

    return CLOISTER_WHY_none;
}

uint64_t cloister_tpm_bytes(void)
{
    return read_atomic(&bytes_taken);
}

bool cloister_tpm_present(void)
{
    return present;
}

void cloister_tpm_kick(void)
{
    bool wake;

    spin_lock(&pool_lock);
    wanted = true;
    wake = present && !timer_on;
    timer_on |= wake;
    spin_unlock(&pool_lock);

    if ( wake )
        set_timer(&tpm_timer, NOW());
}

bool cloister_tpm_random(uint8_t out[RANDOM])
{
    bool got = false;

    spin_lock(&pool_lock);
    if ( pooled )
    {
        pooled--;
        memcpy(out, pool[pooled], RANDOM);
        cl_wipe(pool[pooled], RANDOM);
        got = true;
    }
    spin_unlock(&pool_lock);

    cloister_tpm_kick();

    return got;
}

/* ---- Work of its own --------------------------------------------------- */

static size_t cf_check startup_cmd(uint8_t *buf, size_t cap, bool *hold)
{
    return starting ? cl_tpm2_startup_cmd(buf, cap) : 0;
}

static int cf_check startup_rsp(const uint8_t *rsp, size_t len)
{
    starting = false;

    return cl_tpm2_startup_rsp(rsp, len);
}

/* After a failure also to learn that it is over, when nobody else asks. */
static size_t cf_check random_cmd(uint8_t *buf, size_t cap, bool *hold)
{
    bool room;

    spin_lock(&pool_lock);
    room = pooled < POOL || read_atomic(&failures);
    spin_unlock(&pool_lock);

    return room ? cl_tpm2_getrandom_cmd(buf, cap, RANDOM - have) : 0;
}

static int cf_check random_rsp(const uint8_t *rsp, size_t len)
{
    size_t got = 0;
    int rc = cl_tpm2_getrandom_rsp(rsp, len, partial + have, RANDOM - have,
                                   &got);

    have += got;
    if ( rc || have < RANDOM )
        return rc;

    spin_lock(&pool_lock);
    if ( pooled < POOL )
    {
        memcpy(pool[pooled++], partial, RANDOM);
        bytes_taken += RANDOM;
    }
    spin_unlock(&pool_lock);

    cl_wipe(partial, RANDOM);
    have = 0;

    return 0;
}

static const struct cloister_tpm_work startup_work = {
    .cmd = startup_cmd,
    .rsp = startup_rsp,
}, random_work = {
    .cmd = random_cmd,
    .rsp = random_rsp,
};

/* In order of urgency. */
static const struct cloister_tpm_work *const works[] = {
    &startup_work,
    &cloister_reset_work,
    &cloister_events_work,
    &cloister_sequence_work,
    &cloister_counter_work,
    &cloister_dump_work,
    &random_work,
};

/* ---- One command after the other --------------------------------------- */

static void note_failure(int rc)
{
    if ( read_atomic(&failures) < FAILURES_MOST )
        printk(XENLOG_WARNING "Cloister: TPM: error %d while it waits for %s\n",
               rc, rc == -ENXIO ? "the end of failure mode"
                   : rc == -ENOTCONN ? "TPM2_Startup from others"
                   : rc == -EBUSY ? "the end of retries"
                   : rc == -EBADMSG ? "a response that is one"
                   : cl_tpm_where(&tpm));
    write_atomic(&failures, min(failures + 1, FAILURES_MOST + 0u));
    retry = min(retry * 2, RETRY_MOST);
    set_timer(&tpm_timer, NOW() + retry);
}

static void note_success(void)
{
    if ( !works_at_all )
        printk("Cloister: TPM answers at locality %u\n", TPM_LOCALITY);
    write_atomic(&works_at_all, true);
    write_atomic(&failures, 0);
    retry = RETRY_FIRST;
}

/*
 * Whoever works in dom0 at this moment sees a TPM that does not answer.  At boot
 * it is firmware that has not let go of it.
 */
static void note_seizure(void)
{
    static unsigned int seized;

    if ( tpm.seized != seized )
        printk(XENLOG_G_WARNING
               "Cloister: TPM: taken from locality 0, which did not let go of it\n");
    seized = tpm.seized;
}

/*
 * In failure mode a TPM refuses whatever it is asked, which is not the fault of
 * what it was asked (Part 1, "Failure mode").
 */
static bool has_failed(void)
{
    return cl_tpm2_rc(tpm.buf, tpm.rsp_len) == CL_TPM2_RC_FAILURE;
}

/*
 * What a response means for the TPM as a whole.  -ENOTCONN and -EAGAIN: nothing
 * has been done yet, so it is no sign that the TPM works; nor is that it answers
 * to what others do not wait for.
 */
static int judge(const struct cloister_tpm_work *w, int rc)
{
    static unsigned int again;      /* in a row */

    if ( rc == -ENOTCONN )
        starting = true;
    if ( rc == -ENOTCONN || rc == -EAGAIN )
    {
        again = min(again + 1, AGAIN_MOST + 0u);
        return again < AGAIN_MOST ? 0 : -EBUSY;
    }
    if ( w == &startup_work )
        return rc == -EIO ? -ENOTCONN : rc;
    if ( !rc && w == &cloister_reset_work )
        return 0;
    again = 0;
    if ( !rc )
        note_success();

    return rc;
}

/* The command that ran has ended; who sent it also learns that it failed. */
static int finish(int rc)
{
    bool failed = !rc && has_failed();
    const struct cloister_tpm_work *w = running;
    int taken;

    running = NULL;
    holder = tpm.held ? w : NULL;
    taken = w->rsp(rc ? NULL : tpm.buf, rc ? 0 : tpm.rsp_len);
    cl_tpm_wipe(&tpm);
    note_seizure();
    if ( failed )
        rc = -ENXIO;

    /* Perhaps because the TPM was reset. */
    if ( w != &cloister_reset_work && (rc || (taken && taken != -EAGAIN)) )
        cloister_reset_soon();

    return rc ?: judge(w, taken);
}

static int send(void)
{
    bool hold = false;
    unsigned int i;
    size_t len = 0;
    int rc;

    for ( i = 0; i < ARRAY_SIZE(works) && !len; i++ )
        if ( !holder || works[i] == holder )
            len = works[i]->cmd(cmd, sizeof(cmd), &hold);
    if ( !len && holder )
    {
        /* It has ended without its last command. */
        holder = NULL;
        cl_tpm_let_go(&tpm);
        cloister_tpm_kick();
    }
    if ( !len )
        return 0;

    rc = cl_tpm_start(&tpm, cmd, len);
    cl_tpm_hold(&tpm, hold);
    cl_wipe(cmd, len);
    if ( !rc )
        running = works[i - 1];

    return rc;
}

void cloister_tpm_wipe(void)
{
    cl_wipe(cmd, sizeof(cmd));
    cl_tpm_wipe(&tpm);
}

/* Nothing to do: stops, unless somebody has come in the meantime. */
static void rest(void)
{
    bool again;

    spin_lock(&pool_lock);
    again = wanted;
    timer_on = again;
    spin_unlock(&pool_lock);

    if ( again )
        set_timer(&tpm_timer, NOW());
}

static void cf_check tpm_tick(void *unused)
{
    int rc = running ? cl_tpm_poll(&tpm) : 0;

    if ( rc != -EINPROGRESS )
    {
        if ( running )
            rc = finish(rc);
        if ( !rc )
        {
            spin_lock(&pool_lock);
            wanted = false;
            spin_unlock(&pool_lock);
            rc = send();
        }
        if ( rc )
        {
            note_failure(rc);
            return;
        }
        if ( !running )
        {
            rest();
            return;
        }
    }

    set_timer(&tpm_timer, NOW() + POLL_PERIOD);
}

static int __init cf_check cloister_tpm_init(void)
{
    uint32_t id = 0;
    int rc;

    if ( cloister_mode == CLOISTER_MODE_off )
        return 0;

    regs = ioremap(TPM_BASE, TPM_SIZE);
    if ( !regs )
        return 0;

    rc = cl_tpm_probe(&platform, TPM_LOCALITY, &id);
    if ( !rc )
        cl_tpm_init(&tpm, &platform, TPM_LOCALITY);
    else if ( !cl_tpm_probe_crb(&platform, TPM_LOCALITY, &id) )
        cl_tpm_init_crb(&tpm, &platform, TPM_LOCALITY);
    else
    {
        printk(XENLOG_WARNING "Cloister: no usable TPM 2.0 (%d, id %08x)\n",
               rc, id);
        return 0;
    }

    present = true;
    timer_on = true;
    retry = RETRY_FIRST;
    init_timer(&tpm_timer, tpm_tick, NULL, 0);
    set_timer(&tpm_timer, NOW());

    return 0;
}
__initcall(cloister_tpm_init);
