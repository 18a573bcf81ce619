/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of cl_view_open(): writes to nothing but the page.
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
    const struct cl_view *v;
    const void *src;
    void *dst;

    any_cipher();
    cl_view_open(v, src, dst);
}
