/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: dom0 talks to the TPM in the hypervisor's name.
 *
 * Claim    whoever reaches the TPM's registers at locality 2 can unseal what
 *          is bound to that locality, and extend the registers that attest
 *          guests.
 * Method   map the page of each locality (0xFED40000 + 0x1000 * N) through
 *          /dev/mem and read the vendor's id.
 * Stock    all five answer.
 *
 * Prints "locality N 1" if it answers, "locality N 0" if not.  The kernel's
 * own driver must be unloaded (it claims the range).
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define TPM_BASE        0xfed40000ul
#define TPM_DID_VID     0xf00
#define LOCALITIES      5
#define SECONDS         10

/* In a child: an access that Xen refuses ends it. */
static int answers(unsigned int locality)
{
    int fd = open("/dev/mem", O_RDWR | O_SYNC);
    volatile uint8_t *page;
    uint32_t id;

    if ( fd < 0 )
        return 0;
    page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd,
                (off_t)(TPM_BASE + 0x1000ul * locality));
    if ( page == MAP_FAILED )
        return 0;
    id = *(volatile uint32_t *)(page + TPM_DID_VID);

    return id != 0 && id != UINT32_MAX;
}

static int ask(unsigned int locality)
{
    int status = 1;
    pid_t pid = fork();

    if ( !pid )
    {
        alarm(SECONDS);
        _exit(!answers(locality));
    }
    if ( pid < 0 || waitpid(pid, &status, 0) != pid )
        return 0;

    return WIFEXITED(status) && !WEXITSTATUS(status);
}

int main(void)
{
    unsigned int i;

    for ( i = 0; i < LOCALITIES; i++ )
        printf("locality %u %d\n", i, ask(i));

    return 0;
}
