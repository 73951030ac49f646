/*
 * thread_stacks.h - where the stacks of the target's threads are.
 *
 * The C library keeps a struct pthread at the upper end of each stack, which points at
 * itself, holds the thread's number, and says where the stack's block is. It is looked
 * for in what nobody else claims, and only while the place of some thread is not known:
 * found ones are proven again with one read. No symbol is needed and nothing is stopped.
 *
 * One thread.
 */
#ifndef HEAPTOP_SOURCE_THREAD_STACKS_H
#define HEAPTOP_SOURCE_THREAD_STACKS_H

#include <stddef.h>
#include <stdint.h>

#include "target/maps.h"
#include "target/reader.h"
#include "target/residency.h"

#define THREADS_MAX 4096

struct thread_stack {
    uint64_t start, end; /* the block: guard, stack, and what stands above it */
    uint64_t pthread;
    uint32_t tid; /* 0: of a thread that ended; glibc keeps the stack for the next */
};

struct thread_stacks {
    struct thread_stack stacks[THREADS_MAX];
    size_t count;
    uint32_t tids[THREADS_MAX]; /* sorted */
    size_t n_tids;
};

/* Reads the numbers of the threads; `dir` is /proc/PID. */
void thread_stacks_tids(struct thread_stacks *stacks, int dir);

/* Proves the known ones; true when the place of some thread but `pid` is not known. */
bool thread_stacks_prove(struct thread_stacks *stacks, struct reader *reader,
                         uint32_t pid);

/* Looks for stacks in [start, end), at most *budget_bytes of memory, which it lowers. */
void thread_stacks_search(struct thread_stacks *stacks, struct reader *reader,
                          struct residency *residency, uint64_t start, uint64_t end,
                          uint64_t *budget_bytes);

#endif
