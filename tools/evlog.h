/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Launch and event logs (abi/evidence.h): read, checked, printed.  What comes
 * from a file is not believed: nothing here needs Xen.
 */
#ifndef CLOISTER_TOOLS_EVLOG_H
#define CLOISTER_TOOLS_EVLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <abi/evidence.h>

#define DIGEST_TEXT 65 /* hex digits and the terminator */
#define EVLOG_MAX (256u << 20)

/* A log in memory.  To be released with evlog_free. */
struct evlog
{
    uint8_t *bytes;
    size_t size;
};

/* One item; data points into the log. */
struct evitem
{
    struct cloister_item head;
    const uint8_t *data; /* head.length bytes */
};

/* Reads a file.  0 or -errno (-EFBIG: above EVLOG_MAX). */
int evlog_load(struct evlog *log, const char *path);

/* Fine after a failed load. */
void evlog_free(struct evlog *log);

/*
 * The item at *offset, which moves behind it.  false: the end, or (offset is
 * not the size) no item there.
 */
bool evlog_next(const struct evlog *log, size_t *offset, struct evitem *item);

/*
 * Whether the log is made of whole items, whose data have the digests that
 * they say, in the order of the format and with no type that does not belong.
 * Otherwise why holds the reason.
 */
bool evlog_check(const struct evlog *log, bool host, char *why, size_t size);

/* The launch measurement that a launch log stands for. */
void evlog_measurement(const struct evlog *log,
                       uint8_t out[CLOISTER_DIGEST_SIZE]);

/* What a PCR holds after the events of a host's log. */
void evlog_replay(const struct evlog *log, unsigned int pcr,
                  uint8_t out[CLOISTER_DIGEST_SIZE]);

/*
 * The last launch of a domain, by its UUID, that no end follows.  false: there
 * is none.
 */
bool evlog_find_launch(const struct evlog *log, const uint8_t uuid[16],
                       struct cloister_launch *out);

/*
 * The first item in which an expected and an actual log differ; a or b is all
 * zeros (with data NULL) where that log has ended.  An expected CPU policy or
 * HVM record without data stands for any.  false: they are the same.
 */
bool evlog_compare(const struct evlog *expected, const struct evlog *actual,
                   struct evitem *a, struct evitem *b);

/* "pages", "cmdline"...; "unknown". */
const char *evitem_name(const struct evitem *item);

/* One line on what is in it. */
void evitem_print(FILE *to, const struct evitem *item);

char *digest_text(const uint8_t digest[CLOISTER_DIGEST_SIZE],
                  char out[DIGEST_TEXT]);

/* The type code that HVM context records have in Xen, as a name, or NULL. */
const char *hvm_record_name(uint64_t type);

#endif /* CLOISTER_TOOLS_EVLOG_H */
