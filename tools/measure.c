/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cloister measure: what a guest's launch log should be, from its files.  The
 * work is done by cloister-expect, which is linked with Xen's toolstack.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <abi/hypercall.h>

#include "cloister.h"
#include "output.h"

#define HELPER "cloister-expect"

struct measure
{
    const char *output;
    char *argv[10]; /* of the helper: three, one for each option, NULL */
    int argc;
};

static bool add(struct measure *m, const char *key, const char *value)
{
    char *arg = NULL;

    if ( asprintf(&arg, "%s%s", key, value) < 0 )
        return false;
    m->argv[m->argc++] = arg;

    return true;
}

/* Next to this program, or where programs are. */
static void run_helper(char **argv)
{
    char path[4096];
    ssize_t n =
        readlink("/proc/self/exe", path, sizeof(path) - sizeof(HELPER));
    char *slash;

    if ( n > 0 )
    {
        path[n] = '\0';
        slash = strrchr(path, '/');
        if ( slash )
        {
            strcpy(slash + 1, HELPER);
            execv(path, argv);
        }
    }
    execvp(HELPER, argv);
    complain("cannot run " HELPER ": %s", strerror(errno));
    _exit(CLI_UNSUPPORTED);
}

static enum cli_exit measure(char **argv)
{
    int status = 0;
    pid_t pid = fork();

    if ( !pid )
        run_helper(argv);
    if ( pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) )
    {
        complain(HELPER " died");
        return CLI_FAILURE;
    }

    return (enum cli_exit)WEXITSTATUS(status);
}

static bool note(struct measure *m, int opt)
{
    switch ( opt )
    {
    case 'k':
        return add(m, "kernel=", optarg);
    case 'r':
        return add(m, "ramdisk=", optarg);
    case 'c':
        return add(m, "cmdline=", optarg);
    case 'p':
        return add(m, "cpu=", optarg);
    case 'n':
        return add(m, "net=", optarg);
    case 'j':
        return add(m, "json=", "");
    case 'o':
        m->output = optarg;
        return true;
    default:
        return false;
    }
}

enum cli_exit measure_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"kernel", required_argument, NULL, 'k'},
        {"ramdisk", required_argument, NULL, 'r'},
        {"cmdline", required_argument, NULL, 'c'},
        {"cpu", required_argument, NULL, 'p'},
        {"net", required_argument, NULL, 'n'},
        {"output", required_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {0},
    };
    struct measure m = {.output = "/dev/null", .argc = 3};
    unsigned int given = 0;
    enum cli_exit status = CLI_OK;
    int opt;

    optind = 0;
    while ( !status && (opt = getopt_long(argc, argv, "k:r:c:p:n:o:j", options,
                                          NULL)) != -1 )
    {
        /* Each at most once: there is no room for more. */
        if ( opt == '?' || given & 1u << (opt - 'a') || !note(&m, opt) )
            status = CLI_USAGE;
        else
            given |= 1u << (opt - 'a');
    }
    if ( !status && argc - optind != 1 )
    {
        complain("measure: give the guest's configuration");
        status = CLI_USAGE;
    }
    if ( !status )
    {
        m.argv[0] = (char *)HELPER;
        m.argv[1] = argv[optind];
        m.argv[2] = (char *)m.output;
        status = measure(m.argv);
    }
    for ( int i = 3; i < m.argc; i++ )
        free(m.argv[i]);

    return status;
}
