/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister keys: the host key, from the file that dom0 keeps it in. */
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <sys/stat.h>

#include "cloister.h"
#include "evlog.h"
#include "hyp.h"
#include "output.h"

#define KEY_FILE "/var/lib/cloister/host.key"

static const struct
{
    int err;
    enum cli_exit status;
    const char *text;
} failures[] = {
    {EBADMSG, CLI_BAD_EVIDENCE,
     "not a host key that Cloister has made on this host"},
    {ENXIO, CLI_BAD_EVIDENCE,
     "of another TPM, or of this one before it was cleared (--new makes "
     "another; what was wrapped with the old one is lost)"},
    {EACCES, CLI_NOT_AS_ASKED,
     "firmware, boot loader, Xen or its options have changed since it was "
     "made (boot what was there before, or --new)"},
    {ENODEV, CLI_UNSUPPORTED, "there is no usable TPM"},
    {EIO, CLI_FAILURE, "the TPM failed (see xl dmesg)"},
    {ETIMEDOUT, CLI_FAILURE, "the TPM did not answer in time (see xl dmesg)"},
};

static enum cli_exit fail(int rc, const char *path)
{
    for ( size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++ )
    {
        if ( failures[i].err != -rc )
            continue;
        complain("%s: %s", path, failures[i].text);
        return failures[i].status;
    }

    return hyp_complain(rc, path);
}

static int read_blob(const char *path, struct cloister_hostkey *key)
{
    struct evlog file;
    int rc = evlog_load(&file, path);

    if ( rc )
        return rc;
    if ( file.size > sizeof(key->blob) )
        rc = -EBADMSG;
    else
    {
        memcpy(key->blob, file.bytes, file.size);
        key->length = (uint32_t)file.size;
    }
    evlog_free(&file);

    return rc;
}

/* Only for the default file: others' folders are others' affair. */
static void make_folder(void)
{
    mkdir("/var/lib/cloister", 0700);
}

/* What is in use already, what is in the file, or a new one. */
static int obtain(struct hyp *hyp, const char *path, bool fresh,
                  struct cloister_hostkey *key, bool *write)
{
    struct cloister_hostkey file = {.action = CLOISTER_HOSTKEY_load};
    int rc;

    *key = (struct cloister_hostkey){.action = CLOISTER_HOSTKEY_get};
    rc = hyp_hostkey(hyp, key);
    if ( rc || key->state )
    {
        *write = true;
        return rc;
    }

    rc = fresh ? -ENOENT : read_blob(path, &file);
    *write = rc == -ENOENT;
    if ( !rc )
        *key = file;
    else if ( rc == -ENOENT )
        *key = (struct cloister_hostkey){.action = CLOISTER_HOSTKEY_create};
    else
        return rc;

    return hyp_hostkey(hyp, key);
}

enum cli_exit keys_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"file", required_argument, NULL, 'f'},
        {"new", no_argument, NULL, 'n'},
        {0},
    };
    const char *path = KEY_FILE;
    struct cloister_hostkey key;
    struct cloister_host host;
    enum cli_exit status;
    struct hyp *hyp;
    bool fresh = false, write = false;
    int opt, rc;

    optind = 0;
    while ( (opt = getopt_long(argc, argv, "f:n", options, NULL)) != -1 )
    {
        if ( opt == 'f' )
            path = optarg;
        else if ( opt == 'n' )
            fresh = true;
        else
            return CLI_USAGE;
    }
    if ( optind != argc )
    {
        complain("keys takes no argument");
        return CLI_USAGE;
    }

    status = hyp_start(&hyp, &host);
    if ( status )
        return status;
    rc = obtain(hyp, path, fresh, &key, &write);
    if ( rc )
        status = fail(rc, path);
    else if ( write )
    {
        make_folder();
        status = file_write(path, key.blob, key.length);
    }
    if ( !status )
        printf("host key: ready (%s)\n", path);
    hyp_close(hyp);

    return status;
}
