/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port's reset.c, on a software TPM whose power goes and comes alone.
 * This file stands in for Xen.
 */
#include <stdlib.h>
#include <string.h>

#include <cloister/tpm2.h>

#include "port_locks.h"
#include "swtpm.h"
#include "test.h"

/* ---- As much of Xen as it needs ------------------------------------------ */

#define CLOISTER_PRIVATE_H

typedef int64_t s_time_t;

#define SECONDS(s) ((s_time_t)(s) * 1000000000)
#define NOW() clock_now
#define cf_check
#define read_atomic(p) (*(p))
#define write_atomic(p, x) (*(p) = (x))
#define printk(...) ((void)(told++))

struct cloister_tpm_work
{
    size_t (*cmd)(uint8_t *buf, size_t cap, bool *hold);
    int (*rsp)(const uint8_t *rsp, size_t len);
};

static s_time_t clock_now = SECONDS(100);
static unsigned int told;

bool cloister_tpm_was_reset(void);
void cloister_reset_soon(void);
void cloister_reset_found(void);

#include "../../xen/overlay/xen/arch/x86/cloister/reset.c"

/* ---- What tpm.c does ------------------------------------------------------ */

static unsigned int commands;

static int startup(unsigned int locality)
{
    uint8_t cmd[64], rsp[64];
    size_t n = cl_tpm2_startup_cmd(cmd, sizeof(cmd));

    if ( swtpm_locality(locality) )
        return -1;
    n = swtpm_command(cmd, n, rsp, sizeof(rsp));

    return cl_tpm2_startup_rsp(rsp, n) || swtpm_locality(2);
}

/* One command, if there is one to send; what was made of the answer. */
static int tick(void)
{
    uint8_t cmd[64], rsp[256];
    bool hold = false;
    size_t n = cloister_reset_work.cmd(cmd, sizeof(cmd), &hold);
    int rc;

    if ( !n )
        return 1;
    commands++;
    n = swtpm_command(cmd, n, rsp, sizeof(rsp));
    rc = cloister_reset_work.rsp(rsp, n);
    if ( rc == -ENOTCONN )
    {
        startup(2);
        cloister_reset_soon();
    }

    return rc;
}

/* Somebody uses the TPM after some time; true: it was told something new. */
static bool use(unsigned int seconds)
{
    unsigned int i, before = told;

    clock_now += SECONDS(seconds);
    for ( i = 0; i < 10 && tick() != 1; i++ )
        ;

    return told != before;
}

/* Another boot of the host. */
static void reboot(void)
{
    known = was_reset = others_turn = false;
    first = heard = (struct counts){0};
    next = 0;
    told = commands = 0;
}

static bool begin(void)
{
    static bool started;
    bool ok = started || (!swtpm_start() && !swtpm_locality(2));

    started = true;
    reboot();

    return ok && !use(0) && known && !cloister_tpm_was_reset();
}

TEST(asks_now_and_then)
{
    CHECK(begin() && commands == 2);
    CHECK(!use(1) && commands == 2);
    CHECK(!use(9) && commands == 3);
    CHECK(!use(1000) && commands == 4 && !cloister_tpm_was_reset());
}

/* The TPM says that nobody has started it; Xen cannot. */
TEST(reset)
{
    CHECK(begin());
    CHECK(!swtpm_reset() && startup(2));
    CHECK(use(10) && cloister_tpm_was_reset());
    /* Once, and for good. */
    CHECK(told == 1 && !use(100) && cloister_tpm_was_reset());
    CHECK(!startup(0) && !use(100) && cloister_tpm_was_reset());
}

/* dom0 has started it, and nothing looks wrong. */
TEST(reset_and_started_by_others)
{
    CHECK(begin());
    CHECK(!swtpm_reset() && !startup(0));
    CHECK(use(10) && cloister_tpm_was_reset());
}

/* Between two questions: another command has met it. */
TEST(asks_at_once)
{
    CHECK(begin());
    CHECK(!swtpm_reset() && !startup(0));
    CHECK(!use(1) && !cloister_tpm_was_reset());
    cloister_reset_soon();
    CHECK(use(1) && cloister_tpm_was_reset());
}

/* An orderly restart, which keeps some PCRs, begins others anew. */
TEST(restarted)
{
    CHECK(begin());
    CHECK(!swtpm_shell("tpm2_shutdown"));
    CHECK(!swtpm_reset() && !startup(0));
    CHECK(use(10) && cloister_tpm_was_reset());
}

