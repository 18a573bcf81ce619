/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_vm_track(): a moment between all views before and all after.
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
    struct cl_vm *vm;
    bool tracked;

    any_cipher();
    cl_vm_track(vm, tracked);
}
