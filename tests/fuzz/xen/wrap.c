/* SPDX-License-Identifier: GPL-2.0-only */
/* The port's wrap.c, which shows the secret that nobody else may see. */
#include "../../../xen/overlay/xen/arch/x86/cloister/wrap.c"

const uint8_t *fake_boot_secret(void)
{
    return boot_secret;
}
