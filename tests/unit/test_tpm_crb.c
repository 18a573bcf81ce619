/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TPM's command-response buffer against a model of the device that can go
 * wrong at every step, and against devices that answer at random.  Time is
 * virtual.
 */
#include <string.h>

#include <cloister/tpm.h>

#include "test.h"

#define MS 1000u
#define BOUND_US (CL_TPM_BOUND_US + 5000 * MS)
#define SIZE 0xF80u
#define NOBODY 0xFFu

enum fault
{
    F_NONE,
    F_ABSENT,
    F_NO_GRANT,
    F_NO_READY,
    F_SMALL,     /* the buffer, for any command */
    F_SMALL_RSP, /* the buffer, for any response */
    F_LARGE_RSP, /* ... it is said to go on after the page */
    F_HANG,      /* Start never clears, Cancel is not heard */
    F_SLOW_STOP, /* ... but Cancel is */
    F_ERROR,     /* tpmSts */
    F_LOST,      /* the locality, while the command runs */
    F_RELEASE,   /* Granted never clears */
    F_LATE_IDLE, /* goIdle takes 100 ms */
    F_NOT_IDLE,  /* ... for good */
    F_ONLY_IDLE, /* it shows in the status, goIdle does not clear */
    F_RANDOM,    /* all registers */
};

struct model
{
    uint64_t now, busy_until;
    enum fault fault;
    uint32_t force_size; /* responseSize, 0: right */
    unsigned int active; /* locality */
    uint64_t other_until;
    bool stirs; /* locality 0 */
    bool asked, running, cancelled;
    bool going_idle;
    uint64_t idle_at;
    uint32_t rsp_size; /* the register, 0: SIZE */
    unsigned int accesses, commands, idles;
    unsigned int early; /* given up on the way to Idle */
    uint8_t data[SIZE];
    uint64_t seed;
};

static struct model m;

static uint32_t next_random(void)
{
    m.seed = m.seed * 6364136223846793005u + 1442695040888963407u;

    return (uint32_t)(m.seed >> 32);
}

/* A GetRandom that answers 4 bytes. */
static void answer(void)
{
    static const uint8_t good[16] = {0x80, 1, 0, 0, 0, 16, 0, 0,
                                     0,    0, 0, 4, 9, 8,  7, 6};

    m.commands++;
    memcpy(m.data, good, sizeof(good));
    if ( m.force_size )
    {
        m.data[2] = (uint8_t)(m.force_size >> 24);
        m.data[3] = (uint8_t)(m.force_size >> 16);
        m.data[4] = (uint8_t)(m.force_size >> 8);
        m.data[5] = (uint8_t)m.force_size;
    }
}

static void settle(void)
{
    if ( m.going_idle && m.now >= m.idle_at && m.fault != F_NOT_IDLE &&
         m.fault != F_ONLY_IDLE )
        m.going_idle = false;
    if ( m.active == 0 && m.now >= m.other_until )
        m.active = NOBODY;
    if ( m.asked && m.active == NOBODY && m.fault != F_NO_GRANT )
        m.active = 2;
    if ( m.running && m.fault == F_LOST )
        m.active = 4;
    if ( m.running && m.cancelled && m.fault == F_SLOW_STOP )
        m.running = false;
    if ( m.running && m.now >= m.busy_until && m.fault != F_HANG &&
         m.fault != F_SLOW_STOP )
    {
        m.running = false;
        answer();
    }
}

static uint32_t read32(void *ctx, uint32_t offset)
{
    (void)ctx;
    m.accesses++;
    settle();
    if ( m.fault == F_ABSENT )
        return UINT32_MAX;
    if ( m.fault == F_RANDOM )
        return next_random();

    switch ( offset )
    {
    case 0x004C: /* whether locality 0 is at work */
        return m.active == 0 && m.stirs ? m.now / CL_TPM_POLL_PERIOD_US : 0;
    case 0x2000:
        return 0x80 | (m.active == NOBODY ? 0 : 2u | m.active << 2);
    case 0x200C:
        return m.active == 2;
    case 0x2030:
        return 0x101;
    case 0x2034:
        return 0x12345678;
    case 0x2040:
        return (m.fault == F_NO_READY) | (m.going_idle ? 2u : 0);
    case 0x2044:
        return (m.fault == F_ERROR) |
               (m.fault == F_ONLY_IDLE && m.going_idle ? 2u : 0);
    case 0x204C:
        return m.running;
    case 0x2058:
        return m.fault == F_SMALL ? 8 : SIZE;
    case 0x2064:
        return m.fault == F_SMALL_RSP   ? 8
               : m.fault == F_LARGE_RSP ? SIZE + 1
               : m.rsp_size             ? m.rsp_size
                                        : SIZE;
    case 0x205C:
    case 0x2068:
        return 0xFED42080;
    }

    return 0;
}

