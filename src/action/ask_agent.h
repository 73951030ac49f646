/*
 * ask_agent.h - what the actions have in common that the agent runs: whether it can
 * be asked, the order, and the answer. An action adds its explanation and its words.
 * Sampler's thread.
 */
#ifndef HEAPTOP_ACTION_ASK_AGENT_H
#define HEAPTOP_ACTION_ASK_AGENT_H

#include "agent/protocol.h"
#include "heaptop/action.h"

struct agent_order;

int ask_agent_possible(struct target *target, struct session *session, struct err *err);

/* Orders the command; *state is the order. */
enum action_progress ask_agent_start(const struct action_ops *action,
                                     enum agent_command command, struct target *target,
                                     struct session *session,
                                     const struct action_arguments *arguments,
                                     void **state, struct action_result *result);

/* ACTION_OVER: the answer stands in the result; words are the action's. */
enum action_progress ask_agent_poll(void *state, struct action_result *result);
void ask_agent_free(void *state);

/* "gc.collect(2)": the call that was ordered. */
const char *ask_agent_call(const void *state);

#endif
