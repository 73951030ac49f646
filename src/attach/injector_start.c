#include "attach/injector_start.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/protocol.h"
#include "agent/region.h"
#include "attach/injector.h"
#include "guard/child.h"
#include "util/log.h"

#define WARDS           8
#define WRITE_BYTES_MAX 32

/* What the helper remembers of an injector after its end. */
struct ward {
    int32_t number; /* 0: free */
    pid_t injector; /* 0: has ended */
    pid_t target;
    uint64_t start_ticks;
    uint64_t *region; /* shared with the injector, which fills it in */
};

struct start_question {
    int32_t pid;
    int32_t reserved;
    uint64_t start_ticks;
};

struct start_answer {
    struct err err;
    int32_t ward;
};

struct end_question {
    int32_t ward;
    int32_t reserved;
};

struct write_question {
    int32_t ward;
    uint32_t offset, length;
    uint8_t bytes[WRITE_BYTES_MAX];
};

/* Lives in the helper only. */
static struct ward wards[WARDS];
static int32_t last_number;

void injector_end_child(pid_t *child)
{
    if (*child <= 0)
        return;
    kill(*child, SIGKILL);
    while (waitpid(*child, NULL, 0) < 0 && errno == EINTR)
        ;
    *child = 0;
}

pid_t injector_fork(int type, int *socket)
{
    pid_t parent = getpid(), child;
    sigset_t all, old;

    injector_prepare();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    child = child_fork(type, socket);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (getppid() != parent)
            _exit(1);
        return 0;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return child;
}

static struct ward *find_ward(int32_t number)
{
    for (size_t i = 0; i < WARDS && number; i++)
        if (wards[i].number == number)
            return &wards[i];
    return NULL;
}

/* The oldest goes when there is no room: there is one session at a time. */
static struct ward *new_ward(void)
{
    struct ward *ward = &wards[0];

    for (size_t i = 1; i < WARDS; i++)
        if (wards[i].number < ward->number)
            ward = &wards[i];
    injector_end_child(&ward->injector);
    if (ward->region)
        munmap(ward->region, sizeof(*ward->region));
    memset(ward, 0, sizeof(*ward));
    ward->region = mmap(NULL, sizeof(*ward->region), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ward->region == MAP_FAILED)
        ward->region = NULL;
    return ward->region ? ward : NULL;
}

/* In the helper's child. */
static void inject_anew(const struct start_question *question, uint64_t *region,
                        int socket)
{
    struct injector_report report = {.err = ERR_INIT};
    struct target *target;

    if (target_open(question->pid, &target, &report.err) == 0 &&
        target->start_ticks == question->start_ticks)
        injector_main(target, socket, region);
    if (report.err.code == ERR_NONE)
        err_set(&report.err, ERR_GONE, "process %d ended while attaching",
                (int)question->pid);
    injector_send(socket, &report, -1);
    _exit(1);
}

static void serve_start(const void *asked, void *answered, struct helper_fds *fds)
{
    const struct start_question *question = asked;
    struct start_answer *answer = answered;
    struct ward *ward = new_ward();
    int socket;
    pid_t child = ward ? injector_fork(SOCK_SEQPACKET, &socket) : -1;

    if (child == 0)
        inject_anew(question, ward->region, socket);
    if (child < 0) {
        err_set_errno(&answer->err, ERR_FAILED, errno, "cannot attach");
        return;
    }
    ward->number = ++last_number;
    ward->injector = child;
    ward->target = question->pid;
    ward->start_ticks = question->start_ticks;
    answer->ward = ward->number;
    fds->fds[fds->count++] = socket;
}

const struct helper_service injector_start_service = {
    .name = "load the agent",
    .question_bytes = sizeof(struct start_question),
    .answer_bytes = sizeof(struct start_answer),
    .serve = serve_start,
};

