/*
 * gc_words.h - what the actions on the collector's settings know and say in the same
 * words.
 */
#ifndef HEAPTOP_ACTION_GC_WORDS_H
#define HEAPTOP_ACTION_GC_WORDS_H

#include "heaptop/action.h"

/* Of a snapshot that may be NULL. */
struct reading gc_words_enabled(const struct snapshot *snapshot);
struct reading gc_words_frozen(const struct snapshot *snapshot);

/* The poll of an action that is one command of the agent, and its words. `undo` is
 * said when the setting is another one now. */
enum action_progress gc_words_poll_enabled(void *state, struct action_result *result,
                                           const char *undo);
enum action_progress gc_words_poll_frozen(void *state, struct action_result *result,
                                          const char *undo);

#endif
