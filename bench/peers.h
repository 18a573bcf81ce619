/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AES-256-GCM by Cloister and by others, behind one function: 16 bytes of
 * additional data, 12 of nonce, a tag of 16.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cloister/gcm.h>

#define AAD_LEN 16

/* One expanded key in every implementation's own form. */
struct keys
{
    struct cl_gcm_key cl;
    void *openssl_seal, *openssl_open, *gcrypt;
    void *ipsec[3];
};

struct message
{
    const struct keys *keys;
    const uint8_t *nonce, *aad, *in;
    uint8_t *out, *tag;
    size_t len;
};

/* run: 0, or that it failed.  memcpy has no tag. */
struct peer
{
    const char *name, *op;
    int (*run)(const struct message *m);
    bool (*here)(void);
};

extern const struct peer peers[];
extern const unsigned int nr_peers;

/* Expands `key` for everybody, or ends the program. */
void peers_key(struct keys *k, const uint8_t key[32]);

/* Versions of the others, in one line. */
const char *peers_versions(void);

/* TSC, serialised: it runs at a constant rate, whatever the core's clock. */
static inline uint64_t tsc(void)
{
    uint32_t lo, hi;

    __asm__ __volatile__ ( "lfence; rdtsc; lfence"
                           : "=a" (lo), "=d" (hi) : : "memory" );

    return (uint64_t)hi << 32 | lo;
}

/* Ticks for each nanosecond, measured against the clock once. */
double tsc_per_ns(void);

/* What the engine may use here. */
enum cl_gcm_impl best_impl(void);

#endif /* BENCH_PEERS_H */
