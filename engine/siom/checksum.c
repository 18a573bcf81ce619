/* SPDX-License-Identifier: BSD-2-Clause */
/* The checksum that a driver left to us: RFC 1071. */

#include "private.h"

void cl_checksum(const struct cl_frame *f, uint8_t *data)
{
    const uint8_t *p = data + f->csum_start, *end = data + f->len;
    uint8_t *to = data + f->csum_start + f->csum_offset;
    uint64_t sum = 0;
    uint32_t word;
    uint16_t result;

    for ( ; end - p >= 4; p += 4 )
    {
        memcpy(&word, p, 4);
        sum += word;
    }
    word = 0;
    memcpy(&word, p, (size_t)(end - p));
    sum += word;
    while ( sum >> 16 )
        sum = (sum & 0xffff) + (sum >> 16);
    result = (uint16_t)~sum;
    if ( !result )
        result = 0xffff; /* 0 would say, in UDP: none (RFC 768) */
    memcpy(to, &result, 2);
}
