/* SPDX-License-Identifier: BSD-2-Clause */
/* The HVM context of a guest that has not run yet. */
#ifndef CLOISTER_EXPECT_STATES_H
#define CLOISTER_EXPECT_STATES_H

#include <cloister/measure.h>

/* Appends the state items that Xen would write for the fake guest. */
void fake_states(struct cl_measure *m);

#endif /* CLOISTER_EXPECT_STATES_H */
