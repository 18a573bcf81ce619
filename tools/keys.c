/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cloister keys: the host key, and the list of saved images that may still be
 * restored, from the files that dom0 keeps them in.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <abi/images.h>

#include "cloister.h"
#include "evlog.h"
#include "hyp.h"
#include "output.h"

#define KEY_FILE "/var/lib/cloister/host.key"
#define LIST_SUFFIX ".images"
#define LIST_BYTES                                                             \
    (sizeof(struct cloister_images_list) +                                     \
     CLOISTER_IMAGES_MOST * sizeof(struct cloister_images_entry))

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

    rc = hyp_hostkey(hyp, key);
    /* Another request that was given up may have got its key in the end. */
    if ( !rc && (key->length != file.length ||
                 memcmp(key->blob, file.blob, file.length)) )
        *write = true;

    return rc;
}

/* ---- The list of images --------------------------------------------------- */

/*
 * Before anything has been saved in this boot.  That older images cannot be
 * restored is no failure of it.
 */
static void load_list(struct hyp *hyp, const char *path)
{
    struct cloister_images op = {.action = CLOISTER_IMAGES_peek};
    struct evlog file;
    int rc = hyp_images(hyp, &op, NULL);

    if ( !rc && op.changes )
        return;
    op = (struct cloister_images){.action = CLOISTER_IMAGES_load};
    rc = rc ? rc : evlog_load(&file, path);
    if ( rc == -ENOENT )
        return;
    if ( !rc )
    {
        op.length = (uint32_t)file.size;
        rc = hyp_images(hyp, &op, file.bytes);
        evlog_free(&file);
    }
    if ( rc == -ENODATA )
        complain("%s: older than the last restore: images that were saved "
                 "before this boot cannot be restored", path);
    else if ( rc && rc != -EBUSY )
        complain("%s: not taken (%s): images that were saved before this boot "
                 "cannot be restored", path, strerror(-rc));
}

static enum cli_exit save_list(struct hyp *hyp, const char *path,
                               struct cloister_images *op)
{
    static uint8_t list[LIST_BYTES];
    int rc;

    *op = (struct cloister_images){
        .action = CLOISTER_IMAGES_get,
        .length = sizeof(list),
    };
    rc = hyp_images(hyp, op, list);
    if ( rc )
        return hyp_complain(rc, path);

    return file_write(path, list, op->length);
}

/* Again whenever it has changed, for as long as it can be kept. */
static enum cli_exit follow_list(struct hyp *hyp, const char *path)
{
    struct cloister_images seen, now;
    enum cli_exit status = save_list(hyp, path, &seen);
    int rc;

    while ( !status )
    {
        sleep(1);
        now = (struct cloister_images){.action = CLOISTER_IMAGES_peek};
        rc = hyp_images(hyp, &now, NULL);
        if ( rc )
            return hyp_complain(rc, path);
        if ( now.changes != seen.changes || now.counter != seen.counter )
            status = save_list(hyp, path, &seen);
    }

    return status;
}

static enum cli_exit keep_list(struct hyp *hyp, const char *key_path,
                               bool follow)
{
    struct cloister_images op;
    char path[PATH_MAX];

    if ( snprintf(path, sizeof(path), "%s" LIST_SUFFIX, key_path) >= PATH_MAX )
        return CLI_USAGE;
    load_list(hyp, path);

    return follow ? follow_list(hyp, path) : save_list(hyp, path, &op);
}

enum cli_exit keys_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"file", required_argument, NULL, 'f'},
        {"follow", no_argument, NULL, 'F'},
        {"new", no_argument, NULL, 'n'},
        {0},
    };
    const char *path = KEY_FILE;
    struct cloister_hostkey key;
    struct cloister_host host;
    enum cli_exit status;
    struct hyp *hyp;
    bool fresh = false, write = false, follow = false;
    int opt, rc;

    optind = 0;
    while ( (opt = getopt_long(argc, argv, "f:n", options, NULL)) != -1 )
    {
        if ( opt == 'f' )
            path = optarg;
        else if ( opt == 'n' )
            fresh = true;
        else if ( opt == 'F' )
            follow = true;
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
    {
        printf("host key: ready (%s)\n", path);
        fflush(stdout);
        status = keep_list(hyp, path, follow);
    }
    hyp_close(hyp);

    return status;
}
