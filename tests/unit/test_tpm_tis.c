/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TPM's FIFO transport against a model of the device that can go wrong at
 * every step, and against devices that answer at random.  Time is virtual.
 *
 * In each run, run() holds the transport to its promises: registers accesses
 * for each poll, time for each command, an idle machine at the end.
 */
#include <stdio.h>
#include <string.h>

#include <cloister/tpm.h>

#include "model_tis.h"
#include "test.h"

#define MS 1000u
#define GETRANDOM_BOUND_US (CL_TPM_BOUND_US + 5000 * MS)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct rig
{
    struct model_tis m;
    struct cl_tpm_platform p;
    struct cl_tpm t;
    uint64_t took;
    unsigned int polls;
    size_t taken; /* response bytes of a command that failed */
    bool broken;  /* a promise */
};

static void rig_init(struct rig *r)
{
    memset(r, 0, sizeof(*r));
    model_init(&r->m, &r->p);
    r->broken = cl_tpm_init(&r->t, &r->p, 2) != 0;
}

/* Polls until the end, and a second more than it may last at most. */
static int poll_all(struct rig *r, uint64_t period, uint64_t bound)
{
    uint64_t start = r->m.now;
    int rc;

    for ( r->polls = 1;; r->polls++ )
    {
        r->m.accesses = 0;
        rc = cl_tpm_poll(&r->t);
        if ( r->m.accesses > CL_TPM_POLL_ACCESSES )
            r->broken = true;
        r->took = r->m.now - start;
        if ( rc != -EINPROGRESS || r->took > bound + 1000 * MS )
            break;
        r->m.now += period;
    }

    if ( rc == -EINPROGRESS || r->took > bound || r->t.state != CL_TPM_IDLE ||
         r->m.violations || cl_tpm_poll(&r->t) != rc )
        r->broken = true;
    if ( r->broken )
        printf("# rc %d after %u polls, %u us, at %s; %s\n", rc, r->polls,
               (unsigned int)r->took, cl_tpm_where(&r->t),
               r->m.violation ? r->m.violation : "no violation");

    return rc;
}

static int run(struct rig *r)
{
    uint8_t cmd[CL_TPM2_GETRANDOM_SIZE];
    size_t len = cl_tpm2_getrandom_cmd(cmd, sizeof(cmd), 32);

    if ( cl_tpm_start(&r->t, cmd, len) )
        return -EINVAL;

    return poll_all(r, CL_TPM_POLL_PERIOD_US, GETRANDOM_BOUND_US);
}

static bool is_random(const struct rig *r, size_t n)
{
    uint8_t out[CL_TPM_BUF_SIZE];
    size_t i, got;

    if ( cl_tpm2_getrandom_rsp(r->t.buf, r->t.rsp_len, out, n, &got) ||
         got != n )
        return false;
    for ( i = 0; i < n; i++ )
        if ( out[i] != model_random(i) )
            return false;

    return true;
}

/* All is well: the answer is right, and the TPM is free for others. */
static bool works(struct rig *r)
{
    return !run(r) && !r->broken && is_random(r, 32) &&
           r->m.active != r->m.driver;
}

static bool is_zero(const struct cl_tpm *t)
{
    size_t i;

    for ( i = 0; i < sizeof(t->buf); i++ )
        if ( t->buf[i] )
            return false;

    return !t->rsp_len;
}

/* It fails like that, leaves nothing behind, and works when that is over. */
static bool fails(struct rig *r, int err, enum cl_tpm_state where)
{
    int rc = run(r);
    bool ok = rc == err && r->t.failed_in == where && !r->broken &&
              is_zero(&r->t) && !r->m.request[2] &&
              (r->m.active != 2 || (r->m.faults & MF_ABSENT)) &&
              (r->m.state == MODEL_IDLE || r->m.state == MODEL_READY ||
               (r->m.faults & (MF_ABSENT | MF_ABORT_HANG)));

    if ( !ok )
        printf("# rc %d, not %d; at %s\n", rc, err, cl_tpm_where(&r->t));
    r->taken = r->m.taken;
    model_heal(&r->m);

    return works(r) && ok;
}

