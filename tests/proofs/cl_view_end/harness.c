/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_view_end(): the newest view of this page, or nothing.
 *
 * Sources: smm/view.c
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
    const struct cl_view *v;

    cl_view_end(vm, p, v);
}
