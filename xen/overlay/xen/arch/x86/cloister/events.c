/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's event log (abi/evidence.h), and the two PCRs that vouch for it.
 *
 * Both are reset when Xen starts and can be reset later, from locality 2 only.
 * So whenever it is not sure what a PCR holds (a command failed half-way), or
 * the log has become too long and guests that are gone have been dropped from
 * it, it is played into them again from the beginning.
 *
 * PCR 22 then passes through what it was before guests have ended, and a quote
 * may be made at any moment.  So PCR 21 is reset before it and extended after it:
 * while PCR 22 is behind, PCR 21 is not what any complete log has, and nobody
 * believes either.
 *
 * A command may have failed because the TPM was reset alone, and the log must not
 * come back into it then.  After such a reset both PCRs are all ones, and but one
 * of them has met that command: so both are looked at before they are reset,
 * PCR 22 once PCR 21 has been.  Then the TPM's counts are asked for.  A reset
 * after that of PCR 21 leaves in it what no log has.
 */

#include <xen/err.h>
#include <xen/init.h>
#include <xen/version.h>
#include <xen/vmap.h>

#include <cloister/measure.h>
#include <cloister/tpm2.h>

#include "private.h"

#include "abi/evidence.h"

/* Some 2,000 launches; half of it at most are guests that run now. */
#define LOG_SIZE    KB(256)

static DEFINE_SPINLOCK(events_lock);
static struct cl_measure events;    /* its log is NULL: no events */
static uint64_t generation;         /* goes up when events were dropped */
static size_t guests_from;          /* offset: before it are PCR 21's events */

/* Offsets, each in its part of the log: so far the PCRs know of them. */
static size_t host_done, guests_done;
static size_t *sent_of;             /* the one that goes on after a command */

/* What is to be done before events are sent, the last first; 0: nothing. */
enum step {
    STEP_none, STEP_reset_launch, STEP_read_launch, STEP_reset_host,
    STEP_read_host,
};

/* The TPM's timer only, but for replay. */
static enum step step;
static enum step sent;              /* the one that is being done */
static bool begun;                  /* neither PCR is as the boot left it */
static bool spoiled;                /* PCR 21, for good */

static void replay(void)
{
    ASSERT(spin_is_locked(&events_lock));
    host_done = 0;
    guests_done = guests_from;
    step = STEP_read_host;
}

static size_t item_size(const struct cloister_item *item)
{
    return sizeof(*item) + ROUNDUP(item->length, 8);
}

static const struct cloister_item *item_at(size_t offset)
{
    return (const void *)(events.log + offset);
}

static unsigned int pcr_of(const struct cloister_item *item)
{
    return item->type < CLOISTER_ITEM_launch ? CLOISTER_PCR_HOST
                                             : CLOISTER_PCR_LAUNCH;
}

/* ---- The PCRs ----------------------------------------------------------- */

/* Of which part of the log the next event is, guests' first; NULL: of none. */
static size_t *next_part(void)
{
    if ( guests_done < events.used )
        return &guests_done;

    return host_done < guests_from ? &host_done : NULL;
}

static size_t step_cmd(uint8_t *buf, size_t cap)
{
    switch ( sent )
    {
    case STEP_read_host:
        return cl_tpm2_pcr_read_cmd(buf, cap, CLOISTER_PCR_HOST);
    case STEP_reset_host:
        return cl_tpm2_pcr_reset_cmd(buf, cap, CLOISTER_PCR_HOST);
    case STEP_read_launch:
        return cl_tpm2_pcr_read_cmd(buf, cap, CLOISTER_PCR_LAUNCH);
    case STEP_reset_launch:
        return cl_tpm2_pcr_reset_cmd(buf, cap, CLOISTER_PCR_LAUNCH);
    case STEP_none:
        break;
    }

    return 0;
}

static size_t extend_cmd(uint8_t *buf, size_t cap)
{
    uint8_t digest[CL_SHA256_SIZE];

    sent_of = next_part();
    if ( !sent_of )
        return 0;
    cl_measure_event(item_at(*sent_of), digest);

    return cl_tpm2_pcr_extend_cmd(buf, cap, pcr_of(item_at(*sent_of)), digest);
}

/*
 * After a reset of the TPM alone the PCRs of the firmware are anybody's, and
 * after TPM2_Clear, which looks the same, these two still vouch for a log to
 * which no end of a guest will be added: PCR 21 becomes what no log has.
 */
static size_t spoil_cmd(uint8_t *buf, size_t cap)
{
    sent = STEP_reset_host;

    return spoiled ? 0 : step_cmd(buf, cap);
}

static size_t cf_check events_cmd(uint8_t *buf, size_t cap, bool *hold)
{
    size_t len;

    if ( cloister_tpm_was_reset() )
        return spoil_cmd(buf, cap);
    spin_lock(&events_lock);
    sent = step;
    len = sent ? step_cmd(buf, cap) : extend_cmd(buf, cap);
    spin_unlock(&events_lock);

    return len;
}

/* No event makes ones of a PCR, nor does anybody else. */
static int read_rsp(const uint8_t *rsp, size_t len)
{
    uint8_t value[CL_TPM2_DIGEST];
    int rc = cl_tpm2_pcr_read_rsp(rsp, len, value);
    unsigned int i = 0;

    while ( !rc && i < sizeof(value) && value[i] == 0xff )
        i++;
    if ( i == sizeof(value) && begun )
        cloister_reset_found();

    return rc;
}

