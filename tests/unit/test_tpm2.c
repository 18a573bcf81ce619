/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TPM 2.0 commands, as a software TPM takes them, with tpm2-tools for a second
 * opinion; and every response that came, cut short and changed.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <cloister/tpm2.h>

#include "swtpm.h"
#include "test.h"

#define PCR 22u
#define PCRS (1u << 21 | 1u << 22)
#define NV_INDEX 0x01C10001u
#define AK 0x81010002u

#define SLICE(a) ((struct cl_tpm2_slice){a, sizeof(a)})

static const struct cl_tpm2_slice none;
static const uint8_t nonce[16] = {1, 2, 3};
static const uint8_t secret[32] = "thirty-two bytes to keep a seal";
static const uint8_t info[] = "what it is for";

/* What has come so far, for the parsers' tests at the end. */
static struct
{
    uint8_t *bytes;
    size_t len;
} seen[256];
static unsigned int nr_seen;

static uint8_t cmd[CL_TPM2_CMD_MAX], rsp[CL_TPM_BUF_SIZE];

static size_t run(size_t len)
{
    size_t n = len ? swtpm_command(cmd, len, rsp, sizeof(rsp)) : 0;
    /* An algorithm's first use starts its self-test. */
    if ( n && cl_tpm2_rc(rsp, n) == CL_TPM2_RC_RETRY )
        n = swtpm_command(cmd, len, rsp, sizeof(rsp));

    if ( n && nr_seen < sizeof(seen) / sizeof(seen[0]) )
    {
        seen[nr_seen].bytes = malloc(n);
        if ( seen[nr_seen].bytes )
        {
            memcpy(seen[nr_seen].bytes, rsp, n);
            seen[nr_seen++].len = n;
        }
    }

    return n;
}

static int flush(uint32_t handle)
{
    return cl_tpm2_empty_rsp(
        rsp, run(cl_tpm2_flush_cmd(cmd, sizeof(cmd), handle)), false);
}

static int extend(unsigned int pcr, const uint8_t digest[32])
{
    return cl_tpm2_empty_rsp(
        rsp, run(cl_tpm2_pcr_extend_cmd(cmd, sizeof(cmd), pcr, digest)), true);
}

static int reset(unsigned int pcr)
{
    return cl_tpm2_empty_rsp(
        rsp, run(cl_tpm2_pcr_reset_cmd(cmd, sizeof(cmd), pcr)), true);
}

static int read_pcr(unsigned int pcr, uint8_t out[32])
{
    return cl_tpm2_pcr_read_rsp(
        rsp, run(cl_tpm2_pcr_read_cmd(cmd, sizeof(cmd), pcr)), out);
}

static int primary(uint32_t *handle)
{
    return cl_tpm2_create_primary_rsp(
        rsp,
        run(cl_tpm2_create_primary_cmd(cmd, sizeof(cmd), CL_TPM2_RH_OWNER)),
        handle);
}

/* A session that has met "locality 2, and these PCRs as they are", or as they
 * have been. */
static int session_with(bool trial, struct cl_tpm2_slice pcrs,
                        uint32_t *handle)
{
    int rc = cl_tpm2_start_policy_rsp(
        rsp, run(cl_tpm2_start_policy_cmd(cmd, sizeof(cmd), trial, nonce)),
        handle);

    rc = rc ? rc
            : cl_tpm2_empty_rsp(rsp,
                                run(cl_tpm2_policy_locality_cmd(
                                    cmd, sizeof(cmd), *handle, 2)),
                                false);

    return rc ? rc
              : cl_tpm2_empty_rsp(rsp,
                                  run(cl_tpm2_policy_pcr_cmd(
                                      cmd, sizeof(cmd), *handle, PCRS, pcrs)),
                                  false);
}

static int session(bool trial, uint32_t *handle)
{
    return session_with(trial, none, handle);
}

static int policy(uint8_t out[32])
{
    uint32_t handle;
    int rc = session(true, &handle);

    rc =
        rc ? rc
           : cl_tpm2_policy_digest_rsp(
                 rsp, run(cl_tpm2_policy_digest_cmd(cmd, sizeof(cmd), handle)),
                 out);

    return rc ? rc : flush(handle);
}

