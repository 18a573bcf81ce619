/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulk of AES-256-GCM with AES-NI and PCLMULQDQ in VEX encodings: for CPUs
 * with AVX that lack VAES.  Three operands save the copies that the legacy
 * encodings need.  VEX encodings clear the upper halves of the registers.
 */
#include "aes256gcm_run.h"
#include "aes256gcm_one.h"

#define BULK cl_gcm_bulk_avx
#define TARGET __attribute__((target("avx,aes,pclmul")))
#define LOAD_INSN "vmovdqu"
#define LEAVE __asm__ __volatile__ ( "vzeroupper" : : : "memory" );

#include "aes256gcm_bulk.h"
