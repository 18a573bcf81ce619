/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FIFO interface of the TCG PC Client Platform TPM Profile (PTP) 1.05,
 * section 6.5.2; see cloister/tpm.h.
 *
 * Only registers that are used.  "own": reads as ones, and ignores writes,
 * unless its locality is the active one.
 *
 *  offset  bits  own  register               in PTP 1.05
 *  0x000      8  no   TPM_ACCESS_x           6.5.2, locality arbitration
 *  0x014     32  no   TPM_INTF_CAPABILITY_x  6.5.2, interface capability
 *  0x018     32  yes  TPM_STS_x              6.5.2, status
 *  0x024      8  yes  TPM_DATA_FIFO_x        6.5.2, data FIFO
 *  0x030     32  no   TPM_INTERFACE_ID_x     Table 15
 *  0xF00     32  no   TPM_DID_VID_x          Table 13
 *
 * A good command goes down this list; steps marked * write a register:
 *
 *  LOCALITY * requestUse; activeLocality     SEIZE_US, then SEIZE *
 *  READY    * commandReady; commandReady     TIMEOUT_B
 *  SEND     * FIFO, all but one byte         A for a burst, C for stsValid,
 *             stsValid and Expect between;   TRANSFER_US for all
 *             the last byte
 *  SENT       stsValid, no Expect            TIMEOUT_C
 *           * tpmGo
 *  EXEC       stsValid and dataAvail         duration of the command
 *  RECV     * FIFO, the header;              as SEND
 *             responseSize checked; FIFO
 *  DRAIN      stsValid, no dataAvail         TIMEOUT_C
 *           * commandReady
 *  RELEASE  * activeLocality; it clears      TIMEOUT_A, then gives up
 *
 * An error before READY goes to RELEASE, which also takes back requestUse; a
 * later one to ABORT (commandReady, TIMEOUT_B) and then to RELEASE.  Neither
 * of these two can fail, so every path ends in IDLE.
 */
#include <string.h>

#include <cloister/tpm.h>

#define REG_ACCESS 0x000u
#define ACCESS_VALID 0x80u       /* tpmRegValidSts: the rest counts  */
#define ACCESS_ACTIVE 0x20u      /* activeLocality; 1 relinquishes   */
#define ACCESS_BEEN_SEIZED 0x10u /* beenSeized; 1 clears             */
#define ACCESS_SEIZE 0x08u       /* Seize, write only                */
#define ACCESS_REQUEST 0x02u     /* requestUse                       */
#define ACCESS_ABSENT 0xFFu      /* no TPM has Seize read as one     */

#define REG_INTF_CAPABILITY 0x014u
#define CAPABILITY_VERSION(v) (((v) >> 28) & 7u)
#define VERSION_TIS_1_3_TPM_2_0 3u

#define REG_STS 0x018u
#define STS_BURST(v) (((v) >> 8) & 0xFFFFu) /* valid without stsValid   */
#define STS_VALID 0x80u  /* stsValid: Expect, dataAvail count */
#define STS_READY 0x40u  /* commandReady; valid without it   */
#define STS_GO 0x20u     /* tpmGo, write only                */
#define STS_AVAIL 0x10u  /* dataAvail                        */
#define STS_EXPECT 0x08u /* Expect                           */
#define STS_ZERO 0x23u   /* a status has none of these       */

#define REG_FIFO 0x024u

#define REG_INTERFACE_ID 0x030u
#define INTERFACE_TYPE(v) ((v) & 0xFu)
#define TYPE_FIFO 0x0u
#define TYPE_TIS_1_3 0xFu
#define INTERFACE_ALL_LOCALITIES 0x100u /* CapLocality: 0 to 4, not only 0 */

#define REG_DID_VID 0xF00u

/* Localities 3 and 4 belong to the chipset and to code it has measured. */
#define LAST_LOCALITY 2u

/* No step makes more than four accesses, FIFO bytes aside. */
#define POLL_STEPS ((CL_TPM_POLL_ACCESSES - CL_TPM_POLL_BURST) / 4)