/* A sealed object; slices point into `kept`. */
static uint8_t kept[CL_TPM_BUF_SIZE];
static struct cl_tpm2_created created;

static int seal(void)
{
    struct cl_tpm2_seal s = {
        .data = SLICE(secret),
        .info = SLICE(info),
        .mask = PCRS,
    };
    size_t len;
    int rc = policy(s.policy);

    rc = rc ? rc : primary(&s.parent);
    if ( rc )
        return rc;
    len = run(cl_tpm2_seal_cmd(cmd, sizeof(cmd), &s));
    memcpy(kept, rsp, len);
    rc = cl_tpm2_seal_rsp(kept, len, &created);

    return rc ? rc : flush(s.parent);
}

static int load(uint32_t *object)
{
    uint32_t parent;
    int rc = primary(&parent);

    rc = rc ? rc
            : cl_tpm2_load_rsp(
                  rsp,
                  run(cl_tpm2_load_cmd(cmd, sizeof(cmd), parent,
                                       created.private, created.public)),
                  object);

    return rc ? rc : flush(parent);
}

static int unseal(uint32_t object, uint8_t out[32], size_t *got)
{
    uint32_t s;
    int rc = session(false, &s);

    rc = rc ? rc
            : cl_tpm2_unseal_rsp(
                  rsp, run(cl_tpm2_unseal_cmd(cmd, sizeof(cmd), object, s)),
                  out, 32, got);
    if ( flush(s) )
        return -1;

    return rc;
}

TEST(starts)
{
    CHECK(!swtpm_start());
}

TEST(pcr_by_locality)
{
    uint8_t want[64] = {0}, got[32], first[32];

    CHECK(!swtpm_locality(0));
    CHECK(reset(PCR) == -EIO);
    CHECK(cl_tpm2_rc(rsp, 10) == 0x907); /* TPM_RC_LOCALITY */
    CHECK(extend(PCR, secret) == -EIO);

    CHECK(!swtpm_locality(2));
    CHECK(!reset(21) && !reset(PCR));
    CHECK(!read_pcr(PCR, got) && !memcmp(got, want, 32));
    memcpy(want + 32, secret, 32);
    SHA256(want, 64, first);
    CHECK(!extend(PCR, secret));
    CHECK(!read_pcr(PCR, got) && !memcmp(got, first, 32));
    CHECK(!reset(PCR) && !extend(PCR, secret));
    CHECK(!read_pcr(PCR, got) && !memcmp(got, first, 32));
}

TEST(pcr_tpm2_tools)
{
    uint8_t ours[32], theirs[32];
    char path[96];
    FILE *f;

    CHECK(!read_pcr(PCR, ours));
    CHECK(!swtpm_shell("tpm2_pcrread sha256:22 -o pcr"));
    snprintf(path, sizeof(path), "%s/pcr", swtpm_folder());
    f = fopen(path, "r");
    CHECK(f);
    CHECK(fread(theirs, 1, 32, f) == 32);
    fclose(f);
    CHECK(!memcmp(ours, theirs, 32));
}

/* Policies are digests: SHA-256 over what Part 3 says for each command. */
TEST(policy_digest)
{
    uint8_t got[32], pcrs[64], in[32 + 4 + 4 + 2 + 4 + 32], want[32] = {0};

    CHECK(!policy(got));

    memcpy(in, want, 32);
    memcpy(in + 32, "\0\0\1\x6f\4", 5);
    SHA256(in, 37, want);
    CHECK(!read_pcr(21, pcrs) && !read_pcr(22, pcrs + 32));
    memcpy(in, want, 32);
    memcpy(in + 32, "\0\0\1\x7f\0\0\0\1\0\x0b\3\0\0\x60", 14);
    SHA256(pcrs, 64, in + 46);
    SHA256(in, 78, want);
    CHECK(!memcmp(got, want, 32));
}