static void step_done(void)
{
    if ( sent == STEP_reset_launch )
    {
        begun = true;
        cloister_reset_soon();
    }
    /* Unless the log was to be played again while the command ran. */
    if ( step == sent )
        step--;
}

static void sent_done(int rc)
{
    /* -EAGAIN and -ENOTCONN: not done; any other error: perhaps done. */
    if ( rc && rc != -EAGAIN && rc != -ENOTCONN )
        replay();
    else if ( !rc && sent )
        step_done();
    else if ( !rc && !step )
        *sent_of += item_size(item_at(*sent_of));
}

static int cf_check events_rsp(const uint8_t *rsp, size_t len)
{
    int rc;

    if ( cloister_tpm_was_reset() )
    {
        rc = cl_tpm2_empty_rsp(rsp, len, true);
        spoiled = !rc;
        return rc;
    }
    rc = sent == STEP_read_host || sent == STEP_read_launch
             ? read_rsp(rsp, len) : cl_tpm2_empty_rsp(rsp, len, true);
    spin_lock(&events_lock);
    sent_done(rc);
    spin_unlock(&events_lock);

    return rc;
}

const struct cloister_tpm_work cloister_events_work = {
    .cmd = events_cmd,
    .rsp = events_rsp,
};

bool cloister_events_settled(void)
{
    bool settled;

    spin_lock(&events_lock);
    settled = !cloister_tpm_was_reset() && !step && !next_part();
    spin_unlock(&events_lock);

    return settled;
}

/* ---- The log ------------------------------------------------------------ */

/* Has this launch been followed by its end? */
static bool has_ended(size_t at, size_t used)
{
    const struct cloister_item *launch = item_at(at), *item;

    while ( (at += item_size(item_at(at))) < used )
    {
        item = item_at(at);
        if ( item->type == CLOISTER_ITEM_end &&
             !memcmp(item->digest, launch->digest, sizeof(item->digest)) )
            return true;
    }

    return false;
}

/* Drops guests that are gone. */
static void compact(void)
{
    size_t at, next, to = 0, used = events.used;

    for ( at = 0; at < used; at = next )
    {
        size_t size = item_size(item_at(at));

        next = at + size;
        if ( item_at(at)->type == CLOISTER_ITEM_end ||
             (item_at(at)->type == CLOISTER_ITEM_launch &&
              has_ended(at, used)) )
            continue;
        memmove(events.log + to, events.log + at, size);
        to += size;
    }
    events.used = to;
    generation++;
    replay();
}

static int add(uint16_t type, const void *data, size_t len)
{
    int rc;

    if ( !events.log )
        return -ENOMEM;

    rc = cl_measure_item(&events, type, 0, 0, data, len);
    if ( rc )
    {
        events.full = false;
        compact();
        rc = cl_measure_item(&events, type, 0, 0, data, len);
        events.full = false;
    }

    return rc;
}

static int add_launch(const struct domain *d, uint16_t type, uint64_t epoch)
{
    struct cloister_launch l = {
        .epoch = epoch,
        .domid = d->domain_id,
    };
    int rc;

    memcpy(l.uuid, d->handle, sizeof(l.uuid));
    memcpy(l.measurement, d->arch.cloister->measurement,
           sizeof(l.measurement));

    spin_lock(&events_lock);
    rc = add(type, &l, sizeof(l));
    spin_unlock(&events_lock);
    cloister_tpm_kick();

    return rc;
}

int cloister_event_launch(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    int rc;

    if ( cd->launch_epoch )
        return 0;

    rc = add_launch(d, CLOISTER_ITEM_launch, cd->vm.key->epoch);
    if ( !rc )
        cd->launch_epoch = cd->vm.key->epoch;

    return rc;
}

/*
 * The handle may have been changed by the toolstack since; an end that matches
 * no launch only keeps that in the log.
 */
void cloister_event_end(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;

    if ( !cd->launch_epoch )
        return;
    add_launch(d, CLOISTER_ITEM_end, cd->launch_epoch);
    cd->launch_epoch = 0;
}

int cloister_events_read(uint64_t offset, uint8_t *out, uint32_t *len,
                         uint64_t *total, uint64_t *gen)
{
    spin_lock(&events_lock);
    *total = events.used;
    *gen = generation;
    *len = offset < events.used ? min(events.used - offset, 0UL + *len) : 0;
    if ( *len )
        memcpy(out, events.log + offset, *len);
    spin_unlock(&events_lock);

    return 0;
}

static void __init add_host(void)
{
    const struct cloister_host_policy policy = {
        .revision = CLOISTER_LOG_REVISION,
        .mode = cloister_mode,
        .unsafe = cloister_unsafe_lab,
        .pcrs = cloister_key_pcrs,
    };
    const char *cmdline = xen_commandline();
    const void *id;
    unsigned int len;

    if ( xen_build_id(&id, &len) )
        len = 0;
    add(CLOISTER_ITEM_build, id, len);
    add(CLOISTER_ITEM_cmdline, cmdline, strlen(cmdline));
    add(CLOISTER_ITEM_policy, &policy, sizeof(policy));
    guests_from = events.used;
}

int __init cloister_events_init(void)
{
    void *log = vzalloc(LOG_SIZE);

    if ( !log )
        return -ENOMEM;

    spin_lock(&events_lock);
    cl_measure_init(&events, log, LOG_SIZE);
    add_host();
    replay();
    spin_unlock(&events_lock);
    cloister_tpm_kick();

    return 0;
}
