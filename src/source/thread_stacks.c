#include "source/thread_stacks.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/bytes.h"

#define PAGE        UINT64_C(4096)
#define WINDOW      (UINT64_C(256) << 10)
#define ALIGNMENT   64
#define STRUCT_READ 0x900 /* bytes of a struct pthread that are looked at */

/* nptl/descr.h struct pthread, 2.17 - 2.43, x86_64: tcbhead_t {tcb, dtv, self, ...} and
 * the thread's number. musl src/internal/pthread_impl.h: {self, ..., tid at 48}. */
#define GLIBC_SELF 16
#define GLIBC_TID  0x2d0
#define MUSL_TID   48
/* Where the block's address and size stand moved: they are searched from here on. */
#define BLOCK_FROM  48
#define STACK_LEAST (UINT64_C(16) << 10)
#define STACK_MOST  (UINT64_C(4) << 30)

static int tid_compare(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;

    return *a < *b ? -1 : *a > *b;
}

void thread_stacks_tids(struct thread_stacks *stacks, int dir)
{
    int fd = openat(dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *tasks = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    stacks->n_tids = 0;
    if (!tasks) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while (stacks->n_tids < THREADS_MAX && (entry = readdir(tasks))) {
        unsigned long tid = strtoul(entry->d_name, NULL, 10);

        if (tid)
            stacks->tids[stacks->n_tids++] = (uint32_t)tid;
    }
    closedir(tasks);
    qsort(stacks->tids, stacks->n_tids, sizeof(stacks->tids[0]), tid_compare);
}

static bool is_tid(const struct thread_stacks *stacks, uint32_t tid)
{
    return tid && bsearch(&tid, stacks->tids, stacks->n_tids, sizeof(tid), tid_compare);
}

/* Is this the beginning of a struct pthread, and whose? */
static bool is_pthread(const struct thread_stacks *stacks, const uint8_t *bytes,
                       size_t length, uint64_t address, uint32_t *tid)
{
    if (length < GLIBC_TID + 4 || u64_at(bytes, 0) != address)
        return false;
    if (u64_at(bytes, GLIBC_SELF) == address) {
        *tid = u32_at(bytes, GLIBC_TID);
        return !*tid || is_tid(stacks, *tid);
    }
    *tid = u32_at(bytes, MUSL_TID);
    return is_tid(stacks, *tid);
}

/* The block that the struct lies in, as it says itself. */
static bool find_block(const uint8_t *bytes, size_t length, uint64_t address,
                       struct thread_stack *stack)
{
    for (size_t at = BLOCK_FROM; at + 16 <= length; at += 8) {
        uint64_t block = u64_at(bytes, at), size = u64_at(bytes, at + 8);

        if (!block || block % PAGE || size % PAGE || size < STACK_LEAST ||
            size > STACK_MOST || address <= block || address - block >= size)
            continue;
        stack->start = block;
        stack->end = block + size;
        return true;
    }
    return false;
}

static bool stack_is_known(const struct thread_stacks *stacks, uint64_t pthread)
{
    for (size_t i = 0; i < stacks->count; i++)
        if (stacks->stacks[i].pthread == pthread)
            return true;
    return false;
}

bool thread_stacks_prove(struct thread_stacks *stacks, struct reader *reader,
                         uint32_t pid)
{
    size_t kept = 0, n_alive = 0, n_others = 0;

    for (size_t i = 0; i < stacks->count; i++) {
        struct thread_stack stack = stacks->stacks[i];
        uint8_t bytes[GLIBC_TID + 8];

        if (reader_read(reader, raddr_of(stack.pthread), bytes, sizeof(bytes)) ||
            !is_pthread(stacks, bytes, sizeof(bytes), stack.pthread, &stack.tid))
            continue;
        n_alive += stack.tid != 0;
        stacks->stacks[kept++] = stack;
    }
    stacks->count = kept;
    for (size_t i = 0; i < stacks->n_tids; i++)
        n_others += stacks->tids[i] != pid;
    return n_alive < n_others;
}

static void look(struct thread_stacks *stacks, struct reader *reader,
                 const uint8_t *window, uint64_t length, uint64_t address)
{
    for (uint64_t at = 0; at + GLIBC_TID + 4 <= length; at += ALIGNMENT) {
        struct thread_stack stack = {0, 0, address + at, 0};
        uint8_t bytes[STRUCT_READ];
        size_t more = sizeof(bytes);

        if (u64_at(window, at) != stack.pthread ||
            !is_pthread(stacks, window + at, (size_t)(length - at), stack.pthread,
                        &stack.tid) ||
            stacks->count == THREADS_MAX || stack_is_known(stacks, stack.pthread))
            continue;
        /* The struct may end where the mapping does. */
        while (more > GLIBC_TID &&
               reader_read(reader, raddr_of(stack.pthread), bytes, more))
            more -= ALIGNMENT;
        if (more > GLIBC_TID && find_block(bytes, more, stack.pthread, &stack))
            stacks->stacks[stacks->count++] = stack;
    }
}

void thread_stacks_search(struct thread_stacks *stacks, struct reader *reader,
                          struct residency *residency, uint64_t start, uint64_t end,
                          uint64_t *budget_bytes)
{
    uint8_t *window = malloc(WINDOW);

    while (window && start < end && *budget_bytes) {
        bool is_resident;
        uint64_t want = end - start < WINDOW ? end - start : WINDOW;
        uint64_t length = residency_stretch(residency, start, end - start, &is_resident);

        if (is_resident && length > want)
            length = want;
        if (is_resident &&
            !reader_read(reader, raddr_of(start), window, (size_t)length)) {
            look(stacks, reader, window, length, start);
            *budget_bytes -= length < *budget_bytes ? length : *budget_bytes;
            /* What begins at the very end is seen with the next window. */
            if (length == want && length > PAGE && want < end - start)
                length -= PAGE;
        }
        start += length;
    }
    free(window);
}
