/* SPDX-License-Identifier: BSD-2-Clause */
/* See model_tis.h.  Bits are written out, not shared with the driver. */
#include <string.h>

#include "model_tis.h"

static void blame(struct model_tis *m, const char *what)
{
    if ( !m->violations++ )
        m->violation = what;
}

uint8_t model_random(size_t i)
{
    return (uint8_t)(0x5A + 7 * i);
}

static void put32(uint8_t *b, uint32_t v)
{
    b[0] = (uint8_t)(v >> 24);
    b[1] = (uint8_t)(v >> 16);
    b[2] = (uint8_t)(v >> 8);
    b[3] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           b[3];
}

/* ---- The TPM ---- */

static void respond(struct model_tis *m, uint32_t rc, size_t body)
{
    size_t i, size = 10 + (rc ? 0 : body);

    m->out[0] = 0x80;
    m->out[1] = 0x01;
    put32(m->out + 2, m->force_size ? m->force_size : (uint32_t)size);
    put32(m->out + 6, rc);
    m->out_len = size + m->extra - (m->cut < size ? m->cut : size);
    for ( i = size; i < m->out_len; i++ )
        m->out[i] = 0xEE;
    m->out_off = 0;
}

static void execute(struct model_tis *m)
{
    uint32_t cc = get32(m->in + 6);
    size_t i, n = (size_t)m->in[10] << 8 | m->in[11];

    m->commands++;
    m->taken = 0;
    if ( get32(m->in + 2) != m->in_len )
        blame(m, "commandSize is not what was sent");

    if ( m->force_rc )
        respond(m, m->force_rc, 0);
    else if ( cc == 0x144 )
    {
        respond(m, m->started ? 0x100 : 0, 0);
        m->started = true;
    }
    else if ( !m->started )
        respond(m, 0x100, 0);
    else if ( cc == 0x17B )
    {
        if ( n > m->digest_max )
            n = m->digest_max;
        m->out[10] = (uint8_t)(n >> 8);
        m->out[11] = (uint8_t)n;
        for ( i = 0; i < n; i++ )
            m->out[12 + i] = model_random(i);
        respond(m, 0, 2 + n);
    }
    else
        respond(m, 0x143, 0); /* TPM_RC_COMMAND_CODE */
}

/* ---- Arbitration ---- */

static void activate(struct model_tis *m, unsigned int l)
{
    m->active = l;
    m->request[l] = false;
    m->allowed = 0;
}

static void relinquish(struct model_tis *m, unsigned int l)
{
    unsigned int i;

    if ( m->active != l )
    {
        m->request[l] = false;
        return;
    }

    m->active = MODEL_NOBODY;
    for ( i = 5; i-- > 0; )
        if ( m->request[i] )
        {
            activate(m, i);
            return;
        }
}

static void tick(struct model_tis *m)
{
    if ( m->driver && m->active == 0 && m->now >= m->other_until )
        relinquish(m, 0);

    if ( m->state == MODEL_EXECUTION && !(m->faults & MF_EXEC_HANG) &&
         m->now >= m->done_at )
    {
        execute(m);
        m->state = MODEL_COMPLETION;
    }
}

static void write_access(struct model_tis *m, unsigned int l, uint8_t v)
{
    if ( v & (v - 1) )
        blame(m, "more than one bit to TPM_ACCESS");

    if ( v & 0x20 )
    {
        m->relinquish_seen = true;
        if ( !(m->faults & MF_RELEASE_HANG) )
            relinquish(m, l);
    }
    if ( v & 0x10 )
        m->been_seized[l] = false;
    if ( (v & 0x02) && !(m->faults & MF_DEAF) && m->active != l )
    {
        m->request[l] = true;
        if ( m->active == MODEL_NOBODY && !(m->faults & MF_NO_GRANT) )
            activate(m, l);
    }
    if ( v & 0x08 )
    {
        m->seized++;
        if ( m->active != MODEL_NOBODY && m->active >= l )
            blame(m, "Seize without a reason");
        else if ( !(m->faults & MF_NO_GRANT) )
        {
            if ( m->active != MODEL_NOBODY )
                m->been_seized[m->active] = true;
            m->state = MODEL_IDLE;
            m->ready_bit = false;
            activate(m, l);
        }
    }
}

