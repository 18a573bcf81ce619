/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_page_dirty(): nothing is on record of a page that was written to.
 *
 * Slow
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
    struct cl_page *p;

    any_cipher();
    cl_page_dirty(vm, p);
}
