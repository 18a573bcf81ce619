/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port's tpm.c and reset.c: who has a turn after what the TPM answers, or
 * does not.  This file stands in for Xen, the engine's driver and the TPM.
 */
#include <stdlib.h>
#include <string.h>

#include <cloister/tpm2.h>
#include <abi/hypercall.h>
#include <abi/reason.h>

#include "../../engine/tpm/marshal.h"
#include "port_locks.h"
#include "test.h"

/* ---- As much of Xen as it needs ------------------------------------------ */

#define CLOISTER_PRIVATE_H

typedef int64_t s_time_t;

#define SECONDS(s) ((s_time_t)(s) * 1000000000)
#define MILLISECS(ms) ((s_time_t)(ms) * 1000000)
#define MICROSECS(us) ((s_time_t)(us) * 1000)
#define NOW() clock_now
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define cf_check
#define __init
#define __iomem
#define __initcall(f)
#define read_atomic(p) (*(p))
#define write_atomic(p, x) (*(p) = (x))
#define printk(...) ((void)(lines++))
#define ioremap(at, size) ((void)(at), none)
#define readb(p) (*(const volatile uint8_t *)(p))
#define readl(p) (*(const volatile uint32_t *)(p))
#define writeb(v, p) (*(volatile uint8_t *)(p) = (v))

struct timer
{
    s_time_t due; /* 0: it does not run */
};

struct cloister_tpm_work
{
    size_t (*cmd)(uint8_t *buf, size_t cap, bool *hold);
    int (*rsp)(const uint8_t *rsp, size_t len);
};

static const uint32_t cloister_mode = CLOISTER_MODE_on;
static s_time_t clock_now;
static unsigned int lines;
static uint8_t none[4];

static void init_timer(struct timer *t, void (*tick)(void *), void *data,
                       unsigned int cpu)
{
    (void)tick;
}

static void set_timer(struct timer *t, s_time_t due)
{
    t->due = due;
}

/* One that wants a PCR reset as often as is said. */
static unsigned int wants;

static size_t one_cmd(uint8_t *buf, size_t cap, bool *hold)
{
    return wants ? cl_tpm2_pcr_reset_cmd(buf, cap, 21) : 0;
}

static int one_rsp(const uint8_t *rsp, size_t len)
{
    int rc = cl_tpm2_empty_rsp(rsp, len, false);

    wants -= !rc;

    return rc;
}

static size_t no_cmd(uint8_t *buf, size_t cap, bool *hold)
{
    return 0;
}

static const struct cloister_tpm_work cloister_events_work = {one_cmd, one_rsp},
                                      cloister_sequence_work = {no_cmd, NULL},
                                      cloister_counter_work = {no_cmd, NULL},
                                      cloister_dump_work = {no_cmd, NULL};

bool cloister_tpm_was_reset(void);
void cloister_reset_soon(void);
void cloister_reset_found(void);
bool cloister_tpm_ready(void);
enum cloister_reason cloister_tpm_reason(void);
uint64_t cloister_tpm_bytes(void);
bool cloister_tpm_present(void);
void cloister_tpm_kick(void);
bool cloister_tpm_random(uint8_t out[32]);
void cloister_tpm_wipe(void);

#include "../../xen/overlay/xen/arch/x86/cloister/reset.c"
#include "../../xen/overlay/xen/arch/x86/cloister/tpm.c"

/* ---- The TPM, and the engine's driver ------------------------------------ */

#define RC_LOCALITY 0x907u
#define LOST UINT32_MAX

/* To each command, by its code: a response code, or LOST. */
static uint32_t (*says)(uint32_t cc);
static uint32_t resets, under_way, asked[100000]; /* the commands that it has had */
static unsigned int commands;

static uint32_t good(uint32_t cc)
{
    return 0;
}

int cl_tpm_probe(const struct cl_tpm_platform *p, unsigned int locality,
                 uint32_t *did_vid)
{
    return 0;
}

int cl_tpm_probe_crb(const struct cl_tpm_platform *p, unsigned int locality,
                     uint32_t *did_vid)
{
    return -ENODEV;
}

int cl_tpm_init(struct cl_tpm *t, const struct cl_tpm_platform *p,
                unsigned int locality)
{
    memset(t, 0, sizeof(*t));

    return 0;
}

int cl_tpm_init_crb(struct cl_tpm *t, const struct cl_tpm_platform *p,
                    unsigned int locality)
{
    return -ENODEV;
}

int cl_tpm_start(struct cl_tpm *t, const uint8_t *cmd_, size_t len)
{
    if ( commands == ARRAY_SIZE(asked) )
        abort();
    under_way = (uint32_t)cmd_[8] << 8 | cmd_[9];
    asked[commands++] = under_way;

    return 0;
}

/* A header, and what comes after it when it was done. */
int cl_tpm_poll(struct cl_tpm *t)
{
    uint32_t cc = under_way, rc = says(cc);
    size_t more = rc ? 0 : cc == CC_READ_CLOCK ? 25 : cc == CC_GET_RANDOM ? 34 : 0;

    if ( rc == LOST )
        return -ETIMEDOUT;
    memset(t->buf, 0, sizeof(t->buf));
    t->rsp_len = 10 + more;
    t->buf[0] = 0x80;
    t->buf[1] = 1;
    t->buf[5] = (uint8_t)t->rsp_len;
    t->buf[8] = (uint8_t)(rc >> 8);
    t->buf[9] = (uint8_t)rc;
    if ( more )
        t->buf[cc == CC_READ_CLOCK ? 29 : 11] =
            (uint8_t)(cc == CC_READ_CLOCK ? resets : RANDOM);

    return 0;
}

