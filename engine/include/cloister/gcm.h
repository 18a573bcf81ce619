/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page cipher: AES-256-GCM with 96-bit nonces and 128-bit tags.
 *
 * FIPS 197 (AES) and NIST SP 800-38D (GCM), with AES-NI and PCLMULQDQ and
 * without a table-based fallback: a CPU that lacks them cannot protect pages.
 *
 * Rules for the caller (inside Xen: the port)
 *
 * - XMM registers. cl_gcm_init(), cl_gcm_init_on(), cl_gcm_seal() and
 *   cl_gcm_open() use XMM0-15, in legacy SSE encodings only (XCR0, the upper
 *   halves of YMM/ZMM and MXCSR are neither needed nor touched). The caller
 *   makes SSE usable (CR0.TS = 0, CR4.OSFXSR = 1), saves XMM0-15 before and
 *   restores them after; they are zero on return, so that no key is left.
 * - Stack. Less than 1 KiB, at any 8-byte alignment if built with
 *   -mpreferred-stack-boundary=3. What held secrets is erased on return.
 * - Nonces. Sealing twice with one key and one nonce gives away both
 *   plaintexts and the means to forge (SP 800-38D, 8). The caller counts.
 * - Lengths are in bytes. `len` is 0 to CL_GCM_MAX_LEN, `aadlen` any;
 *   pointers to zero bytes may be NULL.
 * - `in == out` is allowed, any other overlap of buffers is not. No alignment
 *   is asked for, except that of struct cl_gcm_key by its type.
 * - Time and addresses depend on lengths and pointers only, never on keys,
 *   nonces, data or tags; except for the verdict of cl_gcm_open().
 *
 * All functions are reentrant; a key may be used by many CPUs at a time.
 */
#ifndef CLOISTER_GCM_H
#define CLOISTER_GCM_H

#include <stddef.h>
#include <stdint.h>

#define CL_GCM_KEY_LEN   32
#define CL_GCM_NONCE_LEN 12
#define CL_GCM_TAG_LEN   16

/* Longest text: 2^39 - 256 bits (SP 800-38D, 5.2.1.1), 2^32 - 2 blocks. */
#define CL_GCM_MAX_LEN   0xfffffffe0ULL

/*
 * An expanded key. Owned by the caller, who keeps it 64-byte aligned and
 * erases it with cl_gcm_wipe(). Every byte is secret; nothing in it points
 * anywhere, so it may be copied (and then the copy is to be erased, too).
 * Not to be used before cl_gcm_init() returned 0.
 */
struct cl_gcm_key
{
    uint8_t h[32][16];  /* H^32, H^31 .. H^1, see aes256gcm_sse.h */
    uint8_t hx[32][16]; /* each of these: low half ^ high half, twice */
    uint8_t rk[15][16]; /* round keys 0 to 14 (FIPS 197, 5.2) */
    uint8_t unused[16]; /* zero */
} __attribute__((aligned(64)));

/*
 * Expand the AES-256 key of 32 bytes at `key` into `*k`.
 *
 * Returns 0, or -EOPNOTSUPP with `*k` all zero if the CPU, by its own CPUID,
 * lacks one of AES-NI, PCLMULQDQ, SSSE3 and SSE4.1. Whether XMM registers
 * may be used at all is for the caller to know.
 */
int cl_gcm_init(struct cl_gcm_key *k, const uint8_t key[CL_GCM_KEY_LEN]);

/*
 * The same with the features in `ecx`, laid out as CPUID leaf 1 returns them
 * in ECX, instead of asking the CPU: for a caller that masks features itself.
 * A bit set here that the CPU does not have ends in #UD.
 */
int cl_gcm_init_on(struct cl_gcm_key *k, const uint8_t key[CL_GCM_KEY_LEN],
                   uint32_t ecx);

/* Erase the key. Uses no XMM register if the calling code may not. */
void cl_gcm_wipe(struct cl_gcm_key *k);