TEST(seal_and_unseal)
{
    struct cl_tpm2_creation c;
    uint8_t out[32];
    uint32_t object;
    size_t got;

    CHECK(!seal());
    CHECK(!cl_tpm2_creation_parse(created.creation, &c));
    CHECK(c.mask == PCRS && c.locality == 4 && c.pcr_digest.len == 32);
    CHECK(c.info.len == sizeof(info) && !memcmp(c.info.p, info, c.info.len));

    CHECK(!load(&object));
    CHECK(!unseal(object, out, &got));
    CHECK(got == 32 && !memcmp(out, secret, 32));

    CHECK(!swtpm_locality(0));
    CHECK(unseal(object, out, &got) == -EIO);
    CHECK(got == 0 && out[0] == 0);
    CHECK(!swtpm_locality(2));
    CHECK(!unseal(object, out, &got) && got == 32);
    CHECK(!flush(object));
}

/* As Xen loads the host key: the PCRs must be what they were. */
TEST(unseal_with_the_pcrs_of_the_creation)
{
    struct cl_tpm2_creation c;
    uint8_t out[32], other[32];
    uint32_t object, s;
    size_t got;

    CHECK(!cl_tpm2_creation_parse(created.creation, &c));
    CHECK(!load(&object));
    CHECK(!session_with(false, c.pcr_digest, &s));
    CHECK(!cl_tpm2_unseal_rsp(
        rsp, run(cl_tpm2_unseal_cmd(cmd, sizeof(cmd), object, s)), out, 32,
        &got));
    CHECK(got == 32 && !memcmp(out, secret, 32) && !flush(s));
    memcpy(other, c.pcr_digest.p, 32);
    other[31] ^= 1;
    CHECK(session_with(false, SLICE(other), &s) == -EIO);
    CHECK(!flush(s) && !flush(object));
}

TEST(creation_is_checked)
{
    uint8_t hash[32];
    uint32_t object;

    CHECK(!load(&object));
    CHECK(created.hash.len == 32);
    SHA256(created.creation.p, created.creation.len, hash);
    CHECK(!memcmp(hash, created.hash.p, 32));
    CHECK(!cl_tpm2_check_creation_rsp(
        rsp, run(cl_tpm2_check_creation_cmd(cmd, sizeof(cmd), object,
                                            SLICE(hash), created.ticket))));
    hash[0] ^= 1;
    CHECK(cl_tpm2_check_creation_rsp(
              rsp, run(cl_tpm2_check_creation_cmd(cmd, sizeof(cmd), object,
                                                  SLICE(hash),
                                                  created.ticket))) == -EIO);
    CHECK(!flush(object));
}

TEST(changed_pcr)
{
    uint8_t out[32];
    uint32_t object;
    size_t got;

    CHECK(!extend(21, secret));
    CHECK(!load(&object));
    CHECK(unseal(object, out, &got) == -EIO && got == 0);
    CHECK(!flush(object));
}

