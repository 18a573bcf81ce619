/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the victim starts: 32-bit protected mode, no paging, interrupts off,
 * %ebx has the address of the start info.
 */

#define __ASSEMBLY__
#include <xen/elfnote.h>
#include "layout.h"

    .section .note.xen, "a", @note
    .balign 4
    .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long start

    .section .text.start, "ax", @progbits
    .globl start, hijack
start:
    jmp 1f
    .org VICTIM_HIJACK & 0xfff
hijack:
    mov $stack_end, %esp
    call hijacked
1:  cld
    lgdt gdt_pointer
    ljmp $8, $2f
2:  mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $stack_end, %esp
    xor %ebp, %ebp
    mov %cr4, %eax
    or $0x600, %eax             /* OSFXSR, OSXMMEXCPT */
    mov %eax, %cr4
    push %ebx
    call victim
3:  hlt
    jmp 3b

    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
    .word . - gdt - 1
    .long gdt

/*
 * 256 entries of 16 bytes.  Those of exceptions with an error code have it on
 * the stack, the others push one.
 */
    .balign 16
    .globl vectors
vectors:
    vector = 0
    .rept 256
    .balign 16
    .if vector != 8 && (vector < 10 || vector > 14) && vector != 17
    push $0
    .endif
    push $vector
    jmp entry
    vector = vector + 1
    .endr

entry:
    pusha
    mov %esp, %eax
    add $32, %eax               /* vector, error code, EIP, CS, EFLAGS */
    push %eax
    call interrupt
    pop %eax
    popa
    add $8, %esp
    iret

/*
 * void rest(uint32_t spins, void *hypercall, void *arg, const uint32_t w[4],
 *           uint32_t op)
 *
 * With w in registers: SPINS times round a loop, then (EAX excepted) the
 * hypercall sched_op(op, arg), and what is left of w in rest_words, rest_xmm.
 */
    .globl rest
rest:
    push %ebx
    push %esi
    push %edi
    push %ebp
    mov 32(%esp), %eax
    mov (%eax), %esi
    mov 4(%eax), %edi
    mov 8(%eax), %ebp
    movups (%eax), %xmm0
    movaps %xmm0, %xmm1
    movaps %xmm0, %xmm2
    movaps %xmm0, %xmm3
    movaps %xmm0, %xmm4
    movaps %xmm0, %xmm5
    movaps %xmm0, %xmm6
    movaps %xmm0, %xmm7
    mov %esi, %cr2
    mov 20(%esp), %ecx
    mov 12(%eax), %eax
1:  dec %ecx
    jnz 1b
    mov %eax, rest_words + 12
    mov 24(%esp), %eax
    mov 36(%esp), %ebx
    mov 28(%esp), %ecx
    call *%eax
    mov %esi, rest_words
    mov %edi, rest_words + 4
    mov %ebp, rest_words + 8
    movups %xmm0, rest_xmm
    movups %xmm7, rest_xmm + 16
    pop %ebp
    pop %edi
    pop %esi
    pop %ebx
    ret

/* Real mode: where the processor goes when somebody resets it. */
    .section .reset, "ax", @progbits
    .code16
reset:
    mov $0xf000, %ax
    mov %ax, %ds
    mov $0xf000 + reset_text - reset, %si
    mov $0xe9, %dx
1:  lodsb
    outb %al, %dx
    test %al, %al
    jnz 1b
2:  jmp 2b
reset_text:
    .ascii "victim RESET\n\0"
    .org 0xff0
    ljmp $0xf000, $0xf000
    .org 0x1000
    .code32

    .bss
    .balign 4096
    .globl hypercall_page, rest_words, rest_xmm
hypercall_page:
    .skip 4096
    .skip 8192
stack_end:
rest_words:
    .skip 16
rest_xmm:
    .skip 32

    .section .note.GNU-stack, "", @progbits