/* What a step_ function returns; errors are negative. */
#define WAIT 0
#define NEXT 1

static const char *const state_names[] = {
    [CL_TPM_IDLE] = "nothing",
    [CL_TPM_LOCALITY] = "activeLocality",
    [CL_TPM_SEIZE] = "activeLocality after Seize (TIMEOUT_B)",
    [CL_TPM_READY] = "commandReady (TIMEOUT_B)",
    [CL_TPM_SEND] = "burstCount or Expect for the command (TIMEOUT_A, _C)",
    [CL_TPM_SENT] = "the end of Expect (TIMEOUT_C)",
    [CL_TPM_EXEC] = "dataAvail (command duration)",
    [CL_TPM_RECV] = "burstCount or dataAvail for the response (TIMEOUT_A, _C)",
    [CL_TPM_DRAIN] = "the end of dataAvail (TIMEOUT_C)",
    [CL_TPM_ABORT] = "commandReady after an abort (TIMEOUT_B)",
    [CL_TPM_RELEASE] = "the end of activeLocality (TIMEOUT_A)",
};

/* commandSize or responseSize, big-endian (TPM 2.0 Library, Part 1). */
static uint32_t header_size(const uint8_t *b)
{
    return (uint32_t)b[2] << 24 | (uint32_t)b[3] << 16 | (uint32_t)b[4] << 8 |
           b[5];
}

static uint32_t reg(unsigned int locality, uint32_t offset)
{
    return locality << 12 | offset;
}

static uint8_t read_access(const struct cl_tpm *t)
{
    return t->p->read8(t->p->ctx, reg(t->locality, REG_ACCESS));
}

/* One bit for each write: the specification leaves others undefined. */
static void write_access(const struct cl_tpm *t, uint8_t bit)
{
    t->p->write8(t->p->ctx, reg(t->locality, REG_ACCESS), bit);
}

static void write_status(const struct cl_tpm *t, uint8_t bit)
{
    t->p->write8(t->p->ctx, reg(t->locality, REG_STS), bit);
}

/*
 * A status that cannot be one comes from a device that has gone, from a
 * locality that has been taken away, or from a bus that was busy.  In the last
 * case *sts says nothing at all, so that whoever asked goes on waiting.
 */
static int read_status(const struct cl_tpm *t, uint32_t *sts)
{
    uint8_t a;

    *sts = t->p->read32(t->p->ctx, reg(t->locality, REG_STS));
    if ( !(*sts & STS_ZERO) )
        return 0;

    *sts = 0;
    a = read_access(t);
    if ( a == ACCESS_ABSENT )
        return -ENODEV;

    return (a & (ACCESS_VALID | ACCESS_ACTIVE)) == ACCESS_VALID ? -EIO : 0;
}

static void enter(struct cl_tpm *t, enum cl_tpm_state state)
{
    t->state = state;
    t->since = t->mark = t->now;
    t->asked = false;
}

static bool past(const struct cl_tpm *t, uint64_t since, uint64_t limit_us)
{
    return t->now - since >= limit_us;
}

/* The condition has been looked at just now, however late this poll is. */
static int wait_from(const struct cl_tpm *t, uint64_t since, uint64_t limit_us)
{
    return past(t, since, limit_us) ? -ETIMEDOUT : WAIT;
}

static int wait_for(const struct cl_tpm *t, uint64_t limit_us)
{
    return wait_from(t, t->since, limit_us);
}

static void release(struct cl_tpm *t)
{
    write_access(t, ACCESS_ACTIVE);
    enter(t, CL_TPM_RELEASE);
}

static void fail(struct cl_tpm *t, int err)
{
    bool early = t->state == CL_TPM_LOCALITY || t->state == CL_TPM_SEIZE;

    t->failed_in = t->state;
    t->result = err; /* rsp_len is still 0: only success changes it */
    memset(t->buf, 0, sizeof(t->buf));

    if ( err == -ENODEV || early )
    {
        release(t);
        return;
    }

    write_status(t, STS_READY);
    enter(t, CL_TPM_ABORT);
}

