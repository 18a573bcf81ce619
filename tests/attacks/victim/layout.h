/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What attacks know of the victim: guest physical addresses, all of them
 * below its 8 MiB unless said otherwise.
 */
#ifndef VICTIM_LAYOUT_H
#define VICTIM_LAYOUT_H

#define VICTIM_RESET 0x000ff000   /* code for real mode, up to its reset */
#define VICTIM_HIJACK 0x00100010  /* who jumps here says HIJACKED */
#define VICTIM_COUNTER 0x001f0000 /* written and read back in each round */
#define VICTIM_LINES 0x00200000   /* the keeper's lines, VICTIM_LINES_KIB */
#define VICTIM_SPARE 0x00300000   /* nothing is kept here: up to 4 MiB */
#define VICTIM_SHARED 0x02000000  /* the shared page, behind all RAM */
#define VICTIM_GRANTS 0x02001000  /* first frame of the grant table */
#define VICTIM_MMIO 0xd0000000    /* nobody is there: all ones */
#define VICTIM_PORT 0x0300        /* the same, one byte of I/O space */

#define VICTIM_LINES_KIB 256
#define VICTIM_LINES_NR (VICTIM_LINES_KIB * 1024 / 64)

/* The four words of the keeper's marker: ESI, EDI, EBP hold the first three
   while the victim rests (EAX the fourth, mostly), CR2 the first, SYSENTER_EIP the second, and XMM0 to
   XMM7 the whole. */
#define VICTIM_WORDS 4

/* A bit in the shared page that nobody else uses: a port that never is. */
#define VICTIM_PENDING 1000

#endif /* VICTIM_LAYOUT_H */
