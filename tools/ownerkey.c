/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cloister keygen: the key by which an owner signs secrets.  cloister pubkey:
 * the public half of it, or the keys that evidence is about.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "evidence.h"
#include "output.h"
#include "tpmkey.h"

enum cli_exit cmd_keygen(const struct request *req)
{
    EVP_PKEY *key;
    int ok;

    (void)req;
    if ( isatty(STDOUT_FILENO) )
    {
        complain("keygen: not to a terminal (umask 077; cloister keygen "
                 ">owner.key)");
        return CLI_USAGE;
    }
    key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    ok = key && PEM_write_PrivateKey(stdout, key, NULL, NULL, 0, NULL, NULL);
    EVP_PKEY_free(key);
    if ( ok )
        return CLI_OK;
    complain("keygen: OpenSSL failed");

    return CLI_FAILURE;
}

/* Private on standard input, public on standard output. */
static enum cli_exit public_half(void)
{
    EVP_PKEY *key = PEM_read_PrivateKey(stdin, NULL, NULL, NULL);
    int ok = key && PEM_write_PUBKEY(stdout, key);

    EVP_PKEY_free(key);
    if ( ok )
        return CLI_OK;
    complain("pubkey: standard input is no private key as PEM");

    return CLI_FAILURE;
}

static enum cli_exit of_evidence(const char *dir, bool storage)
{
    TPM2B_PUBLIC public;
    struct evidence ev;
    const struct certified *c = storage ? &ev.storage : &ev.report;
    enum cli_exit status = evidence_load(&ev, dir);
    char *pem = NULL;

    if ( !status && ev.has_keys &&
         tpmkey_parse(c->pub.bytes, c->pub.size, &public) &&
         tpmkey_is(storage ? TPMKEY_storage : TPMKEY_report,
                   &public.publicArea) )
        pem = tpmkey_pem(&public.publicArea.unique.ecc);
    evidence_free(&ev);
    if ( pem )
        fputs(pem, stdout);
    else if ( !status )
    {
        complain("%s: has no such key", dir);
        status = CLI_BAD_EVIDENCE;
    }
    free(pem);

    return status;
}

enum cli_exit pubkey_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"report", no_argument, NULL, 'r'},
        {"storage", no_argument, NULL, 's'},
        {0},
    };
    int opt, which = 0;

    optind = 0;
    while ( (opt = getopt_long(argc, argv, "rs", options, NULL)) != -1 )
    {
        if ( opt == '?' )
            return CLI_USAGE;
        if ( which && which != opt )
        {
            complain("pubkey: either --report or --storage");
            return CLI_USAGE;
        }
        which = opt;
    }
    if ( argc - optind != (which ? 1 : 0) )
    {
        complain("pubkey: give nothing (a private key on standard input), or "
                 "--report or --storage and a folder of evidence");
        return CLI_USAGE;
    }

    return which ? of_evidence(argv[optind], which == 's') : public_half();
}
