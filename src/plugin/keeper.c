#include "plugin/keeper.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard/child.h"
#include "guard/guard.h"
#include "guard/helper_message.h"
#include "plugin/message.h"
#include "util/xalloc.h"

struct keeper {
    pthread_mutex_t lock;
    int socket; /* -1: there is no plugin, or the process has ended */
    pid_t pid;  /* 0: none was started */
    struct plugin_files files;
    const struct plugin_settings *settings;
};

static int fork_keeper(struct keeper *keeper, struct err *err)
{
    int socket;

    keeper->pid = child_fork(SOCK_SEQPACKET, &socket);
    if (keeper->pid < 0)
        return err_set_errno(err, ERR_FAILED, errno, "cannot start plugins");
    if (keeper->pid == 0)
        keeper_main(socket, &keeper->files, keeper->settings);
    keeper->socket = socket;
    return 0;
}

int keeper_start(const struct plugin_settings *settings, struct keeper **started,
                 struct err *err)
{
    struct keeper *keeper = xcalloc(1, sizeof(*keeper));

    pthread_mutex_init(&keeper->lock, NULL);
    keeper->socket = -1;
    keeper->settings = settings;
    plugin_files_find(&keeper->files, settings->folder, guard_is_privileged());
    if (keeper->files.count && fork_keeper(keeper, err) != 0) {
        free(keeper);
        return -1;
    }
    *started = keeper;
    return 0;
}

void keeper_stop(struct keeper *keeper)
{
    if (!keeper)
        return;
    if (keeper->socket >= 0)
        close(keeper->socket);
    pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}

int keeper_check(const struct keeper *keeper, struct err *err)
{
    for (size_t i = 0; i < keeper->settings->n_used; i++) {
        const char *name = keeper->settings->used[i];
        size_t at = 0;

        while (at < keeper->files.count &&
               strcmp(keeper->files.files[at].name, name) != 0)
            at++;
        if (at < keeper->files.count)
            continue;
        err_set(err, ERR_USAGE, "there is no plugin \"%.60s\"", name);
        return err_remedy(err, "heaptop --list-plugins names those that there are; "
                               "--plugin-dir names another folder");
    }
    return 0;
}

const struct plugin_files *keeper_files(const struct keeper *keeper)
{
    return &keeper->files;
}

const struct plugin_settings *keeper_settings(const struct keeper *keeper)
{
    return keeper->settings;
}

static int exchange(struct keeper *keeper, uint32_t question, const void *asked,
                    size_t asked_bytes, struct helper_fds *fds, void *answer,
                    size_t answer_bytes)
{
    uint32_t number = 0;
    int result = -1;

    pthread_mutex_lock(&keeper->lock);
    if (keeper->socket >= 0 &&
        helper_send(keeper->socket, question, asked, asked_bytes, fds) == 0) {
        fds->count = 0;
        if (helper_receive(keeper->socket, &number, answer, answer_bytes, fds) ==
                (long)answer_bytes &&
            number == question)
            result = 0;
    } else {
        fds->count = 0;
    }
    pthread_mutex_unlock(&keeper->lock);
    return result;
}

int keeper_load(struct keeper *keeper, const struct keeper_wish *wish, pid_t *pid,
                int *socket, struct err *err)
{
    struct keeper_start start = {.index = (uint32_t)wish->index,
                                 .is_look = wish->is_look,
                                 .pid = wish->pid,
                                 .has_mem = wish->mem_fd >= 0,
                                 .has_maps = wish->maps_fd >= 0};
    struct keeper_started started;
    struct helper_fds fds = {.count = 0};

    if (start.has_mem)
        fds.fds[fds.count++] = wish->mem_fd;
    if (start.has_maps)
        fds.fds[fds.count++] = wish->maps_fd;
    if (exchange(keeper, KEEPER_START, &start, sizeof(start), &fds, &started,
                 sizeof(started)) != 0) {
        helper_fds_close(&fds);
        return err_set(err, ERR_FAILED, "the process that starts plugins has ended");
    }
    started.why[sizeof(started.why) - 1] = '\0';
    if (started.pid <= 0 || fds.count != 1) {
        helper_fds_close(&fds);
        return err_set(err, ERR_FAILED, "%s", started.why);
    }
    *pid = started.pid;
    *socket = fds.fds[0];
    return 0;
}

int keeper_end(struct keeper *keeper, pid_t pid, int patience_ms)
{
    struct keeper_end end = {pid, (uint32_t)patience_ms};
    struct keeper_ended ended;
    struct helper_fds fds = {.count = 0};

    if (exchange(keeper, KEEPER_END, &end, sizeof(end), &fds, &ended, sizeof(ended)) != 0)
        return -1;
    helper_fds_close(&fds);
    return ended.status;
}
