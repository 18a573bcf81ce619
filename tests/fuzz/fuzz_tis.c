/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The transport to the TPM against a device that answers whatever the input
 * says, and a clock that goes on as the input says.  Then the parsers get what
 * it has received.  Bits of the first byte: 0 the device is a CRB, or a TIS
 * FIFO; 1, 2 the locality is to be held after the first command, the second;
 * 3 it is let go in between.
 *
 * Sources: tpm/tis.c tpm/crb.c tpm/transport.c tpm/command.c
 * Runs: 20000
 */
#include <errno.h>

#include <cloister/tpm.h>

#include "../fuzz/input.h"

#define CRB      1u
#define HOLD(n)  (2u << (n))
#define LET_GO   8u

static struct input in;
static uint64_t now;
static unsigned int accesses, locality;
static uint8_t how;

/* A CRB that works; two modes for those that say that they are not done. */
static uint32_t crb_answer(uint32_t offset, uint8_t mode)
{
    switch ( offset & 0xfff )
    {
    case 0x000: /* valid, assigned to this locality */
        return mode == 0x48 ? 0x80 : 0x82 | offset >> 12 << 2;
    case 0x00c:
        return mode != 0x49;
    case 0x030:
        return 0x101;
    case 0x040:
        return mode == 0x4a ? 3 : 0;
    case 0x044:
        return mode == 0x4b ? 1 : 2;
    case 0x04c:
        return mode == 0x4c;
    case 0x058:
    case 0x064:
        return mode == 0x4d ? 64 : 0xf80;
    case 0x05c:
    case 0x068:
        return 0xfed40080u + (offset & 0xf000);
    }

    return 0;
}

/* As a device would, more often than chance: bits by the input's mode. */
static uint32_t answer(uint32_t offset)
{
    uint8_t mode = take8(&in);

    if ( mode < 0x40 )
        return take32(&in);
    if ( mode < 0x48 )
        return UINT32_MAX;
    if ( how & CRB )
        return crb_answer(offset, mode);
    if ( (offset & 0xfff) == 0 )
        return 0x80 | (mode & 0x32);
    if ( (offset & 0xfff) == 0x18 )
        return (mode & 0x58u) | 0x80u | (mode % 5 ? 0xff00u : 0x100u);

    return mode & 0x0f ? 0 : take8(&in);
}

/* A response of TPM2_GetRandom, unless the input has another byte. */
static uint8_t crb_data(uint32_t at)
{
    static const uint8_t good[] = {0x80, 1, 0, 0, 0, 16, 0, 0, 0, 0, 0, 4,
                                   9, 8, 7, 6};
    uint8_t mode = take8(&in);

    if ( mode < 0x40 )
        return take8(&in);

    return at < sizeof(good) ? good[at] : 0;
}

static uint8_t read8(void *ctx, uint32_t offset)
{
    (void)ctx;
    MUST(offset < 0x5000);
    accesses++;
    if ( !(how & CRB) && (offset & 0xfff) == 0x24 )
        return take8(&in);
    if ( (how & CRB) && (offset & 0xfff) >= 0x80 )
        return crb_data((offset & 0xfff) - 0x80);

    return (uint8_t)answer(offset);
}

static uint32_t read32(void *ctx, uint32_t offset)
{
    (void)ctx;
    MUST(offset < 0x5000 && offset % 4 == 0);
    accesses++;

    return answer(offset);
}

static void write8(void *ctx, uint32_t offset, uint8_t value)
{
    (void)ctx, (void)value;
    MUST(offset >> 12 == locality);
    accesses++;
}

static uint64_t now_us(void *ctx)
{
    (void)ctx;

    return now;
}

static const struct cl_tpm_platform platform = {
    .read8 = read8, .write8 = write8, .read32 = read32, .now_us = now_us,
};

static void parse(const struct cl_tpm *t)
{
    uint8_t *rsp = malloc(t->rsp_len), out[64];
    size_t got = 99;

    MUST(rsp);
    memcpy(rsp, t->buf, t->rsp_len);
    cl_tpm2_rc(rsp, t->rsp_len);
    cl_tpm2_startup_rsp(rsp, t->rsp_len);
    if ( cl_tpm2_getrandom_rsp(rsp, t->rsp_len, out, sizeof(out), &got) )
        MUST(got == 0);
    else
        MUST(got > 0 && got <= sizeof(out));
    free(rsp);
}

static void ended(const struct cl_tpm *t, int rc)
{
    size_t i;

    MUST(t->state == CL_TPM_IDLE);
    MUST(cl_tpm_where(t));
    if ( !rc )
    {
        MUST(t->rsp_len >= CL_TPM_HEADER_SIZE &&
             t->rsp_len <= CL_TPM_BUF_SIZE);
        MUST(t->rsp_len == ((size_t)t->buf[2] << 24 | t->buf[3] << 16 |
                            t->buf[4] << 8 | t->buf[5]));
        parse(t);
        return;
    }

    MUST(rc == -ENODEV || rc == -ETIMEDOUT || rc == -EBADMSG || rc == -EIO);
    MUST(!t->rsp_len && !t->held);
    for ( i = 0; i < sizeof(t->buf); i++ )
        MUST(!t->buf[i]);
}

static void command(struct cl_tpm *t, bool hold)
{
    uint8_t cmd[CL_TPM2_GETRANDOM_SIZE];
    uint64_t start = now;
    size_t len = cl_tpm2_getrandom_cmd(cmd, sizeof(cmd), take8(&in));
    bool held = t->held;
    int rc;

    MUST(!cl_tpm_start(t, cmd, len));
    MUST(cl_tpm_start(t, cmd, len) == -EBUSY);
    cl_tpm_hold(t, hold);
    cl_tpm_let_go(t); /* not in the middle */
    MUST(t->state != CL_TPM_IDLE && t->held == held);
    do {
        accesses = 0;
        rc = cl_tpm_poll(t);
        MUST(accesses <= CL_TPM_POLL_ACCESSES);
        now += in.left ? take8(&in) * 64 : CL_TPM_POLL_PERIOD_US;
        MUST(now - start <= CL_TPM_BOUND_US + 5000000u +
                                20 * CL_TPM_POLL_PERIOD_US);
    } while ( rc == -EINPROGRESS );
    ended(t, rc);
    MUST(rc || !hold || t->held);
    MUST(hold || held || !t->held);
}

static int init(struct cl_tpm *t)
{
    locality = take8(&in) % 4;

    return how & CRB ? cl_tpm_init_crb(t, &platform, locality)
                     : cl_tpm_init(t, &platform, locality);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cl_tpm t;
    uint32_t identity;
    int rc;

    in = (struct input){ data, size };
    how = take8(&in);
    rc = (how & CRB ? cl_tpm_probe_crb : cl_tpm_probe)(
        &platform, take8(&in) % 4, &identity);
    MUST(rc == 0 || rc == -ENODEV || rc == -EOPNOTSUPP || rc == -EINVAL);
    if ( init(&t) )
        return 0;
    command(&t, how & HOLD(0));
    if ( how & LET_GO )
        cl_tpm_let_go(&t);
    MUST(!(how & LET_GO) || !t.held);
    command(&t, how & HOLD(1));
    cl_tpm_let_go(&t);
    MUST(t.state == CL_TPM_IDLE && !t.held);
    cl_tpm_wipe(&t);
    MUST(!t.rsp_len);

    return 0;
}
