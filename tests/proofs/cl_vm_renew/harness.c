/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_vm_renew(): an epoch of its own for a key that is there.
 *
 * Sources: smm/pages.c smm/view.c
 * Flags: --unwind 17
 */
#include <errno.h>

#include <cloister/smm.h>

#include "../cipher.h"

void harness(void);
void harness(void)
{
    struct cl_key_table *t;
    struct cl_vm *vm;

    any_cipher();
    cl_vm_renew(t, vm);
}
