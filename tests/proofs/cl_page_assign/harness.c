/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_page_assign(): valid to valid, or an error and nothing changed.
 *
 * Slow
 * Sources: smm/pages.c
 */
#include <errno.h>

#include <cloister/smm.h>
#include <cloister/tpm.h>

unsigned int cl_any;

void harness(void);
void harness(void)
{
    struct cl_vm *vm;
    struct cl_page *p;

    cl_page_assign(vm, p);
}
