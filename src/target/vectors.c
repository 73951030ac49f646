#include "target/vectors.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/filter.h"
#include "guard/guard.h"
#include "target/files.h"
#include "target/scope.h"
#include "util/xalloc.h"

#define PIECES_MAX     1024 /* the kernel's UIO_MAXIOV */
#define BYTES_MAX      245760
#define LONG_BYTES     8192 /* such a piece is read by the descriptor as well */
#define FDS_MAX        1024
#define SERVERS        72 /* of one helper: a tree has as many targets */
#define FIRST_OWN_FD   3
#define SEALS          (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define FLAGS_OF_FILES (MFD_CLOEXEC | MFD_ALLOW_SEALING)

/* What both sides share. The server believes nothing of it and copies first. */
struct area {
    struct {
        uint64_t address;
        uint64_t length;
    } pieces[PIECES_MAX];
    uint8_t bytes[BYTES_MAX];
};

struct vectors {
    pthread_mutex_t lock;
    struct area *area;
    int socket;
};

struct question {
    int32_t pid;
    int32_t reserved;
    uint64_t start_ticks;
};

/* ---- the server: a child of the helper ---------------------------------------- */

struct server {
    struct area *area;
    int socket, mem_fd;
    pid_t pid;
};

/* The kept descriptor is at its end when the process has ended or executed another
 * program: what was read by number then is of another memory. */
static bool is_same_memory(const struct server *server)
{
    uint8_t byte;

    return pread(server->mem_fd, &byte, 1, 0) != 0;
}

/* Bytes that were read, from the first piece on; -1: nothing more is served. */
static int64_t serve_pieces(const struct server *server, uint32_t count)
{
    struct iovec remote[PIECES_MAX], local = {server->area->bytes, 0};
    ssize_t got;

    if (count > PIECES_MAX)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t length = server->area->pieces[i].length;

        if (length > BYTES_MAX - local.iov_len)
            return -1;
        remote[i] =
            (struct iovec){(void *)(uintptr_t)server->area->pieces[i].address, length};
        local.iov_len += length;
    }
    got = process_vm_readv(server->pid, &local, 1, remote, count, 0);
    if (is_same_memory(server))
        return got < 0 ? 0 : got;
    memset(server->area->bytes, 0, sizeof(server->area->bytes));
    return -1;
}

static void serve_until_end(const struct server *server)
{
    uint32_t count;
    int64_t got = 0;

    while (got >= 0 && read(server->socket, &count, sizeof(count)) == sizeof(count)) {
        got = serve_pieces(server, count);
        if (write(server->socket, &got, sizeof(got)) != sizeof(got))
            return;
    }
}

/* The helper's own socket above all: who waits for its end must not wait for this. */
static void close_others(const struct server *server)
{
    for (int fd = FIRST_OWN_FD; fd < FDS_MAX; fd++)
        if (fd != server->socket && fd != server->mem_fd)
            close(fd);
}

static int open_memory(const struct question *question)
{
    struct err ignored = ERR_INIT;
    char path[32];
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/mem", (int)question->pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && target_is_same(question->pid, question->start_ticks) &&
        !scope_check(question->pid, &ignored))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Those that have ended, with the target that was left. */
static void reap_servers(pid_t servers[SERVERS])
{
    for (size_t i = 0; i < SERVERS; i++)
        if (servers[i] && waitpid(servers[i], NULL, WNOHANG) != 0)
            servers[i] = 0;
}

static int fork_server(const struct server *server)
{
    static pid_t servers[SERVERS];
    size_t i = 0;
    pid_t child;

    reap_servers(servers);
    while (i < SERVERS && servers[i])
        i++;
    child = i < SERVERS ? fork() : -1;
    if (child == 0) {
        prctl(PR_SET_NAME, "heaptop-copier", 0, 0, 0);
        close_others(server);
        filter_begin(GUARD_ALWAYS);
        serve_until_end(server);
        _exit(0);
    }
    if (child < 0)
        return -1;
    servers[i] = child;
    return 0;
}

