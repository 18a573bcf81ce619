/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What carries xl migrate (tools/carry_*.c): its two ends, in processes of their
 * own, a shell's xl, and a hypervisor that says in files what it was asked.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "test.h"

#define CARRY_IDLE 10000
#define CARRY_GRACE 8
#define CARRY_TRIES 2
#define CARRY_PAUSE 1
#include "../../tools/carry_link.c"
#include "../../tools/carry_source.c"
#include "../../tools/carry_target.c"

static char top[32], folder[64];

/* ---- The hypervisor --------------------------------------------------------- */

enum cli_exit hyp_start(struct hyp **hyp, struct cloister_host *host)
{
    (void)host;
    *hyp = NULL;

    return CLI_OK;
}

void hyp_close(struct hyp *hyp)
{
    (void)hyp;
}

enum cli_exit hyp_complain(int err, const char *what)
{
    (void)err;
    (void)what;

    return CLI_FAILURE;
}

static bool done(const char *name)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/%s", folder, name);

    return !access(path, F_OK);
}

static void put(const char *name, const char *text, mode_t mode)
{
    char path[96];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    if ( !f )
        return;
    fputs(text, f);
    fclose(f);
    chmod(path, mode);
}

/* A file's name is the action's; what is in it, the result to give. */
static int result(const char *name)
{
    char path[96];
    FILE *f;
    int rc = 0;

    snprintf(path, sizeof(path), "%s/fail-%s", folder, name);
    f = fopen(path, "r");
    if ( f && fscanf(f, "%d", &rc) != 1 )
        rc = -1;
    if ( f )
        fclose(f);
    snprintf(path, sizeof(path), "%s/did-%s", folder, name);
    f = fopen(path, "a");
    if ( f )
    {
        fputs("x", f);
        fclose(f);
    }

    return rc;
}

int hyp_migrate(struct hyp *hyp, struct cloister_migrate *m)
{
    static const char *const names[] = {"owner", "offer", "release",
                                        "receive"};
    int rc = result(names[m->action]);

    (void)hyp;
    switch ( m->action )
    {
    case CLOISTER_MIGRATE_owner:
        memset(m->owner, 1, sizeof(m->owner));
        return m->domid == 3 ? rc : -ESRCH;
    case CLOISTER_MIGRATE_offer:
        if ( m->domid != 7 ||
             m->owner[31] != (getenv("UNPROTECTED") ? 0 : 1) )
            return -ENOENT;
        memset(m->challenge, 2, sizeof(m->challenge));
        memset(m->proof, 3, sizeof(m->proof));
        return done("has-key") ? -EEXIST : rc;
    case CLOISTER_MIGRATE_release:
        if ( m->domid != 3 || m->challenge[31] != 2 || m->proof[31] != 3 )
            return -EACCES;
        memset(&m->key, 4, sizeof(m->key));
        return rc;
    default:
        if ( m->domid != 7 || m->key.tag[15] != 4 )
            return -EBADMSG;
        if ( !rc )
            put("has-key", "", 0600);
        return rc;
    }
}

/* ---- xenstore --------------------------------------------------------------- */

#define UUID "00000000-0000-0000-0000-000000000001"

int domains_load(struct domains *out)
{
    static struct domain list[] = {
        {.id = 3, .uuid = UUID},
        {.id = 7, .uuid = UUID},
        {.id = 9, .uuid = "00000000-0000-0000-0000-000000000002"},
    };

    *out = (struct domains){.count = 3, .list = list};

    return 0;
}

void domains_free(struct domains *domains)
{
    (void)domains;
}

void complain(const char *format, ...)
{
    (void)format;
}

/* ---- The two xls ------------------------------------------------------------ */

#define PAGES 100000 /* bytes of the guest's */

/* It leaves "started" if it was told to go, and has all of the guest. */
static const char xl[] =
    "#!/bin/sh\n"
    "cd \"${0%/*}\"\n"
    "printf '" BANNER "'\n"
    "head -c 100000 >guest\n"
    "[ \"$(wc -c <guest)\" = 100000 ] || exit 1\n"
    "printf '" READY "\\0'\n"
    "[ \"$(head -c 44 | tr -d '\\0')\" = '" GO "' ] || exit 1\n"
    "touch started\n"
    "printf '" REPORT "\\0\\0'\n";