/* A policy of locality 2 alone guards the counter. */
TEST(nv_counter)
{
    uint8_t p[32];
    uint32_t s;
    uint64_t a, b;

    CHECK(!cl_tpm2_start_policy_rsp(
        rsp, run(cl_tpm2_start_policy_cmd(cmd, sizeof(cmd), false, nonce)),
        &s));
    CHECK(!cl_tpm2_empty_rsp(
        rsp, run(cl_tpm2_policy_locality_cmd(cmd, sizeof(cmd), s, 2)), false));
    CHECK(!cl_tpm2_policy_digest_rsp(
        rsp, run(cl_tpm2_policy_digest_cmd(cmd, sizeof(cmd), s)), p));
    CHECK(!cl_tpm2_empty_rsp(
        rsp, run(cl_tpm2_nv_define_counter_cmd(cmd, sizeof(cmd), NV_INDEX, p)),
        true));
    CHECK(!cl_tpm2_empty_rsp(
        rsp, run(cl_tpm2_nv_increment_cmd(cmd, sizeof(cmd), NV_INDEX, s)),
        true));
    CHECK(!cl_tpm2_nv_read_rsp(
        rsp, run(cl_tpm2_nv_read_cmd(cmd, sizeof(cmd), NV_INDEX)), &a));
    /* The session has been used; what it has met is forgotten. */
    CHECK(!cl_tpm2_empty_rsp(
        rsp, run(cl_tpm2_policy_locality_cmd(cmd, sizeof(cmd), s, 2)), false));
    CHECK(!cl_tpm2_empty_rsp(
        rsp, run(cl_tpm2_nv_increment_cmd(cmd, sizeof(cmd), NV_INDEX, s)),
        true));
    CHECK(!cl_tpm2_nv_read_rsp(
        rsp, run(cl_tpm2_nv_read_cmd(cmd, sizeof(cmd), NV_INDEX)), &b));
    CHECK(b == a + 1);
    CHECK(!cl_tpm2_nv_counter_rsp(
        rsp, run(cl_tpm2_nv_public_cmd(cmd, sizeof(cmd), NV_INDEX)), p));
    p[0] ^= 1;
    CHECK(cl_tpm2_nv_counter_rsp(
              rsp, run(cl_tpm2_nv_public_cmd(cmd, sizeof(cmd), NV_INDEX)),
              p) == -EBADMSG);

    CHECK(!swtpm_locality(0));
    CHECK(!cl_tpm2_empty_rsp(
        rsp, run(cl_tpm2_policy_locality_cmd(cmd, sizeof(cmd), s, 2)), false));
    CHECK(cl_tpm2_empty_rsp(
              rsp,
              run(cl_tpm2_nv_increment_cmd(cmd, sizeof(cmd), NV_INDEX, s)),
              true) == -EIO);
    CHECK(!swtpm_locality(2));
    CHECK(!flush(s));
}

/* What the TPM encrypts to somebody's key, OpenSSL decrypts. */
TEST(somebodys_rsa_key)
{
    static const uint8_t text[] = "a key of 32 bytes, or thereabout";
    EVP_PKEY *key = EVP_RSA_gen(2048);
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
    uint8_t modulus[CL_TPM2_RSA], cipher[CL_TPM2_RSA], out[CL_TPM2_RSA];
    size_t len = sizeof(out);
    BIGNUM *n = NULL;
    uint32_t handle;

    CHECK(EVP_PKEY_get_bn_param(key, "n", &n));
    CHECK(BN_bn2binpad(n, modulus, sizeof(modulus)) == CL_TPM2_RSA);
    CHECK(!cl_tpm2_load_rsa_rsp(
        rsp, run(cl_tpm2_load_rsa_cmd(cmd, sizeof(cmd), modulus)), &handle));
    CHECK(!cl_tpm2_rsa_encrypt_rsp(
        rsp, run(cl_tpm2_rsa_encrypt_cmd(
                 cmd, sizeof(cmd), handle,
                 (struct cl_tpm2_slice){text, sizeof(text)})), cipher));
    CHECK(!flush(handle));
    CHECK(EVP_PKEY_decrypt_init(c) > 0 &&
          EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) > 0 &&
          EVP_PKEY_CTX_set_rsa_oaep_md(c, EVP_sha256()) > 0 &&
          EVP_PKEY_decrypt(c, out, &len, cipher, sizeof(cipher)) > 0);
    CHECK(len == sizeof(text) && !memcmp(out, text, len));
    BN_free(n);
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(key);
}

static int save(const char *name, struct cl_tpm2_slice s)
{
    char path[96];
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), "%s/%s", swtpm_folder(), name);
    f = fopen(path, "w");
    if ( !f )
        return -1;
    n = fwrite(s.p, 1, s.len, f);

    return fclose(f) || n != s.len ? -1 : 0;
}

