/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cloister attest while guests start and end: it takes one thing after the
 * other, and what it hands out verifies, or is not handed out.  The TPM is a
 * software one; Xen and xenstore are faked here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tss2/tss2_esys.h>

#include <cloister/measure.h>
#include <cloister/tpm2.h>

#include "domains.h"
#include "evidence.h"
#include "hyp.h"
#include "launch.h"
#include "output.h"
#include "swtpm.h"
#include "test.h"

#define NONCE "00112233445566778899aabbccddeeff"
#define ALWAYS 1000u

static char dir[96], key[128], conf[160];

/* ---- Xen ----------------------------------------------------------------
 */

static uint8_t launch_log[8192], host_log[65536], measurement[32];
static size_t launch_size;
static struct cl_measure host;
static struct domain web = {.id = 3};

/* Events that are in the log, and not yet in a PCR. */
static size_t extended;

/* What happens, and so often; then nothing any more. */
static unsigned int after_quote, before_log, quotes;
static uint16_t happens;
static bool ended;

/* Why nothing can be protected, once so many quotes have been made. */
static uint32_t reason;
static unsigned int reason_after;

static void make_launch(void)
{
    launch_size = launch_make(launch_log, sizeof(launch_log), host_log,
                              measurement);
}

static void event(uint16_t type, uint8_t who)
{
    struct cloister_launch l = {.epoch = who, .domid = who};

    l.uuid[0] = who;
    memcpy(l.measurement, measurement, sizeof(l.measurement));
    cl_measure_item(&host, type, 0, 0, &l, sizeof(l));
}

/* As Xen does it, from locality 2; with the connection that is open. */
static bool extend(ESYS_CONTEXT *esys)
{
    const struct evlog log = {host_log, host.used};
    TPML_DIGEST_VALUES d = {.count = 1};
    struct evitem item;
    bool ok = !swtpm_locality(2);

    d.digests[0].hashAlg = TPM2_ALG_SHA256;
    while ( evlog_next(&log, &extended, &item) )
    {
        cl_measure_event(&item.head, d.digests[0].digest.sha256);
        ok &= !Esys_PCR_Extend(
            esys,
            item.head.type < CLOISTER_ITEM_launch ? ESYS_TR_PCR21
                                                  : ESYS_TR_PCR22,
            ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &d);
    }

    return !swtpm_locality(0) && ok;
}

static bool reset(ESYS_CONTEXT *esys)
{
    bool ok = !swtpm_locality(2);

    ok &= !Esys_PCR_Reset(esys, ESYS_TR_PCR21, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                          ESYS_TR_NONE) &&
          !Esys_PCR_Reset(esys, ESYS_TR_PCR22, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                          ESYS_TR_NONE);

    return !swtpm_locality(0) && ok;
}

static ESYS_CONTEXT *used; /* by attest */

static void something_happens(unsigned int *times)
{
    if ( !*times )
        return;
    --*times;
    ended |= happens == CLOISTER_ITEM_end;
    event(happens, happens == CLOISTER_ITEM_end ? 1 : 9);
    if ( !extend(used) )
        abort();
}

TSS2_RC __real_Esys_Quote(ESYS_CONTEXT *, ESYS_TR, ESYS_TR, ESYS_TR, ESYS_TR,
                          const TPM2B_DATA *, const TPMT_SIG_SCHEME *,
                          const TPML_PCR_SELECTION *, TPM2B_ATTEST **,
                          TPMT_SIGNATURE **);
TSS2_RC __wrap_Esys_Quote(ESYS_CONTEXT *, ESYS_TR, ESYS_TR, ESYS_TR, ESYS_TR,
                          const TPM2B_DATA *, const TPMT_SIG_SCHEME *,
                          const TPML_PCR_SELECTION *, TPM2B_ATTEST **,
                          TPMT_SIGNATURE **);