TEST(init_and_start_check_arguments)
{
    struct rig r;
    uint8_t cmd[CL_TPM_BUF_SIZE + 1] = {0x80, 1, 0, 0, 0x10, 1};

    rig_init(&r);
    CHECK(cl_tpm_poll(&r.t) == -ENODATA);
    CHECK(cl_tpm_init(&r.t, &r.p, 3) == -EINVAL);
    CHECK(cl_tpm_start(&r.t, cmd, 9) == -EINVAL);
    CHECK(cl_tpm_start(&r.t, cmd, 10) == -EINVAL);
    CHECK(cl_tpm_start(&r.t, cmd, sizeof(cmd)) == -EINVAL);
    CHECK(cl_tpm_poll(&r.t) == -ENODATA);
    CHECK(r.m.accesses == 0);
}

TEST(getrandom)
{
    struct rig r;

    rig_init(&r);
    CHECK(works(&r));
    CHECK(r.t.rsp_len == 44 && r.m.commands == 1 && !r.m.seized);
    CHECK(r.took >= r.m.exec_us && r.took <= r.m.exec_us + 20 * MS);
    CHECK(works(&r));

    /* A refused start leaves the last response alone. */
    CHECK(cl_tpm_start(&r.t, r.t.buf, 43) == -EINVAL);
    CHECK(cl_tpm_poll(&r.t) == 0 && is_random(&r, 32));

    cl_tpm_wipe(&r.t);
    CHECK(is_zero(&r.t));
}

TEST(one_poll_if_the_tpm_is_fast)
{
    struct rig r;

    rig_init(&r);
    r.m.exec_us = 0;
    CHECK(works(&r));
    CHECK(r.polls == 1 && r.took == 0);
}

TEST(busy_while_running)
{
    struct rig r;
    uint8_t cmd[CL_TPM2_STARTUP_SIZE];
    size_t len = cl_tpm2_startup_cmd(cmd, sizeof(cmd));

    rig_init(&r);
    CHECK(cl_tpm_start(&r.t, cmd, len) == 0);
    CHECK(cl_tpm_start(&r.t, cmd, len) == -EBUSY);
    CHECK(cl_tpm_poll(&r.t) == -EINPROGRESS);
    CHECK(cl_tpm_start(&r.t, cmd, len) == -EBUSY);
    CHECK(poll_all(&r, CL_TPM_POLL_PERIOD_US, GETRANDOM_BOUND_US) == 0);
    CHECK(cl_tpm2_startup_rsp(r.t.buf, r.t.rsp_len) == 0);
    CHECK(!r.broken && r.m.commands == 1);
}

TEST(not_started_yet)
{
    struct rig r;
    uint8_t cmd[CL_TPM2_STARTUP_SIZE], out[32];
    size_t got;

    rig_init(&r);
    r.m.started = false;
    CHECK(run(&r) == 0);
    CHECK(cl_tpm2_getrandom_rsp(r.t.buf, r.t.rsp_len, out, 32, &got) ==
          -ENOTCONN);
    CHECK(!cl_tpm_start(&r.t, cmd, cl_tpm2_startup_cmd(cmd, sizeof(cmd))));
    CHECK(poll_all(&r, CL_TPM_POLL_PERIOD_US, GETRANDOM_BOUND_US) == 0);
    CHECK(cl_tpm2_startup_rsp(r.t.buf, r.t.rsp_len) == 0);
    CHECK(works(&r));
}

