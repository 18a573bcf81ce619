/* SPDX-License-Identifier: GPL-2.0-only */
/* What a target says to the fake Xen, and is told by it. */
#ifndef CLOISTER_FUZZ_FAKE_HOST_H
#define CLOISTER_FUZZ_FAKE_HOST_H

#include "fake.h"

#include <cloister/smm.h>
#include <cloister/tpm2.h>

/* ---- fake.c ---------------------------------------------------------------- */

/* All variables are as they were at the first call. */
void fake_reset(void);

/* The same numbers in each run; false, and none, if .no_random. */
bool fake_random(void *to, size_t size);

extern struct fake_host
{
    bool no_random;         /* the processor's */
    bool no_memory;         /* Xen has none left */
    bool busy;              /* others hold the domctl lock */
    bool read_only;         /* the caller's memory is */
    bool continued;         /* a continuation was made ... */
    unsigned int cmd;       /* ... with this, */
    unsigned long arg;      /* and that */
    int could;              /* what a seal would come to: a reason, or below
                               0 -errno */
} fake_host;

/* Before there is a domain. */
void fake_table_begin(void);

/* Pages of a domain: three frames each, by number. */
struct cl_page *fake_page(unsigned int frame);

/* Takes and gives pages as the hooks of a domain's life do. */
void fake_pages_assign(struct domain *d);
void fake_pages_free(struct domain *d);

/* ---- hvm.c ----------------------------------------------------------------- */

/* What is in the registers of all guests, and nobody may see. */
#define FAKE_REGISTERS "eax=confidential"

/* ---- tpm.c ----------------------------------------------------------------- */

enum fake_answer { FAKE_GOOD, FAKE_REFUSES, FAKE_SILENT, FAKE_ODD };

extern struct fake_tpm
{
    bool absent, was_reset;
    enum fake_answer answer;    /* the next, which is then good again */
    uint8_t odd[64];            /* that are xored to an odd one */
    uint8_t unsealed[CL_TPM2_DATA_MAX]; /* what an imported object holds */
    size_t unsealed_size;
    uint8_t last[CL_TPM2_DATA_MAX];     /* what Xen has got of that last */
    size_t last_size;
    uint8_t host[32];           /* what Xen has sealed last */
    uint64_t counter;
    uint8_t pub[64];            /* the counter's, if it is there */
    size_t pub_size;
    bool is_host;               /* the object that is loaded */
} fake_tpm;

/* One command, of whoever has one; false: nobody has. */
bool fake_tpm_tick(void);

#endif /* CLOISTER_FUZZ_FAKE_HOST_H */
