/* SPDX-License-Identifier: GPL-2.0-only */
/* The port's hostkey.c, on a software TPM. */
#include "port_tpm.h"
#include "test.h"

#define __init
#define __ro_after_init
#define integer_param(name, var)
extern unsigned int cloister_key_pcrs;
void cloister_hostkey_init(void);

#include "../../xen/overlay/xen/arch/x86/cloister/hostkey.c"

/* The hypercall comes back until it is over. */
static int op(struct cloister_hostkey *k)
{
    int rc;

    commands = held = 0;
    while ( (rc = cloister_hostkey_op(k)) == -ERESTART )
        tick();
    die_at = 0;

    return cloister_sequence_lock ? -1 : rc;
}

/* Another boot: Xen has forgotten everything. */
static void reboot(void)
{
    memset(&job, 0, sizeof(job));
    seq = NULL;
    begun = false;
    deadline = 0;
    memset(blob, 0, sizeof(blob));
    memset(host_secret, 0, sizeof(host_secret));
    blob_size = 0;
    have_secret = false;
}

static bool clean(void)
{
    return idle(&job);
}

static struct cloister_hostkey made;
static uint8_t key[32];

static int load_blob(const struct cloister_hostkey *from)
{
    struct cloister_hostkey k = *from;

    reboot();
    k.action = CLOISTER_HOSTKEY_load;

    return op(&k);
}

TEST(create)
{
    uint8_t other[32];

    cloister_key_pcrs = 1u << 0 | 1u << 21;
    cloister_hostkey_init();
    CHECK(!swtpm_start() && !swtpm_locality(2));
    CHECK(!cloister_host_key(key, "wrap"));
    made.action = CLOISTER_HOSTKEY_create;
    CHECK(op(&made) == 0 && made.state == 1 && made.length > 100);
    /* While the policy's digest is made, and until it is used. */
    CHECK(clean() && held == 4);
    CHECK(cloister_host_key(key, "wrap") && cloister_host_key(other, "else"));
    CHECK(memcmp(key, other, 32));
}

TEST(once)
{
    struct cloister_hostkey k = {.action = CLOISTER_HOSTKEY_create};

    CHECK(op(&k) == -EEXIST);
    k.action = CLOISTER_HOSTKEY_get;
    CHECK(!op(&k) && k.length == made.length &&
          !memcmp(k.blob, made.blob, made.length));
    k.action = 7;
    CHECK(op(&k) == -EOPNOTSUPP);
}

TEST(next_boot)
{
    uint8_t again[32];

    CHECK(load_blob(&made) == 0 && clean());
    CHECK(cloister_host_key(again, "wrap") && !memcmp(again, key, 32));
    /* From PolicyPCR until what was loaded is flushed. */
    CHECK(held == 4);
}

TEST(waits_for_the_log)
{
    struct cloister_hostkey k = made;

    reboot();
    settled = false;
    k.action = CLOISTER_HOSTKEY_load;
    CHECK(op(&k) == -ETIMEDOUT && !commands);
    settled = true;
    CHECK(op(&k) == 0);
}

TEST(no_tpm_no_random)
{
    struct cloister_hostkey k = {.action = CLOISTER_HOSTKEY_create};

    reboot();
    present = false;
    CHECK(op(&k) == -ENODEV);
    present = true;
    no_random = true;
    CHECK(op(&k) == -ETIMEDOUT && !commands);
    no_random = false;
}

/* At each command; then everything works again. */
TEST(tpm_dies)
{
    unsigned int i;

    for ( i = 1; i < 14; i++ )
    {
        die_at = i;
        if ( load_blob(&made) )
            CHECK(clean() && !have_secret);
        CHECK(load_blob(&made) == 0);
    }
}

/*
 * Nobody knows the handle of what was made by a command whose response was
 * lost: it takes room until dom0 makes some (docs/support.md).
 */
TEST(responses_lost)
{
    unsigned int i;
    int rc = 0;

    loses = true;
    for ( i = 0; i < 8 && rc != -EIO; i++ )
    {
        die_at = 1; /* the storage key */
        CHECK(load_blob(&made) && clean());
        die_at = 2; /* the session */
        CHECK(load_blob(&made) && clean());
        rc = load_blob(&made);
    }
    loses = false;
    CHECK(load_blob(&made) == -EIO && clean());
    CHECK(!swtpm_shell("tpm2_flushcontext -t && tpm2_flushcontext -l"));
    CHECK(load_blob(&made) == 0);
}

TEST(blob_cut_short)
{
    struct cloister_hostkey k = made;

    for ( k.length = 0; k.length < made.length; k.length++ )
        CHECK(load_blob(&k) == -EBADMSG && clean() && !have_secret);
    k.length = CLOISTER_HOSTKEY_MAX + 1;
    CHECK(load_blob(&k) == -EBADMSG);
}

