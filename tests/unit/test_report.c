/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reports of guests: made by the port's report.c on a software TPM, judged by
 * cloister verify; and what dom0 makes up.
 */
#include "port_tpm.h"
#include "test.h"

#include "../../xen/overlay/xen/arch/x86/cloister/report.c"

#include <fcntl.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <tss2/tss2_mu.h>

#include <cloister/measure.h>

#include "base64.h"
#include "launch.h"
#include "quote.h"
#include "signed.h"
#include "tpmkey.h"
#include "verify.h"

#define NONCE "00112233445566778899aabbccddeeff"

static char reference[96], report_key[128], ak[128], file[128], expected[128];
static uint8_t launch_log[4096], host_log[4096];
static size_t launch_size, host_size;

/* ---- A host, and a guest --------------------------------------------------
 */

static void make_logs(uint32_t unsafe)
{
    static const uint8_t page[4096] = {1};
    const struct cloister_host_policy policy = {
        .revision = 1,
        .mode = CLOISTER_MODE_on,
        .unsafe = unsafe,
    };
    struct cl_measure m;

    launch_size = launch_make(launch_log, sizeof(launch_log), page,
                              guest.measurement);

    cl_measure_init(&m, host_log, sizeof(host_log));
    cl_measure_item(&m, CLOISTER_ITEM_build, 0, 0, "\1\2\3", 3);
    cl_measure_item(&m, CLOISTER_ITEM_cmdline, 0, 0, "x", 1);
    cl_measure_item(&m, CLOISTER_ITEM_policy, 0, 0, &policy, sizeof(policy));
    host_size = m.used;
}

static bool tpm(size_t len, const uint8_t *cmd)
{
    uint8_t rsp[512];
    size_t n = swtpm_command(cmd, len, rsp, sizeof(rsp));

    return !cl_tpm2_empty_rsp(rsp, n, true);
}

static bool extend_all(void)
{
    const struct evlog log = {host_log, host_size};
    uint8_t cmd[128], d[32];
    struct evitem item;
    size_t offset = 0;
    bool ok = tpm(cl_tpm2_pcr_reset_cmd(cmd, sizeof(cmd), 21), cmd) &&
              tpm(cl_tpm2_pcr_reset_cmd(cmd, sizeof(cmd), 22), cmd);

    while ( evlog_next(&log, &offset, &item) )
    {
        cl_measure_event(&item.head, d);
        ok &= tpm(cl_tpm2_pcr_extend_cmd(cmd, sizeof(cmd), 21, d), cmd);
    }

    return ok;
}

static bool write_file(const char *name, const void *bytes, size_t size)
{
    FILE *f = fopen(name, "w");

    return f && fwrite(bytes, 1, size, f) == size && !fclose(f);
}

/* Evidence of the host, and from it the report key. */
static bool make_reference(void)
{
    struct evidence ev = {0};
    struct nonce nonce;
    struct quoter *q;
    TPM2B_PUBLIC public;
    char conf[128], *pem = NULL, *rk = NULL;
    bool ok;

    swtpm_hang_up();
    snprintf(conf, sizeof(conf), "cmd:socat - UNIX-CONNECT:%s/data",
             swtpm_folder());
    q = quoter_open(conf);
    ok = q && nonce_parse(NONCE, &nonce) && quoter_quote(q, &nonce, &ev) &&
         quoter_certify(q, &nonce, &ev);
    pem = ok ? quoter_key(q) : NULL;
    ev.host.bytes = malloc(host_size);
    memcpy(ev.host.bytes, host_log, host_size);
    ev.host.size = host_size;
    if ( pem && tpmkey_parse(ev.report.pub.bytes, ev.report.pub.size,
                             &public) )
        rk = tpmkey_pem(&public.publicArea.unique.ecc);
    ok = rk && !evidence_save(&ev, reference, pem) &&
         write_file(report_key, rk, strlen(rk));
    free(pem);
    free(rk);
    quoter_close(q);
    evidence_free(&ev);

    return !swtpm_call_again() && ok;
}

/* ---- The guest ------------------------------------------------------------
 */