static int granted(struct cl_tpm *t)
{
    /* Written in any state: it also throws away what the FIFO may hold. */
    write_status(t, STS_READY);
    enter(t, CL_TPM_READY);

    return NEXT;
}

/*
 * requestUse reads as one for as long as another locality is active.  If it
 * does not, and the locality is not ours either, the request went nowhere.
 */
static int step_locality(struct cl_tpm *t)
{
    uint8_t a = read_access(t);

    if ( a == ACCESS_ABSENT )
        return -ENODEV;
    if ( !(a & ACCESS_VALID) )
        return wait_for(t, CL_TPM_TIMEOUT_A_US);
    if ( a & ACCESS_ACTIVE )
        return granted(t);

    if ( !t->asked )
    {
        if ( a & ACCESS_BEEN_SEIZED )
            write_access(t, ACCESS_BEEN_SEIZED);
        write_access(t, ACCESS_REQUEST);
        t->asked = true;
        return NEXT;
    }

    if ( !(a & ACCESS_REQUEST) )
        return wait_for(t, CL_TPM_TIMEOUT_A_US);

    if ( !t->locality || !past(t, t->since, CL_TPM_SEIZE_US) )
        return wait_for(t, CL_TPM_SEIZE_US);

    write_access(t, ACCESS_SEIZE);
    enter(t, CL_TPM_SEIZE);

    return NEXT;
}

/* The grant comes after the abort of what runs, which has TIMEOUT_B. */
static int step_seize(struct cl_tpm *t)
{
    uint8_t a = read_access(t);

    if ( a == ACCESS_ABSENT )
        return -ENODEV;
    if ( (a & ACCESS_VALID) && (a & ACCESS_ACTIVE) )
        return granted(t);

    return wait_for(t, CL_TPM_TIMEOUT_B_US);
}

/*
 * From Completion, where a locality that was seized may have left it, a TPM
 * may go to Idle at the first commandReady and to Ready at the second only.
 */
static int step_ready(struct cl_tpm *t)
{
    uint32_t sts;
    int rc = read_status(t, &sts);

    if ( rc )
        return rc;

    if ( sts & STS_READY )
    {
        enter(t, CL_TPM_SEND);
        return NEXT;
    }

    if ( !t->asked && past(t, t->since, CL_TPM_TIMEOUT_C_US) )
    {
        write_status(t, STS_READY);
        t->asked = true;
    }

    return wait_for(t, CL_TPM_TIMEOUT_B_US);
}

/* How many of n bytes may pass the FIFO now; at least one. */
static size_t fifo_room(const struct cl_tpm *t, uint32_t sts, size_t n)
{
    if ( n > STS_BURST(sts) )
        n = STS_BURST(sts);

    return n > t->budget ? t->budget : n;
}

static void fifo_moved(struct cl_tpm *t, size_t n)
{
    t->off += n;
    t->budget -= (unsigned int)n;
    t->mark = t->now;
}

/* The last byte goes alone: before it Expect is set, after it clear. */
static int step_send(struct cl_tpm *t)
{
    size_t left = t->len - t->off, n, i;
    uint32_t sts;
    int rc;

    if ( past(t, t->since, CL_TPM_TRANSFER_US) )
        return -ETIMEDOUT;
    if ( !t->budget )
        return WAIT;

    rc = read_status(t, &sts);
    if ( rc )
        return rc;

    /* Before the first byte neither bit need be set. */
    if ( t->off && !(sts & STS_VALID) )
        return wait_from(t, t->mark, CL_TPM_TIMEOUT_C_US);
    if ( t->off && !(sts & STS_EXPECT) )
        return -EIO;
    if ( !STS_BURST(sts) )
        return wait_from(t, t->mark, CL_TPM_TIMEOUT_A_US);

    n = fifo_room(t, sts, left > 1 ? left - 1 : left);
    for ( i = t->off; i < t->off + n; i++ )
        t->p->write8(t->p->ctx, reg(t->locality, REG_FIFO), t->buf[i]);
    fifo_moved(t, n);

    if ( t->off == t->len )
        enter(t, CL_TPM_SENT);

    return NEXT;
}