TEST(every_burst_size_both_ways_full_buffer)
{
    static const unsigned int bursts[] = {1,  2,  3,   7,   11,   12,   63,
                                          64, 65, 255, 256, 4095, 4096, 0};
    static struct rig r;
    static uint8_t cmd[CL_TPM_BUF_SIZE];
    unsigned int i;
    size_t k, n = sizeof(cmd) - 12;

    for ( i = 0; i < ARRAY_SIZE(bursts); i++ )
    {
        rig_init(&r);
        r.m.burst_max = bursts[i];
        CHECK(works(&r));

        /* A command that fills the buffer; 12 bytes of it are GetRandom. */
        CHECK(cl_tpm2_getrandom_cmd(cmd, sizeof(cmd), (uint16_t)n) == 12);
        cmd[4] = sizeof(cmd) >> 8;
        cmd[5] = sizeof(cmd) & 0xFF;
        for ( k = 12; k < sizeof(cmd); k++ )
            cmd[k] = (uint8_t)(k * 31 + i);
        r.m.digest_max = (unsigned int)n;
        CHECK(cl_tpm_start(&r.t, cmd, sizeof(cmd)) == 0);
        CHECK(poll_all(&r, CL_TPM_POLL_PERIOD_US, GETRANDOM_BOUND_US) == 0);
        CHECK(r.m.in_len == 0 && !memcmp(r.m.in, cmd, sizeof(cmd)));
        CHECK(r.t.rsp_len == CL_TPM_BUF_SIZE && is_random(&r, n));
        CHECK(!r.broken);
    }
}

TEST(polled_often_and_seldom)
{
    static const uint64_t periods[] = {1, 100, 1 * MS, 100 * MS, 10000 * MS};
    struct rig r;
    unsigned int i;
    uint8_t cmd[CL_TPM2_GETRANDOM_SIZE];

    /* The last one is later than every timeout: what it finds counts. */
    for ( i = 0; i < ARRAY_SIZE(periods); i++ )
    {
        rig_init(&r);
        r.m.other_until = r.m.now + 20 * MS;
        r.m.active = 0;
        cl_tpm_start(&r.t, cmd, cl_tpm2_getrandom_cmd(cmd, sizeof(cmd), 32));
        CHECK(poll_all(&r, periods[i], 40000 * MS) == 0);
        CHECK(!r.broken && is_random(&r, 32));
    }
}

TEST(waits_politely_for_locality_0)
{
    struct rig r;

    rig_init(&r);
    r.m.active = 0;
    r.m.other_until = r.m.now + 3000 * MS;
    CHECK(works(&r));
    CHECK(r.took >= 3000 * MS && r.took <= 3100 * MS);
    CHECK(!r.m.seized && !r.m.been_seized[0]);
}

TEST(seizes_after_a_while)
{
    struct rig r;

    rig_init(&r);
    r.m.active = 0;
    r.m.state = MODEL_EXECUTION;
    r.m.done_at = r.m.other_until = MODEL_FOREVER;
    CHECK(works(&r));
    CHECK(r.m.seized == 1 && r.m.been_seized[0] && r.m.commands == 1);
    CHECK(r.took >= CL_TPM_SEIZE_US && r.took <= CL_TPM_SEIZE_US + 100 * MS);
}

/* With a resource manager in dom0 one turn is ten commands. */
TEST(waits_longer_for_who_is_at_work)
{
    struct rig r;

    rig_init(&r);
    r.m.active = 0;
    r.m.other_stirs = true;
    r.m.other_until = r.m.now + CL_TPM_SEIZE_US + 5000 * MS;
    CHECK(works(&r));
    CHECK(r.took >= CL_TPM_SEIZE_US + 5000 * MS);
    CHECK(!r.m.seized && !r.t.seized);

    r.m.active = 0;
    r.m.other_until = MODEL_FOREVER;
    CHECK(works(&r));
    CHECK(r.m.seized == 1 && r.t.seized == 1);
    CHECK(r.took >= CL_TPM_SEIZE_MOST_US &&
          r.took <= CL_TPM_SEIZE_MOST_US + 100 * MS);
}