/* An empty folder, with an xl; who is left of an older one keeps that. */
static void fresh(void)
{
    static char path[4096];
    static unsigned int n;

    if ( !top[0] )
    {
        strcpy(top, "/tmp/carryXXXXXX");
        if ( !mkdtemp(top) )
            abort();
        snprintf(path, sizeof(path), "%s", getenv("PATH"));
    }
    snprintf(folder, sizeof(folder), "%s/%u", top, n++);
    if ( mkdir(folder, 0700) )
        abort();
    put("xl", xl, 0700);
    setenv("PATH", path, 1);
    setenv("FOLDER", folder, 1);
}

static void be_sender(int in, int out, const char *via)
{
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    for ( int fd = 3; fd < 64; fd++ )
        close(fd);
    _exit(carry_send(3, UUID, via, "host"));
}

/* As the source's xl: 0: it runs there; 1: not ready; 2: no report. */
static int migrate(const char *via)
{
    static const uint8_t pages[PAGES];
    char text[128];
    int in[2], out[2], status, rc = 1;
    pid_t pid;

    if ( pipe(in) || pipe(out) )
        return -1;
    signal(SIGPIPE, SIG_IGN);
    pid = fork();
    if ( !pid )
        be_sender(in[0], out[1], via);
    close(in[0]);
    close(out[1]);
    if ( carry_read(out[0], text, sizeof(BANNER) - 1) &&
         carry_write(in[1], pages, sizeof(pages)) &&
         carry_read(out[0], text, sizeof(READY)) && !strcmp(text, READY) )
        rc = carry_write(in[1], GO, sizeof(GO)) &&
                     carry_read(out[0], text, sizeof(REPORT) + 1) &&
                     !memcmp(text, REPORT "\0", sizeof(REPORT) + 1)
                 ? 0
                 : 2;
    close(in[1]);
    close(out[0]);
    waitpid(pid, &status, 0);
    /* The other end may have a while to go. */
    for ( int i = 0; i < 300 && done("did-receive") && !done("started"); i++ )
        usleep(10000);

    return rc;
}

/* The test itself is what is reached by this. */
static const char *link_by(const char *format, unsigned int n)
{
    static char via[256];
    char self[128], command[160];
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);

    snprintf(command, sizeof(command), "CARRY=%s PATH=%s:$PATH %.*s",
             folder, folder, (int)size, self);
    snprintf(via, sizeof(via), format, n);
    setenv("RECEIVE", command, 1);
    snprintf(command, sizeof(command), "LOSE_KEY=1 %.*s", (int)size, self);
    setenv("LOSE", command, 1);

    return via;
}

/* A link that passes all but the key, and then nothing. */
__attribute__((constructor)) static void loser(void)
{
    struct carry_frame f;

    if ( !getenv("LOSE_KEY") )
        return;
    while ( carry_get(STDIN_FILENO, &f) && f.kind != KIND_key )
        carry_put(STDOUT_FILENO, (enum carry_kind)f.kind, f.data, f.length);
    _exit(0);
}

__attribute__((constructor)) static void receiver(void)
{
    const char *where = getenv("CARRY");

    if ( !where )
        return;
    snprintf(folder, sizeof(folder), "%s", where);
    unsetenv("CARRY");
    _exit(carry_receive());
}

/* ---- Tests ------------------------------------------------------------------ */

TEST(moves)
{
    fresh();
    CHECK(migrate(link_by("eval $RECEIVE", 0)) == 0);
    CHECK(done("started") && done("did-release") && done("did-receive"));
}

/* No protection, no key: as xl alone. */
TEST(unprotected)
{
    fresh();
    put("fail-owner", "-22", 0600);
    put("fail-offer", "-22", 0600);
    setenv("UNPROTECTED", "1", 1);
    CHECK(migrate(link_by("eval $RECEIVE", 0)) == 0);
    CHECK(done("started") && !done("did-release"));
    unsetenv("UNPROTECTED");
}

TEST(refused)
{
    static const char *const steps[] = {"owner", "offer", "release"};
    char name[32];

    for ( unsigned int i = 0; i < 3; i++ )
    {
        fresh();
        snprintf(name, sizeof(name), "fail-%s", steps[i]);
        put(name, "-2", 0600);
        CHECK(migrate(link_by("eval $RECEIVE", 0)) == 1);
        CHECK(!done("started") && !done("did-receive"));
        CHECK(i == 2 || !done("did-release"));
    }
    fresh();
    put("fail-receive", "-13", 0600);
    CHECK(migrate(link_by("eval $RECEIVE", 0)) == 1);
    CHECK(!done("started") && done("did-release"));
}

/*
 * Wherever the way there is cut: as long as the key has not been released it
 * is not ready, and does not start.
 */