static uint8_t read_access(struct model_tis *m, unsigned int l)
{
    uint8_t v = 0x01;

    if ( !(m->faults & MF_NO_REG_VALID) )
        v |= 0x80;
    if ( m->active == l )
        v |= 0x20;
    if ( m->been_seized[l] )
        v |= 0x10;
    if ( m->request[l] )
        v |= 0x02;

    return v;
}

/* ---- Status and FIFO ---- */

static bool expect(const struct model_tis *m)
{
    if ( m->state != MODEL_RECEPTION )
        return false;
    if ( (m->faults & MF_SEND_FULL) && m->in_len >= 3 )
        return false;

    return (m->faults & MF_EXPECT_STUCK) || m->in_len < 6 ||
           m->in_len < get32(m->in + 2);
}

static size_t burst(const struct model_tis *m)
{
    bool recv = m->state == MODEL_COMPLETION && m->out_off < m->out_len;
    size_t n = recv ? m->out_len - m->out_off : sizeof(m->in) - m->in_len;

    if ( m->faults & (recv ? MF_RECV_NO_BURST : MF_SEND_NO_BURST) )
        return 0;
    if ( m->faults & MF_TRICKLE )
        return m->now - m->moved_at >= 150000;

    return m->burst_max && n > m->burst_max ? m->burst_max : n;
}

static bool sts_valid(const struct model_tis *m)
{
    switch ( m->state )
    {
    case MODEL_RECEPTION:
        return !(m->faults &
                 (expect(m) ? MF_SEND_NO_VALID : MF_SENT_NO_VALID));
    case MODEL_EXECUTION:
        return true;
    case MODEL_COMPLETION:
        return !(m->faults & (m->out_off < m->out_len ? MF_RECV_NO_VALID
                                                      : MF_DRAIN_NO_VALID));
    default:
        return false;
    }
}

static uint32_t read_status(struct model_tis *m, unsigned int l)
{
    uint32_t v = 1u << 26; /* tpmFamily: 2.0 */

    if ( m->active != l )
        return UINT32_MAX;

    if ( l != m->driver )
        return v | (uint32_t)(m->other_stirs ? (m->now / 10000 & 0xFF) << 8 : 0);
    m->allowed = burst(m);
    v |= (uint32_t)m->allowed << 8;
    if ( sts_valid(m) )
        v |= 0x80;
    if ( m->ready_bit )
        v |= 0x40;
    if ( m->state == MODEL_COMPLETION && m->out_off < m->out_len )
        v |= 0x10;
    if ( expect(m) )
        v |= 0x08;

    return v;
}

static void command_ready(struct model_tis *m)
{
    if ( m->state == MODEL_EXECUTION && (m->faults & MF_ABORT_HANG) )
        return;

    m->in_len = 0;
    m->out_len = m->out_off = 0;
    m->state = MODEL_IDLE;
    if ( m->faults & MF_NO_READY )
        return;
    if ( (m->faults & MF_READY_TWICE) && !m->ready_once )
    {
        m->ready_once = true;
        return;
    }
    m->state = MODEL_READY;
    m->ready_bit = true;
}

static void write_status(struct model_tis *m, unsigned int l, uint8_t v)
{
    if ( l != m->driver )
        blame(m, "another locality's status written");
    if ( m->active != l )
        return;
    if ( v == 0x40 )
        command_ready(m);
    else if ( v != 0x20 )
        blame(m, "TPM_STS written with something odd");
    else if ( m->state != MODEL_RECEPTION || expect(m) )
        blame(m, "tpmGo without a command");
    else
    {
        m->state = MODEL_EXECUTION;
        m->done_at = m->now + m->exec_us;
    }
}

static void fifo_allowed(struct model_tis *m)
{
    m->moved_at = m->now;
    if ( m->allowed )
        m->allowed--;
    else
        blame(m, "FIFO beyond burstCount");
}

static void write_fifo(struct model_tis *m, unsigned int l, uint8_t v)
{
    if ( m->active != l ||
         (m->state != MODEL_READY && m->state != MODEL_RECEPTION) )
    {
        /* Not the driver's fault if it has just been taken away. */
        if ( !m->at_lose )
            blame(m, "FIFO written at a wrong time");
        return;
    }

    fifo_allowed(m);
    m->state = MODEL_RECEPTION;
    m->ready_bit = false;
    if ( m->in_len < sizeof(m->in) )
        m->in[m->in_len++] = v;
}