TEST(locality_0_never_seizes)
{
    struct rig r;

    rig_init(&r);
    CHECK(cl_tpm_init(&r.t, &r.p, 0) == 0);
    r.m.driver = 0;
    CHECK(works(&r));

    r.m.active = 3;
    CHECK(run(&r) == -ETIMEDOUT);
    CHECK(!r.broken && !r.m.seized && !r.m.request[0]);
    r.m.active = MODEL_NOBODY;
    CHECK(works(&r));
}

TEST(clears_been_seized_and_takes_a_locality_it_has)
{
    struct rig r;

    rig_init(&r);
    r.m.been_seized[2] = true;
    CHECK(works(&r));
    CHECK(!r.m.been_seized[2]);

    r.m.active = 2;
    r.m.state = MODEL_COMPLETION;
    r.m.out_len = 4;
    CHECK(works(&r));
}

TEST(faults)
{
    static const struct
    {
        uint32_t faults;
        int err;
        enum cl_tpm_state where;
    } f[] = {
        {MF_ABSENT, -ENODEV, CL_TPM_LOCALITY},
        {MF_ZEROS, -ETIMEDOUT, CL_TPM_LOCALITY},
        {MF_NO_REG_VALID, -ETIMEDOUT, CL_TPM_LOCALITY},
        {MF_DEAF, -ETIMEDOUT, CL_TPM_LOCALITY},
        {MF_NO_GRANT, -ETIMEDOUT, CL_TPM_SEIZE},
        {MF_NO_READY, -ETIMEDOUT, CL_TPM_READY},
        {MF_SEND_NO_BURST, -ETIMEDOUT, CL_TPM_SEND},
        {MF_SEND_NO_VALID, -ETIMEDOUT, CL_TPM_SEND},
        {MF_SEND_FULL, -EIO, CL_TPM_SEND},
        {MF_EXPECT_STUCK, -EIO, CL_TPM_SENT},
        {MF_SENT_NO_VALID, -ETIMEDOUT, CL_TPM_SENT},
        {MF_EXEC_HANG, -ETIMEDOUT, CL_TPM_EXEC},
        {MF_EXEC_HANG | MF_ABORT_HANG, -ETIMEDOUT, CL_TPM_EXEC},
        {MF_RECV_NO_VALID, -ETIMEDOUT, CL_TPM_EXEC},
        {MF_RECV_NO_BURST, -ETIMEDOUT, CL_TPM_RECV},
        {MF_TRICKLE, -ETIMEDOUT, CL_TPM_RECV},
        {MF_DRAIN_NO_VALID, -ETIMEDOUT, CL_TPM_DRAIN},
    };
    struct rig r;
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(f); i++ )
    {
        rig_init(&r);
        r.m.faults = f[i].faults;
        CHECK(fails(&r, f[i].err, f[i].where));

        /* The same with locality 0 busy for as long as is tolerated. */
        rig_init(&r);
        r.m.active = 0;
        r.m.other_until = r.m.now + CL_TPM_SEIZE_US - 20 * MS;
        r.m.faults = f[i].faults;
        run(&r);
        CHECK(!r.broken);
    }
}

TEST(faults_that_are_overcome)
{
    struct rig r;

    rig_init(&r);
    r.m.faults = MF_READY_TWICE;
    CHECK(works(&r));

    /* The response is good even if the locality will not go. */
    r.m.faults = MF_RELEASE_HANG;
    CHECK(run(&r) == 0);
    CHECK(!r.broken && is_random(&r, 32));
    model_heal(&r.m);
    CHECK(works(&r));
}