TEST(blob_changed)
{
    struct cloister_hostkey k = made;
    uint32_t i;

    for ( i = 0; i < made.length; i++ )
    {
        k.blob[i] ^= 0x10;
        CHECK(load_blob(&k) != 0 && clean() && !have_secret);
        k.blob[i] ^= 0x10;
    }
    CHECK(load_blob(&made) == 0);
}

/*
 * dom0 makes one at locality 0, and whoever boots another hypervisor at
 * locality 2, but with other PCRs: both know the secret.
 */
TEST(made_by_others)
{
    struct cloister_hostkey forged = {.action = CLOISTER_HOSTKEY_create};

    reboot();
    CHECK(!swtpm_locality(0));
    CHECK(op(&forged) == 0);
    CHECK(!swtpm_locality(2));
    CHECK(load_blob(&forged) == -EBADMSG && !have_secret);
    CHECK(load_blob(&made) == 0);
}

/* None that can be used: a key would open for any other Xen, or never. */
TEST(no_pcrs)
{
    static const unsigned int asked[] = {
        0, 1u << 22, 1u << 23 | 1u << 24, 1u << 16, 0x1f0000};
    struct cloister_hostkey k;
    unsigned int i;

    for ( i = 0; i < sizeof(asked) / sizeof(asked[0]); i++ )
    {
        cloister_key_pcrs = asked[i];
        cloister_hostkey_init();
        CHECK(cloister_key_pcrs == PCRS_DEFAULT);
        k = (struct cloister_hostkey){.action = CLOISTER_HOSTKEY_create};
        reboot();
        CHECK(op(&k) == 0 && load_blob(&k) == 0);
    }
    cloister_key_pcrs = 1u << 22 | 1u << 4;
    cloister_hostkey_init();
    CHECK(cloister_key_pcrs == 1u << 4);
    /* 16 is anybody's, and 17 may go with one that says something. */
    cloister_key_pcrs = 1u << 16 | 1u << 17 | 1u << 21;
    cloister_hostkey_init();
    CHECK(cloister_key_pcrs == (1u << 17 | 1u << 21));
    cloister_key_pcrs = 1u << 0 | 1u << 21;
}

static int extend(unsigned int pcr)
{
    static const uint8_t digest[32] = {1};
    uint8_t cmd[128], rsp[256];
    size_t n = cl_tpm2_pcr_extend_cmd(cmd, sizeof(cmd), pcr, digest);

    n = swtpm_command(cmd, n, rsp, sizeof(rsp));

    return cl_tpm2_empty_rsp(rsp, n, true);
}

static unsigned int turns, before; /* the seal, of an extension in between */

static void measure(void)
{
    before += seq && seq->steps[seq->at] != CLOISTER_STEP_clean &&
              !extend(16);
    turns++;
}

/*
 * dom0 measures something into one of the PCRs as often as it has a turn while
 * a key is made; the PCRs that the key names are those that it opens with.
 */
TEST(measured_while_it_is_made)
{
    struct cloister_hostkey k = {.action = CLOISTER_HOSTKEY_create};

    cloister_key_pcrs = 1u << 16; /* the debug PCR, which can be reset */
    reboot();
    other = measure;
    CHECK(op(&k) == 0 && turns > 1 && before);
    other = NULL;
    CHECK(load_blob(&k) == 0 && clean());
    cloister_key_pcrs = 1u << 0 | 1u << 21;
}

TEST(other_pcrs)
{
    struct cloister_hostkey new = {.action = CLOISTER_HOSTKEY_create};
    uint8_t cmd[128], rsp[256];
    size_t n;

    CHECK(!extend(21));
    CHECK(load_blob(&made) == -EACCES && clean() && !have_secret);
    reboot();
    CHECK(op(&new) == 0);
    CHECK(load_blob(&new) == 0);
    n = swtpm_command(cmd, cl_tpm2_pcr_reset_cmd(cmd, sizeof(cmd), 21), rsp,
                      sizeof(rsp));
    CHECK(!cl_tpm2_empty_rsp(rsp, n, true));
    CHECK(load_blob(&new) == -EACCES);
    /* PCR 21 began with ones. */
    cloister_key_pcrs = 1u << 0;
    CHECK(load_blob(&made) == -EBADMSG);
}

TEST(cleared_tpm)
{
    struct cloister_hostkey k = {.action = CLOISTER_HOSTKEY_create};

    reboot();
    CHECK(op(&k) == 0 && load_blob(&k) == 0);
    CHECK(!swtpm_shell("tpm2_clear -Q"));
    CHECK(load_blob(&k) == -ENXIO && clean() && !have_secret);
}
