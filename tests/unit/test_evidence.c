/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Evidence: what verify says to good evidence, to that which is not what was
 * asked for, and to forgeries; at last, to each of many single changed bytes.
 * The quotes are those of a software TPM.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tss2/tss2_esys.h>

#include <abi/evidence.h>
#include <abi/hypercall.h>
#include <cloister/measure.h>
#include <cloister/tpm2.h>

#include "base64.h"
#include "evidence.h"
#include "quote.h"
#include "swtpm.h"
#include "test.h"

#define NONCE "00112233445566778899aabbccddeeff"
#define MUTATIONS 10000u

static const uint8_t guest[16] = {1, 2, 3, 4};
static const uint8_t other_guest[16] = {1, 2, 3, 5};

static char dir[96], other[96], key[128], other_key[128], expected[128];

/* ---- Logs ----------------------------------------------------------------
 */

static uint8_t launch_log[65536], host_log[65536];
static size_t launch_size, host_size;

/* A launch log as Xen would write it; `salt` makes another one. */
static void make_launch(uint8_t salt, uint8_t measurement[32])
{
    static uint64_t page[512];
    const struct cloister_launch_config config = {.revision = 1, .vcpus = 1};
    struct cl_measure m;
    uint64_t gfn;

    cl_measure_init(&m, launch_log, sizeof(launch_log));
    cl_measure_item(&m, CLOISTER_ITEM_config, 0, 0, &config, sizeof(config));
    cl_measure_item(&m, CLOISTER_ITEM_cpu, 0, 0, "cpu", 3);
    cl_measure_item(&m, CLOISTER_ITEM_state, 0, 2, "registers", 9);
    cl_measure_item(&m, CLOISTER_ITEM_state, 1, 2, "registers", 9);
    cl_measure_item(&m, CLOISTER_ITEM_params, 0, 0, "params", 6);
    cl_measure_item(&m, CLOISTER_ITEM_map, 0, 0, "map", 3);
    cl_measure_item(&m, CLOISTER_ITEM_start, 0, 7, &salt, 1);
    for ( gfn = 0; gfn < 2000; gfn++ )
    {
        page[1] = gfn > 600 && gfn < 700 ? gfn : 0;
        cl_measure_page(&m, gfn, gfn == 1990 ? NULL : page);
    }
    cl_measure_finish(&m, measurement);
    launch_size = m.used;
}

static void add_launch(struct cl_measure *m, uint16_t type,
                       const uint8_t uuid[16], const uint8_t measurement[32])
{
    struct cloister_launch l = {.epoch = uuid[3], .domid = uuid[3]};

    memcpy(l.uuid, uuid, 16);
    memcpy(l.measurement, measurement, 32);
    cl_measure_item(m, type, 0, 0, &l, sizeof(l));
}

struct host
{
    const char *cmdline;
    uint32_t unsafe;
    bool ended;
};

static void make_host(const struct host *h, const uint8_t measurement[32])
{
    const struct cloister_host_policy p = {
        .revision = 1,
        .mode = CLOISTER_MODE_on,
        .unsafe = h->unsafe,
    };
    struct cl_measure m;

    cl_measure_init(&m, host_log, sizeof(host_log));
    cl_measure_item(&m, CLOISTER_ITEM_build, 0, 0, "\1\2\3", 3);
    cl_measure_item(&m, CLOISTER_ITEM_cmdline, 0, 0, h->cmdline,
                    strlen(h->cmdline));
    cl_measure_item(&m, CLOISTER_ITEM_policy, 0, 0, &p, sizeof(p));
    add_launch(&m, CLOISTER_ITEM_launch, other_guest, measurement);
    add_launch(&m, CLOISTER_ITEM_launch, guest, measurement);
    add_launch(&m, CLOISTER_ITEM_end, other_guest, measurement);
    if ( h->ended )
        add_launch(&m, CLOISTER_ITEM_end, guest, measurement);
    host_size = m.used;
}

/* Whether a launch log with so many network cards is one. */
static bool with_cards(unsigned int cards)
{
    const struct cloister_launch_net net = {.vlan = 7};
    struct evlog log = {launch_log, 0};
    uint8_t measurement[32];
    struct cl_measure m;
    char why[128];

    make_launch(0, measurement);
    cl_measure_init(&m, launch_log + launch_size,
                    sizeof(launch_log) - launch_size);
    for ( unsigned int i = 0; i < cards; i++ )
        cl_measure_item(&m, CLOISTER_ITEM_net, 0, 0, &net, sizeof(net));
    log.size = launch_size + m.used;

    return evlog_check(&log, false, why, sizeof(why));
}

/* ---- The TPM -------------------------------------------------------------
 */

