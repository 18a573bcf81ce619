/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command-response buffer of the TCG PC Client Platform TPM Profile (PTP)
 * 1.05, section 6.5.3; see cloister/tpm.h.
 *
 * Only registers that are used.  "own": of use to the active locality only.
 *
 *  offset  bits  own  register                in PTP 1.05
 *  0x000     32  no   TPM_LOC_STATE_x         6.5.3, locality
 *  0x008     32  no   TPM_LOC_CTRL_x
 *  0x00C     32  no   TPM_LOC_STS_x
 *  0x030     64  no   TPM_CRB_INTF_ID_x       Table 15
 *  0x040     32  yes  TPM_CRB_CTRL_REQ_x      6.5.3, control area
 *  0x044     32  yes  TPM_CRB_CTRL_STS_x
 *  0x048     32  yes  TPM_CRB_CTRL_CANCEL_x
 *  0x04C     32  yes  TPM_CRB_CTRL_START_x
 *  0x058     32  no   TPM_CRB_CTRL_CMD_SIZE_x, then the address (64)
 *  0x064     32  no   TPM_CRB_CTRL_RSP_SIZE_x, then the address (64)
 *  0x080          yes TPM_CRB_DATA_BUFFER_x
 *
 * A good command; steps marked * write a register:
 *
 *  LOCALITY * requestAccess; Granted            SEIZE_US, _MOST_US, then Seize *
 *  READY    * cmdReady; it clears               TIMEOUT_C
 *  SEND     * the buffer, a piece for each poll TRANSFER_US
 *           * Start
 *  EXEC       Start clears                      duration of the command
 *  RECV       the buffer: header, size checked; rest
 *           * goIdle
 *  DRAIN      tpmIdle, or goIdle clears         TIMEOUT_C, then goes on
 *  RELEASE  * Relinquish; Granted clears        TIMEOUT_A, then gives up
 *
 * An error after READY goes to ABORT: * Cancel, Start clears (TIMEOUT_B), then
 * Cancel is cleared and goIdle written and waited for as in DRAIN.
 *
 * Registers are written by their lowest byte, which has all the bits that are
 * written here (the profile allows accesses of any width).
 */
#include "transport.h"

#define REG_LOC_STATE 0x000u
#define STATE_VALID 0x80u    /* tpmRegValidSts */
#define STATE_ASSIGNED 0x02u /* locAssigned    */
#define STATE_ACTIVE(v) (((v) >> 2) & 7u)

#define REG_LOC_CTRL 0x008u
#define CTRL_REQUEST 0x01u
#define CTRL_RELINQUISH 0x02u
#define CTRL_SEIZE 0x04u

#define REG_LOC_STS 0x00Cu
#define STS_GRANTED 0x01u

#define REG_INTF_ID 0x030u
#define INTERFACE_TYPE(v) ((v) & 0xFu)
#define TYPE_CRB 0x1u
#define INTERFACE_ALL_LOCALITIES 0x100u /* CapLocality: 0 to 4, not only 0 */

#define REG_REQ 0x040u
#define REQ_READY 0x01u
#define REQ_IDLE 0x02u

#define REG_STS 0x044u
#define STS_ERROR 0x01u /* tpmSts  */
#define STS_IDLE 0x02u  /* tpmIdle */

#define REG_CANCEL 0x048u
#define REG_START 0x04Cu
#define REG_CMD_SIZE 0x058u
#define REG_CMD_ADDR 0x05Cu
#define REG_RSP_SIZE 0x064u
#define REG_RSP_ADDR 0x068u

#define DATA 0x080u
#define DATA_MAX 0xF80u /* up to the end of the locality's page */

#define REG_VID 0x034u /* vendor, device: the upper half of INTF_ID */

#define BASE 0xFED40000u
#define ABSENT UINT32_MAX

static uint32_t read(const struct cl_tpm *t, uint32_t offset)
{
    return t->p->read32(t->p->ctx, reg(t->locality, offset));
}

static void write(const struct cl_tpm *t, uint32_t offset, uint8_t value)
{
    t->p->write8(t->p->ctx, reg(t->locality, offset), value);
}

