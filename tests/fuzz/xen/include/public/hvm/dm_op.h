/* SPDX-License-Identifier: GPL-2.0-only */
#include_next <xen/hvm/dm_op.h>
