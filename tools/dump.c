/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister dump: makes a core one that the guest's owner can read. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <abi/dump.h>

#include "cloister.h"
#include "domains.h"
#include "hyp.h"
#include "output.h"

#define RECORD_FIRST (1u << 20)
#define ASKED_MOST 4 /* the guest may grow in between */

/* The modulus of the RSA key in this file, if it is one of the right kind. */
static bool read_modulus(const char *path, uint8_t out[CLOISTER_DUMP_RSA])
{
    BIGNUM *n = NULL, *e = NULL;
    FILE *f = fopen(path, "re");
    EVP_PKEY *key = f ? PEM_read_PUBKEY(f, NULL, NULL, NULL) : NULL;
    bool ok = key && EVP_PKEY_get_bits(key) == CLOISTER_DUMP_RSA * 8 &&
              EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) &&
              EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) &&
              BN_is_word(e, 65537) &&
              BN_bn2binpad(n, out, CLOISTER_DUMP_RSA) == CLOISTER_DUMP_RSA;

    if ( !f )
        complain("%s: %s", path, strerror(errno));
    else if ( !ok )
        complain("%s: no public RSA key (PEM) with 2048 bits and exponent "
                 "65537 (openssl genrsa 2048, openssl rsa -pubout)",
                 path);
    BN_free(n);
    BN_free(e);
    EVP_PKEY_free(key);
    if ( f )
        fclose(f);

    return ok;
}

/* What belongs on the guest's command line. */
static void print_option(const uint8_t modulus[CLOISTER_DUMP_RSA])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];

    SHA256(modulus, CLOISTER_DUMP_RSA, digest);
    fputs(CLOISTER_DUMP_OPTION, stdout);
    for ( size_t i = 0; i < sizeof(digest); i++ )
        printf("%02x", digest[i]);
    putchar('\n');
}

/* The record, in memory of its own, with as much room as Xen asks for. */
static int fetch(struct hyp *hyp, struct cloister_dump *op, void **record)
{
    int rc = -ENOBUFS;

    op->length = RECORD_FIRST;
    for ( unsigned int i = 0; rc == -ENOBUFS && i < ASKED_MOST; i++ )
    {
        free(*record);
        *record = malloc(op->length);
        if ( !*record )
            return -ENOMEM;
        rc = hyp_dump(hyp, op, *record);
    }

    return rc;
}

static enum cli_exit append(const char *path, const struct cloister_dump *op,
                            const void *record)
{
    struct cloister_dump_tail tail = {
        .record = op->length,
        .revision = CLOISTER_DUMP_REVISION,
    };
    FILE *f = fopen(path, "r+be");
    bool ok;

    memcpy(tail.wrapped, op->wrapped, sizeof(tail.wrapped));
    memcpy(tail.signature, CLOISTER_DUMP_SIGNATURE, sizeof(tail.signature));
    ok = f && !fseek(f, 0, SEEK_END) &&
         fwrite(record, op->length, 1, f) == 1 &&
         fwrite(&tail, sizeof(tail), 1, f) == 1;
    if ( f && fclose(f) )
        ok = false;
    if ( !ok )
        complain("%s: %s", path, strerror(errno));

    return ok ? CLI_OK : CLI_FAILURE;
}

static enum cli_exit fail(int rc, const char *spec)
{
    switch ( -rc )
    {
    case EACCES:
        complain("%s: its command line does not name this key (see cloister "
                 "dump -k KEY)", spec);
        return CLI_NOT_AS_ASKED;
    case EINVAL:
        complain("%s is not a protected guest", spec);
        return CLI_FAILURE;
    case E2BIG:
        complain("%s is too large to be saved or dumped (see cloister why)",
                 spec);
        return CLI_FAILURE;
    case ENODATA:
        complain("%s: pages have gone to rest since xl dump-core read them: "
                 "do both again, one right after the other", spec);
        return CLI_FAILURE;
    case EAGAIN:
        complain("%s was being read by somebody else: try again", spec);
        return CLI_FAILURE;
    }

    return hyp_complain(rc, spec);
}

static enum cli_exit dump(const char *spec, const char *core,
                          const uint8_t modulus[CLOISTER_DUMP_RSA])
{
    struct cloister_dump op = {0};
    struct cloister_host host;
    struct domains domains = {0};
    const struct domain *dom;
    struct hyp *hyp;
    unsigned int id;
    void *record = NULL;
    enum cli_exit status = hyp_start(&hyp, &host);
    int rc;

    status = status ? status : domains_start(&domains);
    if ( !status )
    {
        dom = domains_find(&domains, spec);
        id = dom ? dom->id : 0;
        rc = dom || domain_spec_is_id(spec, &id) ? 0 : -ESRCH;
        op.domid = (uint16_t)id;
        memcpy(op.modulus, modulus, sizeof(op.modulus));
        rc = rc ? rc : fetch(hyp, &op, &record);
        status = rc ? fail(rc, spec) : append(core, &op, record);
    }
    free(record);
    hyp_close(hyp);
    domains_free(&domains);

    return status;
}

enum cli_exit dump_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'},
        {0},
    };
    uint8_t modulus[CLOISTER_DUMP_RSA];
    const char *key = NULL;
    int opt;

    optind = 0;
    while ( (opt = getopt_long(argc, argv, "k:", options, NULL)) != -1 )
    {
        if ( opt != 'k' )
            return CLI_USAGE;
        key = optarg;
    }
    if ( !key || (optind != argc && optind + 2 != argc) )
    {
        complain("dump needs -k KEY, and a domain and its core, or neither");
        return CLI_USAGE;
    }
    if ( !read_modulus(key, modulus) )
        return CLI_FAILURE;
    if ( optind == argc )
    {
        print_option(modulus);
        return CLI_OK;
    }

    return dump(argv[optind], argv[optind + 1], modulus);
}
