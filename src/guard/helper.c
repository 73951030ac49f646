/* The helper's own side: forked early, one question at a time, gone with its client. */
#include "guard/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/helper_message.h"
#include "guard/quiet.h"

/* A question that takes longer is never answered: opening a file of /proc can wait
 * for ever for a process that stands in the middle of an exec. Only death helps. */
#define QUESTION_LIMIT_S 10

void helper_fds_close(struct helper_fds *fds)
{
    while (fds->count)
        close(fds->fds[--fds->count]);
}

static size_t count_services(const struct helper_service *const *services)
{
    size_t count = 0;

    while (count < HELPER_SERVICES_MAX && services[count])
        count++;
    return count;
}

/* False when the client is gone or does not keep to the protocol. */
static bool answer_one(int socket, const struct helper_service *const *services,
                       size_t n_services)
{
    union {
        char bytes[HELPER_BYTES_MAX];
        max_align_t align;
    } question, answer;
    struct helper_fds fds = {.count = 0};
    const struct helper_service *service;
    uint32_t number;
    long got = helper_receive(socket, &number, question.bytes, sizeof(question), NULL);
    int result;

    if (got < 0 || number >= n_services)
        return false;
    service = services[number];
    if ((size_t)got != service->question_bytes)
        return false;
    memset(&answer, 0, sizeof(answer));
    alarm(QUESTION_LIMIT_S);
    service->serve(question.bytes, answer.bytes, &fds);
    alarm(0);
    result = helper_send(socket, number, answer.bytes, service->answer_bytes, &fds);
    helper_fds_close(&fds);
    return result == 0;
}

void helper_main(int socket, const struct helper_service *const *services)
{
    size_t n_services = count_services(services);

    quiet_become("heaptop-helper");
    while (answer_one(socket, services, n_services))
        ;
    /* What it has forked ends with the client as well, and leaves nothing to PID 1. */
    alarm(QUESTION_LIMIT_S);
    while (wait(NULL) > 0)
        ;
    _exit(0);
}
