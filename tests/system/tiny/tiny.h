/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TINY_H
#define TINY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lines.h"

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
/* Hypercall NUMBER with up to three arguments: its result. */
long xen_call(unsigned int number, long a, long b, long c);
/* Let others run for MS milliseconds. */
void xen_sleep(unsigned int ms);
void xen_crash(void) __attribute__((__noreturn__));
/* As if the toolstack had asked; returns when the domain is resumed. */
void xen_suspend(void);
/* Grants dom0 the page, by the number REF.  false: Xen has no grant table. */
bool xen_grant(unsigned int ref, const void *page);
/* false: somebody has it mapped. */
bool xen_end_grant(unsigned int ref);
void xen_stop(void) __attribute__((__noreturn__));

/* print.c: to Xen's log; a line at a time. %u and %s only. */
void print(const char *format, ...);

/* lines.c: the keeper's lines (lab/keeper.c) */
void lines_fill(char *start, uint32_t count);
/* How many are not as they were. */
uint32_t lines_check(const char *start, uint32_t count);
/* How many there are, whatever follows the marker. */
uint32_t lines_count(const char *start, const char *end);

/* vectors.c: values in the vector registers, from now on */
void vectors_load(void);
uint32_t vectors_check(void);

#endif /* TINY_H */
