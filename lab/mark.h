/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Marks in a program's run for whoever counts instructions from outside
 * (bench/guest/count.c).  To the processor a mark does nothing: it is a long
 * no-operation whose displacement, which nobody reads, is a signature and the
 * mark's number.
 */
#ifndef LAB_MARK_H
#define LAB_MARK_H

#define MARK_OPCODE     "\x0f\x1f\x80"          /* nopl disp32(%rax) */
#define MARK_SIGNATURE  0x4b524d00              /* lowest byte: number */

/* NUMBER is a constant, 0 to 255. */
#define MARK(number)                                    \
    asm volatile ( ".byte 0x0f, 0x1f, 0x80; .long %c0"  \
                   :: "i" (MARK_SIGNATURE | (number)) : "memory" )

#endif /* LAB_MARK_H */
