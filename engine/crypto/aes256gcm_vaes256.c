/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulk of AES-256-GCM with VAES and VPCLMULQDQ on YMM registers, VEX encodings
 * only: for CPUs without AVX-512.
 */
#include "aes256gcm_run.h"
#include "aes256gcm_wide.h"

#define BULK cl_gcm_bulk_vaes256
#define TARGET __attribute__((target("avx2,aes,vaes,pclmul,vpclmulqdq")))
#define LOAD_INSN "vmovdqu"
#define LEAVE __asm__ __volatile__ ( "vzeroupper" : : : "memory" );

#define LANES 2
#define VECS 8
#define EACH(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7)

#define AESENC(b, k)                                                    \
    ((V)BUILTIN_256(aesenc)(BYTES_256(b), BYTES_256(k)))
#define AESENCLAST(b, k)                                                \
    ((V)BUILTIN_256(aesenclast)(BYTES_256(b), BYTES_256(k)))
#define CLMUL_V(a, b, sel) ((V)BUILTIN_256(pclmulqdq)(a, b, sel))

#define SPREAD(v) SPREAD_256(v)
#define SWAP(v)                                                         \
    ((V)__builtin_shufflevector((V_w)(v), (V_w)(v), 2, 3, 0, 1, 6, 7, 4, 5))
#define REVERSE_V(v)                                                    \
    ((V)__builtin_shufflevector((V_b)(v), (V_b)(v), BACK(0), BACK(16)))
#define SUM(v) SUM_256(v)
#define NUMBERS(n) ((V){ (n) + 1, 0, (n) + 2, 0 })
#define START_EACH(b, c, rk)                                            \
    START(b, c, rk, 0) START(b, c, rk, 1) START(b, c, rk, 2)            \
    START(b, c, rk, 3) START(b, c, rk, 4) START(b, c, rk, 5)            \
    START(b, c, rk, 6) START(b, c, rk, 7)

#include "aes256gcm_bulk.h"
