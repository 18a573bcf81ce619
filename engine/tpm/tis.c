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
 *  LOCALITY * requestUse; activeLocality     SEIZE_US, _MOST_US, then SEIZE *
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
 *             (unless the locality is to be held)
 *
 * An error before READY goes to RELEASE, which also takes back requestUse; a
 * later one to ABORT (commandReady, TIMEOUT_B) and then to RELEASE.  Neither
 * of these two can fail, so every path ends in IDLE.
 */
#include "transport.h"

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

void cl_tis_relinquish(struct cl_tpm *t)
{
    write_access(t, ACCESS_ACTIVE);
}

/* commandReady aborts what runs. */
void cl_tis_abort(struct cl_tpm *t)
{
    write_status(t, STS_READY);
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
    if ( t->held )
        return -EIO;

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

    if ( !t->locality )
        return wait_for(t, CL_TPM_SEIZE_US);
    if ( !has_waited(t, t->p->read32(t->p->ctx, reg(0, REG_STS))) )
        return WAIT;

    t->seized++;
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
    moved(t, n);

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
    moved(t, n);

    /* Once: a burst ends at the header, and n is not zero. */
    if ( t->off == CL_TPM_HEADER_SIZE )
        rc = cl_tpm_header_received(t);
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

    write_status(t, STS_READY);
    cl_tpm_complete(t);

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
        return NEXT;

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
int cl_tis_step(struct cl_tpm *t)
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
