/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VICTIM_H
#define VICTIM_H

#include <lines.h>
#include "tiny.h"
#include "layout.h"

/* main.c: the command line */
bool option(const char *name);
/* The number after NAME, 0 without. */
uint32_t number(const char *name);

/* cpu.c */
void cpu_init(void);
void interrupt(uint32_t *frame);
void cpuid(uint32_t leaf, uint32_t out[4]);
uint64_t tsc(void);
/* Rests for MS milliseconds with the secret in registers. */
void cpu_rest(unsigned int ms);
/* Suspends or ends the guest, the secret in registers. */
void cpu_shut_down(unsigned int reason);
/* Ends the guest by a triple fault, the secret in registers. */
void cpu_triple_fault(void) __attribute__((__noreturn__));
/* What the processor has to report: how many reports there were. */
unsigned int cpu_report(void);

/* watch.c: what the victim expects of its world */
void watch_init(void);
/* Says what is not as it was: how many things there were. */
unsigned int watch(void);
long memory_op(unsigned int cmd, void *arg);

/* The keeper's marker, word by word. */
void marker_words(uint32_t word[VICTIM_WORDS]);

#endif /* VICTIM_H */
