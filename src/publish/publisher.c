#include "publish/publisher.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard/child.h"
#include "guard/helper_message.h"
#include "publish/address.h"
#include "publish/board.h"
#include "publish/server.h"
#include "publish/textfile.h"
#include "sink/metrics.h"
#include "util/log.h"
#include "util/xalloc.h"

#define ANSWER_LIMIT_MS 10000

struct publisher {
    pid_t child;
    int socket; /* -1: the process has ended */
    char *board;
    struct metrics_options options;
    struct exposition exposition; /* the newest sample */
    bool has_new;                 /* it was not handed over yet */
    bool is_busy;                 /* the process has not answered yet */
    struct err err;               /* of the last answer */
    bool was_told;
};

/* What the process does; never returns. */
typedef void publisher_life(const struct board *board, const void *what);

static int start(publisher_life *life, const void *what, struct publisher **started,
                 struct err *err)
{
    struct publisher *publisher = xcalloc(1, sizeof(*publisher));

    publisher->board = mmap(NULL, BOARD_BYTES, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (publisher->board == MAP_FAILED ||
        (publisher->child = child_fork(SOCK_SEQPACKET, &publisher->socket)) < 0) {
        err_set_errno(err, ERR_FAILED, errno, "cannot start a publisher");
        if (publisher->board != MAP_FAILED)
            munmap(publisher->board, BOARD_BYTES);
        free(publisher);
        return -1;
    }
    if (publisher->child == 0) {
        struct board board = {publisher->board, publisher->socket};

        life(&board, what);
    }
    *started = publisher;
    return 0;
}

static void live_for_file(const struct board *board, const void *path)
{
    textfile_main(board, path);
}

int publisher_start_file(const char *path, struct publisher **publisher, struct err *err)
{
    if (textfile_try(path, err))
        return -1;
    return start(live_for_file, path, publisher, err);
}

static void live_for_clients(const struct board *board, const void *socket)
{
    server_main(board, *(const int *)socket);
}

int publisher_start_server(const char *address, bool may_be_remote,
                           struct publisher **publisher, struct err *err)
{
    int socket, result;

    if (server_check(err))
        return -1;
    socket = address_listen(address, may_be_remote, err);
    if (socket < 0)
        return -1;
    result = start(live_for_clients, &socket, publisher, err);
    close(socket);
    return result;
}

int publisher_open(struct publisher *publisher, const struct sink_options *options,
                   struct err *err)
{
    return metrics_options_from(options, &publisher->options, err);
}

static void lose_process(struct publisher *publisher)
{
    close(publisher->socket);
    publisher->socket = -1;
    publisher->is_busy = false;
    err_set(&publisher->err, ERR_FAILED, "the process that publishes has ended");
}

/* Waits at most so long for an answer that is due. */
static void take_answer(struct publisher *publisher, int wait_ms)
{
    struct pollfd ready = {.fd = publisher->socket, .events = POLLIN};
    struct board_answer answer;
    uint32_t unused;

    if (!publisher->is_busy || poll(&ready, 1, wait_ms) <= 0)
        return;
    if (helper_receive(publisher->socket, &unused, &answer, sizeof(answer), NULL) !=
        (long)sizeof(answer)) {
        lose_process(publisher);
        return;
    }
    publisher->is_busy = false;
    publisher->was_told &= !answer.is_done;
    publisher->err = answer.err;
}

/* Writes one text behind the others. */
static int put_text(struct publisher *publisher, enum exposition_format format,
                    size_t *used, uint64_t *length)
{
    FILE *out = fmemopen(publisher->board + *used, BOARD_BYTES - *used, "w");
    int result;

    if (!out)
        return -1;
    result = exposition_print(&publisher->exposition, format, out);
    if (fflush(out) || ferror(out))
        result = -1;
    *length = (uint64_t)ftell(out);
    *used += (size_t)*length;
    fclose(out);
    return result;
}

static void hand_over(struct publisher *publisher)
{
    struct board_notice notice = {{0}};
    size_t used = 0;

    if (!publisher->has_new || publisher->is_busy || publisher->socket < 0)
        return;
    publisher->has_new = false;
    for (int i = 0; i < EXPOSITION_FORMATS; i++) {
        if (put_text(publisher, (enum exposition_format)i, &used, &notice.lengths[i])) {
            err_set(&publisher->err, ERR_FAILED, "the metrics are too many to publish");
            err_remedy(&publisher->err, "ask for fewer kinds with --rows");
            return;
        }
    }
    if (helper_send(publisher->socket, 0, &notice, sizeof(notice), NULL) != 0)
        lose_process(publisher);
    else
        publisher->is_busy = true;
}

void publisher_add(struct publisher *publisher, const struct snapshot *snapshot,
                   const struct history *history)
{
    take_answer(publisher, 0);
    exposition_reset(&publisher->exposition);
    metrics_add(&publisher->exposition, snapshot, history, &publisher->options);
    publisher->has_new = true;
    hand_over(publisher);
}

void publisher_add_fleet(struct publisher *publisher, const struct fleet_sample *sample)
{
    take_answer(publisher, 0);
    exposition_reset(&publisher->exposition);
    metrics_add_fleet(&publisher->exposition, sample, &publisher->options);
    publisher->has_new = true;
    hand_over(publisher);
}

const char *publisher_trouble(struct publisher *publisher)
{
    if (publisher->err.code == ERR_NONE || publisher->was_told)
        return NULL;
    publisher->was_told = true;
    log_line("publisher: %s", publisher->err.text);
    return publisher->err.text;
}

/* The last sample is the one that says that the target has ended. */
static int finish(struct publisher *publisher, struct err *err)
{
    take_answer(publisher, ANSWER_LIMIT_MS);
    hand_over(publisher);
    take_answer(publisher, ANSWER_LIMIT_MS);
    if (publisher->is_busy)
        err_set(&publisher->err, ERR_FAILED, "publishing takes too long");
    if (publisher->err.code == ERR_NONE)
        return 0;
    *err = publisher->err;
    return -1;
}

int publisher_stop(struct publisher *publisher, struct err *err)
{
    int result;

    if (!publisher)
        return 0;
    result = finish(publisher, err);
    if (publisher->socket >= 0)
        close(publisher->socket);
    munmap(publisher->board, BOARD_BYTES);
    exposition_release(&publisher->exposition);
    free(publisher);
    return result;
}
