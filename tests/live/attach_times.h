/*
 * attach_times.h - where the time of an attach goes: how long each moment of
 * src/attach/faultpoints.def comes after the one before it.
 *
 * With HEAPTOP_TIMES in its environment the driver adds to the summary of its rounds
 *   "moments": [[NAME, median ns, median ns on a processor, worst ns, pages], ...]
 * The second time is that of the process that is there, and hardly depends on how busy
 * the machine is; still less do the pages that it touches for the first time, of which
 * each costs from half a microsecond to 25, as the machine is. A moment that comes more
 * than once a round counts the last time.
 */
#ifndef HEAPTOP_TESTS_ATTACH_TIMES_H
#define HEAPTOP_TESTS_ATTACH_TIMES_H

#include <jansson.h>

/* From now on moments are timed, in this process and in those that it forks. */
void attach_times_arm(long rounds);

/* A round begins. */
void attach_times_begin(void);

/* A round has ended well. */
void attach_times_end(void);

/* NULL when nothing is timed. */
json_t *attach_times_json(void);

#endif