/* A fault that begins, or a locality lost, in each state at each byte. */
TEST(faults_in_the_middle)
{
    static const struct
    {
        enum model_state state;
        size_t bytes;
    } at[] = {
        {MODEL_READY, 0},       {MODEL_RECEPTION, 1},   {MODEL_RECEPTION, 6},
        {MODEL_RECEPTION, 11},  {MODEL_RECEPTION, 12},  {MODEL_EXECUTION, 0},
        {MODEL_COMPLETION, 0},  {MODEL_COMPLETION, 9},  {MODEL_COMPLETION, 10},
        {MODEL_COMPLETION, 11}, {MODEL_COMPLETION, 43},
    };
    struct rig r;
    unsigned int i, bit;
    int rc;

    for ( i = 0; i < ARRAY_SIZE(at); i++ )
    {
        for ( bit = 0; bit < 19; bit++ )
        {
            rig_init(&r);
            r.m.burst_max = 1;
            r.m.at_state = at[i].state;
            r.m.at_bytes = at[i].bytes;
            r.m.at_faults = 1u << bit;
            rc = run(&r);
            CHECK(!r.broken);
            CHECK(rc == 0 ? is_random(&r, 32) : is_zero(&r.t));
            model_heal(&r.m);
            CHECK(works(&r));
        }

        rig_init(&r);
        r.m.burst_max = 1;
        r.m.at_state = at[i].state;
        r.m.at_bytes = at[i].bytes;
        r.m.at_lose = true;
        rc = run(&r);
        CHECK(rc == -EIO || rc == -EBADMSG);
        CHECK(!r.broken && is_zero(&r.t) && r.m.been_seized[2]);
        CHECK(r.took < 100 * MS);
        model_heal(&r.m);
        CHECK(works(&r));
    }
}

TEST(vanishes_in_the_middle)
{
    struct rig r;

    rig_init(&r);
    r.m.at_state = MODEL_EXECUTION;
    r.m.at_faults = MF_ABSENT;
    CHECK(fails(&r, -ENODEV, CL_TPM_EXEC));

    /* Bytes that are ones look like a size. */
    rig_init(&r);
    r.m.at_state = MODEL_COMPLETION;
    r.m.at_bytes = 2;
    r.m.at_faults = MF_ABSENT;
    CHECK(fails(&r, -EBADMSG, CL_TPM_RECV));
}

TEST(lying_sizes)
{
    static const uint32_t sizes[] = {
        1,    2,    9,    10,    11,       43,          45,
        4095, 4096, 4097, 65536, 44u << 8, 0x80000000u, UINT32_MAX};
    struct rig r;
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(sizes); i++ )
    {
        bool early = sizes[i] < 10 || sizes[i] > 4096 || sizes[i] > 44;

        rig_init(&r);
        r.m.force_size = sizes[i];
        CHECK(fails(&r, -EBADMSG, early ? CL_TPM_RECV : CL_TPM_DRAIN));
    }
}

/* A device that has as many bytes as it says, or more: none is taken. */
TEST(sizes_out_of_range_with_data)
{
    static const uint32_t sizes[] = {1, 9, 4097, 8000, UINT32_MAX};
    struct rig r;
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(sizes); i++ )
    {
        rig_init(&r);
        r.m.force_size = sizes[i];
        r.m.extra = 8000 - 44;
        CHECK(fails(&r, -EBADMSG, CL_TPM_RECV));
        CHECK(r.taken == CL_TPM_HEADER_SIZE);
    }
}

/* A byte at a time, each just in time: the whole has a bound as well. */
TEST(trickle)
{
    struct rig r;
    uint8_t cmd[64] = {0x80, 1, 0, 0, 0, 64, 0, 0, 1, 0x7B};

    rig_init(&r);
    r.m.faults = MF_TRICKLE;
    CHECK(cl_tpm_start(&r.t, cmd, sizeof(cmd)) == 0);
    CHECK(poll_all(&r, CL_TPM_POLL_PERIOD_US, GETRANDOM_BOUND_US) ==
          -ETIMEDOUT);
    CHECK(!r.broken && r.t.failed_in == CL_TPM_SEND && is_zero(&r.t));
    CHECK(r.took >= CL_TPM_TRANSFER_US && r.m.state == MODEL_READY);
    model_heal(&r.m);
    CHECK(works(&r));
}

