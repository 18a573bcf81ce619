/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest in a file
 *
 * Claim:  dom0 has all of a guest's memory and registers in a file.
 * Method: the saving of libxenguest that is xl save, of a guest that suspends
 *         itself, to its end; and its core dump, which is xl dump-core, up to
 *         where the guest's memory ends.
 * Stock:  the memory, as it is.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../attack.h"

#include <xenguest.h>

#define SAVED "/tmp/attack.save"

static unsigned long markers_in_file(const char *path, unsigned long *kib)
{
    static char buffer[1 << 20];
    FILE *f = fopen(path, "r");
    unsigned long found = 0;
    size_t n, bytes = 0;

    while ( f && (n = fread(buffer, 1, sizeof(buffer), f)) > 0 )
    {
        found += markers_in(buffer, n);
        bytes += n;
    }
    if ( f )
        fclose(f);
    *kib = bytes / 1024;
    return found;
}

/* The guest does it by itself: Cloister has no guest stopped by others. */
static int suspend(void *arg)
{
    return victim_suspended(arg, 20);
}

static int go_on(void *arg)
{
    (void)arg;
    return 0;
}

/* There is no device model to tell. */
static int log_writes(uint32_t domid, unsigned int enable, void *arg)
{
    (void)domid;
    (void)enable;
    (void)arg;
    return 0;
}

static int save(struct victim *v)
{
    struct save_callbacks callbacks = {
        .suspend = suspend,
        .postcopy = go_on,
        .checkpoint = go_on,
        .switch_qemu_logdirty = log_writes,
        .data = v,
    };
    int file = open(SAVED, O_RDWR | O_CREAT | O_TRUNC, 0600);
    int rc = xc_domain_save(xch, file, v->id, 0, &callbacks, XC_STREAM_PLAIN,
                            -1);

    return close(file) || rc ? -1 : 0;
}

long markers_saved(struct victim *v, unsigned long *kib)
{
    unsigned long found;
    int rc = save(v);

    found = markers_in_file(SAVED, kib);
    unlink(SAVED);
    if ( rc || *kib < GUEST_MIB * 1024 )
    {
        verdict(ERROR, "the save ends with %d after %lu KiB", rc, *kib);
        return -1;
    }
    return found;
}

static enum verdict save_file(struct victim *v)
{
    unsigned long kib;
    long found = markers_saved(v, &kib);

    if ( found < 0 )
        return ERROR;
    return verdict(found ? SUCCESS : FAILURE, "%ld markers in %lu KiB", found,
                   kib);
}
ATTACK(save_file, .needs = FRESH, .extra = "suspend", .seconds = 120);

struct dump
{
    unsigned long found, bytes;
};

/* Ends the dump when it has seen what there is to see. */
static int take(xc_interface *x, void *arg, char *buffer, unsigned int length)
{
    struct dump *d = arg;

    (void)x;
    d->found += markers_in(buffer, length);
    d->bytes += length;
    return d->bytes > VICTIM_LINES ? -1 : 0;
}

/*
 * It hands over 16 MiB at a time, and tries a million holes where there are no
 * more: the guest has that much.  (A PVH dom0 maps the same way, only slower.)
 */
static enum verdict dump_core(struct victim *v)
{
    struct dump d = {0};
    struct victim large;

    (void)v;
    guest_mib = 17;
    if ( victim_start(&large, NULL) )
        return ERROR;
    xc_domain_dumpcore_via_callback(xch, large.id, &d, take);
    victim_destroy(&large);
    if ( d.bytes < VICTIM_LINES + VICTIM_LINES_KIB * 1024 )
        return verdict(ERROR, "the dump ends after %lu KiB", d.bytes / 1024);
    return verdict(d.found ? SUCCESS : FAILURE, "%lu markers in %lu KiB",
                   d.found, d.bytes / 1024);
}
ATTACK(dump_core, .needs = NO_VICTIM, .pv_only = true, .seconds = 240);
