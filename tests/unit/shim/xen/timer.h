/* SPDX-License-Identifier: GPL-2.0-only */
/* See test_turns.c. */
