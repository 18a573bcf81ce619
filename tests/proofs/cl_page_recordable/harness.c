/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_page_recordable(): of the VM, closed and newer than what counts.
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
    const struct cl_vm *vm;
    const struct cl_page *p;

    any_cipher();
    cl_page_recordable(vm, p);
}