/*
 * Authenticated encryption (SP 800-38D, 7.1): the `len` bytes at `in` to
 * `len` bytes at `out`, and the tag over them and over the `aadlen` bytes of
 * additional data at `aad`. Cannot fail.
 *
 * Others may write to `in` during the call: each of its bytes is loaded once
 * and what `tag` vouches for is exactly the ciphertext that was stored. Of
 * `aad` and `nonce` the same holds. `out` is written only, never read; with
 * `in == out` nobody else may write there.
 */
void cl_gcm_seal(const struct cl_gcm_key *k,
                 const uint8_t nonce[CL_GCM_NONCE_LEN],
                 const void *aad, size_t aadlen,
                 const void *in, void *out, size_t len,
                 uint8_t tag[CL_GCM_TAG_LEN]);

/*
 * Authenticated decryption (SP 800-38D, 7.2): `len` bytes of ciphertext at
 * `in` to plaintext at `out`.
 *
 * Returns 0 if `tag` vouches for the additional data and the ciphertext,
 * otherwise -EBADMSG with all of `out` zeroed (with `in == out` that is the
 * ciphertext, too). The tags are compared in constant time.
 *
 * Others may write to `in`, `aad`, `nonce` and `tag` during the call: each
 * byte is loaded once, and what was authenticated is what was decrypted.
 * `out` holds unauthenticated plaintext until the call returns: nobody else
 * may read it before, nor, with `in == out`, write it.
 */
int cl_gcm_open(const struct cl_gcm_key *k,
                const uint8_t nonce[CL_GCM_NONCE_LEN],
                const void *aad, size_t aadlen,
                const void *in, void *out, size_t len,
                const uint8_t tag[CL_GCM_TAG_LEN]);

/*
 * ---- Wider vectors ----
 *
 * The same cipher and the same keys with other instructions. What each needs
 * of the CPU, beyond what cl_gcm_init() asks for, and of XCR0 during the call:
 *
 *     CL_GCM_SSE       nothing
 *     CL_GCM_AVX       AVX                               CL_GCM_XCR0_AVX
 *     CL_GCM_VAES256   AVX2, VAES, VPCLMULQDQ            CL_GCM_XCR0_AVX
 *     CL_GCM_VAES512   AVX512F, BW and VL besides        CL_GCM_XCR0_AVX512
 *
 * All but the first change YMM0-15, the last one ZMM0-31; the caller saves
 * and restores these. On return those that were used are zero.
 */
enum cl_gcm_impl
{
    CL_GCM_SSE,
    CL_GCM_AVX,
    CL_GCM_VAES256,
    CL_GCM_VAES512,
    CL_GCM_IMPLS
};

#define CL_GCM_XCR0_AVX    0x06ULL  /* SSE, AVX */
#define CL_GCM_XCR0_AVX512 0xe6ULL  /* opmask, ZMM_Hi256, Hi16_ZMM besides */

/*
 * The fastest that this CPU has, by its own CPUID, if XCR0 can be made to
 * hold `xcr0`. To be called once; the result is the same for ever.
 */
enum cl_gcm_impl cl_gcm_best(uint64_t xcr0);

/* Arguments as of cl_gcm_seal() and cl_gcm_open(). */
struct cl_gcm_job
{
    const struct cl_gcm_key *key;
    const uint8_t *nonce;
    const void *aad;
    size_t aadlen;
    const void *in;
    void *out;
    uint8_t *tag;   /* cl_gcm_open_job() does not write to it */
};

/*
 * cl_gcm_seal() for n jobs of `len` bytes each. The text of a job is fetched
 * into the cache while the one before is sealed, that of `next` (of which only
 * in and out are looked at; or NULL) while the last one is. n may be 0.
 */
void cl_gcm_seal_jobs(enum cl_gcm_impl impl, const struct cl_gcm_job *jobs,
                      unsigned int n, const struct cl_gcm_job *next,
                      size_t len);

/* cl_gcm_open() for one job, with the same result. */
int cl_gcm_open_job(enum cl_gcm_impl impl, const struct cl_gcm_job *job,
                    size_t len);

#endif /* CLOISTER_GCM_H */