static bool is_ours(const struct cl_tpm *t, uint32_t state)
{
    return (state & STATE_VALID) && (state & STATE_ASSIGNED) &&
           STATE_ACTIVE(state) == t->locality;
}

/* Has it been taken away in the middle? */
static int still_ours(const struct cl_tpm *t)
{
    uint32_t state = read(t, REG_LOC_STATE);

    if ( state == ABSENT )
        return -ENODEV;

    return is_ours(t, state) ? 0 : -EIO;
}

static int granted(struct cl_tpm *t)
{
    write(t, REG_REQ, REQ_READY);
    enter(t, CL_TPM_READY);

    return NEXT;
}

static int step_locality(struct cl_tpm *t)
{
    uint32_t state = read(t, REG_LOC_STATE);

    if ( state == ABSENT )
        return -ENODEV;
    if ( is_ours(t, state) && (read(t, REG_LOC_STS) & STS_GRANTED) )
        return granted(t);
    if ( t->held )
        return -EIO;
    if ( !t->asked )
    {
        write(t, REG_LOC_CTRL, CTRL_REQUEST);
        t->asked = true;
        return NEXT;
    }
    if ( !t->locality )
        return wait_for(t, CL_TPM_SEIZE_US);
    if ( !has_waited(t, t->p->read32(t->p->ctx, reg(0, REG_START))) )
        return WAIT;

    t->seized++;
    write(t, REG_LOC_CTRL, CTRL_SEIZE);
    enter(t, CL_TPM_SEIZE);

    return NEXT;
}

static int step_seize(struct cl_tpm *t)
{
    uint32_t state = read(t, REG_LOC_STATE);

    if ( state == ABSENT )
        return -ENODEV;
    if ( is_ours(t, state) && (read(t, REG_LOC_STS) & STS_GRANTED) )
        return granted(t);

    return wait_for(t, CL_TPM_TIMEOUT_B_US);
}

/* As long as that, within the page? */
static bool has_room(const struct cl_tpm *t, uint32_t size_reg, size_t len)
{
    uint32_t size = read(t, size_reg);

    return size >= len && size <= DATA_MAX;
}

static int step_ready(struct cl_tpm *t)
{
    int rc = still_ours(t);

    if ( rc )
        return rc;
    if ( read(t, REG_REQ) & REQ_READY )
        return wait_for(t, CL_TPM_TIMEOUT_C_US);

    if ( !has_room(t, REG_CMD_SIZE, t->len) ||
         !has_room(t, REG_RSP_SIZE, CL_TPM_HEADER_SIZE) )
        return -EIO;
    enter(t, CL_TPM_SEND);

    return NEXT;
}

static size_t piece(const struct cl_tpm *t)
{
    size_t left = t->len - t->off;

    return left > t->budget ? t->budget : left;
}

static int step_send(struct cl_tpm *t)
{
    size_t n = piece(t), i;
    int rc;

    if ( past(t, t->since, CL_TPM_TRANSFER_US) )
        return -ETIMEDOUT;
    if ( !n )
        return WAIT;
    rc = still_ours(t);
    if ( rc )
        return rc;

    for ( i = t->off; i < t->off + n; i++ )
        write(t, DATA + (uint32_t)i, t->buf[i]);
    moved(t, n);
    if ( t->off == t->len )
    {
        write(t, REG_START, 1);
        enter(t, CL_TPM_EXEC);
    }

    return NEXT;
}

static int step_exec(struct cl_tpm *t)
{
    int rc = still_ours(t);

    if ( rc )
        return rc;
    if ( read(t, REG_START) & 1 )
        return wait_for(t, t->duration_us);
    if ( read(t, REG_STS) & STS_ERROR )
        return -EIO;

    /* The command is spent; the response takes its place. */
    t->len = CL_TPM_HEADER_SIZE;
    t->off = 0;
    enter(t, CL_TPM_RECV);

    return NEXT;
}

