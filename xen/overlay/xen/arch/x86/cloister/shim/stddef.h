/* SPDX-License-Identifier: GPL-2.0-only */
/* The engine includes <stddef.h>; inside Xen this is what it means. */
#include <xen/types.h>
