/* SPDX-License-Identifier: BSD-2-Clause */
/* foreign.c: dom0 as another host that guests come from. */
#ifndef TESTS_ATTACKS_FOREIGN_H
#define TESTS_ATTACKS_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

#include <abi/evidence.h>
#include <abi/hypercall.h>

#define NONCE "00112233445566778899aabbccddeeff"

/* A guest's command line that names dom0's migration key. */
#define FOREIGN_OPTION (sizeof(CLOISTER_MIGRATION_OPTION) + 64)

/* A launch log (abi/evidence.h), and the measurement that goes with it. */
struct foreign_log
{
    uint8_t bytes[1 << 16];
    size_t size;
    uint8_t measurement[32];
};

/* What a record is to say; the rest is foreign_arrives()'s. */
struct foreign
{
    uint64_t epoch;
    struct foreign_log log;

    struct cloister_record head;
    uint8_t key[32];
    unsigned int at; /* where Xen's log was before */
};

/* A migration key of dom0's own is on this host: 0, or -1 with a detail. */
int foreign_allow(void);

/* foreign_allow() before: the option, with a NUL. */
void foreign_option(char out[FOREIGN_OPTION]);

/* A log of dom0's own making that names dom0's key, correct as it is. */
void foreign_log_make(struct foreign_log *log);

/* The log of a guest that runs: 0 or -1. */
int foreign_log_read(uint32_t id, struct foreign_log *log);

/* Writes the option over the start page's end, heads as they were: 0 or -1. */
int foreign_log_name(struct foreign_log *log);

/*
 * A new domain is given the record, and then its key: what Xen says to the
 * latter, 0 or -errno; -ENOENT: it did not get that far.  The domain is
 * destroyed.
 */
long foreign_arrives(struct foreign *f);

#endif /* TESTS_ATTACKS_FOREIGN_H */