TSS2_RC __wrap_Esys_Quote(ESYS_CONTEXT *esys, ESYS_TR k, ESYS_TR s1,
                          ESYS_TR s2, ESYS_TR s3, const TPM2B_DATA *data,
                          const TPMT_SIG_SCHEME *scheme,
                          const TPML_PCR_SELECTION *pcrs,
                          TPM2B_ATTEST **attest, TPMT_SIGNATURE **signature)
{
    TSS2_RC rc;

    used = esys;
    /* The first time: what Xen does at boot. */
    if ( !quotes++ && !extended && !(reset(esys) && extend(esys)) )
        return TSS2_BASE_RC_GENERAL_FAILURE;
    rc = __real_Esys_Quote(esys, k, s1, s2, s3, data, scheme, pcrs, attest,
                           signature);
    something_happens(&after_quote);

    return rc;
}

enum cli_exit hyp_start(struct hyp **hyp, struct cloister_host *out)
{
    (void)out;
    *hyp = NULL;

    return CLI_OK;
}

int hyp_host(struct hyp *hyp, struct cloister_host *out)
{
    (void)hyp;
    *out = (struct cloister_host){.reason = quotes < reason_after
                                                ? CLOISTER_WHY_none
                                                : reason};

    return 0;
}

/* An end is web's. */
int hyp_domain(struct hyp *hyp, unsigned int domid,
               struct cloister_domain_info *out)
{
    (void)hyp;
    *out = (struct cloister_domain_info){
        .domid = (uint16_t)domid,
        .state = ended ? CLOISTER_DOM_dying : CLOISTER_DOM_sealed,
    };

    return 0;
}

void hyp_close(struct hyp *hyp)
{
    (void)hyp;
}

int hyp_log(struct hyp *hyp, unsigned int domid, struct evlog *out)
{
    const uint8_t *from = launch_log;

    (void)hyp;
    out->size = launch_size;
    if ( domid == CLOISTER_LOG_HOST )
    {
        something_happens(&before_log);
        from = host_log;
        out->size = host.used;
    }
    out->bytes = malloc(out->size);
    memcpy(out->bytes, from, out->size);

    return 0;
}

enum cli_exit hyp_complain(int err, const char *what)
{
    fprintf(stderr, "%s: %d\n", what, err);

    return CLI_FAILURE;
}

enum cli_exit domains_start(struct domains *out)
{
    (void)out;

    return CLI_OK;
}

void domains_free(struct domains *domains)
{
    (void)domains;
}

const struct domain *domains_find(const struct domains *domains,
                                  const char *spec)
{
    (void)domains;

    return strcmp(spec, "web") ? NULL : &web;
}

/* ---- The command --------------------------------------------------------
 */

static const char *in_folder(const char *name)
{
    static char path[160];

    snprintf(path, sizeof(path), "%s/%s", swtpm_folder(), name);

    return path;
}

