/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TINY_H
#define TINY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE 64

/* Xen's public/hvm/start_info.h, which no Debian package has */
struct pvh_start {
    uint32_t magic, version, flags, modules;
    uint64_t module_list, command_line, rsdp;
    uint64_t memory_map;        /* address */
    uint32_t memory_map_count, reserved;
};

struct memory_map_entry {
    uint64_t address, size;
    uint32_t type, reserved;
};
#define MEMORY_RAM 1

/* xen.c: what Xen offers */
void xen_init(void);
/* Let others run for MS milliseconds. */
void xen_sleep(unsigned int ms);
void xen_crash(void) __attribute__((__noreturn__));
void xen_stop(void) __attribute__((__noreturn__));

/* print.c: to Xen's log; a line at a time. %u and %s only. */
void print(const char *format, ...);

/* lines.c: the keeper's lines (lab/keeper.c) */
void lines_fill(char *start, uint32_t count);
/* How many are not as they were. */
uint32_t lines_check(const char *start, uint32_t count);
/* How many there are, whatever follows the marker. */
uint32_t lines_count(const char *start, const char *end);

#endif /* TINY_H */
