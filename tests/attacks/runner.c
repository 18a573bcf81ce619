/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attack list
 *     names all attacks
 * attack all [NAME...]
 *     mounts all of them (or these), each in a process of its own, and prints
 *     for each "attack NAME VERDICT DETAIL"
 * attack canary
 * attack fuzz SEED CALLS
 * attack noisy SECONDS
 *     see canary.c, fuzz.c, noisy.c
 *
 * Attacks that do no harm share a victim, which is replaced when it is not
 * well any more.  Attacks that may end the host come last.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"

#define SECONDS 60

extern const struct attack *const __start_attacks[];
extern const struct attack *const __stop_attacks[];

static const char *const verdicts[] = {
    [SUCCESS] = "success",
    [FAILURE] = "failure",
    [ERROR] = "error",
    [UNPROVEN] = "unproven",
};

static struct victim shared;
static bool shared_runs;

static void report(const struct attack *a, enum verdict v, double seconds)
{
    printf("attack %s %s %s (%.1f s)\n", a->name, verdicts[v], detail,
           seconds);
    fflush(stdout);
}

static void drop_shared(void)
{
    if ( shared_runs )
        victim_destroy(&shared);
    shared_runs = false;
}

static int need_shared(void)
{
    if ( shared_runs )
        return 0;
    if ( victim_start(&shared, NULL) )
        return -1;
    shared_runs = true;
    return 0;
}

static int need_victim(const struct attack *a, struct victim *v)
{
    if ( a->needs == NO_VICTIM || a->needs == SHARED )
    {
        if ( need_shared() )
            return -1;
        *v = shared;
        return 0;
    }
    if ( a->needs == BUILT )
        return victim_create(v, a->extra);
    return victim_start(v, a->extra);
}

/* In a child that tells by a pipe, and that may crash or hang. */
static enum verdict mount_attack(const struct attack *a, struct victim *v)
{
    int pipes[2], status = 0;
    enum verdict result = ERROR;
    pid_t pid;

    if ( pipe(pipes) || (pid = fork()) < 0 )
        return verdict(ERROR, "fork: %s", strerror(errno));
    if ( !pid )
    {
        setpgid(0, 0);
        alarm(a->seconds ? a->seconds : SECONDS);
        if ( a->needs != FRESH )
            v->log = log_end();
        verdict(ERROR, "no detail");
        result = a->run(v);
        if ( write(pipes[1], &result, sizeof(result)) < 0 ||
             write(pipes[1], detail, sizeof(detail)) < 0 )
            _exit(1);
        _exit(0);
    }
    close(pipes[1]);
    if ( read(pipes[0], &result, sizeof(result)) != sizeof(result) ||
         read(pipes[0], detail, sizeof(detail)) != sizeof(detail) )
        result = verdict(ERROR, "the attack itself died");
    close(pipes[0]);
    kill(-pid, SIGKILL);
    waitpid(pid, &status, 0);
    return result;
}

/* Who is not well after an attack that claims to have failed? */
static enum verdict afterwards(const struct attack *a, enum verdict result)
{
    char before[sizeof(detail)];

    if ( a->needs != SHARED && a->needs != NO_VICTIM )
        return result;
    memcpy(before, detail, sizeof(before));
    /* One that has been hurt may be dead: who waits long then? */
    if ( victim_healthy(&shared, result == FAILURE ? 30 : 5) )
    {
        memcpy(detail, before, sizeof(before));
        return result;
    }
    drop_shared();
    if ( result == FAILURE )
        return verdict(ERROR, "%.80s, but the guest is not well", before);
    memcpy(detail, before, sizeof(before));
    return result;
}

/*
 * Without a frame to try, failure would prove nothing; one is dom0's own, as
 * it has a page by that number, too.
 */
static enum verdict try(const struct attack *a)
{
    unsigned long frames[2];
    enum verdict result;
    struct victim v;

    if ( a->pv_only && pvh_dom0 )
        return verdict(UNPROVEN, "for a PV dom0 only");
    if ( a->pvh_only && !pvh_dom0 )
        return verdict(UNPROVEN, "for a PVH dom0 only");
    if ( !a->run )
        return verdict(UNPROVEN, "%s", a->extra);
    if ( need_victim(a, &v) )
        return ERROR;
    if ( a->frames )
        find_frames();
    if ( a->frames && frames_of_lines(frames, 2) < 2 )
        result = verdict(ERROR, "no frame of the guest has been found");
    else
        result = afterwards(a, mount_attack(a, &v));
    if ( a->needs == FRESH || a->needs == BUILT )
        victim_destroy(&v);
    return result;
}

static bool chosen(const struct attack *a, int argc, char *argv[])
{
    int i;

    for ( i = 0; i < argc; i++ )
        if ( !strcmp(a->name, argv[i]) )
            return true;
    return !argc;
}

static void try_all(int argc, char *argv[])
{
    const struct attack *const *a;
    unsigned int last, count[4] = {0};

    for ( last = 0; last < 2; last++ )
        for ( a = __start_attacks; a < __stop_attacks; a++ )
            if ( (*a)->last == last && chosen(*a, argc, argv) )
            {
                double start = now_s();
                enum verdict result = try(*a);

                report(*a, result, now_s() - start);
                count[result]++;
            }
    drop_shared();
    printf("attacks: success=%u failure=%u error=%u unproven=%u\n",
           count[SUCCESS], count[FAILURE], count[ERROR], count[UNPROVEN]);
}

static void list(void)
{
    const struct attack *const *a;

    for ( a = __start_attacks; a < __stop_attacks; a++ )
        puts((*a)->name);
}

int main(int argc, char *argv[])
{
    const char *what = argc > 1 ? argv[1] : "";

    setvbuf(stdout, NULL, _IOLBF, 0);
    if ( argc == 2 && !strcmp(what, "list") )
        list();
    else if ( argc >= 2 && !strcmp(what, "all") )
    {
        lib_init();
        try_all(argc - 2, argv + 2);
    }
    else if ( argc == 2 && !strcmp(what, "canary") )
    {
        lib_init();
        return !!canary();
    }
    else if ( argc == 4 && !strcmp(what, "fuzz") )
    {
        lib_init();
        return !!fuzz(strtoull(argv[2], NULL, 0), strtoul(argv[3], NULL, 0));
    }
    else if ( argc == 3 && !strcmp(what, "noisy") )
    {
        lib_init();
        return !!noisy(strtoul(argv[2], NULL, 0));
    }
    else
    {
        fprintf(stderr, "usage: attack list | all [NAME...] | canary | "
                        "fuzz SEED CALLS | noisy SECONDS\n");
        return 2;
    }
    return 0;
}
