/*
 * thread.h - threads of heaptop's own that read a target, which may hang.
 */
#ifndef HEAPTOP_UTIL_THREAD_H
#define HEAPTOP_UTIL_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Signals stay the business of the main thread. 0, or an error number. */
int thread_begin(pthread_t *thread, void *(*main)(void *given), void *given);

/* Waits for its end; false when it does not come in time, and then it must be left alone,
 * with all that it uses. */
bool thread_join_within(pthread_t thread, int seconds);

/* A descriptor on the state of the thread that calls; -1: none is to be had. Any thread
 * may then ask whether that one waits for something else than a processor, as for a page
 * or an answer; unknown is true. */
int thread_state_open(void);
bool thread_is_blocked(int state_fd);

/* Processor time of a thread that was not joined yet. */
int64_t thread_cpu_ns(pthread_t thread);

#endif
