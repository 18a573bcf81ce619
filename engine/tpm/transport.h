/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the two interfaces of a TPM (tis.c, crb.c) have in common: a command
 * passes through the states of enum cl_tpm_state, step by step (transport.c).
 */
#ifndef CLOISTER_TPM_TRANSPORT_H
#define CLOISTER_TPM_TRANSPORT_H

#include <cloister/tpm.h>

/* Localities 3 and 4 belong to the chipset and to code it has measured. */
#define LAST_LOCALITY 2u

/* What a step returns; errors are negative. */
#define WAIT 0
#define NEXT 1

/* No step makes more than four accesses, FIFO bytes aside. */
#define POLL_STEPS ((CL_TPM_POLL_ACCESSES - CL_TPM_POLL_BURST) / 4)

static inline uint32_t reg(unsigned int locality, uint32_t offset)
{
    return locality << 12 | offset;
}

static inline void enter(struct cl_tpm *t, enum cl_tpm_state state)
{
    t->state = state;
    t->since = t->mark = t->now;
    t->asked = false;
}

static inline bool past(const struct cl_tpm *t, uint64_t since,
                        uint64_t limit_us)
{
    return t->now - since >= limit_us;
}

/* The condition has been looked at just now, however late this poll is. */
static inline int wait_from(const struct cl_tpm *t, uint64_t since,
                            uint64_t limit_us)
{
    return past(t, since, limit_us) ? -ETIMEDOUT : WAIT;
}

static inline int wait_for(const struct cl_tpm *t, uint64_t limit_us)
{
    return wait_from(t, t->since, limit_us);
}

/* Bytes have passed between buf and the device. */
static inline void moved(struct cl_tpm *t, size_t n)
{
    t->off += n;
    t->budget -= (unsigned int)n;
    t->mark = t->now;
}

/*
 * Is it time to seize?  status: a register of locality 0 that changes while
 * that is at work.
 */
static inline bool has_waited(struct cl_tpm *t, uint32_t status)
{
    if ( status != t->status )
        t->mark = t->now;
    t->status = status;

    return past(t, t->mark, CL_TPM_SEIZE_US) ||
           past(t, t->since, CL_TPM_SEIZE_MOST_US);
}

/*
 * The header has been received: from here on len is what the device says, but
 * within buf.  0 or -EBADMSG.
 */
int cl_tpm_header_received(struct cl_tpm *t);

/* The response is complete: the locality is held or given up. */
void cl_tpm_complete(struct cl_tpm *t);

/* Each interface: the next step, an abort, the end of the locality's use. */
int cl_tis_step(struct cl_tpm *t);
void cl_tis_abort(struct cl_tpm *t);
void cl_tis_relinquish(struct cl_tpm *t);

int cl_crb_step(struct cl_tpm *t);
void cl_crb_abort(struct cl_tpm *t);
void cl_crb_relinquish(struct cl_tpm *t);

#endif /* CLOISTER_TPM_TRANSPORT_H */