static bool tpm(size_t len, const uint8_t *cmd)
{
    uint8_t rsp[512];
    size_t n = swtpm_command(cmd, len, rsp, sizeof(rsp));

    return !cl_tpm2_empty_rsp(rsp, n, true);
}

/* As Xen does it: from locality 2, reset, then event by event. */
static bool extend_all(void)
{
    const struct evlog log = {host_log, host_size};
    uint8_t cmd[128], digest[32];
    struct evitem item;
    size_t offset = 0;
    bool ok = !swtpm_locality(2);

    for ( unsigned int pcr = 21; pcr <= 22; pcr++ )
        ok &= tpm(cl_tpm2_pcr_reset_cmd(cmd, sizeof(cmd), pcr), cmd);
    while ( evlog_next(&log, &offset, &item) )
    {
        cl_measure_event(&item.head, digest);
        ok &= tpm(cl_tpm2_pcr_extend_cmd(
                      cmd, sizeof(cmd),
                      item.head.type < CLOISTER_ITEM_launch ? 21 : 22, digest),
                  cmd);
    }

    return !swtpm_locality(0) && ok;
}

/* Where what is to be the owner's is made. */
static ESYS_TR elsewhere = ESYS_TR_RH_OWNER;

TSS2_RC __real_Esys_CreatePrimary(
    ESYS_CONTEXT *, ESYS_TR, ESYS_TR, ESYS_TR, ESYS_TR,
    const TPM2B_SENSITIVE_CREATE *, const TPM2B_PUBLIC *, const TPM2B_DATA *,
    const TPML_PCR_SELECTION *, ESYS_TR *, TPM2B_PUBLIC **,
    TPM2B_CREATION_DATA **, TPM2B_DIGEST **, TPMT_TK_CREATION **);
TSS2_RC __wrap_Esys_CreatePrimary(
    ESYS_CONTEXT *, ESYS_TR, ESYS_TR, ESYS_TR, ESYS_TR,
    const TPM2B_SENSITIVE_CREATE *, const TPM2B_PUBLIC *, const TPM2B_DATA *,
    const TPML_PCR_SELECTION *, ESYS_TR *, TPM2B_PUBLIC **,
    TPM2B_CREATION_DATA **, TPM2B_DIGEST **, TPMT_TK_CREATION **);

TSS2_RC __wrap_Esys_CreatePrimary(
    ESYS_CONTEXT *esys, ESYS_TR hierarchy, ESYS_TR s1, ESYS_TR s2, ESYS_TR s3,
    const TPM2B_SENSITIVE_CREATE *sensitive, const TPM2B_PUBLIC *template,
    const TPM2B_DATA *info, const TPML_PCR_SELECTION *pcrs, ESYS_TR *key,
    TPM2B_PUBLIC **public, TPM2B_CREATION_DATA **data, TPM2B_DIGEST **hash,
    TPMT_TK_CREATION **ticket)
{
    return __real_Esys_CreatePrimary(
        esys, hierarchy == ESYS_TR_RH_OWNER ? elsewhere : hierarchy, s1, s2,
        s3, sensitive, template, info, pcrs, key, public, data, hash, ticket);
}

static bool copy(struct evlog *to, const void *from, size_t size)
{
    to->bytes = malloc(size);
    if ( to->bytes )
        memcpy(to->bytes, from, size);
    to->size = size;

    return to->bytes;
}

/* Evidence of what the logs and the TPM say now. */
static bool attest(const char *to, const char *nonce_text)
{
    struct evidence ev = {.has_guest = true};
    struct nonce nonce;
    struct quoter *q;
    char conf[128], *pem;
    bool ok;

    swtpm_hang_up();
    snprintf(conf, sizeof(conf), "cmd:socat - UNIX-CONNECT:%s/data",
             swtpm_folder());
    q = quoter_open(conf);
    ok = q && nonce_parse(nonce_text, &nonce) &&
         quoter_quote(q, &nonce, &ev) && quoter_certify(q, &nonce, &ev);
    pem = ok ? quoter_key(q) : NULL;
    ok = pem && copy(&ev.host, host_log, host_size) &&
         copy(&ev.launch, launch_log, launch_size) &&
         copy(&ev.guest, guest, 16) && !evidence_save(&ev, to, pem);
    free(pem);
    quoter_close(q);
    evidence_free(&ev);

    return !swtpm_call_again() && ok;
}

/* ---- verify --------------------------------------------------------------
 */

