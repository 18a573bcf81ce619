/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port's events.c, on a software TPM: whoever has a quote made after any of
 * its commands, and cuts the log as he likes, has no evidence that a guest runs
 * whose end the PCRs have known.
 */
#include <stdlib.h>
#include <string.h>

#include <cloister/measure.h>
#include <cloister/tpm2.h>
#include <abi/hypercall.h>

#include "evlog.h"
#include "port_locks.h"
#include "swtpm.h"
#include "test.h"

/* ---- As much of Xen as it needs ------------------------------------------ */

#define CLOISTER_PRIVATE_H

#define ROUNDUP(x, a)      (((x) + (a) - 1) & ~((a) - 1))
#define min(a, b)          ((a) < (b) ? (a) : (b))
#define vzalloc(n)         calloc(1, n)
#define cf_check
#define __init

typedef int64_t s_time_t;

#define SECONDS(s)         ((s_time_t)(s) * 1000000000)
#define NOW()              clock_now
#define read_atomic(p)     (*(p))
#define write_atomic(p, x) (*(p) = (x))
#define printk(...)        ((void)0)

/* A log that is full after some guests. */
#define KB(n) ((n) * 5)

struct key {
    uint64_t epoch;
};

struct cloister_domain {
    uint8_t measurement[32];
    uint64_t launch_epoch;
    struct {
        struct key *key;
    } vm;
};

struct domain {
    uint16_t domain_id;
    uint8_t handle[16];
    struct {
        struct cloister_domain *cloister;
    } arch;
};

struct cloister_tpm_work {
    size_t (*cmd)(uint8_t *buf, size_t cap, bool *hold);
    int (*rsp)(const uint8_t *rsp, size_t len);
};

static const uint32_t cloister_mode = CLOISTER_MODE_on;
static const uint32_t cloister_unsafe_lab, cloister_key_pcrs = 0x2003ff;

static const char *xen_commandline(void)
{
    return "cloister=on";
}

static int xen_build_id(const void **id, unsigned int *len)
{
    *id = "id";
    *len = 2;

    return 0;
}

static void cloister_tpm_kick(void)
{
}

static s_time_t clock_now = SECONDS(100);

bool cloister_tpm_was_reset(void);
void cloister_reset_soon(void);
void cloister_reset_found(void);
bool cloister_events_settled(void);
int cloister_event_launch(struct domain *d);
void cloister_event_end(struct domain *d);
int cloister_events_read(uint64_t offset, uint8_t *out, uint32_t *len,
                         uint64_t *total, uint64_t *gen);
int cloister_events_init(void);

#include "../../xen/overlay/xen/arch/x86/cloister/reset.c"
#include "../../xen/overlay/xen/arch/x86/cloister/events.c"

/* ---- Guests -------------------------------------------------------------- */

#define GUESTS 24

static struct key keys[GUESTS];
static struct cloister_domain states[GUESTS];
static struct domain guests[GUESTS];
static bool gone[GUESTS]; /* and the PCRs have known it */

static void make_guests(void)
{
    unsigned int i;

    for ( i = 0; i < GUESTS; i++ )
    {
        keys[i].epoch = i + 1;
        states[i] = (struct cloister_domain){ .vm.key = &keys[i] };
        guests[i] = (struct domain){ .domain_id = (uint16_t)(i + 1),
                                     .handle = { (uint8_t)(i + 1) },
                                     .arch.cloister = &states[i] };
    }
}

/* ---- The one who has quotes made ----------------------------------------- */

static uint8_t older[KB(256)]; /* the log before it was last shortened */
static size_t older_size;
static unsigned int quotes, believed, lies;

static bool read_pcr(unsigned int pcr, uint8_t out[32])
{
    uint8_t cmd[64], rsp[256];
    size_t len = cl_tpm2_pcr_read_cmd(cmd, sizeof(cmd), pcr);
    size_t n = swtpm_command(cmd, len, rsp, sizeof(rsp));

    return !cl_tpm2_pcr_read_rsp(rsp, n, out);
}

static bool fits(const struct evlog *log, const uint8_t pcrs[2][32])
{
    uint8_t host[32], launch[32];

    evlog_replay(log, CLOISTER_PCR_HOST, host);
    evlog_replay(log, CLOISTER_PCR_LAUNCH, launch);

    return !memcmp(host, pcrs[0], 32) && !memcmp(launch, pcrs[1], 32);
}

