/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_page_rest(): a version that no view has, or nothing changed.
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
    void *mem;

    any_cipher();
    cl_page_rest(vm, p, mem);
}