/* What was printed goes to the file that said() looks into. */
static int quiet(int fd, int *saved)
{
    char path[96];
    int null;

    snprintf(path, sizeof(path), "%s/printed", swtpm_folder());
    null = open(path, O_WRONLY | O_CREAT | (fd == 1 ? O_TRUNC : O_APPEND), 0600);

    fflush(NULL);
    *saved = dup(fd);
    dup2(null, fd);

    return close(null);
}

static void loud(int fd, int saved)
{
    fflush(NULL);
    dup2(saved, fd);
    close(saved);
}

static bool said(const char *text)
{
    char path[96], bytes[8192] = "";
    FILE *f;

    snprintf(path, sizeof(path), "%s/printed", swtpm_folder());
    f = fopen(path, "r");
    if ( f )
    {
        bytes[fread(bytes, 1, sizeof(bytes) - 1, f)] = '\0';
        fclose(f);
    }

    return strstr(bytes, text);
}

/* With these arguments; NULL ends them. */
static int verify(const char *first, ...)
{
    char *argv[16] = {"verify"};
    int argc = 1, out, err, status;
    const char *arg;
    va_list al;

    va_start(al, first);
    for ( arg = first; arg && argc < 15; arg = va_arg(al, const char *) )
        argv[argc++] = (char *)arg;
    va_end(al);

    quiet(1, &out);
    quiet(2, &err);
    status = (int)verify_main(argc, argv);
    loud(1, out);
    loud(2, err);

    return status;
}

static int verify_plain(const char *what)
{
    return verify("-n", NONCE, "-k", key, what, NULL);
}

static bool write_file(const char *name, const void *bytes, size_t size)
{
    FILE *f = fopen(name, "w");

    return f && fwrite(bytes, 1, size, f) == size && !fclose(f);
}

static bool write_in(const char *folder, const char *name, const void *bytes,
                     size_t size)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/%s", folder, name);

    return write_file(path, bytes, size);
}

static const char *in_folder(const char *name)
{
    static char path[160];

    snprintf(path, sizeof(path), "%s/%s", swtpm_folder(), name);

    return path;
}

static const struct host good = {.cmdline = "console=com1"};

TEST(good_evidence)
{
    uint8_t measurement[32];

    CHECK(!swtpm_start());
    snprintf(dir, sizeof(dir), "%s/evidence", swtpm_folder());
    snprintf(other, sizeof(other), "%s/other", swtpm_folder());
    snprintf(key, sizeof(key), "%s/ak.pem", dir);
    snprintf(other_key, sizeof(other_key), "%s/other.pem", swtpm_folder());
    snprintf(expected, sizeof(expected), "%s/expected", swtpm_folder());

    make_launch(0, measurement);
    make_host(&good, measurement);
    CHECK(extend_all());
    CHECK(attest(dir, NONCE));
    CHECK(write_file(expected, launch_log, launch_size));
    CHECK(verify_plain(dir) == CLI_OK && said("\ngood") && said("\nNOTE  "));
    CHECK(verify("-n", NONCE, "-k", key, "-e", expected, "-r", dir, dir,
                 NULL) == CLI_OK);
    CHECK(said("\ngood") && !said("NOTE"));
    CHECK(verify("-j", "-n", NONCE, "-k", key, dir, NULL) == CLI_OK);
    CHECK(said("\"good\": true") && said("\"referenced\": false"));
}

TEST(one_network_card_at_most)
{
    CHECK(with_cards(0) && with_cards(1) && !with_cards(2));
}

TEST(stock_tools_accept_it)
{
    CHECK(!swtpm_shell("tpm2_checkquote -u evidence/ak.pem -m "
                       "evidence/quote.msg -s evidence/quote.sig -q " NONCE));
}

/* cloister-enroll makes the same key with them. */
TEST(stock_tools_derive_the_key)
{
    CHECK(!swtpm_shell(
        "tpm2_createprimary -Q -C e -G ecc:ecdsa-sha256:null -c ak -a "
        "'fixedtpm|"
        "fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign' "
        "&& "
        "tpm2_flushcontext -t && tpm2_readpublic -Q -c ak -f pem -o ak.pem && "
        "tpm2_flushcontext -t && cmp ak.pem evidence/ak.pem"));
}

TEST(usage)
{
    CHECK(verify("-n", NONCE, dir, NULL) == CLI_USAGE);
    CHECK(verify("-k", key, dir, NULL) == CLI_USAGE);
    CHECK(verify("-n", "0", "-k", key, dir, NULL) == CLI_USAGE);
    CHECK(verify("-n", "zz112233445566778899", "-k", key, dir, NULL) ==
          CLI_USAGE);
    CHECK(verify("-n", NONCE, "-k", "/nowhere", dir, NULL) == CLI_FAILURE);
    CHECK(verify("-n", NONCE, "-k", key, "/nowhere", NULL) == CLI_FAILURE);
    CHECK(verify("-n", NONCE, "-k", key, swtpm_folder(), NULL) ==
          CLI_BAD_EVIDENCE);
}

