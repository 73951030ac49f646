/*
 * keeper.h - the process that starts plugins' processes, and ends them.
 *
 * It is forked before the guard (guard.h) gives anything up, and loads nothing itself: on
 * request it forks a process for one plugin, which loads it. What it may load was looked
 * up before; it takes a number, never a path. When heaptop goes, it
 * ends all of them.
 *
 * Thread-safe: each question is answered at once, before the next one.
 */
#ifndef HEAPTOP_PLUGIN_KEEPER_H
#define HEAPTOP_PLUGIN_KEEPER_H

#include <stdbool.h>
#include <sys/types.h>

#include "heaptop/err.h"
#include "plugin/folder.h"
#include "plugin/settings.h"

struct keeper;

struct keeper_wish {
    size_t index;        /* of the plugin in keeper_files() */
    bool is_look;        /* it is only to be asked what it is */
    pid_t pid;           /* of the target, or 0 */
    int mem_fd, maps_fd; /* its memory and mappings, or -1; borrowed */
};

/* Finds the plugins, and forks when there are any. While there is one thread. The
 * settings must outlive it. */
int keeper_start(const struct plugin_settings *settings, struct keeper **keeper,
                 struct err *err);
void keeper_stop(struct keeper *keeper); /* NULL is allowed */

/* Are the plugins there that --plugin names? -1 with a sentence. */
int keeper_check(const struct keeper *keeper, struct err *err);
const struct plugin_files *keeper_files(const struct keeper *keeper);
const struct plugin_settings *keeper_settings(const struct keeper *keeper);

/* Starts a plugin: its process and its socket, which the caller owns. */
int keeper_load(struct keeper *keeper, const struct keeper_wish *wish, pid_t *pid,
                int *socket, struct err *err);
/* Ends the process, if it does not end by itself in time: its status as of waitpid(), or
 * -1. */
int keeper_end(struct keeper *keeper, pid_t pid, int patience_ms);

/* keeper_process.c: the keeper's life. */
void keeper_main(int socket, const struct plugin_files *files,
                 const struct plugin_settings *settings) __attribute__((noreturn));

#endif