static void serve_end(const void *asked, void *answered, struct helper_fds *fds)
{
    const struct end_question *question = asked;
    struct ward *ward = find_ward(question->ward);

    (void)answered;
    (void)fds;
    if (ward)
        injector_end_child(&ward->injector);
}

const struct helper_service injector_end_service = {
    .name = "end the loading of the agent",
    .question_bytes = sizeof(struct end_question),
    .answer_bytes = sizeof(int32_t),
    .serve = serve_end,
};

/* Only within the page of an agent that this helper brought in. */
static void serve_write(const void *asked, void *answered, struct helper_fds *fds)
{
    const struct write_question *question = asked;
    const struct ward *ward = find_ward(question->ward);
    int32_t *is_written = answered;
    struct iovec local, remote;

    (void)fds;
    if (!ward || !*ward->region || question->length > WRITE_BYTES_MAX ||
        question->offset > sizeof(struct agent_page) - WRITE_BYTES_MAX ||
        !target_is_same(ward->target, ward->start_ticks))
        return;
    local = (struct iovec){(void *)(uintptr_t)question->bytes, question->length};
    remote = (struct iovec){
        (void *)(uintptr_t)(*ward->region + REGION_PAGE + question->offset),
        question->length};
    *is_written = process_vm_writev(ward->target, &local, 1, &remote, 1, 0) ==
                  (ssize_t)question->length;
}

const struct helper_service injector_write_service = {
    .name = "write to the agent's private page",
    .question_bytes = sizeof(struct write_question),
    .answer_bytes = sizeof(int32_t),
    .serve = serve_write,
};

static int start_by_helper(const struct target *target, struct injector *injector,
                           struct err *err)
{
    struct start_question question = {.pid = target->pid,
                                      .start_ticks = target->start_ticks};
    struct start_answer answer;
    struct helper_fds fds;

    if (helper_call(&injector_start_service, &question, &answer, &fds, err) != 0)
        return -1;
    if (answer.err.code == ERR_NONE && fds.count == 1) {
        injector->ward = answer.ward;
        injector->socket = fds.fds[0];
        return 0;
    }
    helper_fds_close(&fds);
    if (answer.err.code == ERR_NONE)
        return err_set(err, ERR_FAILED, "cannot attach: the helper gave no answer");
    *err = answer.err;
    return -1;
}

int injector_start(struct target *target, struct injector *injector, struct err *err)
{
    int socket;
    pid_t child;

    *injector = (struct injector)INJECTOR_NONE;
    if (helper_is_running())
        return start_by_helper(target, injector, err);
    if (target_reread_maps(target, err) != 0)
        return -1;
    child = injector_fork(SOCK_SEQPACKET, &socket);
    if (child == 0)
        injector_main(target, socket, NULL);
    if (child < 0)
        return err_set_errno(err, ERR_FAILED, errno, "cannot attach");
    injector->pid = child;
    injector->socket = socket;
    return 0;
}

void injector_end(struct injector *injector)
{
    struct end_question question = {.ward = injector->ward};
    struct err err = ERR_INIT;
    int32_t answer;

    if (injector->ward && injector->socket >= 0 &&
        helper_call(&injector_end_service, &question, &answer, NULL, &err) != 0)
        log_line("injector not ended: %s", err.text);
    injector_end_child(&injector->pid);
    if (injector->socket >= 0)
        close(injector->socket);
    injector->socket = -1;
}

bool injector_write_page(const struct injector *injector, size_t offset,
                         const void *bytes, size_t length)
{
    struct write_question question = {
        .ward = injector->ward, .offset = (uint32_t)offset, .length = (uint32_t)length};
    struct err ignored = ERR_INIT;
    int32_t is_written = 0;

    if (!injector->ward || length > WRITE_BYTES_MAX)
        return false;
    memcpy(question.bytes, bytes, length);
    return helper_call(&injector_write_service, &question, &is_written, NULL, &ignored) ==
               0 &&
           is_written;
}
