/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of remutate share. */
#ifndef REMUTATE_H
#define REMUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xenguest.h>

#define PAGE 4096

/* ---- image.c: a saved image in memory ------------------------------------ */

/* The stream that libxc writes, and where in it things are. */
struct image {
    uint8_t *data;
    size_t size;
    size_t context, context_size;   /* the HVM context's bytes */
    size_t params, params_size;     /* the HVM parameters' entries */
    size_t context_end;             /* behind its padding */
    unsigned int pages;
    struct page {
        size_t pfn, data;           /* offsets of its number, its bytes */
    } *page;
};

/* Reads the stream in fd from its start; exits if it makes no sense. */
void image_read(struct image *im, int fd);

/* A copy, to be changed and freed. */
void image_copy(struct image *to, const struct image *from);
void image_free(struct image *im);

/* Puts `with` in place of the `size` bytes at offset `at`; nothing else is
   adapted but the offsets behind. */
void image_splice(struct image *im, size_t at, size_t size, const void *with,
                  size_t with_size);

/* The same for the HVM context, with the stream's record made to fit. */
void image_set_context(struct image *im, const void *context, size_t size);

/* ---- target.c: domains ---------------------------------------------------- */

extern xc_interface *xch;
extern xenforeignmemory_handle *fmem;

/* Saves the domain as it is into a file in memory, and leaves it suspended;
   -1: it cannot be saved. */
int target_save(uint32_t domid);

/* A domain like the one that was saved, without memory; exits on failure. */
uint32_t target_create(const xc_domaininfo_t *like);

/* Restores the image, runs it and asks for all pages: 0; -1: the restore
   failed; -2: the unpause did; -3: the guest was stopped. */
int target_restore(uint32_t domid, const struct image *im);

/* How long libxc took for the last one that ran, and then Xen, until it did. */
extern double target_restored_ms, target_unpaused_ms;

void target_destroy(uint32_t domid);

#endif /* REMUTATE_H */
