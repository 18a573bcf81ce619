/* SPDX-License-Identifier: BSD-2-Clause */
/* Xen's locks, for files of the port that one thread tests. */
#ifndef CLOISTER_TEST_PORT_LOCKS_H
#define CLOISTER_TEST_PORT_LOCKS_H

typedef int spinlock_t;

#define DEFINE_SPINLOCK(l) spinlock_t l
#define spin_lock(l) ((*(l))++)
#define spin_unlock(l) ((*(l))--)
#define spin_is_locked(l) (*(l))
#define ASSERT(x) ((x) ? (void)0 : abort())

#endif /* CLOISTER_TEST_PORT_LOCKS_H */
