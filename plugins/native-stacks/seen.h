/*
 * seen.h - the stacks of all threads at one moment: Python's frames by heaptop's agent,
 * the native ones from outside, and both as rows.
 *
 * What heaptop answers is text that names what the target holds: every loop is bounded.
 */
#ifndef HEAPTOP_PLUGINS_NATIVE_STACKS_SEEN_H
#define HEAPTOP_PLUGINS_NATIVE_STACKS_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/plugin.h"

#define THREADS_MAX  256
#define FRAMES_MAX   16384
#define NATIVE_BYTES 262144
#define PYTHON_BYTES 262144
#define WHY_BYTES    240
#define ROW_BYTES    200

/* Texts are borrowed from the answers. */
struct frame {
    const char *function, *file; /* "": the function has no name that is known */
    int64_t line;                /* of Python; native: the offset in the file */
};

struct thread {
    int64_t number;
    const char *name; /* Python's, else the kernel's; "" = it has none */
    char state;       /* as of /proc; 0: not seen from outside */
    int64_t stopped_ns;
    const struct frame *native, *python; /* innermost first */
    size_t n_native, n_python;
    const char *why; /* the native frames end early; NULL: they do not */
};

struct seen {
    char native[NATIVE_BYTES], python[PYTHON_BYTES];
    char why_native[WHY_BYTES], why_python[WHY_BYTES]; /* "": it was seen */
    struct frame frames[FRAMES_MAX];
    struct thread threads[THREADS_MAX];
    size_t n_frames, n_threads;
    int64_t gil; /* number of its thread; 0: none, -1: not known */
    int64_t n_stopped, longest_stop_ns, took_ns, age_ns;
    int64_t action; /* number of the action's look; 0: it is none */
    int64_t at_ns;  /* when heaptop was asked */
};

struct row {
    char text[ROW_BYTES];
    unsigned depth;
    int64_t thread, line, stopped_ns; /* -1: not known, or not a thing of this row */
};

/* Sees all threads: now, or for `question` "action" what the action saw last. False:
 * there is nothing of the kind, and nothing changes. */
bool seen_take(const struct heaptop_host *host, struct seen *seen, const char *question);

/* The thread and its frames as rows; how many. */
size_t seen_rows(const struct seen *seen, const struct thread *thread, struct row *rows,
                 size_t max);
/* The thread of this number; NULL: there is none. */
const struct thread *seen_thread(const struct seen *seen, int64_t number);
/* "load  app/data.py" */
void seen_python_text(const struct frame *frame, char text[ROW_BYTES]);

int64_t seen_now_ns(void);

#endif
