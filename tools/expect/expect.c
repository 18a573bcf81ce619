/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cloister-expect: the launch log that a guest should have, computed from its
 * configuration and files.  Run by `cloister measure`.
 *
 *     cloister-expect CONFIG OUTPUT [kernel=FILE] [ramdisk=FILE]
 *                     [cmdline=TEXT] [cpu=LOG] [net=SETTING=VALUE,...] [json=]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <libxlutil.h>

#include <abi/evidence.h>
#include <abi/hypercall.h>
#include <cloister/measure.h>

#include "base64.h"
#include "cloister.h"
#include "evlog.h"
#include "fake.h"
#include "netset.h"
#include "output.h"
#include "states.h"

static const char *output;
static bool as_json;
static struct cloister_net_set net; /* of the guest's network card */
static struct evlog cpu_from; /* its CPU policy is expected; empty: any is */

__attribute__((noreturn, format(printf, 1, 2))) static void
die(const char *format, ...)
{
    va_list al;

    va_start(al, format);
    fputs("cloister-expect: ", stderr);
    vfprintf(stderr, format, al);
    fputc('\n', stderr);
    va_end(al);
    _exit(1);
}

/* ---- The log -------------------------------------------------------------
 */

/* That of a log, or none, which stands for any. */
static void cpu_policy(struct cl_measure *m)
{
    struct evitem item;
    size_t offset = 0;

    while ( evlog_next(&cpu_from, &offset, &item) )
    {
        if ( item.head.type != CLOISTER_ITEM_cpu )
            continue;
        cl_measure_item(m, CLOISTER_ITEM_cpu, 0, 0, item.data,
                        item.head.length);
        return;
    }
    cl_measure_item(m, CLOISTER_ITEM_cpu, 0, 0, NULL, 0);
}

static void all_pages(struct cl_measure *m)
{
    for ( uint64_t gfn = 0; gfn < fake.max_gfn; gfn++ )
    {
        if ( !(gfn % 8) && !fake.populated[gfn / 8] )
        {
            gfn += 7;
            continue;
        }
        if ( !fake_is_populated(gfn) )
            continue;
        cl_measure_page(m, gfn,
                        gfn == fake.params[HVM_PARAM_CONSOLE_PFN] ||
                                gfn == fake.params[HVM_PARAM_STORE_PFN]
                            ? NULL
                            : fake_page(gfn));
    }
}

static void put_measurement(const uint8_t digest[CL_SHA256_SIZE])
{
    struct json_object *answer;

    if ( as_json )
    {
        answer = json_new_answer();
        json_add_hex(answer, "measurement", digest, CL_SHA256_SIZE);
        json_finish(answer);
        return;
    }
    for ( unsigned int i = 0; i < CL_SHA256_SIZE; i++ )
        printf("%02x", digest[i]);
    putchar('\n');
}

static void write_log(struct cl_measure *m)
{
    uint8_t digest[CL_SHA256_SIZE];
    FILE *f;

    if ( cl_measure_finish(m, digest) )
        die("the log is too long");
    f = fopen(output, "we");
    if ( !f || fwrite(m->log, 1, m->used, f) != m->used || fclose(f) )
        die("%s: %s", output, strerror(errno));
    put_measurement(digest);
}

void fake_built(void)
{
    const struct cloister_launch_config config = {
        .revision = CLOISTER_LOG_REVISION,
        .vcpus = fake.vcpus,
        .options = fake.config.flags,
        .emulation = fake.config.arch.emulation_flags,
        .tsc_mode = fake.tsc_mode,
        .pages = fake.pages,
    };
    size_t cap = (1u << 20) + fake.pages / CLOISTER_RUN_PAGES * 128;
    uint64_t start = fake.cpu.rbx / FAKE_PAGE;
    struct cl_measure m;

    cl_measure_init(&m, calloc(1, cap), cap);
    if ( !m.log )
        die("no memory");
    cl_measure_item(&m, CLOISTER_ITEM_config, 0, 0, &config, sizeof(config));
    cpu_policy(&m);
    fake_states(&m);
    cl_measure_item(&m, CLOISTER_ITEM_params, 0, 0, fake.params,
                    sizeof(fake.params));
    cl_measure_item(&m, CLOISTER_ITEM_map, 0, 0, fake.map,
                    fake.nr_map * sizeof(fake.map[0]));
    cl_measure_item(&m, CLOISTER_ITEM_start, 0, start, fake_page(start),
                    FAKE_PAGE);
    all_pages(&m);
    if ( net.fields )
    {
        struct cloister_launch_net item;

        netset_launch(&net, &item);
        cl_measure_item(&m, CLOISTER_ITEM_net, 0, 0, &item, sizeof(item));
    }
    write_log(&m);
    fflush(stdout);
    _exit(0);
}

/* ---- The configuration ---------------------------------------------------
 */

static char *text(const XLU_Config *c, const char *key)
{
    const char *s = NULL;

    return xlu_cfg_get_string(c, key, &s, 0) ? NULL : strdup(s);
}

static long number(const XLU_Config *c, const char *key, long otherwise)
{
    long n;

    return xlu_cfg_get_long(c, key, &n, 0) ? otherwise : n;
}

/* As xl puts it together. */
static char *command_line(const XLU_Config *c)
{
    char *cmdline = text(c, "cmdline"), *root = text(c, "root"),
         *extra = text(c, "extra"), *line = NULL;

    if ( cmdline )
        return cmdline;
    if ( !root && !extra )
        return NULL;
    if ( root && asprintf(&line, "root=%s %s", root, extra ? extra : "") < 0 )
        die("no memory");

    return root ? line : extra;
}

