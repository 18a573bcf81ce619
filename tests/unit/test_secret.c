/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Secrets for guests: sealed as cloister seal does it, opened by the port's
 * secret.c, on a software TPM.
 */
#include "port_tpm.h"
#include "test.h"

/* In migrate.c. */
static uint8_t taken[CLOISTER_MIGRATION_KEY];
static unsigned int taken_times;

static void cloister_owner_add(const uint8_t secret[CLOISTER_MIGRATION_KEY])
{
    memcpy(taken, secret, sizeof(taken));
    taken_times++;
}

#include "../../xen/overlay/xen/arch/x86/cloister/secret.c"

#include <openssl/evp.h>

#include "quote.h"
#include "sealto.h"
#include "tpmkey.h"

#define MASK (1u << 0 | 1u << 21)

static const uint8_t secret[33] = "thirty-two bytes that open a disk";
static TPM2B_PUBLIC storage;
static EVP_PKEY *owner;
static struct cloister_provision made = {.domid = 5};

static bool read_pcrs(uint8_t digest[32])
{
    uint8_t cmd[64], rsp[256], values[64];
    bool ok = true;

    for ( unsigned int i = 0; i < 2; i++ )
    {
        size_t n = swtpm_command(
            cmd, cl_tpm2_pcr_read_cmd(cmd, sizeof(cmd), i ? 21 : 0), rsp,
            sizeof(rsp));

        ok &= !cl_tpm2_pcr_read_rsp(rsp, n, values + 32 * i);
    }
    SHA256(values, sizeof(values), digest);

    return ok;
}

static bool find_storage(void)
{
    struct nonce nonce = {.size = 8};
    struct evidence ev = {0};
    struct quoter *q;
    char conf[128];
    bool ok;

    swtpm_hang_up();
    snprintf(conf, sizeof(conf), "cmd:socat - UNIX-CONNECT:%s/data",
             swtpm_folder());
    q = quoter_open(conf);
    ok = q && quoter_certify(q, &nonce, &ev) &&
         tpmkey_parse(ev.storage.pub.bytes, ev.storage.pub.size, &storage);
    quoter_close(q);
    evidence_free(&ev);

    return !swtpm_call_again() && ok;
}

static bool seal_it(struct cloister_provision *p, size_t size)
{
    struct sealto s = {
        .storage = &storage.publicArea,
        .mask = MASK,
        .secret = secret,
        .size = size,
        .sign = owner,
    };

    memcpy(s.measurement, guest.measurement, 32);
    *p = (struct cloister_provision){.domid = 5};
    p->length = read_pcrs(s.pcrs) ? (uint32_t)sealto(&s, p->blob) : 0;

    return p->length;
}

/* A guest like the one that it is for, just started. */
static void start_guest(void)
{
    cloister_secret_drop(&guest);
    guest.had_secret = false;
}

/* As the command does it: again and again. */
static int bring(const struct cloister_provision *p)
{
    int rc, tries;

    commands = held = 0;
    for ( tries = 0; tries < 100; tries++ )
    {
        rc = cloister_provision_op(p);
        if ( rc != -EAGAIN )
            break;
        tick();
    }
    die_at = 0;

    return cloister_sequence_lock ? -1 : rc;
}

TEST(seals)
{
    CHECK(!swtpm_start() && !swtpm_locality(2) && find_storage());
    CHECK(!swtpm_locality(2));
    owner = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    CHECK(owner && seal_it(&made, 32));
}

TEST(guest_gets_it_once)
{
    struct cloister_secret s;

    CHECK(cloister_secret_op(&s) == -ENOENT);
    CHECK(!bring(&made) && idle(&job));
    /* From PolicyPCR until what was loaded is flushed. */
    CHECK(held == 3);
    CHECK(!cloister_secret_op(&s));
    CHECK(s.length == 32 && !memcmp(s.secret, secret, 32));
    CHECK(sealto_verify(owner, s.proof, s.public, s.proof + s.public,
                        s.signature));
    CHECK(cloister_secret_op(&s) == -EEXIST && !guest.secret);
    CHECK(bring(&made) == -EEXIST);
    /* Started again. */
    start_guest();
    CHECK(!bring(&made) && !cloister_secret_op(&s) && s.length == 32);
}

