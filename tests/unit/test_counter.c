/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port's counter.c, on a software TPM, with a dom0 that owns it: this file
 * stands in for Xen, as test_hostkey.c does.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include <cloister/tpm2.h>
#include <abi/hypercall.h>
#include <abi/reason.h>

#include "port_locks.h"
#include "swtpm.h"
#include "test.h"

/* ---- As much of Xen as it needs ------------------------------------------ */

#define CLOISTER_PRIVATE_H

typedef int64_t s_time_t;

#define SECONDS(s) ((s_time_t)(s) * 1000000000)
#define NOW() now
#define cf_check
#define printk(...) ((void)0)
#define raise_softirq(nr) ((void)0)
#define read_atomic(p) (*(p))
#define ERESTART 85

struct cloister_tpm_work
{
    size_t (*cmd)(uint8_t *buf, size_t cap, bool *hold);
    int (*rsp)(const uint8_t *rsp, size_t len);
};

static s_time_t now;
static bool present = true;

static bool cloister_tpm_present(void)
{
    return present;
}

static void cloister_tpm_kick(void)
{
}

static void sha2_256_digest(uint8_t digest[32], const void *msg, size_t len)
{
    SHA256(msg, len, digest);
}

#include "../../xen/overlay/xen/arch/x86/cloister/counter.c"

/* ---- What tpm.c does ------------------------------------------------------ */

static unsigned int commands, die_at;

static void tick(void)
{
    uint8_t cmd[CL_TPM2_CMD_MAX], rsp[CL_TPM_BUF_SIZE];
    bool hold = false;
    size_t n, len = cloister_counter_work.cmd(cmd, sizeof(cmd), &hold);

    now += SECONDS(1) / 100;
    if ( !len )
        return;
    commands++;
    n = commands == die_at ? 0 : swtpm_command(cmd, len, rsp, sizeof(rsp));
    cloister_counter_work.rsp(n ? rsp : NULL, n);
}

static int ready(void)
{
    int rc;

    commands = 0;
    while ( (rc = cloister_counter_ready()) == -ERESTART )
        tick();

    return counter_lock ? -1 : rc;
}

static int pass(unsigned int ticket)
{
    int rc;

    commands = 0;
    while ( (rc = cloister_counter_pass(ticket)) == -ERESTART )
        tick();

    return counter_lock ? -1 : rc;
}

/* Another boot: Xen has forgotten everything. */
static void reboot(void)
{
    memset(&job, 0, sizeof(job));
    value = 0;
    promised = false;
    passed = 0;
    failed = 0;
}

/* ---- What dom0 does ------------------------------------------------------- */

#define INDEX_TEXT "0x180c105"

static int undefine(void)
{
    return swtpm_shell("tpm2_nvundefine -Q -C o " INDEX_TEXT);
}

/* An ordinary index of 8 bytes, which it can write. */
static int define_ordinary(uint64_t with)
{
    char path[96];
    uint8_t bytes[8];
    FILE *f;

    snprintf(path, sizeof(path), "%s/value", swtpm_folder());
    f = fopen(path, "w");
    if ( !f )
        return -1;
    for ( unsigned int i = 0; i < 8; i++ )
        bytes[i] = (uint8_t)(with >> (56 - 8 * i));
    fwrite(bytes, 1, sizeof(bytes), f);
    fclose(f);

    return swtpm_shell("tpm2_nvdefine -Q -C o -s 8 "
                       "-a 'authread|authwrite|no_da' " INDEX_TEXT
                       " && tpm2_nvwrite -Q -i value " INDEX_TEXT);
}

/* ---- Tests ---------------------------------------------------------------- */

static uint64_t first;

TEST(made_when_asked_for)
{
    CHECK(!swtpm_start());
    CHECK(!swtpm_locality(2));
    CHECK(!ready());
    first = cloister_counter_value();
    CHECK(first);
    /* Only asked for now; and the same after another boot. */
    reboot();
    CHECK(!ready() && commands == 2 && cloister_counter_value() == first);
}

TEST(what_was_promised_ends)
{
    unsigned int ticket;

    reboot();
    /* Nothing was: nothing to do. */
    CHECK(!pass(cloister_counter_ticket()) && commands == 0);
    CHECK(!ready());
    /* Whoever held the value before this boot counts. */
    ticket = cloister_counter_ticket();
    CHECK(!pass(ticket) && commands > 3);
    CHECK(cloister_counter_value() == first + 1);
    CHECK(!pass(ticket) && commands == 0);
    CHECK(!pass(cloister_counter_ticket()) && commands == 0);
    CHECK(cloister_counter_promise() == first + 1);
    CHECK(!pass(ticket) && commands == 0);
    CHECK(!pass(cloister_counter_ticket()) && commands > 3);
    CHECK(cloister_counter_value() == first + 2);
}

TEST(only_at_locality_2)
{
    cloister_counter_promise();
    CHECK(!swtpm_locality(0));
    CHECK(pass(cloister_counter_ticket()) == -EIO);
    CHECK(!cloister_counter_value());
    CHECK(!swtpm_locality(2));
    CHECK(!ready() && cloister_counter_value() == first + 2);
    CHECK(!pass(cloister_counter_ticket()));
}

/* Each command of the sequence is lost once. */
TEST(tpm_does_not_answer)
{
    unsigned int i;

    for ( i = 1; i <= 5; i++ )
    {
        CHECK(!ready());
        cloister_counter_promise();
        die_at = i;
        CHECK(pass(cloister_counter_ticket()));
        die_at = 0;
        CHECK(!job.session && !cloister_counter_value());
    }
    CHECK(!ready());
    CHECK(!pass(cloister_counter_ticket()));
}

TEST(no_tpm)
{
    cloister_counter_promise();
    present = false;
    CHECK(pass(cloister_counter_ticket()) == -ENODEV);
    present = true;
    CHECK(!pass(cloister_counter_ticket()));
}

TEST(never_answers)
{
    unsigned int i;

    cloister_counter_promise();
    for ( i = 0; i < 10000 && cloister_counter_pass(cloister_counter_ticket())
                 == -ERESTART; i++ )
        now += SECONDS(1);
    CHECK(i < 100);
    CHECK(!pass(cloister_counter_ticket()));
}

/* dom0 puts something else in its place, with the value it had. */
TEST(an_ordinary_index_is_not_believed)
{
    uint64_t v = cloister_counter_value();

    CHECK(v && !undefine());
    CHECK(!define_ordinary(v));
    reboot();
    CHECK(ready() == -EIO);
    CHECK(!cloister_counter_value());
    CHECK(ready() == -EIO);
    CHECK(!undefine());
    /* Made again, it stands above. */
    CHECK(!ready());
    CHECK(cloister_counter_value() > v);
}

TEST(swapped_while_xen_runs)
{
    uint64_t v = cloister_counter_value();

    cloister_counter_promise();
    CHECK(!undefine());
    CHECK(!define_ordinary(v + 7));
    CHECK(pass(cloister_counter_ticket()) == -EIO);
    CHECK(pass(cloister_counter_ticket()) == -EIO);
    CHECK(!undefine());
    CHECK(pass(cloister_counter_ticket()) == -EIO);
    CHECK(!ready());
    CHECK(cloister_counter_value() > v);
    CHECK(!pass(cloister_counter_ticket()));
}
