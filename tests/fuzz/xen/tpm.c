/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port's tpm.c, and a TPM that gives well-formed answers to the commands
 * that Xen has, or refuses, or is silent, or says something else.
 */
#include "private.h"
#include "fake_host.h"
#include "../../../engine/tpm/marshal.h"

struct fake_tpm fake_tpm;

#define OBJECT 0x80000001u
#define SESSION 0x03000000u
#define RC_REFUSED 0x18Bu

static uint32_t number(const uint8_t *p, unsigned int bytes)
{
    uint32_t v = 0;

    while ( bytes-- )
        v = v << 8 | *p++;

    return v;
}

/* Of a command with one handle and a session: its parameters. */
static struct cl_tpm2_reader parameters(const uint8_t *cmd, size_t len)
{
    size_t at = 10 + 4 + 4 + number(cmd + 14, 4);

    return (struct cl_tpm2_reader){.p = cmd + at, .left = len - at};
}

static void bytes(struct cl_tpm2_writer *w, const char *what, size_t size)
{
    static const uint8_t none[CL_TPM2_RSA];

    cl_tpm2_put16(w, (uint16_t)size);
    cl_tpm2_put(w, what, 4);
    cl_tpm2_put(w, none, size - 4);
}

/* Made by Xen, for its host key. */
static void creation(struct cl_tpm2_writer *w)
{
    static const char purpose[] = "Cloister host key 1";
    size_t mark = cl_tpm2_open_2b(w);

    cl_tpm2_put_pcrs(w, cloister_key_pcrs);
    bytes(w, "PCRS", CL_TPM2_DIGEST);
    cl_tpm2_put8(w, 1 << 2);
    cl_tpm2_put16(w, ALG_SHA256);
    cl_tpm2_put_2b(w, NULL, 0);
    cl_tpm2_put_2b(w, NULL, 0);
    cl_tpm2_put_2b(w, purpose, sizeof(purpose));
    cl_tpm2_close_2b(w, mark);
}

static void create(struct cl_tpm2_writer *w, const uint8_t *cmd, size_t len)
{
    struct cl_tpm2_reader r = parameters(cmd, len);
    struct cl_tpm2_slice data;

    cl_tpm2_get16(&r);
    cl_tpm2_get_2b(&r);
    data = cl_tpm2_get_2b(&r);
    memcpy(fake_tpm.host, data.p, sizeof(fake_tpm.host));
    bytes(w, "HOST", 40);
    bytes(w, "PUBL", 40);
    creation(w);
    bytes(w, "HASH", CL_TPM2_DIGEST);
    cl_tpm2_put16(w, 0x8021);
    cl_tpm2_put32(w, CL_TPM2_RH_OWNER);
    bytes(w, "TICK", CL_TPM2_DIGEST);
}

static void load(struct cl_tpm2_writer *w, const uint8_t *cmd, size_t len)
{
    struct cl_tpm2_reader r = parameters(cmd, len);
    struct cl_tpm2_slice private = cl_tpm2_get_2b(&r);

    fake_tpm.is_host = private.len >= 4 && !memcmp(private.p, "HOST", 4);
    bytes(w, "NAME", 34);
}

static void unseal(struct cl_tpm2_writer *w)
{
    cl_tpm2_put_2b(w, fake_tpm.unsealed, fake_tpm.unsealed_size);
    memcpy(fake_tpm.last, fake_tpm.unsealed, sizeof(fake_tpm.last));
    fake_tpm.last_size = fake_tpm.unsealed_size;
}

static void define(const uint8_t *cmd, size_t len)
{
    struct cl_tpm2_reader r = parameters(cmd, len);
    struct cl_tpm2_slice pub;

    cl_tpm2_get_2b(&r);
    pub = cl_tpm2_get_2b(&r);
    memcpy(fake_tpm.pub, pub.p, pub.len);
    fake_tpm.pub[6] |= 0x20;    /* NV_WRITTEN, soon */
    fake_tpm.pub_size = pub.len;
}

static void pcr_read(struct cl_tpm2_writer *w)
{
    cl_tpm2_put32(w, 1);
    cl_tpm2_put_pcrs(w, 1U << 21);
    cl_tpm2_put32(w, 1);
    bytes(w, "PCRS", CL_TPM2_DIGEST);
}