static int ask(struct cloister_report *r, const char *nonce_text)
{
    struct nonce nonce;
    int rc = -1, tries;

    *r = (struct cloister_report){0};
    if ( !nonce_parse(nonce_text, &nonce) )
        return -1;
    memcpy(r->body.data, nonce.bytes, nonce.size);
    commands = held = 0;
    for ( tries = 0; tries < 500; tries++ )
    {
        rc = cloister_report_op(r);
        if ( rc != -EAGAIN )
            break;
        tick();
    }
    die_at = 0;

    return cloister_sequence_lock ? -1 : rc;
}

static bool save(const struct cloister_report *r)
{
    struct json_object *obj = json_object_new_object();
    bool ok;

    json_add_base64(obj, "report", &r->body, sizeof(r->body), false);
    json_add_base64(obj, "quote", r->quote, r->quote_length, false);
    json_add_base64(obj, "signature", r->signature, r->signature_length,
                    false);
    json_add_base64(obj, "log", launch_log, launch_size, false);
    ok = !json_object_to_file(file, obj);
    json_object_put(obj);

    return ok;
}

static int verify_by(const char *key, const char *nonce)
{
    char *argv[] = {"verify", "-n",  (char *)nonce, "-k",    (char *)key, "-r",
                    reference, "-e", expected,      file,    NULL};
    int null = open("/dev/null", O_WRONLY), out, err, status;

    fflush(NULL);
    out = dup(1);
    err = dup(2);
    dup2(null, 1);
    dup2(null, 2);
    status = (int)verify_main(10, argv);
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    close(null);
    close(out);
    close(err);

    return status;
}

static int verify(void)
{
    return verify_by(report_key, NONCE);
}

static struct cloister_report good;

TEST(good_report)
{
    CHECK(!swtpm_start() && !swtpm_locality(2));
    snprintf(reference, sizeof(reference), "%s/reference", swtpm_folder());
    snprintf(report_key, sizeof(report_key), "%s/report.pem", swtpm_folder());
    snprintf(ak, sizeof(ak), "%s/ak.pem", reference);
    snprintf(file, sizeof(file), "%s/report.json", swtpm_folder());
    snprintf(expected, sizeof(expected), "%s/expected", swtpm_folder());
    make_logs(0);
    CHECK(write_file(expected, launch_log, launch_size));
    CHECK(extend_all() && make_reference());
    CHECK(!swtpm_locality(2));
    CHECK(!ask(&good, NONCE) && idle(&job));
    CHECK(held == 0);
    CHECK(save(&good) && verify() == CLI_OK);
}

TEST(stock_tools_accept_it)
{
    char path[128], command[256];
    int n;

    snprintf(path, sizeof(path), "%s/q", swtpm_folder());
    CHECK(write_file(path, good.quote, good.quote_length));
    snprintf(path, sizeof(path), "%s/s", swtpm_folder());
    CHECK(write_file(path, good.signature, good.signature_length));
    n = snprintf(command, sizeof(command),
                 "tpm2_checkquote -Q -u report.pem -m q -s s -q ");
    for ( unsigned int i = 0; i < 32; i++ )
        n += sprintf(command + n, "%02x", digest[i]);
    CHECK(!swtpm_shell(command));
}

TEST(not_this_nonce)
{
    CHECK(verify_by(report_key, "00112233445566778899aabbccddee") ==
          CLI_BAD_EVIDENCE);
    CHECK(verify_by(report_key, "10112233445566778899aabbccddeeff") ==
          CLI_BAD_EVIDENCE);
    /* Zeros at its end are as good as none: that is how it is filled. */
    CHECK(verify_by(report_key, NONCE "00") == CLI_OK);
}

TEST(any_byte_changed)
{
    uint8_t *bytes = (uint8_t *)&good;
    size_t i, yes = 0;

    for ( i = offsetof(struct cloister_report, body); i < sizeof(good); i++ )
    {
        if ( i >= offsetof(struct cloister_report, quote) +
                      good.quote_length &&
             i < offsetof(struct cloister_report, signature) )
            continue;
        if ( i >= offsetof(struct cloister_report, signature) +
                      good.signature_length )
            continue;
        bytes[i] ^= 0x21;
        yes += save(&good) && verify() == CLI_OK;
        bytes[i] ^= 0x21;
    }
    CHECK(!yes && save(&good) && verify() == CLI_OK);
}

