/* SPDX-License-Identifier: GPL-2.0-only */
/* The hypercall's fuzzer: a host with a few domains, and what must hold. */
#ifndef CLOISTER_FUZZ_WORLD_H
#define CLOISTER_FUZZ_WORLD_H

#include <cloister/record.h>

#include "../input.h"

#include "private.h"
#include "restore.h"
#include "siom.h"
#include "fake_host.h"

/* ---- world.c: what happens to the domains ------------------------------------- */

#define IMAGES 3
#define OWNERS 2
#define UUIDS 3

/* A context that was saved, and what has become of it. */
struct image
{
    uint8_t instance[16], uuid;
    uint64_t nonce;
    unsigned int lives;         /* restored, released, or its guest resumed */
    uint32_t size;
    uint8_t data[8192];
    struct cl_key key;          /* of one that comes from another host */
    bool foreign;
};

extern struct world
{
    struct image image[IMAGES];
    unsigned int images;
    uint8_t uuid[FAKE_DOMAINS];
    uint8_t owner[OWNERS][CLOISTER_MIGRATION_KEY], name[OWNERS][32];
    uint8_t modulus[256];       /* of the key that dumps may be for */
    struct                      /* what a guest was given, as it was sealed */
    {
        uint8_t sealed[CL_TPM2_DATA_MAX];
        size_t size;
    } given[FAKE_DOMAINS];
} world;

/* dom0, three that can be protected, and one that cannot; mode: its bits. */
void world_begin(uint8_t mode);

/* One step of a domain's life, from the input. */
void world_step(struct input *in);

/* The domain is sealed, if the TPM and dom0 do what they should. */
void world_seal_whole(unsigned int id);

/* A secret that no caller can have in his memory by chance. */
void world_unlike(uint8_t *to, size_t size, unsigned int what);

/* TPM commands until nobody has any more. */
void world_idle(void);

/* The image of this number, or NULL. */
struct image *world_image(const uint8_t instance[16], uint64_t nonce);

/* ---- check.c: one hypercall ----------------------------------------------------- */

/* cmd by v, with what stands at `at` in the caller's memory. */
long check_hypercall(struct vcpu *v, unsigned int cmd, unsigned long at);

/* Bytes that cmd's argument has; 0: there is no such command. */
size_t check_size(unsigned int cmd);

/* Nobody holds anything. */
void check_quiet(void);

/* [at, at + size) of what somebody is given has none of Xen's secrets. */
void check_secrets(const void *at, size_t size, bool own);

/* ---- results.c: what it gives ---------------------------------------------------- */

/* The argument as it was, and as it came back with 0. */
void check_result(const struct domain *caller, unsigned int cmd,
                  const void *in, const void *out);

/* ---- policy.c --------------------------------------------------------------------- */

void policy_step(struct input *in);

#endif /* CLOISTER_FUZZ_WORLD_H */