/* Gone while it is asked to let go: locality 2 is not waited for. */
TEST(vanishes_before_a_grant)
{
    struct rig r;
    uint8_t cmd[CL_TPM2_GETRANDOM_SIZE];
    unsigned int i;

    rig_init(&r);
    r.m.faults = MF_NO_GRANT;
    cl_tpm_start(&r.t, cmd, cl_tpm2_getrandom_cmd(cmd, sizeof(cmd), 8));
    for ( i = 0; i < CL_TPM_SEIZE_US / CL_TPM_POLL_PERIOD_US + 50;
          i++, r.m.now += CL_TPM_POLL_PERIOD_US )
        CHECK(cl_tpm_poll(&r.t) == -EINPROGRESS);
    CHECK(r.m.seized == 1 && r.t.state == CL_TPM_SEIZE);
    r.m.faults = MF_ABSENT;
    CHECK(cl_tpm_poll(&r.t) == -ENODEV && r.t.failed_in == CL_TPM_SEIZE);
}

TEST(too_short_and_too_long)
{
    struct rig r;
    size_t n;

    for ( n = 1; n < 44; n++ )
    {
        rig_init(&r);
        r.m.cut = n;
        CHECK(fails(&r, -EBADMSG, CL_TPM_RECV));

        rig_init(&r);
        r.m.extra = n;
        CHECK(fails(&r, -EBADMSG, CL_TPM_DRAIN));
    }

    /* Nothing at all is no dataAvail. */
    rig_init(&r);
    r.m.cut = 44;
    CHECK(fails(&r, -ETIMEDOUT, CL_TPM_EXEC));
}

TEST(probe)
{
    struct rig r;
    uint32_t id = 0;

    rig_init(&r);
    CHECK(cl_tpm_probe(&r.p, 2, &id) == 0 && id == 0x00011014);
    CHECK(cl_tpm_probe(&r.p, 2, NULL) == 0);
    CHECK(cl_tpm_probe(&r.p, 3, NULL) == -EINVAL);

    r.m.interface_id = 0xFFFFFFFF; /* TIS 1.3, as TPM 2.0 and as 1.2 */
    CHECK(cl_tpm_probe(&r.p, 2, NULL) == 0);
    r.m.capability = 2u << 28;
    CHECK(cl_tpm_probe(&r.p, 2, NULL) == -EOPNOTSUPP);

    rig_init(&r);
    r.m.interface_id = 0x6101; /* CRB */
    CHECK(cl_tpm_probe(&r.p, 2, NULL) == -EOPNOTSUPP);
    r.m.interface_id = 0x2000; /* locality 0 only */
    CHECK(cl_tpm_probe(&r.p, 2, NULL) == -EOPNOTSUPP);

    r.m.faults = MF_ABSENT;
    CHECK(cl_tpm_probe(&r.p, 2, &id) == -ENODEV && id == UINT32_MAX);
    r.m.faults = MF_ZEROS;
    CHECK(cl_tpm_probe(&r.p, 2, &id) == -ENODEV && id == 0);
    CHECK(!r.m.violations);
}

TEST(where_says_something)
{
    struct rig r;
    uint8_t cmd[CL_TPM2_GETRANDOM_SIZE];

    rig_init(&r);
    CHECK(!strcmp(cl_tpm_where(&r.t), "nothing"));
    cl_tpm_start(&r.t, cmd, cl_tpm2_getrandom_cmd(cmd, sizeof(cmd), 8));
    CHECK(cl_tpm_poll(&r.t) == -EINPROGRESS);
    CHECK(strstr(cl_tpm_where(&r.t), "dataAvail"));

    rig_init(&r);
    r.m.faults = MF_NO_READY;
    CHECK(run(&r) == -ETIMEDOUT);
    CHECK(strstr(cl_tpm_where(&r.t), "commandReady (TIMEOUT_B)"));
}

