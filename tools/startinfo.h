/* SPDX-License-Identifier: BSD-2-Clause */
/* What a PVH guest's start info says (Xen's arch-x86/hvm/start_info.h). */
#ifndef CLOISTER_TOOLS_STARTINFO_H
#define CLOISTER_TOOLS_STARTINFO_H

#include "evlog.h"

struct start_info
{
    char cmdline[2048];             /* printable; "" if it has none */
    uint64_t ramdisk, ramdisk_size; /* bytes; 0: none */
};

/*
 * From the page in an item of the type start, of which nothing is believed.
 * false: it is none.
 */
bool start_info_parse(const struct evitem *item, struct start_info *out);

#endif /* CLOISTER_TOOLS_STARTINFO_H */