/* As cloister verify has it. */
static void judge(const struct evlog *log, const uint8_t pcrs[2][32])
{
    struct cloister_launch launch;
    char why[128];
    unsigned int i;

    if ( !evlog_check(log, true, why, sizeof(why)) || !fits(log, pcrs) )
        return;
    believed++;
    for ( i = 0; i < GUESTS; i++ )
        lies += gone[i] && evlog_find_launch(log, guests[i].handle, &launch);
}

/* The log, cut after any of its items. */
static void try_all(uint8_t *bytes, size_t size, const uint8_t pcrs[2][32])
{
    const struct evlog whole = { bytes, size };
    struct evitem item;
    size_t offset = 0;

    while ( evlog_next(&whole, &offset, &item) )
    {
        const struct evlog part = { bytes, offset };

        judge(&part, pcrs);
    }
}

static void attack(void)
{
    uint8_t pcrs[2][32];

    if ( !read_pcr(CLOISTER_PCR_HOST, pcrs[0]) ||
         !read_pcr(CLOISTER_PCR_LAUNCH, pcrs[1]) )
        return;
    quotes++;
    try_all(events.log, events.used, pcrs);
    try_all(older, older_size, pcrs);
}

/* ---- What tpm.c does ----------------------------------------------------- */

/* One command, if there is one to send; then whoever likes has a quote made. */
static bool run(const struct cloister_tpm_work *work, bool lost)
{
    uint8_t cmd[CL_TPM2_CMD_MAX], rsp[CL_TPM_BUF_SIZE];
    bool hold = false;
    size_t n, len = work->cmd(cmd, sizeof(cmd), &hold);

    if ( !len )
        return false;
    n = swtpm_command(cmd, len, rsp, sizeof(rsp));
    work->rsp(lost ? NULL : rsp, lost ? 0 : n);
    attack();

    return true;
}

/* lost: the command is carried out, and its response does not arrive. */
static bool tick(bool lost)
{
    unsigned int i;

    for ( i = 0; i < 10 && run(&cloister_reset_work, false); i++ )
        ;

    return run(&cloister_events_work, lost);
}

static bool settle(void)
{
    unsigned int i;

    for ( i = 0; i < 1000 && tick(false); i++ )
        ;

    return cloister_events_settled();
}

static void remember(void)
{
    memcpy(older, events.log, events.used);
    older_size = events.used;
}

/* Another boot of the host; the events are to begin anew, too. */
static void reboot(void)
{
    known = was_reset = others_turn = spoiled = begun = false;
    first = heard = (struct counts){0};
    next = 0;
    free(events.log);
    events.log = NULL;
    memset(gone, 0, sizeof(gone));
    older_size = quotes = believed = lies = 0;
}

/* Two guests run, and one has ended, which the PCRs know. */
static bool begin(void)
{
    static bool started;
    bool ok;

    if ( !started && swtpm_start() )
        return false;
    started = true;
    make_guests();
    reboot();
    ok = !swtpm_locality(2) && !cloister_events_init() && settle() &&
         !cloister_event_launch(&guests[0]) &&
         !cloister_event_launch(&guests[1]) && settle();
    cloister_event_end(&guests[0]);
    ok = ok && settle();
    gone[0] = true;

    return ok;
}

TEST(vouched_for)
{
    CHECK(begin());
    believed = 0;
    attack();
    /* The whole log, and no part of it. */
    CHECK(believed == 1 && !lies);
}

/* Each of the commands is the one whose response is lost. */
TEST(ended_guest_after_failure)
{
    unsigned int at, i;

    CHECK(begin());
    for ( at = 0; at < 8; at++ )
    {
        cloister_event_launch(&guests[2 + at]);
        CHECK(tick(true) && !cloister_events_settled());
        for ( i = 0; i < at; i++ )
            tick(false);
        tick(true);
        CHECK(settle() && !lies);
        cloister_event_end(&guests[2 + at]);
        CHECK(settle());
        gone[2 + at] = true;
    }
    attack();
    CHECK(quotes > 60 && believed > 8 && !lies);
}

/* A launch whose response is lost, and so many turns of playing the log again. */
static bool begin_replay(unsigned int turns)
{
    if ( !begin() )
        return false;
    cloister_event_launch(&guests[2]);
    if ( !tick(true) )
        return false;
    while ( turns-- )
        tick(false);

    return true;
}

/* A guest starts while the log is played again, and another one ends. */
TEST(news_meanwhile)
{
    unsigned int at;

    for ( at = 0; at < 10; at++ )
    {
        CHECK(begin_replay(at));
        cloister_event_launch(&guests[3]);
        cloister_event_end(&guests[1]);
        CHECK(settle() && !lies);
        gone[1] = true;
        believed = 0;
        attack();
        CHECK(believed == 1 && !lies);
    }
}

