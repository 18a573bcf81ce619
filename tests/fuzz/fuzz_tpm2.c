/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Responses of a TPM as bytes of which nothing is known: each parser gets
 * them in memory of exactly their length, and what it gives out is whole.
 *
 * Sources: tpm/command.c tpm/marshal.c tpm/pcr.c tpm/policy.c tpm/object.c tpm/nv.c tpm/rsa.c
 * Runs: 100000
 */
#include <errno.h>

#include <cloister/tpm2.h>

#include "../fuzz/input.h"

/* What is being parsed. */
static const uint8_t *bytes;
static size_t length;

static int known(int rc)
{
    MUST(rc == 0 || rc == -EAGAIN || rc == -ENOTCONN || rc == -EIO ||
         rc == -EBADMSG);

    return rc;
}

/* In the response, or empty. */
static void inside(struct cl_tpm2_slice s)
{
    if ( !s.len )
        return;
    MUST(s.p >= bytes && s.len <= length &&
         s.p - bytes <= (ptrdiff_t)(length - s.len));
}

/* Either it is good, or nothing is given out. */
static void slices(int rc, const struct cl_tpm2_slice *s, size_t n)
{
    size_t i;

    known(rc);
    for ( i = 0; i < n; i++ )
    {
        inside(s[i]);
        MUST(!rc || (!s[i].len && !s[i].p));
    }
}

static void creation(struct cl_tpm2_slice from)
{
    struct cl_tpm2_creation c;
    int rc = cl_tpm2_creation_parse(from, &c);

    MUST(rc == 0 || rc == -EBADMSG);
    inside(c.pcr_digest);
    inside(c.info);
    MUST(!rc || (!c.mask && !c.pcr_digest.len && !c.info.len));
}

static void objects(void)
{
    struct cl_tpm2_slice s[5], *one = &s[0];
    struct cl_tpm2_created made;
    int rc = cl_tpm2_seal_rsp(bytes, length, &made);

    memcpy(s, &made, sizeof(made));
    slices(rc, s, 5);
    if ( !rc )
        creation(made.creation);
    creation((struct cl_tpm2_slice){bytes, length});
    slices(cl_tpm2_import_rsp(bytes, length, one), s, 1);
    slices(cl_tpm2_duplicate_rsp(bytes, length, one, one + 1), s, 2);
    slices(cl_tpm2_quote_rsp(bytes, length, one, one + 1), s, 2);
    known(cl_tpm2_check_creation_rsp(bytes, length));
}

static void handles(void)
{
    uint32_t h = 1;

    MUST(!known(cl_tpm2_start_policy_rsp(bytes, length, &h)) || !h);
    MUST(!known(cl_tpm2_create_primary_rsp(bytes, length, &h)) || !h);
    MUST(!known(cl_tpm2_load_rsp(bytes, length, &h)) || !h);
    MUST(!known(cl_tpm2_load_rsa_rsp(bytes, length, &h)) || !h);
}

static void values(size_t want)
{
    uint8_t digest[CL_TPM2_DIGEST] = {1}, modulus[CL_TPM2_RSA];
    uint8_t *out = malloc(want + 1);
    uint32_t resets = 1, restarts = 1;
    uint64_t v = 1;
    size_t got = 99;

    MUST(out);
    out[want] = 0x5a;
    known(cl_tpm2_empty_rsp(bytes, length, false));
    known(cl_tpm2_empty_rsp(bytes, length, true));
    known(cl_tpm2_nv_counter_rsp(bytes, length, digest));
    known(cl_tpm2_pcr_read_rsp(bytes, length, digest));
    known(cl_tpm2_policy_digest_rsp(bytes, length, digest));
    known(cl_tpm2_rsa_encrypt_rsp(bytes, length, modulus));
    MUST(!known(cl_tpm2_nv_read_rsp(bytes, length, &v)) || !v);
    MUST(!known(cl_tpm2_read_clock_rsp(bytes, length, &resets, &restarts)) ||
         (!resets && !restarts));
    MUST(!known(cl_tpm2_unseal_rsp(bytes, length, out, want, &got)) || !got);
    MUST(got <= want && out[want] == 0x5a);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t want = size ? data[0] % 65 : 0, got = 99, i, n;
    uint8_t *rsp, *out = malloc(want + 1);
    int rc;

    if ( size )
        data++, size--;
    rsp = malloc(size);
    if ( !out || (size && !rsp) )
        abort();
    if ( size )
        memcpy(rsp, data, size);
    memset(out, 0x5a, want + 1);

    cl_tpm2_rc(rsp, size);
    MUST(cl_tpm2_duration_us(rsp, size) <= 60000000u);
    rc = cl_tpm2_startup_rsp(rsp, size);
    MUST(rc == 0 || rc == -EAGAIN || rc == -EIO || rc == -EBADMSG);

    rc = cl_tpm2_getrandom_rsp(rsp, size, out, want, &got);
    MUST(rc <= 0 && (rc ? got == 0 : got <= want));
    n = rc ? 0 : got;
    for ( i = n; i <= want; i++ )
        MUST(out[i] == 0x5a);

    bytes = rsp;
    length = size;
    objects();
    handles();
    values(want);
    free(rsp);
    free(out);

    return 0;
}
