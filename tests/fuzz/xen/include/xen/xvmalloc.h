/* SPDX-License-Identifier: GPL-2.0-only */
/* Xen as far as it is needed: fake.h. */