void cl_tpm_hold(struct cl_tpm *t, bool hold)
{
}

void cl_tpm_let_go(struct cl_tpm *t)
{
}

void cl_tpm_wipe(struct cl_tpm *t)
{
}

const char *cl_tpm_where(const struct cl_tpm *t)
{
    return "nothing";
}

/* ---- Time ----------------------------------------------------------------- */

static void pass(s_time_t time)
{
    s_time_t end = clock_now + time;

    while ( tpm_timer.due && tpm_timer.due <= end )
    {
        clock_now = tpm_timer.due;
        tpm_timer.due = 0;
        tpm_tick(NULL);
    }
    clock_now = end;
}

/* The host boots, with such a TPM. */
static void boot(uint32_t (*says_)(uint32_t cc))
{
    known = was_reset = others_turn = starting = false;
    works_at_all = wanted = timer_on = false;
    first = heard = (struct counts){0};
    next = 0;
    running = holder = NULL;
    pooled = wants = failures = 0;
    clock_now = SECONDS(100);
    says = says_;
    resets = 7;
    cloister_tpm_init();
    pass(SECONDS(1));
    commands = lines = 0;
}

static unsigned int count(uint32_t cc)
{
    unsigned int i, n = 0;

    for ( i = 0; i < commands; i++ )
        n += asked[i] == cc;

    return n;
}

/* Somebody uses it. */
static void use(void)
{
    wants++;
    cloister_tpm_kick();
}

TEST(good)
{
    boot(good);
    CHECK(cloister_tpm_ready() && known && pooled == POOL);
    use();
    pass(SECONDS(1));
    CHECK(!wants && commands == 1 && !tpm_timer.due && !lines);
}

/* ---- One that nobody has started ------------------------------------------ */

static uint32_t not_started(uint32_t cc)
{
    return cc == CC_STARTUP ? RC_LOCALITY : CL_TPM2_RC_INITIALIZE;
}

/* It fails, and whoever reads the log is told so a few times. */
TEST(nobody_starts_it)
{
    boot(not_started);
    lines = 0;
    pass(SECONDS(120));
    CHECK(!cloister_tpm_ready() && failures == FAILURES_MOST);
    CHECK(cloister_tpm_reason() == CLOISTER_WHY_tpm_failed);
    CHECK(lines <= FAILURES_MOST && commands < 120 && retry == RETRY_MOST);
    says = good;
    pass(SECONDS(6));
    CHECK(cloister_tpm_ready() && !failures && !cloister_tpm_was_reset());
}

/* Started, it says, and not started: no end of turns that nobody hears of. */
static uint32_t of_two_minds(uint32_t cc)
{
    return CL_TPM2_RC_INITIALIZE;
}

TEST(says_both)
{
    boot(of_two_minds);
    pass(SECONDS(120));
    CHECK(!cloister_tpm_ready() && failures == FAILURES_MOST);
    CHECK(retry == RETRY_MOST);
}

/* ---- Commands that fail ---------------------------------------------------- */

static bool fails;

static uint32_t loses_resets(uint32_t cc)
{
    return fails && cc == CC_PCR_RESET ? LOST : 0;
}

/* It was reset meanwhile: that is asked before the same is sent again. */
TEST(asks_after_a_failure)
{
    boot(good);
    says = loses_resets;
    fails = true;
    use();
    pass(MILLISECS(50));
    CHECK(commands == 1 && wants);
    fails = false;
    resets++;
    pass(SECONDS(1));
    CHECK(commands > 3 && asked[1] == CC_READ_CLOCK &&
          asked[2] == CC_READ_CLOCK && asked[3] == CC_PCR_RESET);
    CHECK(cloister_tpm_was_reset());
}

/* That it answers the question does not make it a TPM that works. */
TEST(fails_for_good)
{
    boot(good);
    says = loses_resets;
    fails = true;
    use();
    pass(SECONDS(120));
    CHECK(!cloister_tpm_ready() && failures == FAILURES_MOST);
    CHECK(lines <= FAILURES_MOST && retry == RETRY_MOST);
    CHECK(count(CC_READ_CLOCK) > 10);
    fails = false;
    pass(SECONDS(6));
    CHECK(cloister_tpm_ready() && !wants && !cloister_tpm_was_reset());
}

static uint32_t in_failure_mode(uint32_t cc)
{
    return CL_TPM2_RC_FAILURE;
}

/* Only a reset ends it: before two more commands are sent Xen has asked. */
TEST(failure_mode)
{
    boot(good);
    says = in_failure_mode;
    pass(SECONDS(10));
    use();
    pass(SECONDS(1));
    CHECK(count(CC_READ_CLOCK) > 1 && !cloister_tpm_was_reset());
    says = good;
    resets++;
    commands = 0;
    pass(SECONDS(6));
    CHECK(commands > 2 && cloister_tpm_was_reset());
    CHECK(asked[0] == CC_READ_CLOCK || asked[1] == CC_READ_CLOCK);
}