static void tsc_mode(const XLU_Config *c, libxl_tsc_mode *out)
{
    char *name = text(c, "tsc_mode");
    long n;

    if ( name && libxl_tsc_mode_from_string(name, out) )
        die("tsc_mode: not known: %s", name);
    if ( !name && !xlu_cfg_get_long(c, "tsc_mode", &n, 0) )
        *out = (libxl_tsc_mode)n;
}

/* These would change what is measured, and are not understood here. */
static const char *const not_known[] = {
    "firmware_override",
    "acpi_firmware",
    "smbios_firmware",
    "device_tree",
    "bootloader",
    "cpuid",
    "msr_relaxed",
    "vnuma",
    "nestedhvm",
    "altp2m",
    "acpi",
    "apic",
    "viridian",
    "mca_caps",
    "passthrough",
    "pci",
    "ioports",
    "iomem",
    "irqs",
    "pvshim",
    "timer_mode",
    "max_grant_version",
    "vmtrace_buf_kb",
    "hap",
    "pae",
    "nomigrate",
};

static void parse(libxl_ctx *ctx, const char *path, libxl_domain_config *d)
{
    XLU_Config *c = xlu_cfg_init(stderr, path);
    libxl_domain_build_info *b = &d->b_info;
    XLU_ConfigList *list;
    char *type;

    if ( access(path, R_OK) ) /* the library would say "Success" */
        die("%s: %s", path, strerror(errno));
    if ( !c || xlu_cfg_readfile(c, path) )
        die("%s: cannot be read", path);
    type = text(c, "type");
    if ( !type || strcmp(type, "pvh") )
        die("%s: only guests of type=\"pvh\" can be measured", path);
    for ( size_t i = 0; i < sizeof(not_known) / sizeof(not_known[0]); i++ )
    {
        const char *s;
        long n;

        if ( !xlu_cfg_get_string(c, not_known[i], &s, 1) ||
             !xlu_cfg_get_long(c, not_known[i], &n, 1) ||
             !xlu_cfg_get_list(c, not_known[i], &list, NULL, 1) )
            die("%s: %s= is not known here, and changes what is measured",
                path, not_known[i]);
    }

    d->c_info.type = LIBXL_DOMAIN_TYPE_PVH;
    d->c_info.name = strdup("expected");
    libxl_uuid_generate(&d->c_info.uuid);
    libxl_domain_build_info_init_type(b, LIBXL_DOMAIN_TYPE_PVH);
    b->max_memkb = b->target_memkb = (uint64_t)number(c, "memory", 4) * 1024;
    b->max_memkb =
        (uint64_t)number(c, "maxmem", (long)(b->max_memkb / 1024)) * 1024;
    b->max_vcpus = (int)number(c, "vcpus", 1);
    b->max_vcpus = (int)number(c, "maxvcpus", b->max_vcpus);
    if ( libxl_cpu_bitmap_alloc(ctx, &b->avail_vcpus, b->max_vcpus) == 0 )
        for ( long i = 0; i < number(c, "vcpus", b->max_vcpus); i++ )
            libxl_bitmap_set(&b->avail_vcpus, (int)i);
    b->kernel = text(c, "kernel");
    b->ramdisk = text(c, "ramdisk");
    b->cmdline = command_line(c);
    tsc_mode(c, &b->tsc_mode);
    xlu_cfg_destroy(c);
}

/* SETTING=VALUE,... as for cloister net. */
static void net_settings(const char *value)
{
    char *words = strdup(value), *word = strtok(words, ",");

    for ( ; word; word = strtok(NULL, ",") )
    {
        if ( !netset_parse(word, &net) )
            _exit(CLI_USAGE);
    }
    free(words);
}

/* The files are not where they are on the host. */
static void override(libxl_domain_build_info *b, const char *arg)
{
    const char *value = strchr(arg, '=');

    if ( !value )
        die("not understood: %s", arg);
    value++;
    if ( !strncmp(arg, "kernel=", 7) )
        b->kernel = strdup(value);
    else if ( !strncmp(arg, "ramdisk=", 8) )
        b->ramdisk = strdup(value);
    else if ( !strncmp(arg, "cmdline=", 8) )
        b->cmdline = strdup(value);
    else if ( !strcmp(arg, "json=") )
        as_json = true;
    else if ( !strncmp(arg, "net=", 4) )
        net_settings(value);
    else if ( !strncmp(arg, "cpu=", 4) )
    {
        char why[128] = "cannot be read";

        if ( evlog_load(&cpu_from, value) ||
             !evlog_check(&cpu_from, false, why, sizeof(why)) )
            die("%s: %s", value, why);
    }
    else
        die("not understood: %s", arg);
}

int main(int argc, char **argv)
{
    libxl_domain_config config;
    xentoollog_logger *logger;
    libxl_ctx *ctx;
    uint32_t domid = 0;
    int rc;

    if ( argc < 3 )
        die("usage: cloister-expect CONFIG OUTPUT [KEY=VALUE...]");
    output = argv[2];
    fake_init();
    logger = (void *)xtl_createlogger_stdiostream(
        stderr, getenv("CLOISTER_EXPECT_DEBUG") ? XTL_DEBUG : XTL_ERROR, 0);
    if ( libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, logger) )
        die("libxl does not start");

    libxl_domain_config_init(&config);
    parse(ctx, argv[1], &config);
    for ( int i = 3; i < argc; i++ )
        override(&config.b_info, argv[i]);

    rc = libxl_domain_create_new(ctx, &config, &domid, NULL, NULL);
    die("libxl did not build the guest (%d)", rc);
}