/* ---- Devices that answer at random ---- */

enum noise
{
    NOISE_PLAIN,  /* any bits                                  */
    NOISE_STATUS, /* plausible registers, so that it gets far  */
    NOISE_MODEL,  /* the model, with one read in 128 corrupted */
};

struct noisy
{
    enum noise kind;
    uint64_t seed, now;
    unsigned int accesses;
    struct model_tis m;
    struct cl_tpm_platform p;
};

static uint32_t draw(struct noisy *n)
{
    n->seed ^= n->seed << 13;
    n->seed ^= n->seed >> 7;
    n->seed ^= n->seed << 17;

    return (uint32_t)(n->seed >> 16);
}

static uint8_t noisy_read8(void *ctx, uint32_t offset)
{
    struct noisy *n = ctx;
    uint8_t v = (uint8_t)draw(n);

    n->accesses++;
    if ( n->kind == NOISE_MODEL && draw(n) % 128 )
        return n->p.read8(&n->m, offset);
    if ( n->kind == NOISE_STATUS && draw(n) % 32 )
        return offset & 0x24
                   ? (draw(n) % 16 ? 0 : v & 0x1F)
                   : (uint8_t)(0x80 | (v & 0x02) | (draw(n) % 8 ? 0x20 : 0));

    return v;
}

static uint32_t noisy_read32(void *ctx, uint32_t offset)
{
    struct noisy *n = ctx;
    uint32_t v = draw(n);

    n->accesses++;
    if ( n->kind == NOISE_MODEL && draw(n) % 128 )
        return n->p.read32(&n->m, offset);
    if ( n->kind == NOISE_STATUS && draw(n) % 32 )
        return (v & 0x0C000F58) | (draw(n) % 4 ? 0x80 : 0);

    return v;
}

static void noisy_write8(void *ctx, uint32_t offset, uint8_t v)
{
    struct noisy *n = ctx;

    n->accesses++;
    if ( n->kind == NOISE_MODEL )
        n->p.write8(&n->m, offset, v);
}

static uint64_t noisy_now(void *ctx)
{
    return ((struct noisy *)ctx)->now;
}

/* How many commands ended in polls polls, how many of them well; 0: broken. */
static unsigned int noise(enum noise kind, uint64_t seed, unsigned int polls,
                          unsigned int *good)
{
    static struct noisy n;
    static struct cl_tpm t;
    const struct cl_tpm_platform p = {noisy_read8, noisy_write8, noisy_read32,
                                      noisy_now, &n};
    uint8_t cmd[CL_TPM2_GETRANDOM_SIZE], out[32];
    size_t got, len = cl_tpm2_getrandom_cmd(cmd, sizeof(cmd), 32);
    unsigned int i, ended = 0;
    uint64_t start = 0;
    int rc;

    memset(&n, 0, sizeof(n));
    model_init(&n.m, &n.p);
    n.kind = kind;
    n.seed = seed;
    *good = 0;
    if ( cl_tpm_init(&t, &p, 2) )
        return 0;

    for ( i = 0; i < polls; i++ )
    {
        n.now += CL_TPM_POLL_PERIOD_US;
        n.m.now = n.now;
        if ( t.state == CL_TPM_IDLE )
        {
            start = n.now;
            if ( cl_tpm_start(&t, cmd, len) )
                return 0;
        }
        n.accesses = 0;
        rc = cl_tpm_poll(&t);
        if ( n.accesses > CL_TPM_POLL_ACCESSES ||
             n.now - start > GETRANDOM_BOUND_US || t.rsp_len > sizeof(t.buf) ||
             (rc == -EINPROGRESS) == (t.state == CL_TPM_IDLE) )
            return 0;
        if ( rc == -EINPROGRESS )
            continue;
        ended++;
        *good += !rc;
        if ( rc ? !is_zero(&t) : t.rsp_len < CL_TPM_HEADER_SIZE )
            return 0;
        if ( !rc )
            cl_tpm2_getrandom_rsp(t.buf, t.rsp_len, out, sizeof(out), &got);
    }

    return ended;
}