static int step_sent(struct cl_tpm *t)
{
    uint32_t sts;
    int rc = read_status(t, &sts);

    if ( rc )
        return rc;
    if ( !(sts & STS_VALID) )
        return wait_for(t, CL_TPM_TIMEOUT_C_US);
    if ( sts & STS_EXPECT )
        return -EIO;

    write_status(t, STS_GO);
    enter(t, CL_TPM_EXEC);

    return NEXT;
}

static int step_exec(struct cl_tpm *t)
{
    uint32_t sts;
    int rc = read_status(t, &sts);

    if ( rc )
        return rc;
    if ( (sts & (STS_VALID | STS_AVAIL)) != (STS_VALID | STS_AVAIL) )
        return wait_for(t, t->duration_us);

    /* The command is spent; the response takes its place. */
    t->len = CL_TPM_HEADER_SIZE;
    t->off = 0;
    enter(t, CL_TPM_RECV);

    return NEXT;
}

/* From here on len is what the device says, but within buf. */
static int header_received(struct cl_tpm *t)
{
    uint32_t size = header_size(t->buf);

    if ( size < CL_TPM_HEADER_SIZE || size > sizeof(t->buf) )
        return -EBADMSG;

    t->len = size;

    return 0;
}

static int step_recv(struct cl_tpm *t)
{
    size_t n, i;
    uint32_t sts;
    int rc;

    if ( past(t, t->since, CL_TPM_TRANSFER_US) )
        return -ETIMEDOUT;
    if ( !t->budget )
        return WAIT;

    rc = read_status(t, &sts);
    if ( rc )
        return rc;
    if ( !(sts & STS_VALID) )
        return wait_from(t, t->mark, CL_TPM_TIMEOUT_C_US);
    if ( !(sts & STS_AVAIL) )
        return -EBADMSG;
    if ( !STS_BURST(sts) )
        return wait_from(t, t->mark, CL_TPM_TIMEOUT_A_US);

    n = fifo_room(t, sts, t->len - t->off);
    for ( i = t->off; i < t->off + n; i++ )
        t->buf[i] = t->p->read8(t->p->ctx, reg(t->locality, REG_FIFO));
    fifo_moved(t, n);

    /* Once: a burst ends at the header, and n is not zero. */
    if ( t->off == CL_TPM_HEADER_SIZE )
        rc = header_received(t);
    if ( !rc && t->off == t->len )
        enter(t, CL_TPM_DRAIN);

    return rc ? rc : NEXT;
}

static int step_drain(struct cl_tpm *t)
{
    uint32_t sts;
    int rc = read_status(t, &sts);

    if ( rc )
        return rc;
    if ( !(sts & STS_VALID) )
        return wait_for(t, CL_TPM_TIMEOUT_C_US);
    if ( sts & STS_AVAIL )
        return -EBADMSG;

    t->rsp_len = t->len;
    t->result = 0;
    write_status(t, STS_READY);
    release(t);

    return NEXT;
}

/*
 * The locality is kept until the abort is over, or QEMU would make it active
 * again when the command ends at last.
 */
static int step_abort(struct cl_tpm *t)
{
    uint32_t sts;

    if ( read_status(t, &sts) || (sts & STS_READY) ||
         past(t, t->since, CL_TPM_TIMEOUT_B_US) )
    {
        release(t);
        return NEXT;
    }

    return WAIT;
}

static int step_release(struct cl_tpm *t)
{
    uint8_t a = read_access(t);

    if ( a != ACCESS_ABSENT && (a & ACCESS_ACTIVE) &&
         !past(t, t->since, CL_TPM_TIMEOUT_A_US) )
        return WAIT;

    enter(t, CL_TPM_IDLE);

    return NEXT;
}

