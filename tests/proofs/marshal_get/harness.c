/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The readers of a TPM's response (cl_tpm2_get and those made of it): from any
 * reader that is somewhere in a response, any of them leads to one that is
 * there too, and reads nothing outside.
 *
 *   slice   what is given out is the next of what was left, or empty
 *   moved   what is left is what was there before, less that
 *   failed  what does not fit fails, what has failed stays so and gives zeros
 *
 * Sources: tpm/marshal.c tpm/command.c
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <cloister/wipe.h>

#include "../../../engine/tpm/marshal.h"

unsigned int cl_any;

static struct cl_tpm2_reader r, was;

static void check(size_t n, size_t want)
{
    assert(r.failed == (was.failed || want > was.left));
    assert(n == (r.failed ? 0 : want));
    assert(r.p == was.p + n && r.left == was.left - n);
}

static void check_slice(struct cl_tpm2_slice s, size_t want)
{
    check(s.len, want);
    assert(r.failed ? !s.p : s.p == was.p);
}

static void check_value(uint32_t v, size_t want)
{
    check(r.failed ? 0 : want, want);
    assert(!r.failed || !v);
}

/* A size, and as many bytes: the first may fit where the second do not. */
static void check_2b(struct cl_tpm2_slice s)
{
    size_t got = was.left - r.left;

    assert(r.failed ? !s.p && !s.len : s.p == was.p + 2 && got == s.len + 2);
    assert(r.left <= was.left && r.p == was.p + got);
    assert(!was.failed || r.failed);
}

void harness(void);
void harness(void)
{
    size_t len, at, want;
    unsigned int which;
    uint8_t *rsp;
    _Bool failed;

    __CPROVER_assume(len <= 128 && at <= len);
    rsp = malloc(len);
    __CPROVER_assume(rsp);
    was = r = (struct cl_tpm2_reader){rsp + at, len - at, failed};

    switch ( which )
    {
    case 0:
        check_slice(cl_tpm2_get(&r, want), want);
        break;
    case 1:
        check_value(cl_tpm2_get8(&r), 1);
        break;
    case 2:
        check_value(cl_tpm2_get16(&r), 2);
        break;
    case 3:
        check_value(cl_tpm2_get32(&r), 4);
        break;
    default:
        check_2b(cl_tpm2_get_2b(&r));
        break;
    }
    assert(r.p >= rsp && r.p + r.left == rsp + len);
    assert(!cl_tpm2_close(&r) == (!r.failed && !r.left));
}