TEST(another_log)
{
    launch_log[launch_size - 1] ^= 1;
    CHECK(save(&good) && verify() == CLI_BAD_EVIDENCE);
    launch_log[launch_size - 1] ^= 1;
    launch_size -= 8;
    CHECK(save(&good) && verify() == CLI_BAD_EVIDENCE);
    launch_size += 8;
    CHECK(save(&good) && verify() == CLI_OK);
}

/* One a second, and not before what dom0 wants. */
TEST(not_too_often)
{
    struct cloister_report r = good, other = good;

    now += SECONDS(10);
    CHECK(!ask(&r, NONCE));
    CHECK(cloister_report_op(&r) == -EAGAIN && !job.running);
    now += SECONDS(2);
    CHECK(cloister_report_op(&r) == -EAGAIN && job.running);
    other.body.data[0] ^= 1;
    CHECK(cloister_report_op(&other) == -EAGAIN);
    CHECK(!ask(&r, NONCE) && !ask(&other, NONCE "01"));
}

/* Whose result nobody fetches keeps others waiting for a second. */
TEST(not_fetched)
{
    struct cloister_report r = good, other = good;

    now += SECONDS(10);
    CHECK(cloister_report_op(&r) == -EAGAIN && job.running);
    while ( job.running )
        tick();
    guest.next_report = 0;
    other.body.data[0] ^= 1;
    CHECK(cloister_report_op(&other) == -EAGAIN && !job.running);
    now += SECONDS(2);
    CHECK(cloister_report_op(&other) == -EAGAIN && job.running);
    while ( job.running )
        tick();
    CHECK(!cloister_report_op(&other));
}

TEST(tpm_dies)
{
    struct cloister_report r;
    unsigned int i;

    for ( i = 1; i < 8; i++ )
    {
        now += SECONDS(10);
        die_at = i;
        if ( ask(&r, NONCE) )
            CHECK(idle(&job));
        now += SECONDS(10);
        CHECK(!ask(&r, NONCE));
    }
}

TEST(not_launched)
{
    struct cloister_report r;

    guest.launch_epoch = 0;
    CHECK(ask(&r, NONCE) == -ENOENT);
    guest.launch_epoch = 7;
}

/* ---- dom0 ------------------------------------------------------------------
 */

/* By the report key, at a locality that is not Xen's. */
TEST(other_localities)
{
    struct cloister_report r;
    unsigned int i;

    for ( i = 0; i < 5; i++ )
    {
        if ( i == 2 )
            continue;
        now += SECONDS(10);
        CHECK(!swtpm_locality(i));
        CHECK(ask(&r, NONCE) == -EIO && idle(&job));
    }
    CHECK(!swtpm_locality(2));
}

/* By the attestation key, which signs whatever data dom0 likes. */
TEST(by_the_attestation_key)
{
    struct cloister_report forged = good;
    char command[512], path[128];
    uint8_t d[32];
    struct evlog bytes;
    int n;

    forged.body.measurement[0] ^= 1;
    sha2_256_digest(d, &forged.body, sizeof(forged.body));
    n = snprintf(command, sizeof(command),
                 "tpm2_createprimary -Q -C e -G ecc:ecdsa-sha256:null -c ak "
                 "-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|"
                 "noda|restricted|sign' && tpm2_flushcontext -t && "
                 "tpm2_quote -Q -c ak -l sha256:0,1,2,3,4,5,6,7,8,9,21 "
                 "-m msg -s sig -q ");
    for ( unsigned int i = 0; i < 32; i++ )
        n += sprintf(command + n, "%02x", d[i]);
    CHECK(!swtpm_locality(0) && !swtpm_shell(command));
    CHECK(!swtpm_locality(2));
    snprintf(path, sizeof(path), "%s/msg", swtpm_folder());
    CHECK(!evlog_load(&bytes, path) && bytes.size <= sizeof(forged.quote));
    memcpy(forged.quote, bytes.bytes, bytes.size);
    forged.quote_length = (uint16_t)bytes.size;
    evlog_free(&bytes);
    snprintf(path, sizeof(path), "%s/sig", swtpm_folder());
    CHECK(!evlog_load(&bytes, path) && bytes.size <= sizeof(good.signature));
    memcpy(forged.signature, bytes.bytes, bytes.size);
    forged.signature_length = (uint16_t)bytes.size;
    evlog_free(&bytes);
    CHECK(save(&forged));
    CHECK(verify_by(report_key, NONCE) == CLI_BAD_EVIDENCE);
    /* Not even for somebody who takes the wrong key for the right one. */
    CHECK(verify_by(ak, NONCE) == CLI_BAD_EVIDENCE);
    CHECK(save(&good) && verify() == CLI_OK);
}

