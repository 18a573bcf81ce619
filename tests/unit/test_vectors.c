/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page cipher against all vector files in a folder: tests/vectors, or the
 * one that the environment variable CLOISTER_VECTORS names.  Drop files in as
 * they are published:
 *
 *   *.rsp    NIST CAVP, gcmEncryptExtIV256.rsp and gcmDecrypt256.rsp
 *   *.json   Wycheproof, aes_gcm_test.json and its like
 *
 * Cases with keys other than 256, nonces other than 96 or tags other than 128
 * bits are counted and left out.  Every case is sealed (if it is valid) and
 * opened with vectors of every width that this CPU has.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include <cloister/gcm.h>

#include "test.h"

#define MAX 70000

struct bytes
{
    uint8_t b[MAX];
    size_t len;
};

/* One case; `valid`: the tag is right. */
struct vector
{
    struct bytes key, iv, aad, msg, ct, tag;
    bool valid;
};

static struct vector v;
static unsigned int run, left_out, wrong, files;

static void unhex(struct bytes *to, const char *hex)
{
    to->len = 0;
    while ( to->len < MAX && sscanf(hex, "%2hhx", &to->b[to->len]) == 1 )
    {
        to->len++;
        hex += 2;
    }
}

static enum cl_gcm_impl best_impl(void)
{
    uint32_t eax = 1, ebx, ecx = 0, edx, low = 0, high = 0;

    __asm__ ( "cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx) );
    if ( ecx & 1u << 27 ) /* OSXSAVE */
        __asm__ ( "xgetbv" : "=a" (low), "=d" (high) : "c" (0) );

    return cl_gcm_best((uint64_t)high << 32 | low);
}

static bool seals(enum cl_gcm_impl impl, struct cl_gcm_job j)
{
    static uint8_t out[MAX], tag[16];

    j.in = v.msg.b;
    j.out = out;
    j.tag = tag;
    cl_gcm_seal_jobs(impl, &j, 1, NULL, v.msg.len);

    return !memcmp(out, v.ct.b, v.ct.len) && !memcmp(tag, v.tag.b, 16);
}

static bool opens(enum cl_gcm_impl impl, struct cl_gcm_job j)
{
    static uint8_t out[MAX];
    size_t i, sum = 0;

    j.in = v.ct.b;
    j.out = out;
    j.tag = v.tag.b;
    if ( !cl_gcm_open_job(impl, &j, v.ct.len) )
        return v.valid && !memcmp(out, v.msg.b, v.ct.len);

    for ( i = 0; i < v.ct.len; i++ )
        sum += out[i];

    return !v.valid && !sum;
}

static void check(const char *file, const char *id)
{
    struct cl_gcm_key key;
    const struct cl_gcm_job j = { .key = &key, .nonce = v.iv.b,
                                  .aad = v.aad.b, .aadlen = v.aad.len };
    enum cl_gcm_impl impl;

    if ( v.key.len != 32 || v.iv.len != 12 || v.tag.len != 16 )
    {
        left_out++;
        return;
    }

    run++;
    if ( cl_gcm_init(&key, v.key.b) )
        wrong++;
    for ( impl = CL_GCM_SSE; impl <= best_impl(); impl++ )
        if ( (v.valid && !seals(impl, j)) || !opens(impl, j) )
        {
            printf("# %s, case %s, variant %d\n", file, id, impl);
            wrong++;
        }
}

/* ---- NIST CAVP -------------------------------------------------------- */

static const struct field
{
    const char *name;
    struct bytes *to;
} fields[] = {
    { "Key", &v.key }, { "IV", &v.iv },   { "PT", &v.msg },
    { "AAD", &v.aad }, { "CT", &v.ct },   { "Tag", &v.tag },
};

/* A case ends at an empty line, at a section, or at the end of the file. */
static void rsp_end(const char *file, char *count)
{
    if ( *count )
        check(file, count);
    *count = 0;
}

static void rsp_line(const char *file, char *line, char *count)
{
    unsigned int i;

    line[strcspn(line, "\r\n")] = 0;
    if ( !*line || *line == '[' )
        rsp_end(file, count);
    else if ( !strncmp(line, "Count = ", 8) )
    {
        memset(&v, 0, sizeof(v));
        v.valid = true;
        snprintf(count, 32, "%.31s", line + 8);
    }
    else if ( !strcmp(line, "FAIL") )
        v.valid = false;

    for ( i = 0; i < sizeof(fields) / sizeof(fields[0]); i++ )
    {
        size_t n = strlen(fields[i].name);

        if ( !strncmp(line, fields[i].name, n) &&
             !strncmp(line + n, " = ", 3) )
            unhex(fields[i].to, line + n + 3);
    }
}

static bool rsp(const char *path)
{
    static char line[2 * MAX + 100];
    char count[32] = "";
    FILE *f = fopen(path, "r");

    if ( !f )
        return false;
    while ( fgets(line, sizeof(line), f) )
        rsp_line(path, line, count);
    rsp_end(path, count);
    fclose(f);

    return true;
}

/* ---- Wycheproof ------------------------------------------------------- */

static const char *text(struct json_object *o, const char *name)
{
    const char *s = json_object_get_string(json_object_object_get(o, name));

    return s ? s : "";
}

static void wycheproof_case(const char *path, struct json_object *test)
{
    unhex(&v.key, text(test, "key"));
    unhex(&v.iv, text(test, "iv"));
    unhex(&v.aad, text(test, "aad"));
    unhex(&v.msg, text(test, "msg"));
    unhex(&v.ct, text(test, "ct"));
    unhex(&v.tag, text(test, "tag"));
    v.valid = !strcmp(text(test, "result"), "valid");
    check(path, text(test, "tcId"));
}

static bool wycheproof(const char *path)
{
    struct json_object *root = json_object_from_file(path), *groups, *tests;
    size_t g, t;

    if ( !root )
        return false;
    groups = json_object_object_get(root, "testGroups");
    for ( g = 0; groups && g < json_object_array_length(groups); g++ )
    {
        tests = json_object_object_get(json_object_array_get_idx(groups, g),
                                       "tests");
        for ( t = 0; tests && t < json_object_array_length(tests); t++ )
            wycheproof_case(path, json_object_array_get_idx(tests, t));
    }
    json_object_put(root);

    return true;
}

/* ---- The folder ------------------------------------------------------- */

static bool read_file(const char *dir, const char *name)
{
    const char *end = strrchr(name, '.');
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if ( !end || (strcmp(end, ".rsp") && strcmp(end, ".json")) )
        return true;
    files++;

    return strcmp(end, ".rsp") ? wycheproof(path) : rsp(path);
}

static bool read_folder(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    bool ok = dir;

    while ( dir && (entry = readdir(dir)) )
        ok &= read_file(path, entry->d_name);
    if ( dir )
        closedir(dir);

    return ok;
}

TEST(gcm_vector_files)
{
    const char *folder = getenv("CLOISTER_VECTORS");

    CHECK(read_folder(folder ? folder : VECTORS));
    printf("(%u cases of %u files, %u left out)\n", run, files, left_out);
    CHECK(run > 0);
    CHECK(!wrong);
}