/* Parameters of the answer to `cc`; false: refused. */
static bool answer(struct cl_tpm2_writer *w, uint32_t cc, const uint8_t *cmd,
                   size_t len)
{
    switch ( cc )
    {
    case CC_LOAD: load(w, cmd, len); break;
    case CC_IMPORT: bytes(w, "DUPL", 60); break;
    case CC_CREATE: create(w, cmd, len); break;
    case CC_START_AUTH_SESSION: bytes(w, "NONC", 16); break;
    case CC_POLICY_GET_DIGEST: bytes(w, "DIGE", CL_TPM2_DIGEST); break;
    case CC_CERTIFY_CREATION:
        bytes(w, "CERT", 20);
        cl_tpm2_put16(w, ALG_NULL);
        break;
    case CC_UNSEAL:
        if ( fake_tpm.is_host )
            cl_tpm2_put_2b(w, fake_tpm.host, sizeof(fake_tpm.host));
        else
            unseal(w);
        break;
    case CC_QUOTE:
        bytes(w, "QUOT", 145);
        cl_tpm2_put32(w, 0x18000b);
        bytes(w, "SIGR", 32);
        bytes(w, "SIGS", 32);
        break;
    case CC_RSA_ENCRYPT: bytes(w, "WRAP", CL_TPM2_RSA); break;
    case CC_PCR_READ: pcr_read(w); break;
    case CC_NV_DEFINE_SPACE:
        if ( fake_tpm.pub_size )
            return false;
        define(cmd, len);
        break;
    case CC_NV_INCREMENT:
        fake_tpm.counter++;
        return fake_tpm.pub_size;
    case CC_NV_READ_PUBLIC:
        cl_tpm2_put_2b(w, fake_tpm.pub, fake_tpm.pub_size);
        bytes(w, "NAME", 34);
        return fake_tpm.pub_size;
    case CC_NV_READ:
        cl_tpm2_put16(w, 8);
        cl_tpm2_put32(w, (uint32_t)(fake_tpm.counter >> 32));
        cl_tpm2_put32(w, (uint32_t)fake_tpm.counter);
        break;
    }

    return true;
}

static uint32_t handle_of(uint32_t cc)
{
    return cc == CC_CREATE_PRIMARY || cc == CC_LOAD || cc == CC_LOAD_EXTERNAL
               ? OBJECT
               : cc == CC_START_AUTH_SESSION ? SESSION : 0;
}

/* A refusal has no more than a header. */
static size_t respond(uint8_t *rsp, size_t cap, const uint8_t *cmd, size_t len)
{
    struct cl_tpm2_writer w = {.buf = rsp, .cap = cap};
    bool good, sessions = number(cmd, 2) == ST_SESSIONS;
    uint32_t cc = number(cmd + 6, 4);
    size_t size;

    cl_tpm2_put16(&w, sessions ? ST_SESSIONS : ST_NO_SESSIONS);
    cl_tpm2_put32(&w, 0);
    cl_tpm2_put32(&w, 0);
    if ( handle_of(cc) )
        cl_tpm2_put32(&w, handle_of(cc));
    size = w.len;
    if ( sessions )
        cl_tpm2_put32(&w, 0);
    good = answer(&w, cc, cmd, len) && fake_tpm.answer != FAKE_REFUSES;
    if ( good && sessions )
    {
        size_t all = w.len;

        w.len = size;
        cl_tpm2_put32(&w, (uint32_t)(all - size - 4));
        w.len = all;
    }
    size = good ? w.len : 10;
    w.len = 0;
    cl_tpm2_put16(&w, good && sessions ? ST_SESSIONS : ST_NO_SESSIONS);
    cl_tpm2_put32(&w, (uint32_t)size);
    cl_tpm2_put32(&w, good ? 0 : RC_REFUSED);

    return size;
}

static size_t twist(uint8_t *rsp, size_t len)
{
    size_t i;

    if ( fake_tpm.answer == FAKE_ODD )
        for ( i = 0; i < len && i < sizeof(fake_tpm.odd); i++ )
            rsp[i] ^= fake_tpm.odd[i];

    return fake_tpm.answer == FAKE_SILENT ? 0 : len;
}

bool fake_tpm_tick(void)
{
    static const struct cloister_tpm_work *const works[] = {
        &cloister_events_work, &cloister_counter_work,
        &cloister_sequence_work, &cloister_dump_work,
    };
    uint8_t cmd[CL_TPM2_CMD_MAX], rsp[2048], *exact;
    size_t i, len = 0;
    bool hold = false;

    for ( i = 0; !len && i < ARRAY_SIZE(works) && !fake_tpm.absent; )
        len = works[i++]->cmd(cmd, sizeof(cmd), &hold);
    if ( !len )
        return false;
    len = twist(rsp, respond(rsp, sizeof(rsp), cmd, len));
    fake_tpm.answer = FAKE_GOOD;
    /* Exactly as long as it is. */
    exact = len ? malloc(len) : NULL;
    if ( exact )
        memcpy(exact, rsp, len);
    works[i - 1]->rsp(exact, len);
    free(exact);

    return true;
}

/* ---- What others ask it ------------------------------------------------------ */

bool cloister_tpm_present(void)
{
    return !fake_tpm.absent;
}

bool cloister_tpm_ready(void)
{
    return !fake_tpm.absent;
}

bool cloister_tpm_random(uint8_t out[32])
{
    return !fake_tpm.absent && fake_random(out, 32);
}

uint64_t cloister_tpm_bytes(void)
{
    return 32;
}

bool cloister_tpm_was_reset(void)
{
    return fake_tpm.was_reset;
}

void cloister_reset_soon(void)
{
}

void cloister_reset_found(void)
{
    fake_tpm.was_reset = true;
}

void cloister_tpm_kick(void)
{
}
