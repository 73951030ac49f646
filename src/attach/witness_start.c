#include "attach/witness_start.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "attach/injector_start.h"
#include "attach/witness.h"
#include "util/clock.h"
#include "util/strbuf.h"
#include "util/xalloc.h"

#define PATIENCE_NS (10 * NS_PER_S)

struct start_question {
    int32_t pid;
    int32_t stops;
    uint64_t start_ticks;
};

struct start_answer {
    struct err err;
};

struct witness_call {
    pid_t child; /* 0: the helper's */
    int socket;
    int64_t began_ns;
    struct strbuf text;
};

/* Lives in the helper only; the next one takes its place. */
static pid_t helpers_witness;

/* In the helper's child. */
static void look_anew(const struct start_question *question, int socket)
{
    struct err err = ERR_INIT;
    struct target *target;

    if (target_open(question->pid, &target, &err) == 0 &&
        target->start_ticks == question->start_ticks)
        witness_main(target, socket, question->stops != 0);
    if (err.code == ERR_NONE)
        err_set(&err, ERR_GONE, "process %d has ended", (int)question->pid);
    witness_refuse(socket, err.text);
}

static void serve_start(const void *asked, void *answered, struct helper_fds *fds)
{
    const struct start_question *question = asked;
    struct start_answer *answer = answered;
    int socket;

    injector_end_child(&helpers_witness);
    helpers_witness = injector_fork(SOCK_STREAM, &socket);
    if (helpers_witness == 0)
        look_anew(question, socket);
    if (helpers_witness < 0) {
        err_set_errno(&answer->err, ERR_FAILED, errno, "cannot look at threads");
        return;
    }
    fds->fds[fds->count++] = socket;
}

const struct helper_service witness_start_service = {
    .name = "look at the stacks of threads",
    .question_bytes = sizeof(struct start_question),
    .answer_bytes = sizeof(struct start_answer),
    .serve = serve_start,
};

/* The socket, or -1. */
static int start_by_helper(const struct target *target, bool stops, struct err *err)
{
    struct start_question question = {target->pid, stops, target->start_ticks};
    struct start_answer answer;
    struct helper_fds fds;

    if (helper_call(&witness_start_service, &question, &answer, &fds, err) != 0)
        return -1;
    if (answer.err.code == ERR_NONE && fds.count == 1)
        return fds.fds[0];
    helper_fds_close(&fds);
    if (answer.err.code == ERR_NONE)
        return err_set(err, ERR_FAILED, "the helper gave no answer");
    *err = answer.err;
    return -1;
}

static int start_here(struct target *target, bool stops, pid_t *child, struct err *err)
{
    int socket;

    *child = injector_fork(SOCK_STREAM, &socket);
    if (*child == 0)
        witness_main(target, socket, stops);
    if (*child > 0)
        return socket;
    *child = 0;
    if (errno != ENOSYS)
        return err_set_errno(err, ERR_FAILED, errno, "cannot look at threads");
    err_set(err, ERR_DENIED,
            "with --agent=never heaptop begins nothing that could trace");
    return -1;
}

struct witness_call *witness_start(struct target *target, bool stops, struct err *err)
{
    pid_t child = 0;
    int socket = helper_is_running() ? start_by_helper(target, stops, err)
                                     : start_here(target, stops, &child, err);
    struct witness_call *call;

    if (socket < 0)
        return NULL;
    call = xcalloc(1, sizeof(*call));
    call->child = child;
    call->socket = socket;
    call->began_ns = clock_monotonic_ns();
    return call;
}

/* It has said all. */
static int judge(struct witness_call *call, const char **text, struct err *err)
{
    *text = strbuf_text(&call->text);
    if (**text == 'L' && call->text.length <= WITNESS_TEXT_MAX)
        return 1;
    if (**text != '!')
        return err_set(err, ERR_FAILED, "who looks at threads ended without an answer");
    return err_set(err, ERR_FAILED, "%.*s", (int)strcspn(*text + 1, "\n") - 1, *text + 2);
}

/* By recvmsg(), which is on the guard's list. */
static ssize_t receive(int socket, char *bytes, size_t size)
{
    struct iovec piece = {bytes, size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

    return recvmsg(socket, &message, MSG_DONTWAIT);
}

int witness_step(struct witness_call *call, const char **text, struct err *err)
{
    char bytes[65536];
    ssize_t got;

    while ((got = receive(call->socket, bytes, sizeof(bytes))) > 0) {
        if (call->text.length > WITNESS_TEXT_MAX)
            return judge(call, text, err);
        strbuf_add(&call->text, bytes, (size_t)got);
    }
    if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        return judge(call, text, err);
    if (clock_monotonic_ns() - call->began_ns < PATIENCE_NS)
        return 0;
    return err_set(err, ERR_FAILED, "the threads were not looked at within 10 s");
}

void witness_end(struct witness_call *call)
{
    if (!call)
        return;
    injector_end_child(&call->child);
    close(call->socket);
    strbuf_release(&call->text);
    free(call);
}
