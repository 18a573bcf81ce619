/* SPDX-License-Identifier: GPL-2.0-only */
/* The engine includes <stdbool.h>; inside Xen this is what it means. */
#include <xen/stdbool.h>