TEST(wrong_nonce)
{
    CHECK(verify("-n", "10112233445566778899aabbccddeeff", "-k", key, dir,
                 NULL) == CLI_BAD_EVIDENCE);
    CHECK(verify("-n", "00112233445566778899aabbccddee", "-k", key, dir,
                 NULL) == CLI_BAD_EVIDENCE);
}

TEST(wrong_key)
{
    CHECK(!swtpm_shell("openssl ecparam -name prime256v1 -genkey -noout | "
                       "openssl ec -pubout -out other.pem"));
    CHECK(verify("-n", NONCE, "-k", other_key, dir, NULL) == CLI_BAD_EVIDENCE);
    CHECK(!swtpm_shell("openssl ecparam -name secp384r1 -genkey -noout | "
                       "openssl ec -pubout -out other.pem"));
    CHECK(verify("-n", NONCE, "-k", other_key, dir, NULL) == CLI_FAILURE);
}

/* Logs that the PCRs do not vouch for. */
TEST(forged_logs)
{
    uint8_t measurement[32];

    make_launch(0, measurement);
    make_host(&(struct host){.cmdline = "console=com2"}, measurement);
    CHECK(write_in(dir, "host.log", host_log, host_size));
    CHECK(verify_plain(dir) == CLI_BAD_EVIDENCE);

    make_launch(1, measurement);
    make_host(&good, measurement);
    CHECK(write_in(dir, "host.log", host_log, host_size));
    CHECK(write_in(dir, "launch.log", launch_log, launch_size));
    CHECK(verify_plain(dir) == CLI_BAD_EVIDENCE);

    make_launch(0, measurement);
    make_host(&good, measurement);
    CHECK(write_in(dir, "host.log", host_log, host_size));
    CHECK(verify_plain(dir) == CLI_BAD_EVIDENCE);
    CHECK(write_in(dir, "launch.log", launch_log, launch_size));
    CHECK(write_in(dir, "guest", other_guest, 16));
    CHECK(verify_plain(dir) == CLI_BAD_EVIDENCE);
    CHECK(write_in(dir, "guest", guest, 16));
    CHECK(verify_plain(dir) == CLI_OK);
}

TEST(not_what_was_asked_for)
{
    uint8_t measurement[32];

    /* Another command line of the guest. */
    make_launch(2, measurement);
    CHECK(write_file(expected, launch_log, launch_size));
    CHECK(verify("-n", NONCE, "-k", key, "-e", expected, dir, NULL) ==
          CLI_NOT_AS_ASKED);

    /* Another option of Xen. */
    make_launch(0, measurement);
    make_host(&(struct host){.cmdline = "console=com1 x"}, measurement);
    CHECK(extend_all() && attest(other, NONCE));
    CHECK(verify_plain(other) == CLI_OK);
    CHECK(verify("-n", NONCE, "-k", key, "-r", dir, other, NULL) ==
          CLI_NOT_AS_ASKED);

    make_host(&(struct host){.cmdline = "console=com1", .unsafe = 1},
              measurement);
    CHECK(extend_all() && attest(other, NONCE));
    CHECK(verify_plain(other) == CLI_NOT_AS_ASKED);
}

TEST(guest_has_ended)
{
    uint8_t measurement[32];

    make_launch(0, measurement);
    make_host(&(struct host){.cmdline = "console=com1", .ended = true},
              measurement);
    CHECK(extend_all() && attest(other, NONCE));
    CHECK(verify_plain(other) == CLI_BAD_EVIDENCE);
}

/* Parts of two pieces of evidence, each of them good. */
TEST(replayed_quote)
{
    CHECK(attest(other, "ffffffffffffffff"));
    CHECK(!swtpm_shell("cp evidence/quote.* other/"));
    CHECK(verify("-n", "ffffffffffffffff", "-k", key, other, NULL) ==
          CLI_BAD_EVIDENCE);
}

/* A number that verify --json gives of the TPM's clock, or -1. */
static int64_t clock_of(const char *what, const char *name)
{
    struct json_object *obj, *clock, *value;
    int64_t number = -1;

    verify("-j", "-n", NONCE, "-k", key, what, NULL);
    obj = json_object_from_file(in_folder("printed"));
    if ( json_object_object_get_ex(obj, "clock", &clock) &&
         json_object_object_get_ex(clock, name, &value) )
        number = json_object_get_int64(value);
    json_object_put(obj);

    return number;
}

