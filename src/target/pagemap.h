/*
 * pagemap.h - which pages of the target are in memory.
 *
 * Reading a page that was never touched, or was given back, maps it; reading
 * one that was swapped out brings it back. Who reads large stretches asks
 * /proc/PID/pagemap first, and leaves such pages out. When pagemap cannot be
 * read every page counts as present, as if nobody had asked.
 *
 * Borrows the descriptor. Answers are kept for a block of pages until
 * pagemap_forget(). One thread.
 */
#ifndef HEAPTOP_TARGET_PAGEMAP_H
#define HEAPTOP_TARGET_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target/reader.h"

#define PAGEMAP_PAGE_BYTES UINT64_C(4096)
#define PAGEMAP_KEPT       512

struct pagemap {
    int fd;              /* -1: every page counts as present */
    bool has_no_scan;    /* the kernel is older than 6.7 */
    uint64_t first_page; /* of those kept */
    size_t count;
    uint64_t words[PAGEMAP_KEPT];
};

void pagemap_init(struct pagemap *pagemap, int fd);
void pagemap_forget(struct pagemap *pagemap);

/* Documentation/admin-guide/mm/pagemap.rst */
#define PAGEMAP_PRESENT   (UINT64_C(1) << 63)
#define PAGEMAP_SWAPPED   (UINT64_C(1) << 62)
#define PAGEMAP_FILE      (UINT64_C(1) << 61)
#define PAGEMAP_GUARD     (UINT64_C(1) << 58) /* madvise MADV_GUARD_INSTALL: nothing */
#define PAGEMAP_EXCLUSIVE (UINT64_C(1) << 56) /* no other process maps it */

bool pagemap_word_is_present(uint64_t word);
/* A guard page is called swapped, too, as its entry is kept like one (Linux 6.13, which
 * says so from 6.15 on); glibc 2.42 has them at the ends of threads' stacks. */
bool pagemap_word_is_swapped(uint64_t word);
/* In memory, and of no file. */
bool pagemap_word_is_anonymous(uint64_t word);

/* How many of words[from .. count) in a row say the same as words[from]. Pure. */
size_t pagemap_same(const uint64_t *words, size_t from, size_t count);

/* False where the kernel does not say: a page that was never touched is not swapped. */
bool pagemap_is_swapped(struct pagemap *pagemap, uint64_t address);

bool pagemap_is_present(struct pagemap *pagemap, uint64_t address);
/* The same of one page alone: of its neighbours nothing will be asked. */
bool pagemap_one_is_present(struct pagemap *pagemap, uint64_t address);

/* Are all pages of [start, end) present? One cheap call (PAGEMAP_SCAN); true as well
 * where the kernel does not have it. */
bool pagemap_all_present(struct pagemap *pagemap, uint64_t start, uint64_t end);

/* Bytes from the address on, at most `length`, that are all present or all not. */
uint64_t pagemap_run(struct pagemap *pagemap, uint64_t address, uint64_t length,
                     bool *is_present);

/* The first page from the address on that is present, or `end`: of terabytes that were
 * never touched one cheap call. Where the kernel does not have it (has_no_scan), a page
 * up to which none is present, not far away. */
uint64_t pagemap_next_present(struct pagemap *pagemap, uint64_t address, uint64_t end);
bool pagemap_has_swapped(struct pagemap *pagemap, uint64_t start, uint64_t end);

/* The same of pages that are in memory and of no file, so that they were written; where
 * the kernel does not say, all are. */
uint64_t pagemap_run_written(struct pagemap *pagemap, uint64_t address, uint64_t length,
                             bool *is_written);

/* As reader_read, but pages of which there is nothing yet, or only in a file, are not
 * touched: zeros in the buffer. One that was swapped out is read. */
int pagemap_read_touched(struct pagemap *pagemap, struct reader *reader, uint64_t address,
                         void *buffer, uint64_t length);

/* As reader_read, but pages that are not present are not touched: they become zeros in
 * the buffer, and are added to *absent_bytes. */
int pagemap_read(struct pagemap *pagemap, struct reader *reader, uint64_t address,
                 void *buffer, uint64_t length, uint64_t *absent_bytes);

#endif
