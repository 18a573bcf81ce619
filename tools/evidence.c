/* SPDX-License-Identifier: BSD-2-Clause */
/* Evidence as files; see evidence.h. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evidence.h"
#include "output.h"

static int hex_digit(char c)
{
    if ( c >= '0' && c <= '9' )
        return c - '0';
    c = (char)tolower((unsigned char)c);

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool nonce_parse(const char *text, struct nonce *out)
{
    size_t len = strlen(text);

    out->size = len / 2;
    if ( len % 2 || out->size < NONCE_MIN || out->size > NONCE_MAX )
    {
        complain("the nonce must be %u to %u hex digits", 2 * NONCE_MIN,
                 2 * NONCE_MAX);
        return false;
    }
    for ( size_t i = 0; i < out->size; i++ )
    {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

        if ( high < 0 || low < 0 )
        {
            complain("the nonce must be hex digits");
            return false;
        }
        out->bytes[i] = (uint8_t)(high << 4 | low);
    }

    return true;
}

/* The files, in one place, and whether evidence must have them. */
#define EACH_FILE(X)                                                          \
    X("quote.msg", msg, true)                                                 \
    X("quote.sig", sig, true)                                                 \
    X("pcrs", pcrs, true)                                                     \
    X("host.log", host, true)                                                 \
    X("guest", guest, ev->has_guest)                                          \
    X("launch.log", launch, ev->has_guest)                                    \
    X("storage.pub", storage.pub, ev->has_keys)                               \
    X("storage.msg", storage.msg, ev->has_keys)                               \
    X("storage.sig", storage.sig, ev->has_keys)                               \
    X("report.pub", report.pub, ev->has_keys)                                 \
    X("report.msg", report.msg, ev->has_keys)                                 \
    X("report.sig", report.sig, ev->has_keys)

static int load(struct evlog *file, const char *dir, const char *name)
{
    char path[4096];

    if ( (size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >=
         sizeof(path) )
        return -ENAMETOOLONG;

    return evlog_load(file, path);
}

static enum cli_exit missing(const char *dir, const char *name, int rc)
{
    complain("%s/%s: %s", dir, name, strerror(-rc));

    return CLI_BAD_EVIDENCE;
}

enum cli_exit evidence_load(struct evidence *ev, const char *dir)
{
    struct stat st;
    int rc;

    *ev = (struct evidence){0};
    if ( stat(dir, &st) )
    {
        complain("%s: %s", dir, strerror(errno));
        return CLI_FAILURE;
    }

    ev->has_guest = !load(&ev->guest, dir, "guest");
    evlog_free(&ev->guest);
    ev->has_keys = !load(&ev->storage.pub, dir, "storage.pub");
    evlog_free(&ev->storage.pub);

#define LOAD(name, member, wanted)                                            \
    if ( wanted )                                                             \
    {                                                                         \
        rc = load(&ev->member, dir, name);                                    \
        if ( rc )                                                             \
            return missing(dir, name, rc);                                    \
    }
    EACH_FILE(LOAD)
#undef LOAD

    return CLI_OK;
}

/* With wanted: writes the file; else there is to be none, of older evidence. */
static enum cli_exit save(const struct evlog *file, const char *dir,
                          const char *name, bool wanted)
{
    char path[4096];

    if ( (size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >=
         sizeof(path) )
    {
        complain("%s: the name is too long", dir);
        return CLI_FAILURE;
    }

    if ( wanted )
        return file_write(path, file->bytes, file->size);
    if ( !unlink(path) || errno == ENOENT )
        return CLI_OK;
    complain("%s: %s", path, strerror(errno));

    return CLI_FAILURE;
}

enum cli_exit evidence_save(const struct evidence *ev, const char *dir,
                            const char *ak_pem)
{
    const struct evlog pem = {(uint8_t *)ak_pem, strlen(ak_pem)};
    enum cli_exit status;

    if ( mkdir(dir, 0700) && errno != EEXIST )
    {
        complain("%s: %s", dir, strerror(errno));
        return CLI_FAILURE;
    }

    status = save(&pem, dir, "ak.pem", true);
#define SAVE(name, member, wanted)                                            \
    if ( !status )                                                            \
        status = save(&ev->member, dir, name, wanted);
    EACH_FILE(SAVE)
#undef SAVE

    return status;
}

void evidence_free(struct evidence *ev)
{
#define FREE(name, member, wanted) evlog_free(&ev->member);
    EACH_FILE(FREE)
#undef FREE
    *ev = (struct evidence){0};
}

const uint8_t *evidence_pcr(const struct evidence *ev, unsigned int pcr)
{
    unsigned int at = 0;

    for ( unsigned int i = 0; i < pcr; i++ )
        at += EVIDENCE_PCRS >> i & 1;

    return ev->pcrs.bytes + at * CLOISTER_DIGEST_SIZE;
}

bool evidence_replays(const struct evidence *ev, unsigned int pcr)
{
    uint8_t value[CLOISTER_DIGEST_SIZE];

    evlog_replay(&ev->host, pcr, value);

    return !memcmp(value, evidence_pcr(ev, pcr), sizeof(value));
}