/* Two pieces of evidence tell whether the host was booted between them. */
TEST(booted_between_two_quotes)
{
    const int64_t before = clock_of(dir, "reset_count");
    const int64_t again = clock_of(dir, "restart_count");
    uint8_t measurement[32];

    CHECK(before >= 0 && again >= 0);
    make_launch(0, measurement);
    make_host(&good, measurement);
    CHECK(extend_all() && attest(other, NONCE));
    CHECK(clock_of(other, "reset_count") == before);
    CHECK(!swtpm_reboot() && extend_all() && attest(other, NONCE));
    CHECK(clock_of(other, "reset_count") == before + 1);
    CHECK(clock_of(other, "safe") >= 0 && clock_of(other, "milliseconds") > 0);
    CHECK(verify_plain(other) == CLI_OK && said("TPM   resetCount "));
    CHECK(said(", restartCount ") && said(", safe "));
    /* Not what an unverified quote says. */
    CHECK(verify("-n", "ffffffffffffffff", "-k", key, other, NULL) ==
          CLI_BAD_EVIDENCE);
    CHECK(!said("resetCount"));
}

/* The name that verify --json gives of the TPM's storage key. */
static const char *storage_of(const char *what)
{
    static char names[2][80];
    static unsigned int which;
    char *name = names[which++ % 2];
    struct json_object *obj, *clock, *value;

    verify("-j", "-n", NONCE, "-k", key, what, NULL);
    obj = json_object_from_file(in_folder("printed"));
    *name = '\0';
    if ( json_object_object_get_ex(obj, "clock", &clock) &&
         json_object_object_get_ex(clock, "storage_key", &value) && value )
        snprintf(name, 80, "%s", json_object_get_string(value));
    json_object_put(obj);

    return name;
}

static bool boot_and_attest(void)
{
    return !swtpm_reboot() && extend_all() && attest(other, NONCE);
}

/* dom0 makes the counts equal again, and has the same attestation key. */
TEST(cleared_between_two_quotes)
{
    int64_t before, again;
    char name[80];

    CHECK(boot_and_attest() && verify_plain(other) == CLI_OK);
    before = clock_of(other, "reset_count");
    again = clock_of(other, "restart_count");
    snprintf(name, sizeof(name), "%s", storage_of(other));
    CHECK(strlen(name) == 68 && !strncmp(name, "000b", 4));
    CHECK(boot_and_attest() && !strcmp(storage_of(other), name));
    CHECK(clock_of(other, "reset_count") == before + 1);

    CHECK(before > 0 && before < 20 && !swtpm_shell("tpm2_clear"));
    for ( int64_t i = 1; i < before; i++ )
        CHECK(!swtpm_reboot());
    CHECK(boot_and_attest() && verify_plain(other) == CLI_OK);
    CHECK(said("\n      storage key 000b") && !said(name));
    CHECK(clock_of(other, "reset_count") == before);
    CHECK(clock_of(other, "restart_count") == again);
    CHECK(strlen(storage_of(other)) == 68 && strcmp(storage_of(other), name));

    CHECK(!swtpm_shell("rm other/storage.* other/report.*"));
    CHECK(verify_plain(other) == CLI_OK && said("storage key not known"));
    CHECK(!*storage_of(other));
}

/* A storage key that outlives TPM2_Clear: its seed is the endorsement's. */
TEST(storage_key_of_another_hierarchy)
{
    elsewhere = ESYS_TR_RH_ENDORSEMENT;
    CHECK(attest(other, NONCE) && verify_plain(other) == CLI_BAD_EVIDENCE);
    CHECK(said("FAIL  the storage key") && !said("resetCount"));
    elsewhere = ESYS_TR_RH_OWNER;
    CHECK(attest(other, NONCE) && verify_plain(other) == CLI_OK);
}

/* The other keys' certificates are from before a boot, or a clear. */
TEST(certified_before_a_boot)
{
    CHECK(attest(other, NONCE) && !swtpm_shell("cp -r other before"));
    CHECK(boot_and_attest() && verify_plain(other) == CLI_OK);
    CHECK(!swtpm_shell("cp before/storage.* other"));
    CHECK(verify_plain(other) == CLI_BAD_EVIDENCE);
    CHECK(said("FAIL  the storage key"));
}

/*
 * A key like the attestation key, but the owner's: the counts that the TPM
 * gives in its quotes are not the true ones.
 */