TEST(quote_tpm2_tools)
{
    struct cl_tpm2_slice attest, signature;

    CHECK(!swtpm_shell(
        "tpm2_createprimary -C o -G ecc:ecdsa-sha256:null -c ak.ctx -a "
        "'fixedtpm|"
        "fixedparent|sensitivedataorigin|userwithauth|restricted|sign' && "
        "tpm2_flushcontext -t && "
        "tpm2_readpublic -c ak.ctx -f pem -o ak.pem && tpm2_flushcontext -t "
        "&& "
        "tpm2_evictcontrol -C o -c ak.ctx 0x81010002 && tpm2_flushcontext "
        "-t"));
    CHECK(!cl_tpm2_quote_rsp(
        rsp, run(cl_tpm2_quote_cmd(cmd, sizeof(cmd), AK, CL_TPM2_RS_PW, SLICE(nonce),
                              PCRS)),
        &attest, &signature));
    CHECK(!save("attest", attest) && !save("signature", signature));
    CHECK(!swtpm_shell("tpm2_checkquote -u ak.pem -m attest -s signature -q "
                       "01020300000000000000000000000000"));
    CHECK(swtpm_shell("tpm2_checkquote -u ak.pem -m attest -s signature -q "
                      "01020300000000000000000000000001"));
}

/* What another machine has wrapped for this TPM's storage key. */
TEST(import_tpm2_tools)
{
    uint8_t public[256], duplicate[256], seed[256], out[32];
    struct cl_tpm2_slice private;
    struct
    {
        const char *name;
        uint8_t *bytes;
        size_t len;
    } f[] = {{"dup.pub", public, 0},
             {"dup.dpriv", duplicate, 0},
             {"dup.seed", seed, 0}};
    uint32_t parent, object;
    uint8_t keep[512];
    size_t i, got;

    CHECK(!swtpm_shell(
        "printf thirty-one-bytes-from-elsewhere >plain && "
        "f() { tpm2_flushcontext $1; } && f -t && "
        "tpm2_startauthsession -S s && "
        "tpm2_policycommandcode -S s -L pol TPM2_CC_Duplicate && f s && "
        "tpm2_createprimary -C o -G ecc -c srk -a 'fixedtpm|fixedparent|"
        "sensitivedataorigin|userwithauth|noda|restricted|decrypt' && f -t && "
        "tpm2_create -C srk -i plain -L pol -a userwithauth -u dup.pub "
        "-r o.priv && f -t && "
        "tpm2_load -C srk -u dup.pub -r o.priv -c o && f -t && "
        "tpm2_startauthsession --policy-session -S s && "
        "tpm2_policycommandcode -S s TPM2_CC_Duplicate && "
        "tpm2_duplicate -C srk -c o -G null -p session:s -r dup.dpriv "
        "-s dup.seed && f s && f -t"));
    for ( i = 0; i < 3; i++ )
    {
        char path[96];
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", swtpm_folder(), f[i].name);
        file = fopen(path, "r");
        CHECK(file);
        f[i].len = fread(f[i].bytes, 1, 256, file);
        fclose(file);
        CHECK(f[i].len > 2);
    }
    CHECK(!primary(&parent));
    CHECK(!cl_tpm2_import_rsp(
        rsp,
        run(cl_tpm2_import_cmd(
            cmd, sizeof(cmd), parent,
            (struct cl_tpm2_slice){public + 2, f[0].len - 2},
            (struct cl_tpm2_slice){duplicate + 2, f[1].len - 2},
            (struct cl_tpm2_slice){seed + 2, f[2].len - 2})),
        &private));
    CHECK(private.len <= sizeof(keep));
    memcpy(keep, private.p, private.len);
    CHECK(!cl_tpm2_load_rsp(
        rsp,
        run(cl_tpm2_load_cmd(
            cmd, sizeof(cmd), parent,
            (struct cl_tpm2_slice){keep, private.len},
            (struct cl_tpm2_slice){public + 2, f[0].len - 2})),
        &object));
    CHECK(!cl_tpm2_unseal_rsp(
        rsp, run(cl_tpm2_unseal_cmd(cmd, sizeof(cmd), object, 0x40000009)),
        out, sizeof(out), &got));
    CHECK(got == 31 && !memcmp(out, "thirty-one-bytes-from-elsewhere", 31));
    CHECK(!flush(parent) && !flush(object));
}

