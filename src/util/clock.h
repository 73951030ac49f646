/*
 * clock.h - the two clocks. Wall time is for people, monotonic time for
 * intervals, deadlines and ages; both are nanoseconds in an int64_t.
 */
#ifndef HEAPTOP_UTIL_CLOCK_H
#define HEAPTOP_UTIL_CLOCK_H

#include <stdint.h>

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)

int64_t clock_wall_ns(void);
int64_t clock_monotonic_ns(void);

/* CPU time used by the calling thread. */
int64_t clock_thread_cpu_ns(void);
/* CPU time used by all threads of this process. */
int64_t clock_process_cpu_ns(void);

#endif
