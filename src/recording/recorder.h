/*
 * recorder.h - writes a recording beside the sampling.
 *
 * The recorder is a process of its own: it keeps the rights of who started heaptop,
 * which the process that reads foreign memory gives up (guard.h), its waits for the disk
 * hold nobody up, and when heaptop is killed it still ends the file properly. It is
 * forked before the guard begins, and idle until recorder_open(). What it gets are
 * packed samples and texts, which it stores unseen.
 *
 * All functions here are called by the main thread of heaptop. An error of the disk does
 * not end anything: samples are lost, counted, and told when the recording is closed.
 */
#ifndef HEAPTOP_RECORDING_RECORDER_H
#define HEAPTOP_RECORDING_RECORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "heaptop/err.h"
#include "model/history.h"

#define RECORDER_PATH_BYTES 1024
#define RECORDER_SUFFIX     ".htr"

struct recorder;

struct recorder_options {
    const char *path; /* a file that is not there yet, or a folder */
    pid_t pid;        /* of the target; part of the names of files in a folder */
    int64_t rotate_bytes, rotate_ns; /* of a folder: when the next file begins */
    int64_t keep_bytes, keep_ns;     /* of a folder: older files are removed */
};

#define RECORDER_ROTATE_BYTES (INT64_C(64) << 20)
#define RECORDER_ROTATE_NS    (INT64_C(86400) * 1000000000)
#define RECORDER_KEEP_BYTES   (INT64_C(2) << 30)
#define RECORDER_KEEP_NS      (INT64_C(28) * 86400 * 1000000000)

void recorder_usual_options(struct recorder_options *options, const char *path,
                            pid_t pid);

/* Forks. Before the guard, while there is one thread. Where it may write is said now, as
 * who asks for it later has read foreign memory: this file or folder only, or (NULL)
 * files whose names end in RECORDER_SUFFIX. */
int recorder_start(const char *only, struct recorder **recorder, struct err *err);
/* Begins a recording. */
int recorder_open(struct recorder *recorder, const struct recorder_options *options,
                  struct err *err);
/* Hands the newest snapshot of the history over, with the events and marks since the
 * last one. */
void recorder_add(struct recorder *recorder, const struct snapshot *snapshot,
                  const struct history *history);
/* What the recorder has said so far. */
struct recorder_state {
    bool is_open;
    const char *path;    /* of the file; borrowed */
    int64_t samples;     /* that are in it */
    int64_t bytes, lost; /* lost: samples */
    const char *trouble; /* why the last one was lost; borrowed */
};
void recorder_look(const struct recorder *recorder, struct recorder_state *state);
/* Looking back in what was recorded: the seq of the sample before this one, after it, of
 * the last that is not later; 0: there is none, or the recording is not open. */
uint64_t recorder_before(const struct recorder *recorder, uint64_t seq);
uint64_t recorder_after(const struct recorder *recorder, uint64_t seq);
uint64_t recorder_at_time(const struct recorder *recorder, int64_t wall_ns);
/* Reads it back from the file: one reference, or NULL. Waits until all is written. */
const struct snapshot *recorder_recall(struct recorder *recorder, uint64_t seq,
                                       struct err *err);
/* Ends the recording; waits until all is written. -1 when something was lost, or when
 * that cannot be known. */
int recorder_close(struct recorder *recorder, struct err *err);
/* Closes, and ends the process. NULL is allowed. */
int recorder_stop(struct recorder *recorder, struct err *err);

#endif
