/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Talking to a TPM 2.0 without ever waiting for it.
 *
 * Two layers:
 *
 *  - The transport: drivers for the two interfaces of the TCG PC Client
 *    Platform TPM Profile (PTP) 1.05: FIFO (tis.c; the older TIS 1.3 also
 *    describes it) and command-response buffer (crb.c).  They are a state
 *    machine that the caller polls (transport.c).
 *  - The commands (command.c): TPM2_Startup and TPM2_GetRandom of the TPM 2.0
 *    Library, Part 3, as bytes.  It knows nothing of the transport.
 *
 *     struct cl_tpm t;                                one command at a time
 *
 *     cl_tpm_init(&t, &platform, 2);
 *     len = cl_tpm2_getrandom_cmd(cmd, sizeof(cmd), 32);
 *     cl_tpm_start(&t, cmd, len);
 *     ...
 *     rc = cl_tpm_poll(&t);                           from a timer, say
 *     if ( rc == -EINPROGRESS )
 *         come back in CL_TPM_POLL_PERIOD_US or less;
 *     else if ( !rc )
 *         rc = cl_tpm2_getrandom_rsp(t.buf, t.rsp_len, key, 32, &got);
 *
 * What the transport promises, whatever the device does:
 *
 *  - No call waits.  cl_tpm_poll() makes at most CL_TPM_POLL_ACCESSES register
 *    accesses and one clock read, and returns.
 *  - A command ends no later than CL_TPM_BOUND_US plus the duration allowed
 *    for it after cl_tpm_start(), provided that it is polled every
 *    CL_TPM_POLL_PERIOD_US.  A caller that polls more seldom makes each wait
 *    overshoot by up to its own period (and may run out of
 *    CL_TPM_TRANSFER_US for a long command), but it ends all the same.
 *  - No byte of the device is believed: a length is checked before it is used.
 *  - However it ends, the device has been told to abort and the locality has
 *    been given back as far as the device listens, and cl_tpm_start() may be
 *    called again.
 *
 * The caller serialises all calls on one struct cl_tpm, and drives one machine
 * only for each device and locality.
 */
#ifndef CLOISTER_TPM_H
#define CLOISTER_TPM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Xen's errno.h lacks it; the value is that of every other Linux errno.h. */
#ifndef EINPROGRESS
#define EINPROGRESS 115
#endif

/*
 * ---- Platform: implemented by the port, the tests and the benchmarks ----
 *
 * Offsets are relative to 0xFED40000 and include the locality (bits 14:12).
 * The 32-bit read is little-endian; it is used at aligned offsets only.  An
 * absent device reads as ones.  The clock must not go backwards; the one use
 * of it is to bound waits.
 *
 * No callback may block.  A write must have reached the device when a later
 * read returns (uncached MMIO has this property).
 */
struct cl_tpm_platform
{
    uint8_t (*read8)(void *ctx, uint32_t offset);
    void (*write8)(void *ctx, uint32_t offset, uint8_t value);
    uint32_t (*read32)(void *ctx, uint32_t offset);
    uint64_t (*now_us)(void *ctx);
    void *ctx;
};

/*
 * ---- Bounds ----
 *
 * PTP 1.05, interface timeouts.  TIMEOUT_D (30 ms) has no use here: the waits
 * for a burst use TIMEOUT_A, as Linux does for a TPM 2.0.
 */
#define CL_TPM_TIMEOUT_A_US 750000u
#define CL_TPM_TIMEOUT_B_US 2000000u
#define CL_TPM_TIMEOUT_C_US 200000u

/*
 * Politeness.  Linux in dom0 uses locality 0, and gives it up after each
 * command of a program's; with its resource manager that is up to ten commands
 * of the TPM, as objects and sessions are loaded before and saved after it.  A
 * request is granted then.  A locality that is seized in the middle costs
 * Linux two minutes, in which it waits for its response, and the program a
 * failure.  But dom0 is not trusted and must not be able to keep the TPM from
 * the hypervisor: so it is seized when the status that locality 0 has has not
 * changed for CL_TPM_SEIZE_US, and whatever that says after
 * CL_TPM_SEIZE_MOST_US.  While one command is executed nothing changes: who
 * makes RSA keys in dom0 while the hypervisor wants the TPM may have to do it
 * again.
 * (Linux waits TIMEOUT_A for its own turn and then forgets that it has asked:
 * the grant that comes later finds nobody, and costs the next command here
 * CL_TPM_SEIZE_US.  A reason to keep commands here short.)
 * Locality 0 itself cannot seize: there, the request times out.
 */
#define CL_TPM_SEIZE_US 10000000u
#define CL_TPM_SEIZE_MOST_US 30000000u

/*
 * Ours: the whole transfer of a command, and of a response.  The specification
 * bounds the wait for each burst only, and a burst may be a single byte.
 */
#define CL_TPM_TRANSFER_US 5000000u

