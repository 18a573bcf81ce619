/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Erasing secrets.
 */
#ifndef CLOISTER_WIPE_H
#define CLOISTER_WIPE_H

#include <stddef.h>
#include <string.h>

/*
 * Zero the `len` bytes at `p`, also when nothing reads them afterwards. The
 * empty asm takes the address and claims to read memory, so that no compiler
 * may drop the memset() as a dead store. It erases this copy only: what the
 * compiler has spilled elsewhere or kept in registers is the caller's affair.
 */
static inline void cl_wipe(void *p, size_t len)
{
    memset(p, 0, len);
    __asm__ __volatile__ ( "" : : "r" (p) : "memory" );
}

#endif /* CLOISTER_WIPE_H */
