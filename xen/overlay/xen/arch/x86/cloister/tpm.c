/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random numbers from the TPM, fetched ahead of use.
 *
 * The engine's driver is polled from a timer, so no CPU ever waits for the
 * TPM, and nothing is held while it works.  A few numbers are kept ready;
 * each is handed out once, and the pool is filled up again afterwards.
 */

#include <xen/init.h>
#include <xen/timer.h>
#include <xen/vmap.h>

#include <asm/io.h>

#include <cloister/tpm.h>
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

static DEFINE_SPINLOCK(pool_lock);
static uint8_t pool[POOL][RANDOM];
static unsigned int pooled;
static uint64_t bytes_taken;
static bool timer_on;

/* Owned by the timer's handler, which never runs twice at a time. */
static void __iomem *regs;
static struct cl_tpm tpm;
static struct timer tpm_timer;
static bool running;            /* a command is under way */
static bool starting;           /* ... and it is TPM2_Startup */
static uint8_t partial[RANDOM];
static size_t have;
static s_time_t retry;

/* Read by anyone. */
static bool present, works;
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
    return read_atomic(&works) && read_atomic(&failures) < FAILURES_MOST;
}

enum cloister_reason cloister_tpm_reason(void)
{
    if ( !present )
        return CLOISTER_WHY_no_tpm;
    if ( read_atomic(&failures) >= FAILURES_MOST )
        return CLOISTER_WHY_tpm_failed;

    return CLOISTER_WHY_none;
}

uint64_t cloister_tpm_bytes(void)
{
    return read_atomic(&bytes_taken);
}

bool cloister_tpm_random(uint8_t out[RANDOM])
{
    bool got = false, wake;

    spin_lock(&pool_lock);
    if ( pooled )
    {
        pooled--;
        memcpy(out, pool[pooled], RANDOM);
        cl_wipe(pool[pooled], RANDOM);
        got = true;
    }
    wake = present && !timer_on;
    timer_on |= wake;
    spin_unlock(&pool_lock);

    if ( wake )
        set_timer(&tpm_timer, NOW());

    return got;
}

static int send(void)
{
    uint8_t cmd[CL_TPM2_GETRANDOM_SIZE];
    size_t len;

    BUILD_BUG_ON(CL_TPM2_STARTUP_SIZE > sizeof(cmd));
    len = starting ? cl_tpm2_startup_cmd(cmd, sizeof(cmd))
                   : cl_tpm2_getrandom_cmd(cmd, sizeof(cmd), RANDOM - have);

    return cl_tpm_start(&tpm, cmd, len);
}

/* Takes a complete random number into the pool; true if there is room. */
static bool store(void)
{
    bool room;

    spin_lock(&pool_lock);
    memcpy(pool[pooled++], partial, RANDOM);
    bytes_taken += RANDOM;
    room = pooled < POOL;
    timer_on = room;
    spin_unlock(&pool_lock);

    cl_wipe(partial, RANDOM);
    have = 0;

    return room;
}

/* What the response says; 0 or why it is of no use. */
static int take_response(void)
{
    size_t got = 0;
    int rc;

    if ( starting )
    {
        starting = false;
        return cl_tpm2_startup_rsp(tpm.buf, tpm.rsp_len);
    }

    rc = cl_tpm2_getrandom_rsp(tpm.buf, tpm.rsp_len, partial + have,
                               RANDOM - have, &got);
    have += got;
    cl_tpm_wipe(&tpm);
    if ( rc == -ENOTCONN )
        starting = true;

    return rc == -ENOTCONN || rc == -EAGAIN ? 0 : rc;
}

static void note_failure(int rc)
{
    if ( read_atomic(&failures) < FAILURES_MOST )
        printk(XENLOG_WARNING "Cloister: TPM: error %d while it waits for %s\n",
               rc, cl_tpm_where(&tpm));
    write_atomic(&failures, min(failures + 1, FAILURES_MOST + 0u));
    retry = min(retry * 2, RETRY_MOST);
    set_timer(&tpm_timer, NOW() + retry);
}

static void note_success(void)
{
    if ( !works )
        printk("Cloister: TPM answers at locality %u\n", TPM_LOCALITY);
    write_atomic(&works, true);
    write_atomic(&failures, 0);
    retry = RETRY_FIRST;
}

/* The command that ran has ended.  False: wait for somebody to need more. */
static bool finish(int rc)
{
    running = false;
    if ( !rc )
        rc = take_response();
    if ( rc )
    {
        note_failure(rc);
        return false;
    }
    note_success();

    return have < RANDOM || store();
}

static void cf_check tpm_tick(void *unused)
{
    int rc = running ? cl_tpm_poll(&tpm) : 0;

    if ( rc != -EINPROGRESS )
    {
        if ( running && !finish(rc) )
            return;

        rc = send();
        if ( rc )
        {
            note_failure(rc);
            return;
        }
        running = true;
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
    if ( rc )
    {
        printk(XENLOG_WARNING "Cloister: no usable TPM 2.0 (%d, id %08x)\n",
               rc, id);
        return 0;
    }
    cl_tpm_init(&tpm, &platform, TPM_LOCALITY);

    present = true;
    timer_on = true;
    retry = RETRY_FIRST;
    init_timer(&tpm_timer, tpm_tick, NULL, 0);
    set_timer(&tpm_timer, NOW());

    return 0;
}
__initcall(cloister_tpm_init);
