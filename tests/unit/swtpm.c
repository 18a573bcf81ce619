/* SPDX-License-Identifier: BSD-2-Clause */
/* A TPM of software for tests; see swtpm.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cloister/tpm.h>

#include "swtpm.h"

/* swtpm's control channel, tpm_ioctl.h */
#define CMD_INIT         2
#define CMD_SET_LOCALITY 5

static char folder[64];
static int data = -1, control = -1;
static pid_t pid;

static int dial(const char *name)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int tries, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(to.sun_path, sizeof(to.sun_path), "%s/%s", folder, name);
    for ( tries = 0; tries < 200; tries++ )
    {
        if ( !connect(fd, (struct sockaddr *)&to, sizeof(to)) )
            return fd;
        usleep(50000);
    }
    close(fd);

    return -1;
}

static void stop(void)
{
    char command[128];

    if ( pid > 0 )
    {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    pid = 0;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    if ( system(command) )
        fprintf(stderr, "cannot remove %s\n", folder);
}

static void be_swtpm(void)
{
    char state[96], server[96], ctrl[96];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(state, sizeof(state), "dir=%s", folder);
    snprintf(server, sizeof(server), "type=unixio,path=%s/data", folder);
    snprintf(ctrl, sizeof(ctrl), "type=unixio,path=%s/control", folder);
    execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state,
           "--server", server, "--ctrl", ctrl, "--flags",
           "not-need-init,startup-clear", (char *)NULL);
    _exit(127);
}

int swtpm_start(void)
{
    static int called;

    snprintf(folder, sizeof(folder), "/tmp/swtpm-XXXXXX");
    if ( !mkdtemp(folder) )
        return -1;
    pid = fork();
    if ( !pid )
        be_swtpm();
    if ( !called++ )
        atexit(stop);

    data = dial("data");
    control = dial("control");

    return data < 0 || control < 0 ? -1 : 0;
}

int swtpm_another(void)
{
    close(data);
    close(control);
    stop();

    return swtpm_start();
}

const char *swtpm_folder(void)
{
    return folder;
}

static int read_all(int fd, uint8_t *p, size_t len)
{
    while ( len )
    {
        ssize_t n = read(fd, p, len);

        if ( n <= 0 )
            return -1;
        p += n;
        len -= (size_t)n;
    }

    return 0;
}

/* A request's answer is a number, 0 for success. */
static int request(const uint8_t *cmd, size_t size)
{
    uint8_t rc[4];

    if ( write(control, cmd, size) != (ssize_t)size ||
         read_all(control, rc, sizeof(rc)) )
        return -1;

    return rc[0] | rc[1] | rc[2] | rc[3] ? -1 : 0;
}

int swtpm_locality(unsigned int locality)
{
    const uint8_t cmd[5] = {0, 0, 0, CMD_SET_LOCALITY, (uint8_t)locality};

    return request(cmd, sizeof(cmd));
}

int swtpm_reset(void)
{
    static const uint8_t cmd[8] = {0, 0, 0, CMD_INIT}; /* and no flags */

    return request(cmd, sizeof(cmd));
}

int swtpm_reboot(void)
{
    /* TPM2_Startup(TPM_SU_CLEAR), Part 3, 9.3 */
    static const uint8_t startup[12] = {0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44};
    uint8_t rsp[CL_TPM_HEADER_SIZE];

    if ( swtpm_reset() ||
         swtpm_command(startup, sizeof(startup), rsp, sizeof(rsp)) !=
             sizeof(rsp) )
        return -1;

    return rsp[6] | rsp[7] | rsp[8] | rsp[9] ? -1 : 0;
}

size_t swtpm_command(const uint8_t *cmd, size_t len, uint8_t *rsp, size_t cap)
{
    size_t size;

    if ( write(data, cmd, len) != (ssize_t)len ||
         read_all(data, rsp, CL_TPM_HEADER_SIZE) )
        return 0;
    size = (size_t)rsp[4] << 8 | rsp[5];
    if ( size < CL_TPM_HEADER_SIZE || size > cap ||
         read_all(data, rsp + CL_TPM_HEADER_SIZE, size - CL_TPM_HEADER_SIZE) )
        return 0;

    return size;
}

void swtpm_hang_up(void)
{
    close(data);
}

int swtpm_call_again(void)
{
    data = dial("data");

    return data < 0 ? -1 : 0;
}

int swtpm_shell(const char *command)
{
    char line[2048];
    int status;

    swtpm_hang_up();
    snprintf(line, sizeof(line),
             "cd '%s' && export TPM2TOOLS_TCTI=\"cmd:socat - "
             "UNIX-CONNECT:%s/data\" && { %s\n} >log 2>&1",
             folder, folder, command);
    status = system(line);
    if ( status )
    {
        snprintf(line, sizeof(line), "cat '%s/log' >&2", folder);
        (void)!system(line);
    }

    return swtpm_call_again() || !WIFEXITED(status) ? -1 : WEXITSTATUS(status);
}
