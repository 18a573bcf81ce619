/* SPDX-License-Identifier: BSD-2-Clause */
/* What the fuzzer gives, taken piece by piece; zeros when it is used up. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input
{
    const uint8_t *data;
    size_t left;
};

static inline void take(struct input *in, void *to, size_t n)
{
    size_t have = n < in->left ? n : in->left;

    memset(to, 0, n);
    if ( have )
        memcpy(to, in->data, have);
    in->data += have;
    in->left -= have;
}

static inline uint8_t take8(struct input *in)
{
    uint8_t v;

    take(in, &v, sizeof(v));

    return v;
}

static inline uint32_t take32(struct input *in)
{
    uint32_t v;

    take(in, &v, sizeof(v));

    return v;
}

/* What must hold, whatever the input. */
#define MUST(x)                                                         \
    do {                                                                \
        if ( !(x) )                                                     \
        {                                                               \
            fprintf(stderr, "ERROR: %s:%d: %s\n", __FILE__, __LINE__, #x); \
            abort();                                                    \
        }                                                               \
    } while ( 0 )

#endif /* FUZZ_INPUT_H */
