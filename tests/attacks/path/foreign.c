/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest from a host that there never was
 *
 * Claim:  dom0 has a guest of its own making taken for somebody else's, or
 *         gets at another guest's key.
 * Method: dom0 makes a migration key, seals it to its own host and gives it to
 *         Xen (cloister allow), as an owner does.  Now it can make records of
 *         guests "from another host", and release their keys itself.  One with
 *         epoch 0: such a slot of the key table counts as free, and the next
 *         guest's key comes to stand in it.  One with a running guest's
 *         measurement and a log of dom0's own; and one with that guest's log,
 *         heads and all, of which only the command line is dom0's.  An honest
 *         record of the same making must be taken, else nothing is proved.
 * Stock:  there is nothing to attack: a guest is what dom0 says.
 */
#include <errno.h>
#include <string.h>

#include "../attack.h"
#include "../foreign.h"

static bool is_cloister(void)
{
    struct cloister_host host = {.revision = CLOISTER_ABI_REVISION};

    return !cloister_op(CLOISTER_OP_host, &host, sizeof(host));
}

/* An honest record is taken: 0, or -1 with a detail. */
static int control(void)
{
    static struct foreign honest = {.epoch = 1};
    long rc;

    if ( foreign_allow() )
        return -1;
    foreign_log_make(&honest.log);
    rc = foreign_arrives(&honest);
    if ( rc )
        verdict(ERROR, "an honest record is refused, too (%ld)", rc);
    return rc ? -1 : 0;
}

static enum verdict arrives(struct foreign *f)
{
    long rc = foreign_arrives(f);

    if ( !rc )
        return verdict(SUCCESS, "Xen takes the record");
    if ( rc == -EACCES && log_wait(f->at, "sealed record was changed", 2) )
        return verdict(FAILURE, "an honest record is taken, this one not");
    return verdict(ERROR, "refused (%ld), but not as forged", rc);
}

static enum verdict foreign_epoch(struct victim *v)
{
    static struct foreign f;

    (void)v;
    if ( !is_cloister() )
        return verdict(UNPROVEN, "no records in this Xen");
    if ( control() )
        return ERROR;
    foreign_log_make(&f.log);
    return arrives(&f);
}
ATTACK(foreign_epoch, .needs = NO_VICTIM, .seconds = 150);

static enum verdict foreign_measurement(struct victim *v)
{
    static struct foreign f = {.epoch = 1};
    static struct foreign_log theirs;

    if ( !is_cloister() )
        return verdict(UNPROVEN, "no measurement in this Xen");
    if ( control() )
        return ERROR;
    if ( foreign_log_read(v->id, &theirs) )
        return verdict(ERROR, "no log of the guest");
    foreign_log_make(&f.log);
    memcpy(f.log.measurement, theirs.measurement, sizeof(theirs.measurement));
    return arrives(&f);
}
ATTACK(foreign_measurement, .needs = SHARED, .seconds = 150);

static enum verdict foreign_data(struct victim *v)
{
    static struct foreign f = {.epoch = 1};

    if ( !is_cloister() )
        return verdict(UNPROVEN, "no launch log in this Xen");
    if ( control() )
        return ERROR;
    if ( foreign_log_read(v->id, &f.log) || foreign_log_name(&f.log) )
        return verdict(ERROR, "no log of the guest");
    return arrives(&f);
}
ATTACK(foreign_data, .needs = SHARED, .seconds = 150);
