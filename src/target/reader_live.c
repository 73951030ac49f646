/*
 * The live reader: process_vm_readv(2), and the kept descriptor of
 * /proc/PID/mem where the kernel does not offer or does not permit the former
 * (a descriptor keeps the permission it was opened with), or where the former would cost
 * the target memory (shared_pages.h).
 */
#include "target/reader.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guard/helper.h"
#include "target/access.h"
#include "target/shared_pages.h"
#include "target/vectors.h"
#include "util/xalloc.h"

#define PIECES_PER_CALL 1024        /* the kernel's UIO_MAXIOV */
#define LONG_READ       (64u << 10) /* worth a look at the pages first */
#define STOPS_MAX       8           /* pieces that end a call of the vectors too early */

struct reader_live {
    struct reader reader;
    pid_t pid;
    int mem_fd;
    bool by_descriptor;
    bool spares_pages;       /* atomic: reading must pin no shared page */
    int pagemap_fd;          /* atomic: says which are; -1: nobody does */
    struct vectors *vectors; /* NULL: none */
};

static int live_read_descriptor(const struct reader_live *live, uint64_t address,
                                char *buffer, size_t length)
{
    while (length) {
        ssize_t got;

        if (address > (uint64_t)INT64_MAX)
            return -1;
        got = pread(live->mem_fd, buffer, length, (off_t)address);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        buffer += got;
        address += (uint64_t)got;
        length -= (size_t)got;
    }
    return 0;
}

static bool is_sparing(const struct reader_live *live)
{
    return live->mem_fd >= 0 && __atomic_load_n(&live->spares_pages, __ATOMIC_RELAXED);
}

/* Must the descriptor read this? */
static bool must_spare(const struct reader_live *live, uint64_t address, size_t length)
{
    return is_sparing(live) &&
           (length < LONG_READ ||
            !shared_pages_none(__atomic_load_n(&live->pagemap_fd, __ATOMIC_RELAXED),
                               address, length));
}

static int live_read(struct reader *reader, struct raddr address, void *buffer,
                     size_t length)
{
    struct reader_live *live = (struct reader_live *)reader;
    struct iovec local = {buffer, length};
    struct iovec remote = {(void *)(uintptr_t)address.value, length};

    if (live->by_descriptor || must_spare(live, address.value, length))
        return live_read_descriptor(live, address.value, buffer, length);
    if (!length)
        return 0;
    return process_vm_readv(live->pid, &local, 1, &remote, 1, 0) == (ssize_t)length ? 0
                                                                                    : -1;
}

/* Marks the pieces that `got` bytes filled; returns how many pieces are settled:
 * the filled ones and the one after them, which stopped the call. */
static size_t live_settle(struct piece *pieces, size_t count, size_t got, size_t *n_done)
{
    size_t i = 0;

    while (i < count && pieces[i].length <= got) {
        got -= pieces[i].length;
        pieces[i++].done = true;
        ++*n_done;
    }
    return i < count ? i + 1 : i;
}

static size_t live_readv_some(const struct reader_live *live, struct piece *pieces,
                              size_t count, size_t *n_done)
{
    struct iovec local[PIECES_PER_CALL], remote[PIECES_PER_CALL];
    size_t wanted = 0, n = 0;
    ssize_t got;

    /* The sum of the lengths must fit a ssize_t, or the kernel refuses all. */
    while (n < count && n < PIECES_PER_CALL &&
           pieces[n].length <= (size_t)SSIZE_MAX - wanted) {
        local[n] = (struct iovec){pieces[n].buffer, pieces[n].length};
        remote[n] =
            (struct iovec){(void *)(uintptr_t)pieces[n].address.value, pieces[n].length};
        wanted += pieces[n++].length;
    }
    if (!n)
        return 1;
    got = process_vm_readv(live->pid, local, n, remote, n, 0);
    return live_settle(pieces, n, got > 0 ? (size_t)got : 0, n_done);
}

/* By the vectors where that is cheaper, else one by one. */
static size_t live_readv_descriptor(const struct reader_live *live, struct piece *pieces,
                                    size_t count)
{
    size_t n_done = 0, i = 0, n_stopped = 0;
    bool may_pin = live->vectors && !is_sparing(live);

    while (i < count) {
        size_t settled = 0;

        if (may_pin && n_stopped < STOPS_MAX)
            settled = vectors_read(live->vectors, pieces + i, count - i);
        if (settled) {
            n_stopped += !pieces[i + settled - 1].done;
        } else {
            pieces[i].done = !live_read_descriptor(live, pieces[i].address.value,
                                                   pieces[i].buffer, pieces[i].length);
            settled = 1;
        }
        while (settled--)
            n_done += pieces[i++].done;
    }
    return n_done;
}

static size_t live_readv(struct reader *reader, struct piece *pieces, size_t count)
{
    struct reader_live *live = (struct reader_live *)reader;
    size_t n_done = 0;

    if (live->by_descriptor || is_sparing(live))
        return live_readv_descriptor(live, pieces, count);
    for (size_t i = 0; i < count;)
        i += live_readv_some(live, pieces + i, count - i, &n_done);
    return n_done;
}

static void live_close(struct reader *reader)
{
    vectors_close(((struct reader_live *)reader)->vectors);
    free(reader);
}

static const struct reader_ops live_ops = {
    .name = "live",
    .read = live_read,
    .readv = live_readv,
    .close = live_close,
};

int reader_live_open(int pid, int mem_fd, struct reader **reader, struct err *err)
{
    int problem = access_try(pid);
    struct reader_live *live;

    if (problem == ESRCH)
        return err_set(err, ERR_GONE, "process %d does not exist", pid);
    if (problem && mem_fd < 0)
        return err_set_errno(err, problem == EPERM ? ERR_DENIED : ERR_FAILED, problem,
                             "cannot read the memory of process %d", pid);
    live = xcalloc(1, sizeof(*live));
    live->reader.ops = &live_ops;
    live->pid = pid;
    live->mem_fd = mem_fd;
    live->by_descriptor = problem != 0;
    live->spares_pages = true;
    live->pagemap_fd = -1;
    *reader = &live->reader;
    return 0;
}

void reader_live_spare(struct reader *reader, bool has_shared_pages, int pagemap_fd)
{
    struct reader_live *live = (struct reader_live *)reader;

    __atomic_store_n(&live->pagemap_fd, pagemap_fd, __ATOMIC_RELAXED);
    __atomic_store_n(&live->spares_pages, has_shared_pages, __ATOMIC_RELAXED);
}

void reader_live_help(struct reader *reader, uint64_t start_ticks)
{
    struct reader_live *live = (struct reader_live *)reader;

    if (live->by_descriptor && helper_is_running())
        live->vectors = vectors_open(live->pid, start_ticks);
}
