/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TPM 2.0 behind a FIFO interface (PTP 1.05, 6.5.2), with a virtual clock,
 * other localities and faults; and a judge of whoever drives it.
 *
 * Where the specification leaves room it does as QEMU's tpm-tis: commandReady
 * comes without stsValid, a status that is not of the active locality reads as
 * ones, the highest locality that asks is next, burstCount is what is left of
 * the buffer (unless burst_max says less).
 */
#ifndef MODEL_TIS_H
#define MODEL_TIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cloister/tpm.h>

#define MODEL_NOBODY 0xFFu
#define MODEL_FOREVER UINT64_MAX

/* Faults; each lasts until it is taken away. */
#define MF_ABSENT (1u << 0)        /* every register reads as ones        */
#define MF_ZEROS (1u << 1)         /* as zeros: QEMU, backend lost        */
#define MF_NO_REG_VALID (1u << 2)  /* tpmRegValidSts never                */
#define MF_DEAF (1u << 3)          /* requestUse is not even recorded     */
#define MF_NO_GRANT (1u << 4)      /* recorded, and so is Seize: no grant */
#define MF_NO_READY (1u << 5)      /* commandReady never                  */
#define MF_READY_TWICE (1u << 6)   /* at the second write only            */
#define MF_SEND_NO_BURST (1u << 7) /* burstCount 0 while sending          */
#define MF_SEND_NO_VALID (1u << 8) /* stsValid never while sending        */
#define MF_SEND_FULL (1u << 9)     /* Expect clears at the third byte     */
#define MF_EXPECT_STUCK (1u << 10) /* Expect stays after the last byte    */
#define MF_EXEC_HANG (1u << 11)    /* dataAvail never                     */
#define MF_RECV_NO_BURST (1u << 12)
#define MF_RECV_NO_VALID (1u << 13)
#define MF_DRAIN_NO_VALID (1u << 14)
#define MF_ABORT_HANG (1u << 15)   /* commandReady while executing: none  */
#define MF_RELEASE_HANG (1u << 16) /* activeLocality never clears         */
#define MF_TRICKLE (1u << 17)      /* one byte for each 150 ms            */
#define MF_SENT_NO_VALID (1u << 18)

enum model_state
{
    MODEL_IDLE,
    MODEL_READY,
    MODEL_RECEPTION,
    MODEL_EXECUTION,
    MODEL_COMPLETION,
};

struct model_tis
{
    uint64_t now;

    /* To be set by the test. */
    uint32_t faults;
    unsigned int burst_max;  /* 0: QEMU's                                 */
    uint64_t exec_us;        /* how long a command runs                   */
    uint64_t other_until;    /* locality 0 is active until then           */
    bool other_stirs;        /* its status changes while it is            */
    unsigned int digest_max; /* GetRandom returns no more at a time       */
    bool started;
    uint32_t force_rc;   /* every command fails with this             */
    uint32_t force_size; /* responseSize says this                    */
    size_t cut;          /* response bytes missing at the end         */
    size_t extra;        /* too many                                  */
    /* Once state is at_state and at_bytes have passed the FIFO in it: */
    enum model_state at_state;
    size_t at_bytes;
    uint32_t at_faults;  /* these begin                           */
    bool at_lose;        /* locality 4 seizes                     */
    unsigned int driver; /* the locality of whoever is judged, 2 */
    uint32_t did_vid, interface_id, capability;

    /* To be looked at. */
    unsigned int accesses; /* since the test cleared it */
    unsigned int commands; /* executed                  */
    unsigned int seized;
    size_t taken; /* bytes of the last response */
    unsigned int violations;
    const char *violation;

    /* Its own. */
    unsigned int active;
    bool request[5], been_seized[5];
    enum model_state state;
    bool ready_bit, ready_once, relinquish_seen;
    uint64_t done_at, moved_at;
    size_t allowed; /* FIFO bytes that the last status allows */
    size_t in_len, out_len, out_off;
    uint8_t in[CL_TPM_BUF_SIZE], out[2 * CL_TPM_BUF_SIZE];
};

/* Healthy, idle, started; p speaks to it. */
void model_init(struct model_tis *m, struct cl_tpm_platform *p);

/* Healthy again, without a memory of what was going on. */
void model_heal(struct model_tis *m);

/* Byte i of what its GetRandom returns. */
uint8_t model_random(size_t i);

#endif /* MODEL_TIS_H */
