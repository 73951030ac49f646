/*
 * witness_private.h - what the witness has seen of a thread, between the moment of
 * looking (witness.c) and that of taking it apart (witness_text.c).
 */
#ifndef HEAPTOP_ATTACH_WITNESS_PRIVATE_H
#define HEAPTOP_ATTACH_WITNESS_PRIVATE_H

#include "attach/threads.h"
#include "attach/unwinder.h"
#include "util/strbuf.h"

struct seen_thread {
    pid_t tid;
    int64_t own_number; /* the tid as the target sees it */
    char state;         /* as of /proc/PID/task/TID/stat */
    char name[64];      /* raw */
    struct arch_registers registers;
    struct unwinder_stack stack; /* its bytes are owned; NULL: see why */
    bool is_running;
    const char *why; /* it has no stack; static */
    int64_t stopped_ns;
};

struct witness {
    struct target *target;
    struct scene scene;
    bool has_scene;
    struct seen_thread threads[THREADS_MAX];
    size_t n_threads;
    size_t n_stopped;
    int64_t began_ns, longest_stop_ns;
};

/* Unwinds what was seen and writes it down; the scene is looked at. */
void witness_write(struct witness *witness, struct strbuf *text);

#endif