/* Everything but the execution of the command. */
#define CL_TPM_BOUND_US                                                       \
    (CL_TPM_SEIZE_MOST_US + CL_TPM_TIMEOUT_B_US + /* the locality         */  \
     CL_TPM_TIMEOUT_B_US +                       /* commandReady          */  \
     CL_TPM_TRANSFER_US + CL_TPM_TIMEOUT_C_US +  /* the command           */  \
     CL_TPM_TRANSFER_US + CL_TPM_TIMEOUT_C_US +  /* the response          */  \
     CL_TPM_TIMEOUT_B_US + CL_TPM_TIMEOUT_C_US + /* abort, goIdle         */  \
     CL_TPM_TIMEOUT_A_US +                       /* relinquish            */  \
     12 * CL_TPM_POLL_PERIOD_US)                 /* one more poll in each */

/* At 64 bytes for each poll, a full buffer each way takes 1.3 s. */
#define CL_TPM_POLL_PERIOD_US 10000u

#define CL_TPM_POLL_BURST 64u
#define CL_TPM_POLL_ACCESSES (64u + CL_TPM_POLL_BURST)

/* TPM2_PT_MAX_COMMAND_SIZE of the TPMs in use, QEMU's included. */
#define CL_TPM_BUF_SIZE 4096u
#define CL_TPM_HEADER_SIZE 10u

/*
 * ---- Is there one? ----
 *
 * Reads identification registers only, which no locality owns; writes
 * nothing.
 *
 * 0            a TPM 2.0 with a FIFO interface that has this locality;
 * -ENODEV      nothing there (or a TPM in such a state that it says nothing);
 * -EOPNOTSUPP  a TPM, but a 1.2, or one that is set to the CRB interface, or
 *              one without this locality;
 * -EINVAL      there are localities 0 to 4; 3 and 4 are not for software.
 *
 * did_vid may be NULL; it gets the identity in any case but -EINVAL (device in
 * bits 31:16, vendor in bits 15:0).
 */
int cl_tpm_probe(const struct cl_tpm_platform *p, unsigned int locality,
                 uint32_t *did_vid);

/*
 * The same for the command-response buffer (CRB), as firmware TPMs have it.
 * -EOPNOTSUPP also: the buffers are not in the page of the locality.
 */
int cl_tpm_probe_crb(const struct cl_tpm_platform *p, unsigned int locality,
                     uint32_t *did_vid);

/* ---- One command ---- */

/* In the order in which a command passes them. */
enum cl_tpm_state
{
    CL_TPM_IDLE,
    CL_TPM_LOCALITY, /* wait to become the active locality  */
    CL_TPM_SEIZE,    /* the same, with force                */
    CL_TPM_READY,    /* wait for commandReady               */
    CL_TPM_SEND,     /* command into the FIFO               */
    CL_TPM_SENT,     /* wait until Expect is clear          */
    CL_TPM_EXEC,     /* wait for dataAvail                  */
    CL_TPM_RECV,     /* response out of the FIFO            */
    CL_TPM_DRAIN,    /* until dataAvail is clear; CRB: Idle */
    CL_TPM_ABORT,    /* after an error: wait for the abort  */
    CL_TPM_RELEASE,  /* wait until the locality is given up */
};

/*
 * Owned by the caller; about 4 kB.  The caller may read rsp_len, buf (both
 * meaningful after cl_tpm_poll() has returned 0, until the next start), seized
 * and nothing else.
 */
struct cl_tpm
{
    const struct cl_tpm_platform *p;
    unsigned int locality;
    enum cl_tpm_state state;
    enum cl_tpm_state failed_in;
    int result;           /* what poll says once the machine is idle         */
    bool crb;             /* or FIFO                                         */
    bool hold;            /* keep the locality after this command            */
    bool held;            /* ... has been kept since the last one            */
    bool asked;           /* requestUse, the second commandReady, or goIdle
                             after an abort, is out                          */
    uint64_t now;         /* clock, read once for each poll                  */
    uint64_t since;       /* entry to the state                              */
    uint64_t mark;        /* last time that the FIFO, or another locality
                             that has the TPM, moved                         */
    uint32_t status;      /* of the latter                                   */
    unsigned int seized;  /* how often, since init                           */
    uint64_t duration_us; /* allowed for the command                         */
    unsigned int budget;  /* FIFO bytes left for this poll                   */
    size_t len;           /* command bytes in buf, then response bytes due   */
    size_t off;           /* of those, done                                  */
    size_t rsp_len;
    uint8_t buf[CL_TPM_BUF_SIZE];
};

/*
 * Makes *t an idle machine.  Does not touch the device; see cl_tpm_probe().
 * *p must outlive *t.  -EINVAL: localities 0 to 2 are for software.
 */
int cl_tpm_init(struct cl_tpm *t, const struct cl_tpm_platform *p,
                unsigned int locality);

/* The same for a CRB. */
int cl_tpm_init_crb(struct cl_tpm *t, const struct cl_tpm_platform *p,
                    unsigned int locality);

