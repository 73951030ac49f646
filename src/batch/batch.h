/*
 * batch.h - heaptop without a screen: samples through a sink, one action, the
 * self-check, the list of processes. Each runs to its end in the main thread
 * and returns 0, or -1 with the error whose code is the exit status.
 */
#ifndef HEAPTOP_BATCH_H
#define HEAPTOP_BATCH_H

#include <stdbool.h>

#include "args.h"
#include "batch/beside.h"
#include "heaptop/err.h"
#include "heaptop/sink.h"
#include "plugin/keeper.h"
#include "sampler/sampler.h"
#include "sink/fleet_sink.h"

/* A sampler seen from a program without a screen. */
struct batch {
    struct sampler *sampler;
    int signal_fd;               /* INT, TERM, HUP and USR1, which are blocked */
    const struct launch *launch; /* the program that was started; NULL: none */
    bool outlives_terminal;      /* HUP is not a wish to leave */
    struct inquiry asked;        /* who holds what grows; topic NULL: nothing */
};

enum batch_event {
    BATCH_FAILED = -1, /* err is set */
    BATCH_MESSAGE = 0,
    BATCH_SIGNAL, /* leave, as asked */
    BATCH_MARK,   /* SIGUSR1: set a mark */
    BATCH_TIMEOUT,
};

/* Blocks INT, TERM, HUP and USR1 for the whole program; before any thread is made. */
int batch_block_signals(struct err *err);

/* Reads one signal; true when it means to leave (not USR1, which sets marks). */
bool batch_takes_leave(int signal_fd);

int batch_open(struct batch *batch, const struct args *args, int signal_fd,
               struct err *err);
/* The next message; a snapshot in it belongs to the caller. */
enum batch_event batch_next(struct batch *batch, int64_t deadline_mono_ns,
                            struct sampler_message *message, struct err *err);
/* Lets the agent leave; says so on stderr when that takes longer than the sampler waits.
 */
void batch_close(struct batch *batch);

/* Writes one snapshot, as batch_run() does. */
int batch_write(const struct args *args, const struct sink_ops *sink,
                const struct snapshot *snapshot, struct err *err);

/* A NULL sink prints nothing. */
int batch_run(const struct args *args, const struct sink_ops *sink, struct beside *beside,
              int signal_fd, struct err *err);
/* The same of a recording. */
int batch_replay(const struct args *args, const struct sink_ops *sink, struct err *err);
/* Writes the part of args->read into args->cut. */
int batch_cut(const struct args *args, struct err *err);
/* What changed from args->compare's last sample to that of args->read. */
int batch_compare(const struct args *args, struct err *err);
/* What changed from the first to the last sample of args->read. */
int batch_changes(const struct args *args, struct err *err);
/* args->action; `sink` is for what makes a sample of its own (--exact). */
int batch_action(const struct args *args, const struct sink_ops *sink, int signal_fd,
                 struct err *err);
/* args->inquiry, answered once. */
int batch_inquiry(const struct args *args, int signal_fd, struct err *err);
/* Asks --holders or --born, and prints the answer. */
int batch_objects(const struct args *args, int signal_fd, struct err *err);
/* --list-plugins, as lines or as one object. */
int batch_plugins(struct keeper *keeper, bool is_json, struct err *err);
/* --tree. */
int batch_fleet(const struct args *args, const struct fleet_sink_ops *sink,
                struct beside *beside, int signal_fd, struct err *err);
int batch_selfcheck(const struct args *args, int signal_fd, struct err *err);

#endif
