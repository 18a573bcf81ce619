/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xen's locks, for files of the port that one thread tests: nobody else gives
 * back what this thread waits for, so who takes a lock twice has failed.
 */
#ifndef CLOISTER_TEST_PORT_LOCKS_H
#define CLOISTER_TEST_PORT_LOCKS_H

#include <stdio.h>
#include <stdlib.h>

typedef int spinlock_t;

static inline void lock_check(int good, const char *what, int line)
{
    if ( good )
        return;
    fprintf(stderr, "FAIL lock: %s (line %d)\n", what, line);
    abort();
}

#define DEFINE_SPINLOCK(l) spinlock_t l
#define spin_lock(l) (lock_check(!*(l), "taken twice: " #l, __LINE__), (*(l))++)
#define spin_unlock(l) (lock_check(*(l), "not taken: " #l, __LINE__), (*(l))--)
#define spin_is_locked(l) (*(l))
#define ASSERT(x) lock_check(!!(x), #x, __LINE__)

#endif /* CLOISTER_TEST_PORT_LOCKS_H */
