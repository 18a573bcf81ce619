/* SPDX-License-Identifier: GPL-2.0-only */
/* The beginning of all variables: linked first (fake.h). */
uint8_t fake_first[8];
