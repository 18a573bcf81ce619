/* SPDX-License-Identifier: BSD-2-Clause */
/* A PVH guest's start info; see startinfo.h. */
#include <string.h>

#include "startinfo.h"

#define MAGIC 0x336ec578u /* "xEn3" with the high bit of the E set */
#define PAGE 4096u

/* Xen's struct hvm_start_info, version 1, and hvm_modlist_entry. */
struct raw_start_info
{
    uint32_t magic, version, flags, nr_modules;
    uint64_t modlist, cmdline, rsdp, memmap;
    uint32_t memmap_entries, reserved;
};

struct raw_module
{
    uint64_t paddr, size, cmdline, reserved;
};

/* The page's offset of an address, or PAGE if it is not in it. */
static uint64_t within(const struct evitem *item, uint64_t addr)
{
    uint64_t base = item->head.first * PAGE;

    return addr >= base && addr - base < PAGE ? addr - base : PAGE;
}

static void copy_text(char *out, size_t size, const uint8_t *from, size_t n)
{
    size_t i;

    for ( i = 0; i + 1 < size && i < n && from[i]; i++ )
        out[i] = from[i] >= 0x20 && from[i] < 0x7f ? (char)from[i] : '?';
    out[i] = '\0';
}

/* It stands where the page's vCPU was pointed to; libxc puts it at its start.
 */
bool start_info_parse(const struct evitem *item, struct start_info *out)
{
    struct raw_start_info raw;
    struct raw_module module;
    uint64_t at;

    *out = (struct start_info){0};
    if ( item->head.length != PAGE )
        return false;
    memcpy(&raw, item->data, sizeof(raw));
    if ( raw.magic != MAGIC )
        return false;

    at = within(item, raw.cmdline);
    copy_text(out->cmdline, sizeof(out->cmdline), item->data + at, PAGE - at);

    at = within(item, raw.modlist);
    if ( raw.nr_modules && at <= PAGE - sizeof(module) )
    {
        memcpy(&module, item->data + at, sizeof(module));
        out->ramdisk = module.paddr;
        out->ramdisk_size = module.size;
    }

    return true;
}