/*
 * Queues a command; the bytes are copied.  Does not touch the device either.
 *
 * 0        poll from now on;
 * -EBUSY   one is under way, which goes on undisturbed;
 * -EINVAL  not a command: shorter than a header, longer than buf, or its
 *          commandSize is not len.
 */
int cl_tpm_start(struct cl_tpm *t, const uint8_t *cmd, size_t len);

/*
 * After cl_tpm_start(), before the first poll: whether the locality is kept
 * once there is a response, whatever it says.  The next command then starts
 * without anybody else having had a turn, or ends with -EIO.  After an error
 * nothing is kept.  A response that asks for the command again (TPM_RC_RETRY,
 * YIELDED, TESTING) leaves what was kept, even if it was to be given up.
 * Others wait meanwhile: keep it for short sequences only, and let the last
 * command give it up, or cl_tpm_let_go(), which does not wait for its end.
 */
void cl_tpm_hold(struct cl_tpm *t, bool hold);
void cl_tpm_let_go(struct cl_tpm *t);

/*
 * Goes as far as it can without waiting.
 *
 * -EINPROGRESS  call again;
 * 0             the response is in buf, rsp_len bytes, of which the header's
 *               responseSize is rsp_len; nothing else has been checked;
 * -ENODEV       registers read as ones: absent;
 * -ETIMEDOUT    a wait ended; cl_tpm_where() says which;
 * -EBADMSG      responseSize is no size of a response that fits in buf, or the
 *               response is shorter or longer than that;
 * -EIO          the device lost bytes or gained some (Expect), or the locality
 *               has been taken away in the middle (also by the chipset);
 * -ENODATA      nothing has ever been started.
 *
 * After an error rsp_len is 0, buf is zeroed, and cl_tpm_start() starts again
 * from the beginning.  The final value is returned again until it does.
 *
 * One thing cannot be undone: when the device has not answered a Seize or an
 * abort in time, it may make this locality active later, and other localities
 * are locked out until the next command here takes and gives it up.
 */
int cl_tpm_poll(struct cl_tpm *t);

/* What it waits for, or after an error waited for.  For log lines. */
const char *cl_tpm_where(const struct cl_tpm *t);

/*
 * Zeroes buf: a response may be a secret.  The machine must be idle, or never be
 * polled again.
 */
void cl_tpm_wipe(struct cl_tpm *t);

/*
 * ---- Commands (TPM 2.0 Library, Part 3) ----
 *
 * The _cmd functions write a command and return its length, 0 if cap is too
 * small; then no byte of the command is left in buf.
 *
 * The _rsp functions accept len bytes of which nothing is known.
 *
 * 0          TPM_RC_SUCCESS, and the parameters are well-formed;
 * -EAGAIN    TPM_RC_RETRY, _YIELDED or _TESTING: send the command again;
 * -ENOTCONN  TPM_RC_INITIALIZE: send TPM2_Startup first;
 * -EIO       any other response code; cl_tpm2_rc() has it;
 * -EBADMSG   not a response to that command.
 */
#define CL_TPM2_RC_SUCCESS 0x000u
#define CL_TPM2_RC_INITIALIZE 0x100u /* no TPM2_Startup, or one already */
#define CL_TPM2_RC_FAILURE 0x101u    /* the TPM is in failure mode      */
#define CL_TPM2_RC_YIELDED 0x908u
#define CL_TPM2_RC_TESTING 0x90Au
#define CL_TPM2_RC_RETRY 0x922u
#define CL_TPM2_RC_NONE 0xFFFFFFFFu /* ours: too short to hold one */

#define CL_TPM2_STARTUP_SIZE 12u
#define CL_TPM2_GETRANDOM_SIZE 12u

/* The response code as the TPM sent it. */
uint32_t cl_tpm2_rc(const uint8_t *rsp, size_t len);

/*
 * How long the transport lets a command run: PTP 1.05 6.5.1.3 gives the
 * typical durations, these are bounds with room for an emulated TPM that has
 * to wait for a CPU.  They cost nothing but patience.
 */
uint64_t cl_tpm2_duration_us(const uint8_t *cmd, size_t len);

/* TPM2_Startup(TPM_SU_CLEAR), Part 3, 9.3.  Started already is success. */
size_t cl_tpm2_startup_cmd(uint8_t *buf, size_t cap);
int cl_tpm2_startup_rsp(const uint8_t *rsp, size_t len);

/*
 * TPM2_GetRandom, Part 3, 16.1.  A TPM may return fewer bytes than asked for
 * (at most its largest digest), so the caller asks again for the rest; a
 * response without a single byte, or with more than want, is -EBADMSG, so such
 * a loop ends.  *got is the number of bytes in out, 0 on any error; then out
 * is unchanged.
 */
size_t cl_tpm2_getrandom_cmd(uint8_t *buf, size_t cap, uint16_t bytes);
int cl_tpm2_getrandom_rsp(const uint8_t *rsp, size_t len, uint8_t *out,
                          size_t want, size_t *got);

#ifdef __CPROVER
#include <cloister/tpm_contract.h>
#endif

#endif /* CLOISTER_TPM_H */
