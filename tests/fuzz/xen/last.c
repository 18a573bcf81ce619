/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of all variables: linked last (fake.h). */
uint8_t fake_last[8];