static size_t read_file(const char *name, uint8_t *to, size_t cap)
{
    char path[96];
    size_t n = 0;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", swtpm_folder(), name);
    file = fopen(path, "r");
    if ( file )
    {
        n = fread(to, 1, cap, file);
        fclose(file);
    }

    return n;
}

/* TPM2_PolicyCommandCode(TPM2_Duplicate), which only an owner needs. */
static int allow_duplicate(uint32_t s)
{
    const uint8_t bytes[18] = {0x80, 1, 0, 0, 0, 18, 0, 0, 1, 0x6C,
                               (uint8_t)(s >> 24), (uint8_t)(s >> 16),
                               (uint8_t)(s >> 8), (uint8_t)s, 0, 0, 1, 0x4B};

    memcpy(cmd, bytes, sizeof(bytes));

    return cl_tpm2_empty_rsp(rsp, run(sizeof(bytes)), false);
}

/* Loads the object of import_tpm2_tools, and wraps it for a new parent. */
static int duplicate(uint32_t parent, uint8_t out[2][256], size_t len[2],
                     struct cl_tpm2_slice public)
{
    uint8_t private[256];
    size_t n = read_file("o.priv", private, sizeof(private));
    struct cl_tpm2_slice x = {NULL, 0}, y = {NULL, 0};
    uint32_t object, s;
    int rc;

    rc = cl_tpm2_load_rsp(
        rsp,
        run(cl_tpm2_load_cmd(cmd, sizeof(cmd), parent,
                             (struct cl_tpm2_slice){private + 2, n - 2},
                             public)),
        &object);
    rc = rc ? rc
            : cl_tpm2_start_policy_rsp(
                  rsp,
                  run(cl_tpm2_start_policy_cmd(cmd, sizeof(cmd), false,
                                               nonce)),
                  &s);
    rc = rc ? rc : allow_duplicate(s);
    rc = rc ? rc
            : cl_tpm2_duplicate_rsp(
                  rsp,
                  run(cl_tpm2_duplicate_cmd(cmd, sizeof(cmd), object, parent,
                                            s)),
                  &x, &y);
    if ( rc || x.len > 256 || y.len > 256 )
        return -1;
    memcpy(out[0], x.p, len[0] = x.len);
    memcpy(out[1], y.p, len[1] = y.len);

    return flush(object) || flush(s);
}

/* What this TPM has wrapped, it unwraps. */
TEST(duplicate_and_import)
{
    uint8_t public[256], bytes[2][256], keep[512], out[32];
    struct cl_tpm2_slice private, area;
    uint32_t parent, object;
    size_t len[2], got;

    got = read_file("dup.pub", public, sizeof(public));
    CHECK(got > 2);
    area = (struct cl_tpm2_slice){public + 2, got - 2};
    CHECK(!primary(&parent));
    CHECK(!duplicate(parent, bytes, len, area));
    CHECK(!cl_tpm2_import_rsp(
        rsp,
        run(cl_tpm2_import_cmd(cmd, sizeof(cmd), parent, area,
                               (struct cl_tpm2_slice){bytes[0], len[0]},
                               (struct cl_tpm2_slice){bytes[1], len[1]})),
        &private));
    CHECK(private.len <= sizeof(keep));
    memcpy(keep, private.p, private.len);
    CHECK(!cl_tpm2_load_rsp(
        rsp,
        run(cl_tpm2_load_cmd(cmd, sizeof(cmd), parent,
                             (struct cl_tpm2_slice){keep, private.len}, area)),
        &object));
    CHECK(!cl_tpm2_unseal_rsp(
        rsp,
        run(cl_tpm2_unseal_cmd(cmd, sizeof(cmd), object, CL_TPM2_RS_PW)), out,
        sizeof(out), &got));
    CHECK(got == 31 && !memcmp(out, "thirty-one-bytes-from-elsewhere", 31));
    CHECK(!flush(parent) && !flush(object));
}

/* ---- Whatever comes ----------------------------------------------------- */