TEST(signed_by_another)
{
    EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), *mine = owner;
    struct cloister_provision p;
    struct cloister_secret s;

    owner = NULL;
    CHECK(seal_it(&p, 32));
    owner = mine;
    start_guest();
    CHECK(!bring(&p) && !cloister_secret_op(&s) && s.length == 32);
    CHECK(!sealto_verify(owner, s.proof, s.public, s.proof + s.public,
                         s.signature));
    start_guest();
    CHECK(!bring(&made) && !cloister_secret_op(&s));
    CHECK(!sealto_verify(other, s.proof, s.public, s.proof + s.public,
                         s.signature));
    s.proof[20] ^= 1;
    CHECK(!sealto_verify(owner, s.proof, s.public, s.proof + s.public,
                         s.signature));
    EVP_PKEY_free(other);
}

TEST(sizes)
{
    struct cloister_provision p;
    struct cloister_secret s;

    start_guest();
    CHECK(seal_it(&p, 1) && !bring(&p) && !cloister_secret_op(&s));
    CHECK(s.length == 1 && s.secret[0] == secret[0]);
}

TEST(another_guest)
{
    struct cloister_secret s;

    start_guest();
    guest.measurement[31] ^= 1;
    CHECK(bring(&made) == -EXDEV && !guest.secret && idle(&job));
    CHECK(cloister_secret_op(&s) == -ENOENT);
    guest.measurement[31] ^= 1;
    CHECK(!bring(&made));
}

/* Not protected, restored, ended, not there. */
TEST(no_such_guest)
{
    struct cloister_provision p = made;

    start_guest();
    guest.state = CLOISTER_DOM_building;
    CHECK(bring(&made) == -ENOENT);
    guest.state = CLOISTER_DOM_dying;
    CHECK(bring(&made) == -ENOENT);
    guest.state = CLOISTER_DOM_sealed;
    guest.launch_epoch = 0;
    CHECK(bring(&made) == -ENOENT);
    guest.launch_epoch = 7;
    p.domid = 6;
    CHECK(bring(&p) == -ESRCH);
    domain.arch.cloister = NULL;
    CHECK(bring(&made) == -ENOENT);
    domain.arch.cloister = &guest;
}

/* dom0, or a hypervisor that is not at locality 2. */
/* Measured, and its launch entered: the seal may be refused yet. */
TEST(not_sealed_yet)
{
    start_guest();
    guest.state = CLOISTER_DOM_sealing;
    CHECK(bring(&made) == -ENOENT);
    CHECK(!guest.secret);
    guest.state = CLOISTER_DOM_sealed;
    CHECK(bring(&made) == 0);
}

TEST(other_localities)
{
    unsigned int i;

    for ( i = 0; i < 5; i++ )
    {
        CHECK(!swtpm_locality(i));
        start_guest();
        CHECK(bring(&made) == (i == 2 ? 0 : -EACCES));
    }
    CHECK(!swtpm_locality(2));
}

TEST(blob_cut_short)
{
    struct cloister_provision p = made;

    for ( p.length = 0; p.length < made.length; p.length++ )
        CHECK(bring(&p) == -EBADMSG && idle(&job));
    p.length = CLOISTER_SECRET_BLOB + 1;
    CHECK(bring(&p) == -EBADMSG);
}

/* All of it but the signature, which is the guest's affair. */
TEST(blob_changed)
{
    struct cloister_provision p = made;
    uint32_t i;

    for ( i = 0; i < made.length - 64; i++ )
    {
        start_guest();
        p.blob[i] ^= 0x10;
        CHECK(bring(&p) != 0 && idle(&job) && !guest.secret);
        p.blob[i] ^= 0x10;
    }
    CHECK(!bring(&made));
}

TEST(tpm_dies)
{
    unsigned int i, failed = 0;
    int rc;

    for ( i = 1; i < 14; i++ )
    {
        start_guest();
        die_at = i;
        rc = bring(&made);
        failed += rc != 0;
        /* Not the secret's fault. */
        if ( rc )
            CHECK(rc == -EIO && idle(&job) && !guest.secret);
        CHECK(!bring(&made));
    }
    CHECK(failed > 5);
}

TEST(two_at_once)
{
    struct cloister_provision p = made;

    start_guest();
    p.blob[made.length - 1] ^= 1;
    CHECK(cloister_provision_op(&made) == -EAGAIN);
    CHECK(cloister_provision_op(&p) == -EAGAIN);
    CHECK(!bring(&made) && !bring(&p));
}

