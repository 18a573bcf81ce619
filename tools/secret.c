/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cloister secret, inside a guest: the secret that its owner has sealed for it.
 *
 * Anybody can seal something for a guest.  Who has its owner's public key in
 * what it starts from (the ramdisk), which is measured, knows who did.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/pem.h>

#include "hyp.h"
#include "output.h"
#include "sealto.h"

static enum cli_exit fail(int rc)
{
    switch ( rc )
    {
    case -ENOENT:
        complain("secret: nobody has brought one (cloister provision in dom0; "
                 "-w SECONDS waits for it)");
        return CLI_FAILURE;
    case -EEXIST:
        complain("secret: it has been fetched already: once each time that "
                 "the guest is started");
        return CLI_FAILURE;
    case -EPERM:
        complain("secret: " NOT_PROTECTED);
        return CLI_UNREACHABLE;
    default:
        return hyp_complain(rc, "secret");
    }
}

static enum cli_exit check(const struct cloister_secret *s, const char *path)
{
    FILE *f = file_open(path);
    EVP_PKEY *key = f ? PEM_read_PUBKEY(f, NULL, NULL, NULL) : NULL;
    enum cli_exit status = CLI_OK;

    if ( !f )
        return CLI_FAILURE;
    fclose(f);
    if ( !key || !EVP_PKEY_is_a(key, "ED25519") )
    {
        complain("%s: not an Ed25519 public key as PEM (cloister pubkey)",
                 path);
        status = CLI_FAILURE;
    }
    else if ( s->public + s->signature > (int)sizeof(s->proof) ||
              !sealto_verify(key, s->proof, s->public, s->proof + s->public,
                             s->signature) )
    {
        complain("secret: not signed by the owner of %s", path);
        status = CLI_BAD_EVIDENCE;
    }
    EVP_PKEY_free(key);

    return status;
}

static enum cli_exit fetch(unsigned int seconds, const char *key)
{
    struct cloister_secret s = {0};
    struct hyp *hyp = hyp_open();
    enum cli_exit status;
    int rc;

    if ( !hyp )
        return hyp_complain(-errno, "secret");
    rc = hyp_secret(hyp, seconds, &s);
    status = rc ? fail(rc) : CLI_OK;
    hyp_close(hyp);
    if ( !status && key )
        status = check(&s, key);
    if ( !status && s.length <= sizeof(s.secret) )
        status = stdout_write(s.secret, s.length, "a secret");
    fflush(stdout);
    OPENSSL_cleanse(&s, sizeof(s));

    return status;
}

#define LONGEST 86400 /* a day */

static bool parse_seconds(const char *text, unsigned int *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if ( *text >= '0' && *text <= '9' && !*end && n <= LONGEST )
    {
        *out = (unsigned int)n;
        return true;
    }
    complain("secret: -w takes seconds, at most %d, not '%s'", LONGEST, text);

    return false;
}

enum cli_exit secret_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"wait", required_argument, NULL, 'w'},
        {"key", required_argument, NULL, 'k'},
        {0},
    };
    const char *key = NULL;
    unsigned int seconds = 0;
    int opt;

    optind = 0;
    while ( (opt = getopt_long(argc, argv, "w:k:", options, NULL)) != -1 )
    {
        if ( opt == 'k' )
            key = optarg;
        else if ( opt != 'w' || !parse_seconds(optarg, &seconds) )
            return CLI_USAGE;
    }
    if ( argc != optind )
    {
        complain("secret takes no argument");
        return CLI_USAGE;
    }

    return fetch(seconds, key);
}
