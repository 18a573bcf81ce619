/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * earlysecret DOMID <BLOB: a guest's secret, before it is that guest.
 *
 * Claim:  a secret for a guest with one measurement does not come to a guest
 *         that dom0 builds of something else.
 * Method: brings the secret while the guest, which is paused, is being sealed:
 *         it has been measured, and waits for the TPM.  Then has the seal
 *         refused (log-dirty), so that memory is dom0's again, the secret in
 *         place.  A first seal is for the TPM to open the secret in.
 * Stock:  nothing of this.
 *
 * Prints "given 1" if the guest has the secret and is not sealed, else 0.
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

#define TPM_SECONDS 10          /* to open the secret in */

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
    secret->length = (uint32_t)fread(secret->blob, 1, sizeof(secret->blob),
                                     stdin);
}

static int bring(void)
{
    return xencall2(call, CLOISTER_HYPERCALL, CLOISTER_OP_provision,
                    (unsigned long)secret) ? errno : 0;
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

/*
 * Brings the secret until Xen says WANTED, then has the seal refused.  Has Xen
 * said so, and was it refused?
 */
static bool try(int wanted)
{
    pthread_t thread;
    bool said = false;

    seal.over = false;
    if ( pthread_create(&thread, NULL, run_guest, NULL) )
        fail("no thread");
    while ( !said && !__atomic_load_n(&seal.over, __ATOMIC_ACQUIRE) )
        said = bring() == wanted;
    if ( said )
        log_dirty(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY);
    pthread_join(thread, NULL);
    log_dirty(XEN_DOMCTL_SHADOW_OP_OFF);

    return said && !seal.sealed;
}

int main(int argc, char *argv[])
{
    bool given;

    if ( argc != 2 )
    {
        fprintf(stderr, "usage: earlysecret DOMID <BLOB\n");
        return 2;
    }
    get_ready(argv[1]);

    given = try(EAGAIN);
    if ( given )
    {
        sleep(TPM_SECONDS);
        given = try(0);
    }
    printf("given %d\n", given);
    printf("sealed %d\n", seal.sealed);

    return 0;
}