static uint8_t read8(void *ctx, uint32_t offset)
{
    (void)ctx;
    m.accesses++;
    if ( m.fault == F_RANDOM )
        return (uint8_t)next_random();

    return offset >= 0x2080 && offset < 0x2080 + SIZE ? m.data[offset - 0x2080]
                                                      : 0xFF;
}

static void write8(void *ctx, uint32_t offset, uint8_t value)
{
    (void)ctx;
    m.accesses++;
    settle();
    if ( offset >= 0x2080 && offset < 0x2080 + SIZE )
        m.data[offset - 0x2080] = value;
    else if ( offset == 0x2008 && value == 1 )
        m.asked = true;
    else if ( offset == 0x2008 && value == 4 && m.fault != F_NO_GRANT )
        m.active = 2;
    else if ( offset == 0x2008 && value == 2 )
    {
        m.asked = false;
        m.early += m.going_idle && m.fault != F_ONLY_IDLE;
        if ( m.active == 2 && m.fault != F_RELEASE )
            m.active = NOBODY;
    }
    else if ( offset == 0x204C && value == 1 )
    {
        m.running = true;
        m.busy_until = m.now + 20 * MS;
    }
    else if ( offset == 0x2048 )
        m.cancelled = value;
    else if ( offset == 0x2040 && value == 2 )
    {
        m.idles++;
        m.going_idle = true;
        m.idle_at = m.now + (m.fault == F_LATE_IDLE ? 100 * MS : 0);
    }
    else if ( offset == 0x2040 && value == 1 )
        m.going_idle = false;
}

static uint64_t now_us(void *ctx)
{
    (void)ctx;

    return m.now;
}

static const struct cl_tpm_platform platform = {
    .read8 = read8,
    .write8 = write8,
    .read32 = read32,
    .now_us = now_us,
};

static struct cl_tpm t;
static bool broken; /* a promise of cloister/tpm.h */

static void begin(enum fault fault)
{
    memset(&m, 0, sizeof(m));
    m.active = NOBODY;
    m.fault = fault;
    broken = cl_tpm_init_crb(&t, &platform, 2) != 0;
}

static int run(bool hold)
{
    uint8_t cmd[CL_TPM2_GETRANDOM_SIZE];
    uint64_t start = m.now;
    int rc;

    if ( cl_tpm_start(&t, cmd, cl_tpm2_getrandom_cmd(cmd, sizeof(cmd), 4)) )
        return -EINVAL;
    cl_tpm_hold(&t, hold);
    do
    {
        m.accesses = 0;
        rc = cl_tpm_poll(&t);
        broken |= m.accesses > CL_TPM_POLL_ACCESSES;
        m.now += CL_TPM_POLL_PERIOD_US;
    } while ( rc == -EINPROGRESS && m.now - start < 2ull * BOUND_US );
    broken |= m.now - start > BOUND_US || rc == -EINPROGRESS ||
              t.state != CL_TPM_IDLE || (rc && t.rsp_len);

    return rc;
}

static bool works(void)
{
    uint8_t out[4];
    size_t got;

    return !run(false) && !broken &&
           !cl_tpm2_getrandom_rsp(t.buf, t.rsp_len, out, 4, &got) &&
           got == 4 && out[0] == 9 && m.active == NOBODY && !m.cancelled;
}

TEST(probe)
{
    uint32_t id;

    begin(F_NONE);
    CHECK(!cl_tpm_probe_crb(&platform, 2, &id) && id == 0x12345678);
    CHECK(cl_tpm_probe_crb(&platform, 3, &id) == -EINVAL);
    CHECK(cl_tpm_probe_crb(&platform, 1, &id) == -ENODEV);
    CHECK(cl_tpm_probe(&platform, 2, &id) != 0);
    m.fault = F_ABSENT;
    CHECK(cl_tpm_probe_crb(&platform, 2, &id) == -ENODEV);
}

TEST(good)
{
    begin(F_NONE);
    CHECK(works() && m.commands == 1 && m.idles == 1);
    CHECK(works() && m.commands == 2);
}

TEST(longest_command)
{
    static uint8_t cmd[SIZE];
    int rc;

    begin(F_NONE);
    cmd[0] = 0x80;
    cmd[1] = 1;
    cmd[4] = SIZE >> 8;
    cmd[5] = SIZE & 0xFF;
    CHECK(!cl_tpm_start(&t, cmd, sizeof(cmd)));
    while ( (rc = cl_tpm_poll(&t)) == -EINPROGRESS )
        m.now += CL_TPM_POLL_PERIOD_US;
    CHECK(rc == 0 && t.rsp_len == 16);
}

