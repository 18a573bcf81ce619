/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes in JSON; see base64.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base64.h"

/* RFC 4648, 5. */
static void for_url(char *text)
{
    for ( ; *text; text++ )
    {
        if ( *text == '+' )
            *text = '-';
        else if ( *text == '/' )
            *text = '_';
        else if ( *text == '=' )
        {
            *text = '\0';
            return;
        }
    }
}

void json_add_base64(struct json_object *obj, const char *key,
                     const void *bytes, size_t size, bool url)
{
    char *text = malloc(size / 3 * 4 + 5);

    if ( text )
    {
        EVP_EncodeBlock((unsigned char *)text, bytes, (int)size);
        if ( url )
            for_url(text);
    }
    json_object_object_add(obj, key,
                           text ? json_object_new_string(text) : NULL);
    free(text);
}

void json_add_hex(struct json_object *obj, const char *key, const void *bytes,
                  size_t size)
{
    const uint8_t *b = bytes;
    char *text = malloc(2 * size + 1);

    for ( size_t i = 0; text && i < size; i++ )
        sprintf(text + 2 * i, "%02x", b[i]);
    if ( text )
        text[2 * size] = '\0';
    json_object_object_add(obj, key,
                           text ? json_object_new_string(text) : NULL);
    free(text);
}

bool json_get_base64(struct json_object *obj, const char *key,
                     struct evlog *out)
{
    struct json_object *value;
    const char *text;
    size_t len;
    int n;

    *out = (struct evlog){0};
    if ( !json_object_object_get_ex(obj, key, &value) ||
         !json_object_is_type(value, json_type_string) )
        return false;
    text = json_object_get_string(value);
    len = strlen(text);
    if ( len % 4 || len > EVLOG_MAX )
        return false;
    out->bytes = malloc(len / 4 * 3 + 1);
    n = out->bytes
            ? EVP_DecodeBlock(out->bytes, (const unsigned char *)text, (int)len)
            : -1;
    if ( n < 0 )
    {
        evlog_free(out);
        return false;
    }
    /* It counts the padding. */
    for ( size_t i = len; i && text[i - 1] == '='; i-- )
        n--;
    out->size = n < 0 ? 0 : (size_t)n;

    return true;
}