TEST(key_of_another_hierarchy)
{
    CHECK(attest(other, NONCE) && verify_plain(other) == CLI_OK);
    CHECK(!swtpm_shell("rm other/storage.* other/report.*"));
    CHECK(verify_plain(other) == CLI_OK);
    CHECK(!swtpm_shell(
        "tpm2_createprimary -Q -C o -G ecc:ecdsa-sha256:null -c ok -a "
        "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|"
        "restricted|sign' && tpm2_flushcontext -t && "
        "tpm2_readpublic -Q -c ok -f pem -o other.pem && "
        "tpm2_flushcontext -t && tpm2_quote -Q -c ok -g sha256 "
        "-l sha256:0,1,2,3,4,5,6,7,8,9,21,22 -q " NONCE
        " -m other/quote.msg -s other/quote.sig && tpm2_flushcontext -t && "
        "tpm2_checkquote -Q -u other.pem -m other/quote.msg "
        "-s other/quote.sig -q " NONCE));
    CHECK(verify("-n", NONCE, "-k", other_key, other, NULL) ==
          CLI_BAD_EVIDENCE);
    CHECK(said("FAIL  that is an attestation key"));
}

/* What is certified for another nonce, by another key, or is another key. */
TEST(other_keys)
{
    CHECK(attest(other, "ffffffffffffffff"));
    CHECK(!swtpm_shell("cp -r evidence keys && cp other/storage.* keys/"));
    CHECK(verify_plain(in_folder("keys")) == CLI_BAD_EVIDENCE);
    CHECK(!swtpm_shell("cp evidence/storage.* keys/ && "
                       "cp other/report.* keys/"));
    CHECK(verify_plain(in_folder("keys")) == CLI_BAD_EVIDENCE);
    CHECK(!swtpm_shell("for f in pub msg sig; do "
                       "cp evidence/storage.$f keys/report.$f; done"));
    CHECK(verify_plain(in_folder("keys")) == CLI_BAD_EVIDENCE);
    CHECK(!swtpm_shell("for f in pub msg sig; do "
                       "cp evidence/report.$f keys/storage.$f; "
                       "cp evidence/report.$f keys/report.$f; done"));
    CHECK(verify_plain(in_folder("keys")) == CLI_BAD_EVIDENCE);
    CHECK(!swtpm_shell("cp evidence/* keys/"));
    CHECK(verify_plain(in_folder("keys")) == CLI_OK);
    /* Without them: as good, but nothing can be sealed to it. */
    CHECK(!swtpm_shell("rm keys/storage.* keys/report.*"));
    CHECK(verify_plain(in_folder("keys")) == CLI_OK);
    CHECK(!swtpm_shell("cp evidence/storage.pub keys/"));
    CHECK(verify_plain(in_folder("keys")) == CLI_BAD_EVIDENCE);
}

static const char *const names[] = {
    "quote.msg",   "quote.sig",   "pcrs",        "host.log",
    "launch.log",  "guest",       "storage.pub", "storage.msg",
    "storage.sig", "report.pub",  "report.msg",  "report.sig"};

#define NR_NAMES (sizeof(names) / sizeof(names[0]))

static uint32_t next(uint64_t *s)
{
    *s = *s * 6364136223846793005u + 1442695040888963407u;

    return (uint32_t)(*s >> 33);
}

/* One byte of one file, another one each time. */
TEST(any_byte_changed)
{
    uint64_t seed = 20110815;
    unsigned int n, f, yes = 0;

    CHECK(verify_plain(dir) == CLI_OK);
    for ( n = 0; n < MUTATIONS; n++ )
    {
        char path[160];
        struct evlog file;
        uint8_t flip;
        size_t at;

        f = next(&seed) % NR_NAMES;
        snprintf(path, sizeof(path), "%s/%s", dir, names[f]);
        CHECK(!evlog_load(&file, path) && file.size);
        at = next(&seed) % file.size;
        flip = (uint8_t)(1 + next(&seed) % 255);
        file.bytes[at] ^= flip;
        CHECK(write_file(path, file.bytes, file.size));
        yes += verify_plain(dir) == CLI_OK;
        file.bytes[at] ^= flip;
        CHECK(write_file(path, file.bytes, file.size));
        evlog_free(&file);
    }
    CHECK(yes == 0);
    CHECK(verify_plain(dir) == CLI_OK);
}

/* Longer and shorter files. */
TEST(any_file_cut)
{

    for ( unsigned int f = 0; f < NR_NAMES; f++ )
    {
        char path[160];
        struct evlog file;

        snprintf(path, sizeof(path), "%s/%s", dir, names[f]);
        CHECK(!evlog_load(&file, path) && file.size);
        for ( size_t len = 0; len < file.size; len += 1 + file.size / 50 )
        {
            CHECK(write_file(path, file.bytes, len));
            CHECK(verify_plain(dir) != CLI_OK);
        }
        CHECK(write_file(path, file.bytes, file.size));
        file.bytes = realloc(file.bytes, file.size + 1);
        CHECK(file.bytes);
        file.bytes[file.size] = 0;
        CHECK(write_file(path, file.bytes, file.size + 1));
        CHECK(verify_plain(dir) != CLI_OK);
        CHECK(write_file(path, file.bytes, file.size));
        evlog_free(&file);
    }
    CHECK(verify_plain(dir) == CLI_OK);
}

