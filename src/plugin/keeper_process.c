/* The keeper's own side: forks, ends, and goes with its client. */
#include "plugin/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guard/child.h"
#include "guard/guard.h"
#include "guard/helper_message.h"
#include "guard/quiet.h"
#include "plugin/message.h"
#include "plugin/runner.h"

#define CHILDREN_MAX (4 * PLUGINS_MAX)
#define CLOSE_MS     500

struct keeping {
    int socket;
    const struct plugin_files *files;
    const struct plugin_settings *settings;
    pid_t children[CHILDREN_MAX]; /* 0: a free place */
};

/* In the new process. What comes after `start` are descriptors of the target. */
static void become_plugin(const struct keeping *keeping, int socket,
                          const struct keeper_start *start, const struct helper_fds *fds)
{
    struct runner_order order = {
        .file = &keeping->files->files[start->index],
        .settings = keeping->settings,
        .is_look = start->is_look != 0,
        .pid = start->pid,
        .mem_fd = start->has_mem ? fds->fds[0] : -1,
        .maps_fd = start->has_maps ? fds->fds[start->has_mem] : -1,
        .has_rights = guard_is_privileged(),
    };

    close(keeping->socket);
    runner_main(socket, &order);
}

static const char *fault_of(const struct keeping *keeping,
                            const struct keeper_start *start,
                            const struct helper_fds *fds)
{
    if (start->index >= keeping->files->count)
        return "there is no such plugin";
    if (fds->count != (start->has_mem != 0) + (size_t)(start->has_maps != 0))
        return "the descriptors of the target did not come";
    return keeping->files->files[start->index].why;
}

static pid_t *free_place(struct keeping *keeping)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        if (!keeping->children[i])
            return &keeping->children[i];
    return NULL;
}

static void start_plugin(struct keeping *keeping, const struct keeper_start *start,
                         const struct helper_fds *fds, struct keeper_started *started,
                         struct helper_fds *answer_fds)
{
    const char *fault = fault_of(keeping, start, fds);
    pid_t *place = free_place(keeping);
    int socket;

    snprintf(started->why, sizeof(started->why), "%s", fault);
    if (*fault)
        return;
    if (!place) {
        snprintf(started->why, sizeof(started->why), "too many plugins run");
        return;
    }
    *place = child_fork(SOCK_STREAM, &socket);
    if (*place == 0)
        become_plugin(keeping, socket, start, fds);
    if (*place < 0) {
        snprintf(started->why, sizeof(started->why), "no process can be started: %s",
                 strerror(errno));
        *place = 0;
        return;
    }
    started->pid = *place;
    answer_fds->fds[answer_fds->count++] = socket;
}

/* It has been left alone, and closes. */
static bool ends_by_itself(pid_t pid, uint32_t patience_ms, int *status)
{
    const struct timespec nap = {0, 2000000};

    for (uint32_t waited_ms = 0; waited_ms < patience_ms; waited_ms += 2) {
        if (waitpid(pid, status, WNOHANG) == pid)
            return true;
        nanosleep(&nap, NULL);
    }
    return false;
}

/* A process that has ended by itself keeps its status. */
static int end_plugin(struct keeping *keeping, pid_t pid, uint32_t patience_ms)
{
    int status = -1;

    for (size_t i = 0; pid > 0 && i < CHILDREN_MAX; i++) {
        if (keeping->children[i] != pid)
            continue;
        if (!ends_by_itself(pid, patience_ms < CLOSE_MS ? patience_ms : CLOSE_MS,
                            &status)) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
        }
        keeping->children[i] = 0;
    }
    return status;
}

static int answer_start(struct keeping *keeping, const struct keeper_start *start,
                        const struct helper_fds *fds)
{
    struct keeper_started started = {0};
    struct helper_fds answer_fds = {.count = 0};
    int result;

    start_plugin(keeping, start, fds, &started, &answer_fds);
    result = helper_send(keeping->socket, KEEPER_START, &started, sizeof(started),
                         &answer_fds);
    helper_fds_close(&answer_fds);
    return result;
}

/* False when the client is gone, or makes no sense. */
static bool answer_one(struct keeping *keeping)
{
    union {
        struct keeper_start start;
        struct keeper_end end;
    } asked;
    struct helper_fds fds = {.count = 0};
    uint32_t question = 0;
    long got = helper_receive(keeping->socket, &question, &asked, sizeof(asked), &fds);
    int result = -1;

    if (got == sizeof(asked.start) && question == KEEPER_START) {
        result = answer_start(keeping, &asked.start, &fds);
    } else if (got == sizeof(asked.end) && question == KEEPER_END) {
        struct keeper_ended ended = {
            end_plugin(keeping, asked.end.pid, asked.end.patience_ms)};

        result = helper_send(keeping->socket, KEEPER_END, &ended, sizeof(ended), NULL);
    }
    if (got > 0)
        helper_fds_close(&fds);
    return result == 0;
}

void keeper_main(int socket, const struct plugin_files *files,
                 const struct plugin_settings *settings)
{
    struct keeping keeping = {.socket = socket, .files = files, .settings = settings};

    quiet_become("heaptop-plugins");
    while (answer_one(&keeping))
        ;
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        end_plugin(&keeping, keeping.children[i], CLOSE_MS);
    _exit(0);
}
