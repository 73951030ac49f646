/*
 * stops.h - a thread that is traced: when it stands still, and why.
 *
 * Injector and witness only. Waits block, for polling would make the next request sleep
 * for a whole jiffy; a ticking timer ends them at their deadline.
 */
#ifndef HEAPTOP_ATTACH_STOPS_H
#define HEAPTOP_ATTACH_STOPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum stop {
    STOP_TRAP,    /* as asked */
    STOP_GROUP,   /* job control */
    STOP_SIGNAL,  /* a signal is about to be delivered: *number */
    STOP_GONE,    /* the thread ended */
    STOP_NOT_YET, /* time is up */
};

/* An empty signal handler and a ticking timer, so that no wait is for ever. */
void stops_start_ticking(void);
void stops_stop_ticking(void);

/* While a thread stands still, this process comes before others where it may. */
void stops_hurry(bool on);

enum stop stops_wait(pid_t tid, int64_t deadline, int *number);
/* Signals met on the way are the thread's own business and go on to it. */
enum stop stops_interrupt(pid_t tid, int64_t limit_ns);
/* The same without asking again: one who asks twice gets two stops. */
enum stop stops_await(pid_t tid, int64_t limit_ns);

#endif