/* ---- Policies ------------------------------------------------------------
 */

static int verify_policy(const char *text, const char *nonce)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/policy", swtpm_folder());
    if ( !write_file(path, text, strlen(text)) )
        return -1;

    return verify("-n", nonce, "-p", path, dir, NULL);
}

static const char *measurement_policy(const uint8_t measurement[32])
{
    static char text[128];
    int n = sprintf(text, "key evidence/ak.pem\nmeasurement ");

    for ( unsigned int i = 0; i < 32; i++ )
        n += sprintf(text + n, "%02x", measurement[i]);

    return text;
}

TEST(policy)
{
    uint8_t measurement[32];

    make_launch(0, measurement);
    CHECK(write_file(expected, launch_log, launch_size));
    CHECK(verify_policy("# all of it\n\nkey evidence/ak.pem\n"
                        "expect expected\nreference evidence # relative\n",
                        NONCE) == CLI_OK);
    CHECK(verify_policy("key evidence/ak.pem\n", "ffffffffffffffff") ==
          CLI_BAD_EVIDENCE);
    make_launch(2, measurement);
    CHECK(write_file(expected, launch_log, launch_size));
    CHECK(verify_policy("key evidence/ak.pem\nexpect expected\n", NONCE) ==
          CLI_NOT_AS_ASKED);
    CHECK(verify_policy("key evidence/ak.pem\nlock all\n", NONCE) ==
          CLI_USAGE);
    CHECK(verify_policy(measurement_policy(measurement), NONCE) ==
          CLI_NOT_AS_ASKED);
    make_launch(0, measurement);
    CHECK(verify_policy(measurement_policy(measurement), NONCE) == CLI_OK);
    CHECK(verify_policy("key\n", NONCE) == CLI_USAGE);
    CHECK(verify_policy("pcrs 0,24\n", NONCE) == CLI_USAGE);
    CHECK(verify_policy("measurement 00\n", NONCE) == CLI_USAGE);
    CHECK(verify_policy("pcrs 0,21\n", NONCE) == CLI_USAGE);
}

/* ---- What seal and convert make of it -------------------------------------
 */

/* Its standard input and output are files in the TPM's folder. */
static int run(enum cli_exit (*verb)(int argc, char **argv), const char *in,
               const char *first, ...)
{
    char *argv[16] = {"verb"}, path[160];
    int argc = 1, out, err, input, status;
    const char *arg;
    va_list al;

    va_start(al, first);
    for ( arg = first; arg && argc < 15; arg = va_arg(al, const char *) )
        argv[argc++] = (char *)arg;
    va_end(al);

    snprintf(path, sizeof(path), "%s/in", swtpm_folder());
    if ( !write_file(path, in, strlen(in)) || !freopen(path, "r", stdin) )
        return -1;
    snprintf(path, sizeof(path), "%s/out", swtpm_folder());
    quiet(1, &out);
    quiet(2, &err);
    input = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(input, 1);
    close(input);
    status = (int)verb(argc, argv);
    loud(1, out);
    loud(2, err);

    return status;
}

static int seal(const char *policy, const char *secret, const char *nonce)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/policy", swtpm_folder());
    if ( !write_file(path, policy, strlen(policy)) )
        return -1;

    return run(seal_main, secret, "-n", nonce, "-t", dir, "-p", path, NULL);
}

static size_t out_size(void)
{
    struct stat st;

    return stat(in_folder("out"), &st) ? 0 : (size_t)st.st_size;
}

