/*
 * folder.h - recordings in a folder: their names, and which ones are old enough to go.
 * Only files of our own naming are ever removed: heaptop-PID-TIME.htr.
 */
#ifndef HEAPTOP_RECORDING_FOLDER_H
#define HEAPTOP_RECORDING_FOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "heaptop/err.h"
#include "recording/recorder.h"

/* The file to write: `path` itself, or a new name when it is a folder. */
int folder_choose(const char *path, pid_t pid, char chosen[RECORDER_PATH_BYTES],
                  bool *is_folder, struct err *err);

/* "PATH/heaptop-PID-TIME.htr"; number > 0: the next name of the same second. -1: it would
 * be too long. */
int folder_file_name(const char *path, pid_t pid, int number,
                     char chosen[RECORDER_PATH_BYTES]);

/* Removes recordings that are older than this, then the oldest until all together are
 * not larger. `current` stays. */
void folder_forget_old(const char *path, const char *current, int64_t keep_bytes,
                       int64_t keep_ns);

/* A recording in a folder, by its name. */
struct folder_file {
    char name[64];
    pid_t pid;
    char stamp[20]; /* when it began: "20261121T140231Z" */
    int number;     /* among those of one second */
};

/* In the order in which they began; whoever calls frees them. -1: it is no folder. */
int folder_list(const char *path, struct folder_file **files, size_t *count,
                struct err *err);

#endif