TEST(ended_guest_after_shortening)
{
    uint64_t was;
    unsigned int i, shortened = 0;

    CHECK(begin());
    for ( i = 2; i < GUESTS; i++ )
    {
        was = generation;
        remember();
        CHECK(!cloister_event_launch(&guests[i]) && settle() && !lies);
        cloister_event_end(&guests[i]);
        CHECK(settle() && !lies);
        gone[i] = true;
        shortened += generation != was;
    }
    CHECK(shortened > 1 && quotes > 60 && !lies);
}

static bool zero(unsigned int pcr)
{
    static const uint8_t none[32];
    uint8_t value[32];

    return read_pcr(pcr, value) && !memcmp(value, none, 32);
}

/* dom0 does it, and keeps the log that it has. */
static bool by_dom0(const char *command)
{
    remember();

    return !swtpm_locality(0) && !swtpm_shell(command) && !swtpm_locality(2);
}

/* The TPM was reset alone: the log does not come back into it. */
TEST(spoiled_after_a_reset)
{
    CHECK(begin());
    CHECK(!swtpm_reset() && by_dom0("tpm2_startup -c"));
    clock_now += SECONDS(10);
    cloister_event_launch(&guests[2]);
    believed = 0;
    CHECK(tick(true) && cloister_tpm_was_reset() && !spoiled);
    CHECK(tick(false) && spoiled && !tick(false) && zero(CLOISTER_PCR_HOST));
    CHECK(!cloister_events_settled() && !believed);
}

/*
 * TPM2_Clear changes no PCR, and looks like a reset: what the PCRs vouched for
 * does not stay when the guest has ended.
 */
TEST(spoiled_after_clear)
{
    CHECK(begin());
    believed = 0;
    CHECK(by_dom0("tpm2_clear -Q"));
    attack();
    CHECK(believed);
    clock_now += SECONDS(10);
    CHECK(cloister_events_settled());
    cloister_event_end(&guests[1]);
    CHECK(tick(false) && cloister_tpm_was_reset() && !tick(false));
    gone[1] = true;
    believed = 0;
    attack();
    CHECK(!believed && !lies && zero(CLOISTER_PCR_HOST));
    CHECK(!cloister_events_settled());
}

/* In the middle of a command, and little time after the counts were asked for. */
TEST(reset_in_a_command)
{
    unsigned int at;

    for ( at = 0; at < 10; at++ )
    {
        CHECK(begin_replay(at));
        CHECK(!swtpm_reset() && by_dom0("tpm2_startup -c"));
        believed = 0;
        tick(true);
        while ( tick(false) )
            ;
        CHECK(cloister_tpm_was_reset() && !believed && spoiled);
    }
}

/* As Xen starts: the PCRs say nothing yet, and the counts were just asked for. */
TEST(reset_as_it_begins)
{
    CHECK(begin() && !swtpm_locality(0) && !swtpm_reboot());
    reboot();
    CHECK(!cloister_events_init() && !swtpm_locality(2));
    CHECK(tick(false) && known && !swtpm_reset());
    CHECK(by_dom0("tpm2_startup -c"));
    while ( tick(false) )
        ;
    CHECK(cloister_tpm_was_reset() && spoiled && !believed);
}

/*
 * It is cleared, and reset as often as it takes to make the counts the same,
 * in the middle of a command, or after that before one of those that follow.
 */
static bool made_the_same(void)
{
    unsigned int i;
    bool ok = known && first.resets < 100 && !first.restarts &&
              by_dom0("tpm2_clear -Q") && !swtpm_locality(0);

    for ( i = 0; i < first.resets; i++ )
        ok &= !swtpm_reboot();
    clock_now += SECONDS(10);

    return ok && !swtpm_locality(2);
}

TEST(counts_made_the_same)
{
    unsigned int at;

    for ( at = 0; at < 10; at++ )
    {
        CHECK(begin());
        cloister_event_launch(&guests[2]);
        for ( unsigned int i = 0; i < at; i++ )
            tick(!i);
        CHECK(made_the_same());
        believed = 0;
        CHECK(tick(true) && !cloister_tpm_was_reset());
        while ( tick(false) )
            ;
        CHECK(cloister_tpm_was_reset() && spoiled && !believed);
        CHECK(zero(CLOISTER_PCR_HOST));
    }
}