/* ---- Another TPM -----------------------------------------------------------
 */

static void qualified_name(const TPMT_PUBLIC *public, TPM2B_NAME *out)
{
    uint8_t in[4 + TPM_NAME_SIZE] = {0x40, 0, 0, 0x0B};

    tpmkey_name(public, in + 4);
    out->size = TPM_NAME_SIZE;
    memcpy(out->name, in + 4, 2);
    sha2_256_digest(out->name + 2, in, sizeof(in));
}

/* As a TPM signs, with coordinates of 32 bytes. */
static bool sign(struct cloister_report *r, EVP_PKEY *k)
{
    TPMT_SIGNATURE s = {.sigAlg = TPM2_ALG_ECDSA};
    TPMS_SIGNATURE_ECDSA *e = &s.signature.ecdsa;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[128];
    const uint8_t *p = der;
    size_t n = sizeof(der), used = 0;
    ECDSA_SIG *sig;
    bool ok;

    ok = EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k) == 1 &&
         EVP_DigestSign(ctx, der, &n, r->quote, r->quote_length) == 1;
    EVP_MD_CTX_free(ctx);
    sig = ok ? d2i_ECDSA_SIG(NULL, &p, (long)n) : NULL;
    if ( !sig )
        return false;
    e->hash = TPM2_ALG_SHA256;
    e->signatureR.size = e->signatureS.size = 32;
    ok = BN_bn2binpad(ECDSA_SIG_get0_r(sig), e->signatureR.buffer, 32) == 32 &&
         BN_bn2binpad(ECDSA_SIG_get0_s(sig), e->signatureS.buffer, 32) == 32;
    ECDSA_SIG_free(sig);
    ok = ok && !Tss2_MU_TPMT_SIGNATURE_Marshal(&s, r->signature,
                                               sizeof(r->signature), &used);
    r->signature_length = (uint16_t)used;

    return ok;
}

/* The good report, by a TPM with this report key. */
static bool made_by(EVP_PKEY *k, const TPMT_PUBLIC *public)
{
    const struct evlog quote = {good.quote, good.quote_length};
    struct cloister_report r = good;
    TPMS_ATTEST attest;
    size_t used = 0;

    if ( !signed_parse(&quote, TPM2_ST_ATTEST_QUOTE, &attest) )
        return false;
    qualified_name(public, &attest.qualifiedSigner);
    if ( Tss2_MU_TPMS_ATTEST_Marshal(&attest, r.quote, sizeof(r.quote),
                                     &used) )
        return false;
    r.quote_length = (uint16_t)used;

    return sign(&r, k) && save(&r);
}

/* One key of 128 has a coordinate that begins with a zero. */
static EVP_PKEY *key_with_zero(TPMS_ECC_POINT *point)
{
    for ( unsigned int i = 0; i < 10000; i++ )
    {
        EVP_PKEY *k = EVP_EC_gen("P-256");

        if ( k && tpmkey_point(k, point) &&
             (!point->x.buffer[0] || !point->y.buffer[0]) )
            return k;
        EVP_PKEY_free(k);
    }

    return NULL;
}