TEST(waits_for_dom0_then_seizes)
{
    uint64_t start;

    begin(F_NONE);
    m.active = 0;
    m.other_until = 3000 * MS;
    CHECK(works());
    m.active = 0;
    m.other_until = UINT64_MAX;
    start = m.now;
    CHECK(works() && t.seized == 1 && m.now - start >= CL_TPM_SEIZE_US &&
          m.now - start < CL_TPM_SEIZE_US + 1000 * MS);
    m.active = 0;
    m.stirs = true;
    start = m.now;
    CHECK(works() && t.seized == 2 && m.now - start >= CL_TPM_SEIZE_MOST_US);
}

TEST(hold)
{
    begin(F_NONE);
    CHECK(!run(true) && m.active == 2 && !broken);
    CHECK(!run(false) && m.active == NOBODY && !broken);
    CHECK(!run(true));
    m.active = 4;
    CHECK(run(true) == -EIO);
}

TEST(faults)
{
    static const struct
    {
        enum fault fault;
        int err;
        enum cl_tpm_state where;
    } c[] = {
        {F_ABSENT, -ENODEV, CL_TPM_LOCALITY},
        {F_NO_GRANT, -ETIMEDOUT, CL_TPM_SEIZE},
        {F_NO_READY, -ETIMEDOUT, CL_TPM_READY},
        {F_SMALL, -EIO, CL_TPM_READY},
        {F_SMALL_RSP, -EIO, CL_TPM_READY},
        {F_LARGE_RSP, -EIO, CL_TPM_READY},
        {F_HANG, -ETIMEDOUT, CL_TPM_EXEC},
        {F_SLOW_STOP, -ETIMEDOUT, CL_TPM_EXEC},
        {F_ERROR, -EIO, CL_TPM_EXEC},
        {F_LOST, -EIO, CL_TPM_EXEC},
    };
    unsigned int i;

    for ( i = 0; i < sizeof(c) / sizeof(c[0]); i++ )
    {
        begin(c[i].fault);
        CHECK(run(false) == c[i].err && t.failed_in == c[i].where && !broken);
        m.fault = F_NONE;
        m.active = NOBODY;
        m.running = false;
        CHECK(works());
    }
    begin(F_RELEASE);
    CHECK(!run(false) && !broken);
}

/* The locality is given up when the TPM is idle, or has had its time. */
TEST(goes_idle)
{
    uint64_t start;

    begin(F_LATE_IDLE);
    CHECK(works() && m.idles == 1 && !m.early);
    CHECK(works() && m.idles == 2 && !m.early);
    begin(F_ONLY_IDLE);
    CHECK(works() && m.now < CL_TPM_TIMEOUT_C_US);
    begin(F_NOT_IDLE);
    CHECK(works() && m.early == 1);
    start = m.now;
    CHECK(works() && m.early == 2 && m.now - start >= CL_TPM_TIMEOUT_C_US &&
          m.now - start < 2 * CL_TPM_TIMEOUT_C_US);
}

/* The same after an abort. */
TEST(goes_idle_after_error)
{
    begin(F_LATE_IDLE);
    m.force_size = 9;
    CHECK(run(false) == -EBADMSG && m.idles == 1 && !m.early && !broken);
    begin(F_NOT_IDLE);
    m.force_size = 9;
    CHECK(run(false) == -EBADMSG && m.early == 1 && !broken);
    m.fault = F_NONE;
    m.force_size = 0;
    CHECK(works());
}

/* Also with the locality held from one command to the next. */
TEST(goes_idle_while_held)
{
    begin(F_LATE_IDLE);
    CHECK(!run(true) && !m.going_idle && m.active == 2 && !broken);
    CHECK(works() && !m.early && m.commands == 2);
}

TEST(response_sizes)
{
    static const uint32_t bad[] = {1, 9, SIZE + 1, 4096, 4097, UINT32_MAX};
    unsigned int i;

    for ( i = 0; i < sizeof(bad) / sizeof(bad[0]); i++ )
    {
        begin(F_NONE);
        m.force_size = bad[i];
        CHECK(run(false) == -EBADMSG && !broken);
        m.force_size = 0;
        CHECK(works());
    }
    begin(F_NONE);
    m.force_size = SIZE;
    CHECK(!run(false) && t.rsp_len == SIZE && !broken);
    m.force_size = 10;
    CHECK(!run(false) && t.rsp_len == 10 && !broken);
    /* No more than the device has room for, by its own account. */
    m.rsp_size = 100;
    m.force_size = 100;
    CHECK(!run(false) && t.rsp_len == 100 && !broken);
    m.force_size = 101;
    CHECK(run(false) == -EBADMSG && !broken);
}

TEST(random_devices)
{
    unsigned int i;

    for ( i = 0; i < 2000; i++ )
    {
        begin(F_RANDOM);
        m.seed = i;
        run(i & 1);
        CHECK(!broken);
    }
}