/* Gives the file of the shared memory, mapped; -1 without. */
static int make_area(struct area **area)
{
    int fd = memfd_create("heaptop-vectors", FLAGS_OF_FILES);

    *area = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, sizeof(**area)) == 0 &&
        fcntl(fd, F_ADD_SEALS, SEALS) == 0)
        *area = mmap(NULL, sizeof(**area), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (*area != MAP_FAILED)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void serve_open(const void *asked, void *answered, struct helper_fds *fds)
{
    const struct question *question = asked;
    struct server server = {.pid = question->pid, .mem_fd = open_memory(question)};
    int sockets[2] = {-1, -1}, fd = -1;

    (void)answered;
    if (server.mem_fd >= 0)
        fd = make_area(&server.area);
    if (fd >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0) {
        server.socket = sockets[1];
        if (fork_server(&server) == 0) {
            fds->fds[fds->count++] = sockets[0];
            fds->fds[fds->count++] = fd;
        } else {
            close(sockets[0]);
            close(fd);
        }
        close(sockets[1]);
    } else if (fd >= 0) {
        close(fd);
    }
    if (fd >= 0)
        munmap(server.area, sizeof(*server.area));
    if (server.mem_fd >= 0)
        close(server.mem_fd);
}

const struct helper_service vectors_service = {
    .name = "read scattered memory of a process",
    .question_bytes = sizeof(struct question),
    .answer_bytes = sizeof(int32_t),
    .serve = serve_open,
};

/* ---- the client ---------------------------------------------------------------- */

struct vectors *vectors_open(pid_t pid, uint64_t start_ticks)
{
    struct question question = {.pid = pid, .start_ticks = start_ticks};
    struct err ignored = ERR_INIT;
    struct vectors *vectors;
    struct helper_fds come;
    int32_t answer;
    void *area;

    if (helper_call(&vectors_service, &question, &answer, &come, &ignored) != 0)
        return NULL;
    area = come.count == 2 ? mmap(NULL, sizeof(struct area), PROT_READ | PROT_WRITE,
                                  MAP_SHARED, come.fds[1], 0)
                           : MAP_FAILED;
    if (area == MAP_FAILED) {
        helper_fds_close(&come);
        return NULL;
    }
    close(come.fds[1]);
    vectors = xcalloc(1, sizeof(*vectors));
    pthread_mutex_init(&vectors->lock, NULL);
    vectors->area = area;
    vectors->socket = come.fds[0];
    return vectors;
}

void vectors_close(struct vectors *vectors)
{
    if (!vectors)
        return;
    if (vectors->socket >= 0)
        close(vectors->socket);
    munmap(vectors->area, sizeof(*vectors->area));
    pthread_mutex_destroy(&vectors->lock);
    free(vectors);
}

/* Bytes from the first piece on; -1 when the server is gone, now and for ever. */
static int64_t ask(struct vectors *vectors, const struct piece *pieces, uint32_t count)
{
    int64_t got = -1;
    ssize_t came = -1;

    for (uint32_t i = 0; i < count; i++) {
        vectors->area->pieces[i].address = pieces[i].address.value;
        vectors->area->pieces[i].length = pieces[i].length;
    }
    if (write(vectors->socket, &count, sizeof(count)) == sizeof(count))
        do
            came = read(vectors->socket, &got, sizeof(got));
        while (came < 0 && errno == EINTR);
    if (came == sizeof(got) && got >= 0)
        return got;
    close(vectors->socket);
    vectors->socket = -1;
    return -1;
}

/* The pieces that came, and the one after them, which stopped the call. */
static size_t settle(const struct vectors *vectors, struct piece *pieces, size_t count,
                     uint64_t got)
{
    const uint8_t *from = vectors->area->bytes;
    size_t i = 0;

    while (i < count && pieces[i].length <= got) {
        memcpy(pieces[i].buffer, from, pieces[i].length);
        from += pieces[i].length;
        got -= pieces[i].length;
        pieces[i++].done = true;
    }
    return i < count ? i + 1 : i;
}

size_t vectors_read(struct vectors *vectors, struct piece *pieces, size_t count)
{
    size_t bytes = 0, n = 0, settled = 0;
    int64_t got;

    while (n < count && n < PIECES_MAX && pieces[n].length < LONG_BYTES &&
           pieces[n].length <= BYTES_MAX - bytes)
        bytes += pieces[n++].length;
    if (n < VECTORS_FEWEST || pthread_mutex_trylock(&vectors->lock) != 0)
        return 0;
    got = vectors->socket < 0 ? -1 : ask(vectors, pieces, (uint32_t)n);
    if (got >= 0)
        settled = settle(vectors, pieces, n, (uint64_t)got);
    pthread_mutex_unlock(&vectors->lock);
    return settled;
}
