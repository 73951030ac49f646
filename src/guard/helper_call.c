/* The client's side of the helper. */
#include "guard/helper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/child.h"
#include "guard/helper_message.h"

#define ANSWER_LIMIT_MS 5000

/* One helper a process; its socket is used by one thread at a time. */
static struct {
    pthread_mutex_t lock;
    const struct helper_service *const *services;
    int socket; /* -1: none */
    pid_t pid;  /* 0: none was started */
} helper = {.lock = PTHREAD_MUTEX_INITIALIZER, .socket = -1};

int helper_start(const struct helper_service *const *services, struct err *err)
{
    int socket;
    pid_t pid = child_fork(SOCK_SEQPACKET, &socket);

    if (pid < 0)
        return err_set_errno(err, ERR_FAILED, errno, "cannot start the helper");
    if (pid == 0)
        helper_main(socket, services);
    helper.services = services;
    helper.socket = socket;
    helper.pid = pid;
    return 0;
}

bool helper_is_running(void)
{
    return helper.pid != 0;
}

int helper_pid(void)
{
    return (int)helper.pid;
}

static uint32_t number_of(const struct helper_service *service)
{
    uint32_t number = 0;

    while (helper.services[number] && helper.services[number] != service)
        number++;
    return number;
}

static int lose_helper(struct err *err)
{
    if (helper.socket >= 0)
        close(helper.socket);
    helper.socket = -1;
    err_set(err, ERR_FAILED, "heaptop's privileged helper has ended");
    return err_remedy(err, "quit heaptop and start it again");
}

/* An answer that is too late would be taken for the next one: no more is asked then. */
static int exchange(const struct helper_service *service, const void *question,
                    void *answer, struct helper_fds *fds, struct err *err)
{
    struct pollfd ready = {.fd = helper.socket, .events = POLLIN};
    uint32_t asked = number_of(service), number;
    int n_ready;

    fds->count = 0;
    if (helper.socket < 0 ||
        helper_send(helper.socket, asked, question, service->question_bytes, NULL) != 0)
        return lose_helper(err);
    do
        n_ready = poll(&ready, 1, ANSWER_LIMIT_MS);
    while (n_ready < 0 && errno == EINTR);
    if (n_ready <= 0 ||
        helper_receive(helper.socket, &number, answer, service->answer_bytes, fds) !=
            (long)service->answer_bytes ||
        number != asked) {
        helper_fds_close(fds);
        return lose_helper(err);
    }
    return 0;
}

int helper_call(const struct helper_service *service, const void *question, void *answer,
                struct helper_fds *fds, struct err *err)
{
    struct helper_fds none;
    int result;

    if (!fds)
        fds = &none;
    if (!helper_is_running()) {
        fds->count = 0;
        memset(answer, 0, service->answer_bytes);
        service->serve(question, answer, fds);
        return 0;
    }
    pthread_mutex_lock(&helper.lock);
    result = exchange(service, question, answer, fds, err);
    pthread_mutex_unlock(&helper.lock);
    return result;
}