TEST(cut_on_the_way)
{
    /* Hello, banner's way back apart: pages, two heads; the key. */
    static const unsigned int at[] = {0, 1, 50, 77, 100, 65000, 99999, 100077};

    for ( unsigned int i = 0; i < sizeof(at) / sizeof(at[0]); i++ )
    {
        fresh();
        CHECK(migrate(link_by("dd bs=64K count=%u iflag=count_bytes "
                              "2>/dev/null | eval $RECEIVE", at[i])) == 1);
        CHECK(!done("started") && !done("did-release"));
    }
}

/*
 * The way back: once the key is there it starts, whatever is heard of it; and
 * once it has been released, a link that holds brings it.
 */
TEST(cut_on_the_way_back)
{
    const unsigned int banner = (sizeof(BANNER) - 1) * (CARRY_HEAD + 1);
    const unsigned int offer = CARRY_HEAD + sizeof(struct offer);

    for ( unsigned int cut = 0; cut < banner + offer + 20; cut += 80 )
    {
        fresh();
        CHECK(migrate(link_by("eval $RECEIVE | dd bs=1 count=%u 2>/dev/null", cut)) == (done("did-release") ? 0 : 1));
        CHECK(done("started") == done("did-receive"));
        CHECK(done("started") == done("did-release"));
    }
    fresh();
    CHECK(migrate(link_by("eval $RECEIVE | dd bs=1 count=%u 2>/dev/null", banner + offer)) == 0);
    CHECK(done("did-release") && done("started"));
}

/* No shell keeps the link's end open; what received ends with it (socat). */
#define LOSES_KEY                                                             \
    "exec 3<&0; eval exec env $LOSE <&3 | eval exec env $RECEIVE 3<&- & "     \
    "exec <&- >&- 3<&-; sleep 0.5; kill $! 2>&-; wait;"

/* The key is lost on its way there; other links bring it, the second one. */
TEST(key_lost)
{
    fresh();
    CHECK(migrate(link_by("if [ -e $FOLDER/again ]; then eval $RECEIVE; "
                          "else touch $FOLDER/again; " LOSES_KEY "fi",
                          0)) == 0);
    CHECK(done("did-receive") && done("started"));
}

/* And if it stays lost, neither starts; asked later, it is too late. */
TEST(key_stays_lost)
{
    fresh();
    CHECK(migrate(link_by(LOSES_KEY, 0)) == 1);
    CHECK(done("did-release") && !done("did-receive") && !done("started"));
}

/* A source that says that no key comes has no guest held for it. */
TEST(not_held_in_vain)
{
    struct target t = {.domid = 7, .waiting = true};
    int in[2], old = dup(STDIN_FILENO);

    CHECK(!pipe(in));
    dup2(in[0], STDIN_FILENO);
    carry_put(in[1], KIND_refused, NULL, 0);
    CHECK(!from_source(&t) && !t.waiting);
    t.waiting = true;
    close(in[1]);
    CHECK(!from_source(&t) && t.waiting);
    dup2(old, STDIN_FILENO);
    close(in[0]);
    close(old);
}

/* The key alone: a target that has it says so, one without a guest does not. */
TEST(by_itself)
{
    fresh();
    CHECK(carry_again(3, UUID, link_by("eval $RECEIVE", 0), "host") == CLI_OK);
    CHECK(done("has-key"));
    CHECK(carry_again(3, UUID, link_by("eval $RECEIVE", 0), "host") == CLI_OK);
    CHECK(carry_again(3, UUID, link_by("exit 1", 0), "host") == CLI_FAILURE);
    fresh();
    put("fail-release", "-17", 0600);
    CHECK(carry_again(3, UUID, link_by("eval $RECEIVE", 0), "host") ==
          CLI_FAILURE);
    CHECK(!done("has-key"));
    /* Nothing that needs a key; a domain that is ending. */
    fresh();
    put("fail-offer", "-22", 0600);
    CHECK(carry_again(3, UUID, link_by("eval $RECEIVE", 0), "host") ==
          CLI_FAILURE);
    put("fail-offer", "-3", 0600);
    CHECK(carry_again(3, UUID, link_by("eval $RECEIVE", 0), "host") ==
          CLI_FAILURE);
    CHECK(!done("did-receive"));
}

TEST(nobody_there)
{
    fresh();
    CHECK(migrate(link_by("exit 1", 0)) == 1);
    CHECK(migrate(link_by("echo nonsense", 0)) == 1);
    CHECK(migrate(link_by("head -c 1000000 /dev/urandom", 0)) == 1);
    CHECK(!done("did-release"));
}

TEST(cleans_up)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", top);
    CHECK(!system(command));
}