/* It begins to count anew, and has forgotten the host key. */
TEST(cleared)
{
    CHECK(begin());
    CHECK(!swtpm_locality(0) && !swtpm_shell("tpm2_clear -Q") &&
          !swtpm_locality(2));
    CHECK(use(10) && cloister_tpm_was_reset());
}

/* As the host boots: nobody has started it yet, which is no reset. */
TEST(started_late)
{
    CHECK(!swtpm_reset() && startup(2));
    reboot();
    CHECK(!use(0) && !known && !cloister_tpm_was_reset());
    CHECK(!startup(0) && !use(0) && known && !use(10) && !told);
}

/* An answer like a true one, with these counts. */
static int answer(uint32_t resets_, uint8_t safe)
{
    uint8_t cmd[64], rsp[35] = {0x80, 1, [5] = sizeof(rsp)};
    bool hold = false;

    clock_now += SECONDS(10);
    if ( !cloister_reset_work.cmd(cmd, sizeof(cmd), &hold) )
        return 1;
    rsp[26] = (uint8_t)(resets_ >> 24);
    rsp[29] = (uint8_t)resets_;
    rsp[34] = safe;

    return cloister_reset_work.rsp(rsp, sizeof(rsp));
}

/* Whatever it says while it is ill, what counts is what stays. */
TEST(garbage)
{
    unsigned int i;

    CHECK(begin());
    for ( i = 0; i < 100; i++ )
        CHECK(!answer(i * 0x3000001u + 77, i & 1));
    CHECK(answer(1, 2) == -EBADMSG && answer(1, 0) == 1);
    CHECK(!use(10) && known && !cloister_tpm_was_reset());
    CHECK(!answer(200, 0) && !cloister_tpm_was_reset());
    CHECK(!answer(200, 0) && cloister_tpm_was_reset());
}

/* Others' commands are to come to their end, too. */
TEST(others_have_a_turn)
{
    uint8_t cmd[64];
    bool hold = false;
    unsigned int i, asked = 0;

    CHECK(begin());
    for ( i = 0; i < 10; i++ )
    {
        clock_now += SECONDS(10);
        if ( !cloister_reset_work.cmd(cmd, sizeof(cmd), &hold) )
            continue;
        asked++;
        CHECK(cloister_reset_work.rsp(NULL, 0) == -EBADMSG);
    }
    CHECK(asked == 5 && !hold && !use(10) && !cloister_tpm_was_reset());
}

/* Given to the question, if it is due now. */
static int answered(const uint8_t *rsp, size_t len)
{
    uint8_t cmd[64];
    bool hold = false;

    if ( !cloister_reset_work.cmd(cmd, sizeof(cmd), &hold) )
        return 1;

    return cloister_reset_work.rsp(rsp, len);
}

/* Of ten turns, the last after five seconds. */
static unsigned int asked_with(const uint8_t *rsp, size_t len, int rc)
{
    unsigned int i, asked = 0;

    for ( i = 0; i < 10; i++ )
    {
        clock_now += SECONDS(1) / 2;
        asked += answered(rsp, len) == rc;
    }
    clock_now += SECONDS(100);
    others_turn = false;

    return asked;
}

/* An answer is one, whatever it says; none, or failure mode, has to end. */
TEST(useless_answers)
{
    static const uint8_t bad[12] = {0x80, 1, [5] = 12},
                         refusal[10] = {0x80, 1, [5] = 10, [8] = 1, 0x43},
                         again[10] = {0x80, 1, [5] = 10, [8] = 9, 0x22},
                         failed[10] = {0x80, 1, [5] = 10, [8] = 1, 1};

    CHECK(begin());
    clock_now += SECONDS(100);
    CHECK(asked_with(bad, sizeof(bad), -EBADMSG) == 1);
    CHECK(asked_with(refusal, sizeof(refusal), 0) == 1);
    CHECK(asked_with(again, sizeof(again), -EAGAIN) == 5);
    CHECK(asked_with(failed, sizeof(failed), 0) == 5);
    CHECK(asked_with(NULL, 0, -EBADMSG) == 5);
    CHECK(!told && !use(10) && !cloister_tpm_was_reset());
}

/* From the first question on: somebody should know, once. */
TEST(says_nothing)
{
    static const uint8_t refusal[10] = {0x80, 1, [5] = 10, [8] = 1, 0x43};

    reboot();
    CHECK(asked_with(refusal, sizeof(refusal), 0) == 1 && told == 1);
    CHECK(asked_with(refusal, sizeof(refusal), 0) == 1 && told == 1);
    CHECK(!use(10) && known && !cloister_tpm_was_reset());
}