TEST(random_device)
{
    unsigned int good;

    CHECK(noise(NOISE_PLAIN, 0x9E3779B97F4A7C15u, 100000, &good) > 1000);
}

TEST(random_plausible_device)
{
    unsigned int good;

    CHECK(noise(NOISE_STATUS, 0xD1B54A32D192ED03u, 100000, &good) > 1000);
    CHECK(good > 0);
}

TEST(random_faults)
{
    unsigned int good, seed;

    for ( seed = 1; seed <= 20; seed++ )
    {
        CHECK(noise(NOISE_MODEL, seed * 0x2545F4914F6CDD1Du, 20000, &good) >
              100);
        CHECK(good > 10);
    }
}

/* ---- Holding the locality ------------------------------------------------ */

static int run_held(struct rig *r, bool hold)
{
    uint8_t cmd[CL_TPM2_GETRANDOM_SIZE];
    size_t len = cl_tpm2_getrandom_cmd(cmd, sizeof(cmd), 32);

    if ( cl_tpm_start(&r->t, cmd, len) )
        return -EINVAL;
    cl_tpm_hold(&r->t, hold);

    return poll_all(r, CL_TPM_POLL_PERIOD_US, GETRANDOM_BOUND_US);
}

TEST(held_until_released)
{
    static struct rig r;

    rig_init(&r);
    CHECK(!run_held(&r, true) && is_random(&r, 32));
    CHECK(r.m.active == r.m.driver);
    CHECK(!run_held(&r, true) && is_random(&r, 32));
    CHECK(r.m.active == r.m.driver);
    CHECK(!run_held(&r, false) && is_random(&r, 32));
    CHECK(r.m.active != r.m.driver && !r.broken);
    CHECK(works(&r));
}

/* A command that has to come again comes before anybody else has a turn. */
TEST(held_until_answered)
{
    static struct rig r;

    rig_init(&r);
    CHECK(!run_held(&r, true));
    r.m.force_rc = CL_TPM2_RC_RETRY;
    CHECK(!run_held(&r, false));
    CHECK(r.m.active == r.m.driver);
    r.m.force_rc = 0;
    CHECK(!run_held(&r, false) && is_random(&r, 32));
    CHECK(r.m.active != r.m.driver && !r.broken);

    /* Nothing was held: nothing is. */
    r.m.force_rc = CL_TPM2_RC_RETRY;
    CHECK(!run_held(&r, false));
    CHECK(r.m.active != r.m.driver);
    r.m.force_rc = 0;
    CHECK(works(&r));
}

TEST(let_go)
{
    static struct rig r;

    rig_init(&r);
    CHECK(!run_held(&r, true));
    cl_tpm_let_go(&r.t);
    CHECK(r.m.active != r.m.driver && !r.t.held);
    cl_tpm_let_go(&r.t);
    CHECK(works(&r) && !r.broken);
}

/* An error gives it up. */
TEST(held_until_error)
{
    static struct rig r;

    rig_init(&r);
    CHECK(!run_held(&r, true));
    r.m.faults = MF_EXEC_HANG;
    CHECK(run_held(&r, true) == -ETIMEDOUT);
    model_heal(&r.m);
    CHECK(r.m.active != r.m.driver);
    CHECK(works(&r));
}

/* The chipset has taken it meanwhile: the sequence is broken, and says so. */
TEST(held_and_lost)
{
    static struct rig r;

    rig_init(&r);
    CHECK(!run_held(&r, true));
    r.m.active = 4;
    CHECK(run_held(&r, true) == -EIO);
    r.m.active = MODEL_NOBODY;
    CHECK(works(&r));
}
