/*
 * objects_ahead.h - windows of a long chain of chunks, read before the chain gets there.
 *
 * A chain is followed by one worker, chunk by chunk, but most of its time goes into
 * copying. So the memory is cut into windows of equal distance that overlap, and every
 * worker that has nothing else to do reads the next one. As long as the chain goes from
 * each window to the next, more of them are read ahead; it may jump over some.
 *
 * The first worker takes, and reads as well while it waits; others help inside one
 * walk_parallel(), between walk_ahead_begin() and walk_ahead_end(). NULL: nothing is read
 * ahead, and nothing taken.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_AHEAD_H
#define HEAPTOP_SOURCE_OBJECTS_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

struct walk_ahead;
struct walk_worker;

/* NULL when out of memory. Windows are as large as those of the workers. */
struct walk_ahead *walk_ahead_open(uint64_t window_bytes);
void walk_ahead_close(struct walk_ahead *ahead);

/* A new walk: what was read before is of no use. No helper runs. */
void walk_ahead_forget(struct walk_ahead *ahead);

/* What was read before and not taken is old by now. */
void walk_ahead_begin(struct walk_ahead *ahead);
void walk_ahead_end(struct walk_ahead *ahead);

/* Nothing is read ahead for a while: windows are for others. No helper runs. */
void walk_ahead_rest(struct walk_ahead *ahead);

/* Reads ahead until walk_ahead_end(). */
void walk_ahead_help(struct walk_ahead *ahead, struct walk_worker *worker);

/* Makes the window with `at` the worker's own. It may begin before; it has enough behind
 * `at` for a chunk's beginning. False when it could not be read. */
bool walk_ahead_take(struct walk_ahead *ahead, struct walk_worker *worker, uint64_t at,
                     uint64_t end);

#endif
