/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulk of AES-256-GCM with VAES and VPCLMULQDQ on ZMM registers.
 */
#include "aes256gcm_run.h"
#include "aes256gcm_wide.h"

#define BULK cl_gcm_bulk_vaes512
#define TARGET                                                          \
    __attribute__((target("avx512f,avx512bw,avx512vl,aes,vaes,pclmul,"  \
                          "vpclmulqdq")))
#define LOAD_INSN "vmovdqu64"

/* VZEROUPPER leaves ZMM16-31 alone; zeroing 128 bits zeroes all 512. */
#define ZERO(n) "vpxord %%xmm" #n ", %%xmm" #n ", %%xmm" #n "\n\t"
#define LEAVE                                                           \
    __asm__ __volatile__ (                                              \
        ZERO(16) ZERO(17) ZERO(18) ZERO(19) ZERO(20) ZERO(21) ZERO(22)  \
        ZERO(23) ZERO(24) ZERO(25) ZERO(26) ZERO(27) ZERO(28) ZERO(29)  \
        ZERO(30) ZERO(31) "vzeroupper"                                  \
        : : : "memory", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20",    \
              "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26",     \
              "xmm27", "xmm28", "xmm29", "xmm30", "xmm31" );

#define LANES 4
#define VECS 8
#define EACH(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7)

#define AESENC(b, k)                                                    \
    ((V)BUILTIN_512(aesenc)(BYTES_512(b), BYTES_512(k)))
#define AESENCLAST(b, k)                                                \
    ((V)BUILTIN_512(aesenclast)(BYTES_512(b), BYTES_512(k)))
#define CLMUL_V(a, b, sel) ((V)BUILTIN_512(pclmulqdq)(a, b, sel))

#define SPREAD(v) SPREAD_512(v)
#define SWAP(v)                                                         \
    ((V)__builtin_shufflevector((V_w)(v), (V_w)(v), 2, 3, 0, 1, 6, 7, 4, 5, \
                                10, 11, 8, 9, 14, 15, 12, 13))
#define REVERSE_V(v)                                                    \
    ((V)__builtin_shufflevector((V_b)(v), (V_b)(v), BACK(0), BACK(16),  \
                                BACK(32), BACK(48)))
#define SUM(v)                                                          \
    SUM_256(__builtin_shufflevector(v, v, 0, 1, 2, 3) ^                 \
            __builtin_shufflevector(v, v, 4, 5, 6, 7))
#define NUMBERS(n)                                                      \
    ((V){ (n) + 1, 0, (n) + 2, 0, (n) + 3, 0, (n) + 4, 0 })
#define START_EACH(b, c, rk)                                            \
    START(b, c, rk, 0) START(b, c, rk, 1) START(b, c, rk, 2)            \
    START(b, c, rk, 3) START(b, c, rk, 4) START(b, c, rk, 5)            \
    START(b, c, rk, 6) START(b, c, rk, 7)

#include "aes256gcm_bulk.h"
