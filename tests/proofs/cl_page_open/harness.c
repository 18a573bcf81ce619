/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_page_open(): private and no tag any more, or as it was.
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
    cl_page_open(vm, p, mem);
}