/* Real tools, at the locality that dom0 has. */
TEST(stock_tools_cannot)
{
    char path[128];
    unsigned int i;
    FILE *f;

    static const char *const names[] = {"s.pub", "s.dup", "s.seed"};

    CHECK(!take_apart(&(uint32_t){0}));
    for ( i = 0; i < 3; i++ )
    {
        const uint8_t size[2] = {(uint8_t)(part[i].len >> 8),
                                 (uint8_t)part[i].len};

        snprintf(path, sizeof(path), "%s/%s", swtpm_folder(), names[i]);
        f = fopen(path, "w");
        CHECK(f && fwrite(size, 1, 2, f) == 2);
        CHECK(fwrite(part[i].p, 1, part[i].len, f) == part[i].len);
        CHECK(!fclose(f));
    }
    CHECK(!swtpm_locality(0));
    CHECK(!swtpm_shell(
        "tpm2_createprimary -Q -C o -G ecc -c srk -a 'fixedtpm|fixedparent|"
        "sensitivedataorigin|userwithauth|noda|restricted|decrypt' && "
        "tpm2_flushcontext -t && "
        "tpm2_import -Q -C srk -u s.pub -i s.dup -s s.seed -r s.priv && "
        "tpm2_flushcontext -t && "
        "tpm2_load -Q -C srk -u s.pub -r s.priv -c s && "
        "tpm2_flushcontext -t && "
        "tpm2_startauthsession --policy-session -S x && "
        "tpm2_policylocality -Q -S x 4 && "
        "tpm2_policypcr -Q -S x -l sha256:0,21 && "
        "! tpm2_unseal -c s -p session:x -o got && "
        "tpm2_flushcontext x && ! test -s got"));
    CHECK(!swtpm_locality(2));
}

TEST(other_pcrs)
{
    static const uint8_t digest[32] = {1};
    uint8_t cmd[128], rsp[256];
    size_t n;

    start_guest();
    n = swtpm_command(cmd,
                      cl_tpm2_pcr_extend_cmd(cmd, sizeof(cmd), 21, digest),
                      rsp, sizeof(rsp));
    CHECK(!cl_tpm2_empty_rsp(rsp, n, true));
    CHECK(bring(&made) == -EACCES && idle(&job));
}

/* Another TPM, as good as. */
TEST(cleared_tpm)
{
    struct cloister_provision p;

    start_guest();
    CHECK(seal_it(&p, 32) && !bring(&p));
    CHECK(!swtpm_shell("tpm2_clear -Q"));
    start_guest();
    CHECK(bring(&p) == -ENXIO && idle(&job));
    present = false;
    CHECK(bring(&p) == -ENODEV);
    present = true;
}

/* A blob that was carried to another host. */
TEST(stolen)
{
    struct cloister_provision p;

    start_guest();
    CHECK(find_storage() && !swtpm_locality(2) && seal_it(&p, 32));
    CHECK(!bring(&p));
    CHECK(!swtpm_another() && !swtpm_locality(2));
    start_guest();
    CHECK(bring(&p) == -ENXIO && idle(&job) && !guest.secret);
    CHECK(find_storage() && !swtpm_locality(2) && seal_it(&p, 32));
    CHECK(!bring(&p));
}

/* For the host, not a guest. */
TEST(migration_key)
{
    struct sealto s = {
        .storage = &storage.publicArea,
        .mask = MASK,
        .secret = secret,
        .size = CLOISTER_MIGRATION_KEY,
        .owner = true,
    };
    struct cloister_provision p = {.domid = CLOISTER_DOMID_HOST};

    CHECK(find_storage() && !swtpm_locality(2) && read_pcrs(s.pcrs));
    p.length = (uint32_t)sealto(&s, p.blob);
    CHECK(p.length && !bring(&p) && idle(&job) && taken_times == 1);
    CHECK(!memcmp(taken, secret, sizeof(taken)));
    for ( unsigned int i = 0; i < 5; i++ )
    {
        CHECK(!swtpm_locality(i));
        CHECK(bring(&p) == (i == 2 ? 0 : -EACCES));
    }
    CHECK(!swtpm_locality(2) && taken_times == 2);
    /* Nobody's secret, and no guest's secret is a migration key. */
    start_guest();
    p.domid = 5;
    CHECK(bring(&p) && idle(&job) && !guest.secret);
    CHECK(seal_it(&p, 32));
    p.domid = CLOISTER_DOMID_HOST;
    CHECK(bring(&p) == -EBADMSG && idle(&job));
    s.size--;
    p.length = (uint32_t)sealto(&s, p.blob);
    CHECK(p.length && bring(&p) == -EBADMSG && taken_times == 2);
}

TEST(wiped)
{
    start_guest();
    CHECK(find_storage() && !swtpm_locality(2) && seal_it(&made, 32));
    CHECK(!bring(&made) && guest.secret && guest.secret->secret[0]);
    cloister_secret_wipe(&guest);
    CHECK(!guest.secret->secret[0]);
    cloister_secret_drop(&guest);
    CHECK(!guest.secret);
}
