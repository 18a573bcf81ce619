/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes in JSON: base64, or hex digits. */
#ifndef CLOISTER_TOOLS_BASE64_H
#define CLOISTER_TOOLS_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "evlog.h"

/* Adds a member.  url: the alphabet for URLs, and no padding (RFC 4648, 5). */
void json_add_base64(struct json_object *obj, const char *key,
                     const void *bytes, size_t size, bool url);
void json_add_hex(struct json_object *obj, const char *key, const void *bytes,
                  size_t size);

/* A member of obj, decoded; to be released.  false: there is none such. */
bool json_get_base64(struct json_object *obj, const char *key,
                     struct evlog *out);

#endif /* CLOISTER_TOOLS_BASE64_H */
