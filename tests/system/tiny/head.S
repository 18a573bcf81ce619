/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a PVH guest starts: 32-bit protected mode, no paging, interrupts off,
 * %ebx has the address of the start info. It stays like that: 4 GiB are
 * enough.
 */

#define __ASSEMBLY__
#include <xen/elfnote.h>

    .section .note.xen, "a", @note
    .balign 4
    .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long start

    .section .text.start, "ax", @progbits
    .globl start
start:
    cld
    mov $stack_end, %esp
    xor %ebp, %ebp
    push %ebx
    call tiny
1:  hlt
    jmp 1b

    .bss
    .balign 4096
    .globl hypercall_page
hypercall_page:
    .skip 4096
    .skip 4096
stack_end:

    .section .note.GNU-stack, "", @progbits