static uint8_t read_fifo(struct model_tis *m, unsigned int l)
{
    if ( m->active != l || m->state != MODEL_COMPLETION ||
         m->out_off >= m->out_len )
    {
        if ( !m->at_lose )
            blame(m, "FIFO read at a wrong time");
        return 0xFF;
    }

    fifo_allowed(m);
    m->taken++;

    return m->out[m->out_off++];
}

/* ---- The bus ---- */

static bool reached(const struct model_tis *m)
{
    size_t moved = m->state == MODEL_RECEPTION ? m->in_len : m->out_off;

    return m->state == m->at_state && m->active == m->driver &&
           moved >= m->at_bytes;
}

static unsigned int begin(struct model_tis *m, uint32_t offset)
{
    m->accesses++;
    tick(m);

    if ( m->at_faults && reached(m) )
        m->faults |= m->at_faults;
    if ( m->at_lose && reached(m) )
    {
        m->been_seized[m->driver] = true;
        m->active = 4;
        m->state = MODEL_IDLE;
        m->ready_bit = false;
    }
    /* Whoever waits may look whether locality 0 is at work. */
    if ( offset >> 12 != m->driver && offset != 0x018 )
        blame(m, "another locality's register");

    return offset >> 12;
}

static uint8_t model_read8(void *ctx, uint32_t offset)
{
    struct model_tis *m = ctx;
    unsigned int l = begin(m, offset);

    if ( m->faults & MF_ABSENT )
        return 0xFF;
    if ( m->faults & MF_ZEROS )
        return 0;

    switch ( offset & 0xFFF )
    {
    case 0x000:
        return read_access(m, l);
    case 0x024:
        return read_fifo(m, l);
    default:
        blame(m, "8-bit read of something else");
        return 0xFF;
    }
}

static void model_write8(void *ctx, uint32_t offset, uint8_t v)
{
    struct model_tis *m = ctx;
    unsigned int l = begin(m, offset);

    if ( m->faults & (MF_ABSENT | MF_ZEROS) )
        return;

    switch ( offset & 0xFFF )
    {
    case 0x000:
        write_access(m, l, v);
        break;
    case 0x018:
        write_status(m, l, v);
        break;
    case 0x024:
        write_fifo(m, l, v);
        break;
    default:
        blame(m, "8-bit write of something else");
        break;
    }
}

static uint32_t model_read32(void *ctx, uint32_t offset)
{
    struct model_tis *m = ctx;
    unsigned int l = begin(m, offset);

    if ( m->faults & MF_ABSENT )
        return UINT32_MAX;
    if ( m->faults & MF_ZEROS )
        return 0;

    switch ( offset & 0xFFF )
    {
    case 0x014:
        return m->capability;
    case 0x018:
        return read_status(m, l);
    case 0x030:
        return m->interface_id;
    case 0xF00:
        return m->did_vid;
    default:
        blame(m, "32-bit read of something else");
        return UINT32_MAX;
    }
}

static uint64_t model_now(void *ctx)
{
    return ((struct model_tis *)ctx)->now;
}

void model_heal(struct model_tis *m)
{
    m->faults = 0;
    m->at_faults = 0;
    m->at_lose = false;
    m->force_rc = m->force_size = 0;
    m->cut = m->extra = 0;
    m->other_until = m->now;
    m->ready_once = false;
    if ( m->active == 4 )
        m->active = MODEL_NOBODY;
}

void model_init(struct model_tis *m, struct cl_tpm_platform *p)
{
    memset(m, 0, sizeof(*m));
    m->now = 1000000;
    m->exec_us = 15000;
    m->digest_max = 64;
    m->started = true;
    m->driver = 2;
    m->active = MODEL_NOBODY;
    m->did_vid = 0x00011014; /* QEMU's */
    m->interface_id = 0x2100;
    m->capability = 3u << 28 | 3u << 9 | 1u << 4 | 0x87;

    p->read8 = model_read8;
    p->write8 = model_write8;
    p->read32 = model_read32;
    p->now_us = model_now;
    p->ctx = m;
}