/* Every parser, on a copy of exactly len bytes. */
static unsigned int parse_all(const uint8_t *bytes, size_t len)
{
    uint8_t *b = malloc(len ? len : 1), out[32], big[CL_TPM2_RSA];
    struct cl_tpm2_slice x, y;
    struct cl_tpm2_created c;
    struct cl_tpm2_creation cr;
    unsigned int taken = 0;
    uint32_t h;
    uint64_t v;
    size_t got;

    if ( !b )
        return 0;
    memcpy(b, bytes, len);
    taken += !cl_tpm2_empty_rsp(b, len, false);
    taken += !cl_tpm2_empty_rsp(b, len, true);
    taken += !cl_tpm2_pcr_read_rsp(b, len, out);
    taken += !cl_tpm2_start_policy_rsp(b, len, &h);
    taken += !cl_tpm2_policy_digest_rsp(b, len, out);
    taken += !cl_tpm2_create_primary_rsp(b, len, &h);
    taken += !cl_tpm2_load_rsp(b, len, &h);
    taken += !cl_tpm2_unseal_rsp(b, len, out, sizeof(out), &got);
    taken += !cl_tpm2_check_creation_rsp(b, len);
    taken += !cl_tpm2_nv_read_rsp(b, len, &v);
    taken += !cl_tpm2_nv_counter_rsp(b, len, out);
    taken += !cl_tpm2_load_rsa_rsp(b, len, &h);
    taken += !cl_tpm2_rsa_encrypt_rsp(b, len, big);
    if ( !cl_tpm2_seal_rsp(b, len, &c) )
    {
        taken++;
        cl_tpm2_creation_parse(c.creation, &cr);
    }
    cl_tpm2_creation_parse((struct cl_tpm2_slice){b, len}, &cr);
    taken += !cl_tpm2_import_rsp(b, len, &x);
    taken += !cl_tpm2_duplicate_rsp(b, len, &x, &y);
    taken += !cl_tpm2_quote_rsp(b, len, &x, &y);
    free(b);

    return taken;
}

TEST(responses_cut_short)
{
    unsigned int i;
    size_t len;

    CHECK(nr_seen > 50);
    for ( i = 0; i < nr_seen; i++ )
        for ( len = 0; len < seen[i].len; len++ )
            CHECK(!parse_all(seen[i].bytes, len));
}

TEST(responses_mutated)
{
    static const uint8_t flips[] = {1, 0x80, 0xFF};
    unsigned int i, f;
    size_t at;

    for ( i = 0; i < nr_seen; i++ )
        for ( at = 0; at < seen[i].len; at++ )
            for ( f = 0; f < sizeof(flips); f++ )
            {
                seen[i].bytes[at] ^= flips[f];
                parse_all(seen[i].bytes, seen[i].len);
                /* Longer than it says. */
                seen[i].bytes[at] ^= flips[f];
            }
}

TEST(commands_do_not_overflow)
{
    uint8_t b[200];
    size_t cap, len = cl_tpm2_create_primary_cmd(b, sizeof(b), 1);

    CHECK(len && len < sizeof(b));
    for ( cap = 0; cap < len; cap++ )
    {
        memset(b, 0xCC, sizeof(b));
        CHECK(!cl_tpm2_create_primary_cmd(b, cap, 1));
        CHECK(b[cap] == 0xCC);
    }
}

/* Of a command that does not fit nothing is left, above all no secret. */
TEST(commands_that_do_not_fit)
{
    static const uint8_t secret[32] = "thirty-two bytes for nobody else";
    const struct cl_tpm2_seal seal = {
        .parent = 1,
        .data = {secret, sizeof(secret)},
        .mask = PCRS,
    };
    uint8_t b[512];
    size_t cap, i, len = cl_tpm2_seal_cmd(b, sizeof(b), &seal);

    CHECK(len > 100);
    for ( cap = 0; cap < len; cap++ )
    {
        memset(b, 0, sizeof(b));
        CHECK(!cl_tpm2_seal_cmd(b, cap, &seal));
        for ( i = 0; i < sizeof(b); i++ )
            CHECK(!b[i]);
    }
}
