/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_page_expect(): what the record says of the page, or nothing changed.
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
    uint64_t gfn, version;
    const uint8_t *tag;

    any_cipher();
    cl_page_expect(vm, p, gfn, version, tag);
}
