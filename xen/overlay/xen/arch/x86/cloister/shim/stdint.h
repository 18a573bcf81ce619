/* SPDX-License-Identifier: GPL-2.0-only */
/* The engine includes <stdint.h>; inside Xen this is what it means. */
#include <xen/types.h>

#ifndef UINT32_MAX
#define UINT32_MAX ((uint32_t)-1)
#endif
#ifndef UINT64_MAX
#define UINT64_MAX ((uint64_t)-1)
#endif
