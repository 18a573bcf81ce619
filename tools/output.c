/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs print alike: complaints, warnings, reasons, JSON. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

void complain(const char *format, ...)
{
    va_list al;

    fputs("cloister: ", stderr);
    va_start(al, format);
    vfprintf(stderr, format, al);
    va_end(al);
    fputc('\n', stderr);
}

static int write_new(const char *path, const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
        rc = 0;

    if ( fd < 0 )
        return -errno;
    while ( size && !rc )
    {
        ssize_t n = write(fd, data, size);

        if ( n < 0 )
            rc = -errno;
        else
        {
            data += n;
            size -= (size_t)n;
        }
    }
    if ( !rc && fsync(fd) )
        rc = -errno;
    if ( close(fd) && !rc )
        rc = -errno;

    return rc;
}

enum cli_exit file_write(const char *path, const void *data, size_t size)
{
    char fresh[4096];
    int rc = -ENAMETOOLONG;

    if ( (size_t)snprintf(fresh, sizeof(fresh), "%s.new", path) <
         sizeof(fresh) )
    {
        rc = write_new(fresh, data, size);
        if ( !rc && rename(fresh, path) )
            rc = -errno;
        if ( rc )
            unlink(fresh);
    }
    if ( !rc )
        return CLI_OK;

    complain("cannot write %s: %s", path, strerror(-rc));

    return CLI_FAILURE;
}

FILE *file_open(const char *path)
{
    FILE *f = fopen(path, "re");

    if ( !f )
        complain("%s: %s", path, strerror(errno));

    return f;
}

enum cli_exit stdin_read(uint8_t *buf, size_t cap, size_t *size)
{
    *size = fread(buf, 1, cap, stdin);
    if ( ferror(stdin) )
        complain("cannot read standard input: %s", strerror(errno));
    else if ( *size == cap && getchar() != EOF )
        complain("standard input: more than %zu bytes", cap);
    else if ( !*size )
        complain("standard input: nothing there");
    else
        return CLI_OK;

    return CLI_FAILURE;
}

enum cli_exit stdout_write(const void *data, size_t size, const char *what)
{
    if ( isatty(STDOUT_FILENO) )
    {
        complain("%s: not to a terminal", what);
        return CLI_USAGE;
    }
    fwrite(data, 1, size, stdout);

    return CLI_OK;
}

static const struct reason_text reasons[] = {
#define REASON_TEXT(nr, name, what, mend) {nr, #name, what, mend},
    CLOISTER_REASONS(REASON_TEXT)
#undef REASON_TEXT
};

const struct reason_text *reason_text(uint32_t number)
{
    static const struct reason_text unknown = {
        .number = ~0u,
        .name = "unknown",
        .what = "a reason that this version of cloister does not know",
        .mend = "use the cloister command that came with this Xen",
    };

    for ( size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++ )
    {
        if ( reasons[i].number == number )
            return &reasons[i];
    }

    return &unknown;
}

char *domain_label(const struct domain *dom, char *buf, size_t size)
{
    if ( *dom->name )
        snprintf(buf, size, "%s (%u)", dom->name, dom->id);
    else
        snprintf(buf, size, "domain %u", dom->id);

    return buf;
}

const char *domain_state_name(unsigned int state)
{
    static const char *const names[] = {
        [CLOISTER_DOM_unprotected] = "unprotected",
        [CLOISTER_DOM_building] = "building",
        [CLOISTER_DOM_sealing] = "sealing",
        [CLOISTER_DOM_sealed] = "sealed",
        [CLOISTER_DOM_dying] = "dying",
    };

    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

static const char unsafe_lab[] =
    "UNSAFE-LAB: Xen runs with the option unsafe-lab, TPM and IOMMU checks "
    "are "
    "waived, guests are NOT safe from dom0; for test machines only";

void warnings_print(FILE *to, const struct cloister_host *host)
{
    if ( host->flags & CLOISTER_HOST_unsafe )
        fprintf(to, "WARNING: %s\n", unsafe_lab);
}

struct json_object *warnings_json(const struct cloister_host *host)
{
    struct json_object *array = json_object_new_array();

    if ( host->flags & CLOISTER_HOST_unsafe )
        json_object_array_add(array, json_object_new_string(unsafe_lab));

    return array;
}

struct json_object *json_new_answer(void)
{
    struct json_object *answer = json_object_new_object();

    json_add_number(answer, "schema", JSON_SCHEMA);

    return answer;
}

void json_add_text(struct json_object *obj, const char *key, const char *text)
{
    struct json_object *value = NULL;

    if ( text && *text )
        value = json_object_new_string(text);

    json_object_object_add(obj, key, value);
}

void json_add_number(struct json_object *obj, const char *key, uint64_t value)
{
    json_object_object_add(obj, key, json_object_new_uint64(value));
}

void json_add_flag(struct json_object *obj, const char *key, int value)
{
    json_object_object_add(obj, key, json_object_new_boolean(value));
}

struct json_object *reason_json(uint32_t number, uint64_t detail)
{
    const struct reason_text *text = reason_text(number);
    struct json_object *obj;

    if ( number == CLOISTER_WHY_none )
        return NULL;

    obj = json_object_new_object();
    json_add_number(obj, "number", number);
    json_add_text(obj, "name", text->name);
    json_add_text(obj, "what", text->what);
    json_add_text(obj, "mend", text->mend);
    json_add_number(obj, "detail", detail);

    return obj;
}

void json_finish(struct json_object *answer)
{
    puts(json_object_to_json_string_ext(
        answer, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                    JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(answer);
}
