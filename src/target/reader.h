/*
 * reader.h - how bytes at a remote address are obtained.
 *
 * A reader is a struct of functions with a state: live (process_vm_readv, else
 * a kept /proc/PID/mem), kept and pages (over another one), image (bytes given by a test,
 * with faults on demand), later core files. It never changes the target. All bytes it
 * gives are hostile: validate before use.
 *
 * Belongs to the thread that samples. A live reader has no state that reading changes,
 * so the threads of a walk may read through it at once; others are for one thread.
 */
#ifndef HEAPTOP_TARGET_READER_H
#define HEAPTOP_TARGET_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "target/raddr.h"

struct maps;
struct reader;

/* One piece of a scattered read. `done` says whether all of it was read. */
struct piece {
    struct raddr address;
    void *buffer;
    size_t length;
    bool done;
};

struct reader_ops {
    const char *name;
    /* All or nothing: 0 or -1. */
    int (*read)(struct reader *reader, struct raddr address, void *buffer, size_t length);
    /* Best effort: marks every piece; returns how many were read whole. NULL: there is
     * no better way than one by one. */
    size_t (*readv)(struct reader *reader, struct piece *pieces, size_t count);
    void (*close)(struct reader *reader);
};

/* The head of every reader; implementations embed it first. */
struct reader {
    const struct reader_ops *ops;
    uint64_t read_bytes; /* the price: bytes copied so far */
    uint64_t calls;
};

/* All or nothing. The plain form for hot paths; the caller knows what failed. */
int reader_read(struct reader *reader, struct raddr address, void *buffer, size_t length);

/* As reader_read, with the sentence "cannot read <what> of the target at 0x..". */
int reader_fetch(struct reader *reader, struct raddr address, void *buffer, size_t length,
                 const char *what, struct err *err);

size_t reader_readv(struct reader *reader, struct piece *pieces, size_t count);

/* Little-endian words; false when unreadable. */
bool reader_u64(struct reader *reader, struct raddr address, uint64_t *value);
bool reader_u32(struct reader *reader, struct raddr address, uint32_t *value);

/* A NUL-terminated string of fewer than `size` bytes; false when there is none. */
bool reader_string(struct reader *reader, struct raddr address, char *buffer,
                   size_t size);

void reader_close(struct reader *reader);

/* The live reader of a process. `mem_fd` is a kept /proc/PID/mem or -1; borrowed. */
int reader_live_open(int pid, int mem_fd, struct reader **reader, struct err *err);

/* Of a process that shares pages with others the descriptor reads: see shared_pages.h.
 * Taken for granted until somebody knows better. Where a `pagemap_fd` (borrowed; -1:
 * none) shows that no page of a long read is shared, that read goes the faster way all
 * the same. */
void reader_live_spare(struct reader *reader, bool has_shared_pages, int pagemap_fd);

/* Where only the descriptor reads: lets the privileged helper serve scattered reads, when
 * there is one and the number still belongs to the process that began then. */
void reader_live_help(struct reader *reader, uint64_t start_ticks);

/* A read out of pages that a reader over another one keeps, piece by piece. The function
 * gives the page that begins at the address; NULL: it has none, and `under` is asked. */
typedef const uint8_t *reader_page_fn(void *kept, uint64_t address);
int reader_by_pages(struct reader *under, reader_page_fn *page_at, void *kept,
                    struct raddr address, void *buffer, size_t length);

/* A reader over another one that keeps the pages it has read, for what does not change
 * while it lives: code and tables of images. `under` and `maps` are borrowed; without
 * maps no page is read but those that are asked for. For one thread. */
struct reader *reader_kept_new(struct reader *under, const struct maps *maps);

/* A reader over another one that keeps the few pages that it read last, until it is told
 * to forget them: for many small reads that are close to each other. `under` is borrowed.
 * For one thread at a time. */
struct reader *reader_pages_new(struct reader *under);
void reader_pages_forget(struct reader *reader);
/* Was one of the pages that were used since the mark read before it? */
void reader_pages_mark(struct reader *reader);
bool reader_pages_was_older(const struct reader *reader);

/* An image for tests: the segments' bytes are borrowed until close. */
struct image_segment {
    struct raddr address;
    const void *bytes;
    size_t length;
};
struct reader *reader_image_new(const struct image_segment *segments, size_t count);

/* The image reader fails its n-th read from now (1 = the next); 0 = never. */
void reader_image_fail_at(struct reader *reader, uint64_t nth_read);

#endif
