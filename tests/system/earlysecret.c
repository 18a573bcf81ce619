/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * earlysecret DOMID: a secret for a guest that is not that guest yet.
 *
 * Claim:  Xen takes a secret for a guest that is sealed, and for no other: else
 *         dom0 could have the seal fail, and build another guest in its place.
 * Method: brings one again and again while a guest that is paused is sealed: it
 *         has been measured, and waits for the TPM.  When Xen looks at the
 *         secret (which is none: EBADMSG) has the seal refused (log-dirty), so
 *         that the memory is dom0's again.  Wants two processors.
 * Stock:  nothing of this.
 *
 * Prints "taken 1" if Xen has looked, and the guest is not sealed; and whether
 * it is.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xencall.h>
#include <xenctrl.h>

#include "abi/hypercall.h"

static xc_interface *xch;
static xencall_handle *call;
static struct cloister_provision *secret;
static uint32_t guest;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void get_ready(const char *domid)
{
    xch = xc_interface_open(NULL, NULL, 0);
    call = xencall_open(NULL, 0);
    if ( !xch || !call )
        fail("no Xen");
    secret = xencall_alloc_buffer(call, sizeof(*secret));
    if ( !secret )
        fail("no buffer");

    guest = (uint32_t)atoi(domid);
    memset(secret, 0, sizeof(*secret));
    secret->revision = CLOISTER_ABI_REVISION;
    secret->domid = (uint16_t)guest;
    secret->length = sizeof(secret->blob);
}

/* Has Xen looked at it? */
static bool bring(void)
{
    return xencall2(call, CLOISTER_HYPERCALL, CLOISTER_OP_provision,
                    (unsigned long)secret) && errno == EBADMSG;
}

static void log_dirty(unsigned int op)
{
    xc_shadow_control(xch, guest, op, NULL, 0);
}

static struct
{
    bool over, sealed;
} seal;

static void *run_guest(void *unused)
{
    seal.sealed = !xc_domain_unpause(xch, guest);
    __atomic_store_n(&seal.over, true, __ATOMIC_RELEASE);

    return unused;
}

int main(int argc, char *argv[])
{
    pthread_t thread;
    bool looked = false;

    if ( argc != 2 )
    {
        fprintf(stderr, "usage: earlysecret DOMID\n");
        return 2;
    }
    get_ready(argv[1]);

    if ( pthread_create(&thread, NULL, run_guest, NULL) )
        fail("no thread");
    while ( !looked && !__atomic_load_n(&seal.over, __ATOMIC_ACQUIRE) )
        looked = bring();
    if ( looked )
        log_dirty(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY);
    pthread_join(thread, NULL);
    log_dirty(XEN_DOMCTL_SHADOW_OP_OFF);

    printf("taken %d\n", looked && !seal.sealed);
    printf("sealed %d\n", seal.sealed);

    return 0;
}
