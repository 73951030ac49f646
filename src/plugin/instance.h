/*
 * instance.h - one running plugin, seen from heaptop.
 *
 * Nothing here waits: an instance is asked, and a later step gives what came. Whatever
 * its process does - ends, hangs, talks nonsense - comes as PLUGIN_ENDED with a sentence.
 * Belongs to one thread.
 */
#ifndef HEAPTOP_PLUGIN_INSTANCE_H
#define HEAPTOP_PLUGIN_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "plugin/answer.h"
#include "plugin/keeper.h"

struct plugin_instance;

enum plugin_step {
    PLUGIN_NOTHING = 0,
    PLUGIN_GREETED,  /* it is loaded and open */
    PLUGIN_ANSWERED, /* event.answer has it */
    PLUGIN_ASKS,     /* event.probe: it waits until plugin_instance_tell() */
    PLUGIN_ENDED,    /* step.err says why: only freeing is left */
};

struct plugin_event {
    struct plugin_hello hello; /* clean */
    struct plugin_answer answer;
    bool is_receipt; /* the answer is to a sample that it was handed */
    int64_t took_ns;
    struct plugin_probe probe; /* its question is any bytes, ended by a zero */
    struct err err;
};

/* Starts one. NULL with a sentence when it cannot be. */
struct plugin_instance *plugin_instance_new(struct keeper *keeper,
                                            const struct keeper_wish *wish,
                                            struct err *err);
void plugin_instance_free(struct plugin_instance *instance); /* NULL is allowed */

/* What to wait for until a step gives something; -1: it has ended. */
int plugin_instance_fd(const struct plugin_instance *instance);
short plugin_instance_poll(const struct plugin_instance *instance);
/* When it will have had its time (monotonic); INT64_MAX: it is not asked. */
int64_t plugin_instance_limit_ns(const struct plugin_instance *instance);
/* It greeted, and owes no answer. */
bool plugin_instance_is_idle(const struct plugin_instance *instance);
void plugin_instance_ask(struct plugin_instance *instance);
/* Hands it a sample, when it has time; true: one before it was skipped for it. */
bool plugin_instance_hand(struct plugin_instance *instance, const char *json,
                          size_t length);
/* What came of its probe: the text's length, or -1 and a sentence. */
void plugin_instance_tell(struct plugin_instance *instance, int64_t whole,
                          const char *text, size_t bytes);
enum plugin_step plugin_instance_step(struct plugin_instance *instance,
                                      struct plugin_event *event);

/* Loads each plugin once to see what it is, and fills the views; waits for each at most
 * as long as a plugin has. */
size_t plugin_look_all(struct keeper *keeper, struct plugin_view views[PLUGINS_MAX]);
/* What a plugin said of itself, into a view. */
void plugin_view_introduce(struct plugin_view *view, const struct plugin_hello *hello);

#endif
