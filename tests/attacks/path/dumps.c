/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: a guest in a file
 *
 * Claim:  dom0 has all of a guest's memory and registers in a file.
 * Method: the saving of libxenguest that is xl save (the guest goes on), and
 *         its core dump, which is xl dump-core, up to where the guest's memory
 *         ends.
 * Stock:  the memory, as it is.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../attack.h"

#include <xenguest.h>

#define SAVED "/tmp/attack.save"

static unsigned long markers_in_file(const char *path)
{
    static char buffer[1 << 20];
    FILE *f = fopen(path, "r");
    unsigned long found = 0;
    size_t n;

    while ( f && (n = fread(buffer, 1, sizeof(buffer), f)) > 0 )
        found += markers_in(buffer, n);
    if ( f )
        fclose(f);
    return found;
}

/* The guest is told nothing: it is stopped where it stands. */
static int suspend(void *arg)
{
    struct victim *v = arg;

    xc_domain_shutdown(xch, v->id, SHUTDOWN_suspend);
    return victim_suspended(v, 5);
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

unsigned long markers_saved(struct victim *v)
{
    struct save_callbacks callbacks = {
        .suspend = suspend,
        .postcopy = go_on,
        .checkpoint = go_on,
        .switch_qemu_logdirty = log_writes,
        .data = v,
    };
    int file = open(SAVED, O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct xen_domctl op = {0};
    unsigned long found;

    xc_domain_save(xch, file, v->id, 0, &callbacks, XC_STREAM_PLAIN, -1);
    close(file);
    domctl(v->id, XEN_DOMCTL_resumedomain, &op);
    found = markers_in_file(SAVED);
    unlink(SAVED);
    return found;
}

static enum verdict save_file(struct victim *v)
{
    unsigned long found = markers_saved(v);

    return verdict(found ? SUCCESS : FAILURE, "%lu markers in the file",
                   found);
}
ATTACK(save_file, .needs = SHARED, .seconds = 120);

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
    return verdict(d.found ? SUCCESS : FAILURE, "%lu markers in %lu KiB",
                   d.found, d.bytes / 1024);
}
ATTACK(dump_core, .needs = NO_VICTIM, .pv_only = true, .seconds = 240);
