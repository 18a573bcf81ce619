/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory after a reset that Xen does not see (a watchdog's, a BMC's): the
 * firmware is asked to clear it before anyone boots.  The variable, whose
 * default is "no", stays set until the firmware has done so (TCG Platform Reset
 * Attack Mitigation 1.10, 4); dom0 may not set it (policy.c).
 */

#include <xen/efi.h>

#include "private.h"

/* In a Xen without EFI. */
int __weak efi_request_overwrite(void)
{
    return -EOPNOTSUPP;
}

void cloister_request_overwrite(void)
{
    static bool asked;
    int rc;

    if ( asked )
        return;

    asked = true;
    rc = efi_enabled(EFI_RS) ? efi_request_overwrite() : -EOPNOTSUPP;
    printk(XENLOG_INFO "Cloister: the firmware %s memory at the next boot\n",
           rc ? "is not known to clear" : "has been asked to clear");
}