static int step_recv(struct cl_tpm *t)
{
    size_t n = piece(t), i;
    int rc;

    if ( past(t, t->since, CL_TPM_TRANSFER_US) )
        return -ETIMEDOUT;
    if ( !n )
        return WAIT;
    rc = still_ours(t);
    if ( rc )
        return rc;

    for ( i = t->off; i < t->off + n; i++ )
        t->buf[i] =
            t->p->read8(t->p->ctx, reg(t->locality, DATA + (uint32_t)i));
    moved(t, n);

    /* Once: a piece ends at the header, and n is not zero. */
    if ( t->off == CL_TPM_HEADER_SIZE && t->len == CL_TPM_HEADER_SIZE )
        rc = cl_tpm_header_received(t);
    if ( !rc && !has_room(t, REG_RSP_SIZE, t->len) )
        rc = -EBADMSG;
    if ( rc )
        return rc;
    if ( t->off == t->len )
    {
        write(t, REG_REQ, REQ_IDLE);
        enter(t, CL_TPM_DRAIN);
    }

    return NEXT;
}

/*
 * Is goIdle under way?  Linux looks at the request only, the profile has the
 * status as well: either will do.
 */
static bool becomes_idle(const struct cl_tpm *t, uint64_t since)
{
    return !still_ours(t) && (read(t, REG_REQ) & REQ_IDLE) &&
           !(read(t, REG_STS) & STS_IDLE) &&
           !past(t, since, CL_TPM_TIMEOUT_C_US);
}

/*
 * Whoever has the locality next must not meet a TPM on its way to Idle.  One
 * that does not get there has carried out the command, and its response is
 * whole: without it what the command has made would stay in the TPM, and
 * cmdReady of the next command tells whether it still listens.
 */
static int step_drain(struct cl_tpm *t)
{
    if ( becomes_idle(t, t->since) )
        return WAIT;
    cl_tpm_complete(t);

    return NEXT;
}

/* asked: goIdle is out, since mark. */
static int step_abort(struct cl_tpm *t)
{
    if ( t->asked )
        return becomes_idle(t, t->mark) ? WAIT : NEXT;
    if ( !still_ours(t) && (read(t, REG_START) & 1) &&
         !past(t, t->since, CL_TPM_TIMEOUT_B_US) )
        return WAIT;

    write(t, REG_CANCEL, 0);
    write(t, REG_REQ, REQ_IDLE);
    t->asked = true;
    t->mark = t->now;

    return WAIT;
}

static int step_release(struct cl_tpm *t)
{
    uint32_t state = read(t, REG_LOC_STATE);

    if ( state != ABSENT && is_ours(t, state) &&
         !past(t, t->since, CL_TPM_TIMEOUT_A_US) )
        return WAIT;

    enter(t, CL_TPM_IDLE);

    return NEXT;
}

void cl_crb_abort(struct cl_tpm *t)
{
    write(t, REG_CANCEL, 1);
}

void cl_crb_relinquish(struct cl_tpm *t)
{
    write(t, REG_LOC_CTRL, CTRL_RELINQUISH);
}

int cl_crb_step(struct cl_tpm *t)
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
    case CL_TPM_SENT:
    case CL_TPM_IDLE:
        break;
    }

    return WAIT;
}

/* Buffers elsewhere in memory (as some firmware TPMs have) are not used. */
static bool buffers_here(const struct cl_tpm_platform *p,
                         unsigned int locality)
{
    const uint32_t here = BASE + reg(locality, DATA);

    return p->read32(p->ctx, reg(locality, REG_CMD_ADDR)) == here &&
           !p->read32(p->ctx, reg(locality, REG_CMD_ADDR + 4)) &&
           p->read32(p->ctx, reg(locality, REG_RSP_ADDR)) == here &&
           !p->read32(p->ctx, reg(locality, REG_RSP_ADDR + 4));
}

int cl_tpm_probe_crb(const struct cl_tpm_platform *p, unsigned int locality,
                     uint32_t *did_vid)
{
    uint32_t id, vid;

    if ( locality > LAST_LOCALITY )
        return -EINVAL;

    id = p->read32(p->ctx, reg(locality, REG_INTF_ID));
    vid = p->read32(p->ctx, reg(locality, REG_VID));
    if ( did_vid )
        *did_vid = vid;
    if ( id == ABSENT || !id )
        return -ENODEV;
    if ( INTERFACE_TYPE(id) != TYPE_CRB ||
         (locality && !(id & INTERFACE_ALL_LOCALITIES)) )
        return -EOPNOTSUPP;

    return buffers_here(p, locality) ? 0 : -EOPNOTSUPP;
}
