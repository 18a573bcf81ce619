/* SPDX-License-Identifier: GPL-2.0-only */
/* The port's keys.c, with the processor's random numbers by fake_random(). */
#include "fake_host.h"

#define asm ok = fake_random(value, sizeof(*value)); if ( 0 ) __asm__
#include "../../../xen/overlay/xen/arch/x86/cloister/keys.c"