TEST(coordinates_with_leading_zeros)
{
    char path[128], *pem;
    TPM2B_PUBLIC public;
    TPMS_ECC_POINT *point = &public.publicArea.unique.ecc;
    EVP_PKEY *k;

    tpmkey_template(TPMKEY_report, &public);
    k = key_with_zero(point);
    pem = k ? tpmkey_pem(point) : NULL;
    snprintf(path, sizeof(path), "%s/zero.pem", swtpm_folder());
    CHECK(pem && write_file(path, pem, strlen(pem)));
    free(pem);
    CHECK(made_by(k, &public.publicArea) && verify_by(path, NONCE) == CLI_OK);
    tpmkey_shorten(point);
    CHECK(point->x.size + point->y.size < 64);
    CHECK(made_by(k, &public.publicArea) && verify_by(path, NONCE) == CLI_OK);
    /* It is still to be a report key. */
    public.publicArea.authPolicy.size = 0;
    CHECK(made_by(k, &public.publicArea));
    CHECK(verify_by(path, NONCE) == CLI_BAD_EVIDENCE);
    EVP_PKEY_free(k);
    CHECK(save(&good) && verify() == CLI_OK);
}

/* ---- What one gives to compare with ----------------------------------------
 */

static bool write_reference(const void *log, size_t size)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/host.log", reference);

    return write_file(path, log, size);
}

/* Each bit of the reference's log; the PCRs stand for the heads only. */
TEST(reference_with_another_log)
{
    unsigned int i, yes = 0, other = 0;
    int status;

    for ( i = 0; i < host_size; i++ )
    {
        host_log[i] ^= 0x21;
        CHECK(write_reference(host_log, host_size));
        status = verify();
        yes += status == CLI_OK;
        other += status != CLI_FAILURE;
        host_log[i] ^= 0x21;
    }
    CHECK(!yes && !other);
    CHECK(write_reference(host_log, host_size - 8) && verify() == CLI_FAILURE);
    CHECK(write_reference(host_log, 0) && verify() == CLI_FAILURE);
    CHECK(write_reference(host_log, host_size) && verify() == CLI_OK);
}

/* An unsafe lab's, which is made to look like a good host's. */
TEST(reference_that_hides_an_unsafe_lab)
{
    struct cloister_report r;

    make_logs(1);
    CHECK(extend_all() && make_reference() && !swtpm_locality(2));
    now += SECONDS(10);
    CHECK(!ask(&r, NONCE) && save(&r) && verify() == CLI_NOT_AS_ASKED);
    host_log[host_size - sizeof(struct cloister_host_policy) +
             offsetof(struct cloister_host_policy, unsafe)] = 0;
    CHECK(write_reference(host_log, host_size) && verify() == CLI_FAILURE);
    make_logs(0);
    CHECK(extend_all() && make_reference() && !swtpm_locality(2));
    CHECK(save(&good) && verify() == CLI_OK);
}

/* Exit status 3 is for a report; 1, if there is none, or it cannot be read. */
TEST(no_report)
{
    struct verify_request req = {.key = report_key, .reference = reference};

    CHECK(nonce_parse(NONCE, &req.nonce));
    req.what = "/nowhere";
    CHECK(verify_report(&req) == CLI_FAILURE);
    CHECK(write_file(file, "[]", 2) && verify() == CLI_BAD_EVIDENCE);
    CHECK(write_file(file, "", 0) && verify() == CLI_BAD_EVIDENCE);
    CHECK(save(&good) && verify() == CLI_OK);
}

TEST(other_host)
{
    struct cloister_report r;
    uint8_t cmd[128], d[32] = {1};

    now += SECONDS(10);
    CHECK(tpm(cl_tpm2_pcr_extend_cmd(cmd, sizeof(cmd), 21, d), cmd));
    CHECK(!ask(&r, NONCE) && save(&r) && verify() == CLI_NOT_AS_ASKED);
    make_logs(1);
    CHECK(extend_all() && make_reference() && !swtpm_locality(2));
    now += SECONDS(10);
    CHECK(!ask(&r, NONCE) && save(&r) && verify() == CLI_NOT_AS_ASKED);
    make_logs(0);
}