/* No table of functions: an indirect call less for the port to allow. */
static int step(struct cl_tpm *t)
{
    switch ( t->state )
    {
    case CL_TPM_LOCALITY:
        return step_locality(t);
    case CL_TPM_SEIZE:
        return step_seize(t);
    case CL_TPM_READY:
        return step_ready(t);
    case CL_TPM_SEND:
        return step_send(t);
    case CL_TPM_SENT:
        return step_sent(t);
    case CL_TPM_EXEC:
        return step_exec(t);
    case CL_TPM_RECV:
        return step_recv(t);
    case CL_TPM_DRAIN:
        return step_drain(t);
    case CL_TPM_ABORT:
        return step_abort(t);
    case CL_TPM_RELEASE:
        return step_release(t);
    case CL_TPM_IDLE:
        break;
    }

    return WAIT;
}

int cl_tpm_poll(struct cl_tpm *t)
{
    unsigned int i;
    int rc = NEXT;

    if ( t->state == CL_TPM_IDLE )
        return t->result;

    t->now = t->p->now_us(t->p->ctx);
    t->budget = CL_TPM_POLL_BURST;

    for ( i = 0; i < POLL_STEPS && rc != WAIT; i++ )
    {
        rc = step(t);
        if ( rc < 0 )
            fail(t, rc);
        if ( t->state == CL_TPM_IDLE )
            return t->result;
    }

    return -EINPROGRESS;
}

int cl_tpm_start(struct cl_tpm *t, const uint8_t *cmd, size_t len)
{
    if ( t->state != CL_TPM_IDLE )
        return -EBUSY;
    if ( len < CL_TPM_HEADER_SIZE || len > sizeof(t->buf) ||
         header_size(cmd) != len )
        return -EINVAL;

    memcpy(t->buf, cmd, len);
    t->len = len;
    t->off = 0;
    t->rsp_len = 0;
    t->result = -EINPROGRESS;
    t->duration_us = cl_tpm2_duration_us(cmd, len);
    t->now = t->p->now_us(t->p->ctx);
    enter(t, CL_TPM_LOCALITY);

    return 0;
}

int cl_tpm_init(struct cl_tpm *t, const struct cl_tpm_platform *p,
                unsigned int locality)
{
    if ( locality > LAST_LOCALITY )
        return -EINVAL;

    memset(t, 0, sizeof(*t));
    t->p = p;
    t->locality = locality;
    t->state = CL_TPM_IDLE;
    t->result = -ENODATA;

    return 0;
}

void cl_tpm_wipe(struct cl_tpm *t)
{
    memset(t->buf, 0, sizeof(t->buf));
    t->rsp_len = 0;
}

const char *cl_tpm_where(const struct cl_tpm *t)
{
    bool ended = t->state == CL_TPM_IDLE || t->state == CL_TPM_ABORT ||
                 t->state == CL_TPM_RELEASE;

    return state_names[ended && t->result ? t->failed_in : t->state];
}

/*
 * TIS 1.3 has neither TPM_INTERFACE_ID_x (so it reads as ones) nor localities
 * that are optional, and was implemented by TPMs of both families.
 */
int cl_tpm_probe(const struct cl_tpm_platform *p, unsigned int locality,
                 uint32_t *did_vid)
{
    uint32_t dv, id, cap;

    if ( locality > LAST_LOCALITY )
        return -EINVAL;

    dv = p->read32(p->ctx, reg(locality, REG_DID_VID));
    if ( did_vid )
        *did_vid = dv;
    if ( !dv || dv == UINT32_MAX ||
         p->read8(p->ctx, reg(locality, REG_ACCESS)) == ACCESS_ABSENT )
        return -ENODEV;

    id = p->read32(p->ctx, reg(locality, REG_INTERFACE_ID));
    cap = p->read32(p->ctx, reg(locality, REG_INTF_CAPABILITY));
    if ( CAPABILITY_VERSION(cap) != VERSION_TIS_1_3_TPM_2_0 )
        return -EOPNOTSUPP;

    if ( INTERFACE_TYPE(id) == TYPE_TIS_1_3 )
        return 0;

    return INTERFACE_TYPE(id) == TYPE_FIFO &&
                   (!locality || (id & INTERFACE_ALL_LOCALITIES))
               ? 0
               : -EOPNOTSUPP;
}