TEST(seal)
{
    const char *good_policy = "key evidence/ak.pem\nexpect expected\n"
                              "reference evidence\n";
    uint8_t measurement[32];
    char long_secret[82] = "";

    make_launch(0, measurement);
    CHECK(write_file(expected, launch_log, launch_size));
    CHECK(seal(good_policy, "secret", NONCE) == CLI_OK && out_size() > 200);
    memset(long_secret, 'x', 80);
    CHECK(seal(good_policy, long_secret, NONCE) == CLI_OK);
    memset(long_secret, 'x', 81);
    CHECK(seal(good_policy, long_secret, NONCE) == CLI_FAILURE);
    CHECK(seal(good_policy, "", NONCE) == CLI_FAILURE && !out_size());
    /* Nothing is sealed where verify would have said no, or had nothing to
     * say. */
    CHECK(seal(good_policy, "secret", "ffffffffffffffff") ==
          CLI_BAD_EVIDENCE);
    CHECK(!out_size());
    CHECK(seal("key evidence/ak.pem\nreference none\n", "secret", NONCE) ==
          CLI_USAGE);
    CHECK(!out_size());
    CHECK(seal("key evidence/ak.pem\nexpect expected\n", "secret", NONCE) ==
          CLI_USAGE);
    CHECK(!out_size());
    CHECK(seal("key evidence/ak.pem\nexpect expected\nreference none\n",
               "secret", NONCE) == CLI_OK);
    CHECK(seal("key evidence/ak.pem\nmeasurement 00112233445566778899aabbccdd"
               "eeff00112233445566778899aabbccddeeff\nreference none\n",
               "secret", NONCE) == CLI_NOT_AS_ASKED);
    CHECK(!out_size());
    CHECK(seal("key evidence/ak.pem\nexpect expected\nreference none\n"
               "pcrs 10,21\n", "secret", NONCE) == CLI_USAGE);
    CHECK(seal("key evidence/ak.pem\nexpect expected\nreference none\n"
               "pcrs 23\n", "secret", NONCE) == CLI_USAGE);
    CHECK(seal("key evidence/ak.pem\nexpect expected\nreference none\n"
               "sign expected\n", "secret", NONCE) == CLI_FAILURE);
    make_launch(2, measurement);
    CHECK(write_file(expected, launch_log, launch_size));
    CHECK(seal(good_policy, "secret", NONCE) == CLI_NOT_AS_ASKED);
    CHECK(!out_size());
}

TEST(convert)
{
    struct json_object *obj, *a, *b, *c;
    struct evlog bytes, msg;

    CHECK(!run(convert_main, "", "-f", "coco-tpm", dir, NULL));
    obj = json_object_from_file(in_folder("out"));
    CHECK(json_object_object_get_ex(obj, "ak_pubkey", &a) &&
          strstr(json_object_get_string(a), "BEGIN PUBLIC KEY"));
    CHECK(json_object_object_get_ex(obj, "quote", &a) &&
          json_object_object_get_ex(a, "SHA256", &b));
    CHECK(json_get_base64(b, "attest_body", &bytes));
    CHECK(!evlog_load(&msg, in_folder("evidence/quote.msg")));
    CHECK(bytes.size == msg.size && !memcmp(bytes.bytes, msg.bytes, msg.size));
    evlog_free(&bytes);
    evlog_free(&msg);
    CHECK(json_get_base64(b, "attest_sig", &bytes) && bytes.size == 72);
    evlog_free(&bytes);
    CHECK(json_object_object_get_ex(b, "pcrs", &c) &&
          json_object_array_length(c) == EVIDENCE_NR_PCRS);
    json_object_put(obj);

    CHECK(!run(convert_main, "", "-f", "eat", dir, NULL));
    obj = json_object_from_file(in_folder("out"));
    CHECK(json_object_object_get_ex(obj, "eat_nonce", &a) &&
          !strcmp(json_object_get_string(a), "ABEiM0RVZneImaq7zN3u_w"));
    CHECK(json_object_object_get_ex(obj, "ueid", &a) &&
          json_object_get_string_len(a) == 44);
    CHECK(json_object_object_get_ex(obj, "measurements", &a) &&
          json_object_array_length(a) == 4);
    CHECK(json_object_object_get_ex(obj, "submods", &a) &&
          json_object_object_length(a) == 1);
    json_object_put(obj);
    CHECK(run(convert_main, "", "-f", "eat", swtpm_folder(), NULL) ==
          CLI_BAD_EVIDENCE);
}

/* Evidence of the host alone, where there was a guest's. */
TEST(folder_used_again)
{
    struct evidence ev;

    CHECK(attest(other, NONCE));
    CHECK(!evidence_load(&ev, other) && ev.has_guest);
    ev.has_guest = false;
    CHECK(!evidence_save(&ev, other, "a key"));
    evidence_free(&ev);
    CHECK(!evidence_load(&ev, other) && !ev.has_guest && ev.has_keys);
    evidence_free(&ev);
}

TEST(pubkey_of_evidence)
{
    CHECK(!run(pubkey_main, "", "--report", dir, NULL));
    CHECK(!swtpm_shell("openssl pkey -pubin -in out -noout && cp out r.pem"));
    CHECK(!run(pubkey_main, "", "--storage", dir, NULL));
    CHECK(!swtpm_shell("openssl pkey -pubin -in out -noout && "
                       "! cmp -s out r.pem"));
}