/* With these arguments; what it prints goes to the file that said() reads. */
static int run(enum cli_exit (*verb)(int argc, char **argv), ...)
{
    char *argv[16] = {"verb"}, *arg;
    int argc = 1, out = dup(1), err = dup(2), status;
    int to = open(in_folder("printed"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    va_list al;

    va_start(al, verb);
    while ( argc < 15 && (arg = va_arg(al, char *)) )
        argv[argc++] = arg;
    va_end(al);
    fflush(NULL);
    dup2(to, 1);
    dup2(to, 2);
    status = (int)verb(argc, argv);
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    close(to);
    close(out);
    close(err);

    return status;
}

static bool said(const char *text)
{
    char bytes[8192] = "";
    FILE *f = fopen(in_folder("printed"), "r");

    if ( f )
    {
        bytes[fread(bytes, 1, sizeof(bytes) - 1, f)] = '\0';
        fclose(f);
    }

    return strstr(bytes, text);
}

static int attest(const char *domain)
{
    int status;

    quotes = 0;
    swtpm_hang_up();
    status = run(attest_main, "-n", NONCE, "-o", dir, "-T", conf, domain,
                 NULL);

    return swtpm_call_again() ? -1 : status;
}

static int verify(void)
{
    return run(verify_main, "-n", NONCE, "-k", key, dir, NULL);
}

/* As after a boot: web runs. */
static void boot(void)
{
    const struct cloister_host_policy policy = {
        .revision = 1,
        .mode = CLOISTER_MODE_on,
    };

    after_quote = before_log = 0;
    extended = 0;
    ended = false;
    happens = CLOISTER_ITEM_launch;
    cl_measure_init(&host, host_log, sizeof(host_log));
    cl_measure_item(&host, CLOISTER_ITEM_build, 0, 0, "\1\2\3", 3);
    cl_measure_item(&host, CLOISTER_ITEM_cmdline, 0, 0, "x", 1);
    cl_measure_item(&host, CLOISTER_ITEM_policy, 0, 0, &policy,
                    sizeof(policy));
    event(CLOISTER_ITEM_launch, 1);
}

TEST(quiet_host)
{
    CHECK(!swtpm_start());
    snprintf(dir, sizeof(dir), "%s/evidence", swtpm_folder());
    snprintf(key, sizeof(key), "%s/ak.pem", dir);
    snprintf(conf, sizeof(conf), "cmd:socat - UNIX-CONNECT:%s/data",
             swtpm_folder());
    strcpy(web.uuid, "01000000-0000-0000-0000-000000000000");
    make_launch();
    boot();
    CHECK(attest("web") == CLI_OK && quotes == 1);
    CHECK(verify() == CLI_OK);
    CHECK(attest(NULL) == CLI_OK && quotes == 1);
    CHECK(verify() == CLI_OK);
}

TEST(guest_starts_before_the_pcrs_are_read)
{
    after_quote = 2;
    CHECK(attest("web") == CLI_OK && quotes == 3);
    CHECK(verify() == CLI_OK);
}

TEST(guest_starts_before_the_log_is_read)
{
    before_log = 2;
    CHECK(attest("web") == CLI_OK && quotes == 3);
    CHECK(verify() == CLI_OK);
}

/* No evidence is better than such as does not verify. */
TEST(guests_start_all_the_time)
{
    CHECK(!swtpm_shell("rm -r evidence"));
    after_quote = ALWAYS;
    CHECK(attest(NULL) == CLI_FAILURE && said("do not fit each other"));
    CHECK(quotes == 10 && access(dir, F_OK) && errno == ENOENT);
    after_quote = 0;
    CHECK(attest(NULL) == CLI_OK && verify() == CLI_OK);
}

/* Xen extends nothing any more: it says so at once, and what to do. */
TEST(tpm_was_reset)
{
    CHECK(!swtpm_shell("rm -r evidence"));
    reason = CLOISTER_WHY_tpm_reset;
    CHECK(attest(NULL) == CLI_FAILURE && said("the TPM was reset"));
    CHECK(said("reboot the host") && !said("try again") && !quotes);
    /* Xen finds out later. */
    after_quote = ALWAYS;
    reason_after = 3;
    CHECK(attest("web") == CLI_FAILURE && said("the TPM was reset"));
    CHECK(quotes == 3 && access(dir, F_OK) && errno == ENOENT);
    after_quote = reason_after = 0;
    /* What keeps guests from being protected need not keep the TPM from it. */
    reason = CLOISTER_WHY_no_iommu;
    CHECK(attest(NULL) == CLI_OK && verify() == CLI_OK);
    reason = CLOISTER_WHY_none;
}

TEST(guest_that_is_not_there)
{
    CHECK(attest("db") == CLI_FAILURE && said("db") && !quotes);
}

/* Its domain can still be found. */
TEST(guest_ends_meanwhile)
{
    happens = CLOISTER_ITEM_end;
    before_log = 1;
    CHECK(attest("web") == CLI_FAILURE && said("web has ended"));
    CHECK(!said("do not fit each other") && quotes == 1);
    CHECK(attest("web") == CLI_FAILURE && said("web has ended") && !quotes);
    CHECK(attest(NULL) == CLI_OK && verify() == CLI_OK);
}

/* What the log says of the guest is another start than that in its own. */
TEST(guest_starts_anew_from_something_else)
{
    boot();
    launch_log[launch_size - 1] ^= 1;
    CHECK(attest("web") == CLI_FAILURE && said("do not fit each other"));
    launch_log[launch_size - 1] ^= 1;
    CHECK(attest("web") == CLI_OK && verify() == CLI_OK);
}
