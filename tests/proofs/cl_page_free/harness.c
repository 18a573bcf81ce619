/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_page_free(): never free and not wiped.
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
    void *mem;
    unsigned int any;

    cl_any = any;   /* static: CBMC would take it to be 0 */
    cl_page_free(vm, p, mem);
}
