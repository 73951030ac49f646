/*
 * sampler_private.h - what the files of the sampler share among themselves.
 *
 * sampler.c has what the main thread calls, sampler_loop.c the thread and its
 * clock, sampler_sample.c one sample, sampler_walk.c the walk and its budget,
 * sampler_agent.c the session, sampler_action.c actions, sampler_inspect.c close looks,
 * sampler_inquiry.c questions about the objects.
 *
 * Members under `lock` are shared by both threads; all others belong to the
 * sampler's thread once it runs. The lock is never held across a read of the
 * target.
 */
#ifndef HEAPTOP_SAMPLER_PRIVATE_H
#define HEAPTOP_SAMPLER_PRIVATE_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/session.h"
#include "attach/witness_start.h"
#include "heaptop/source.h"
#include "layout/gil_layout.h"
#include "layout/layout.h"
#include "model/born.h"
#include "plugin/instance.h"
#include "sampler/sampler.h"
#include "target/children.h"
#include "util/strbuf.h"

#define SAMPLER_EVENTS_MAX   64
#define SAMPLER_MESSAGES_MAX 256
#define SAMPLER_SLICE_NS     (20 * INT64_C(1000000))
#define SAMPLER_WALKS_MAX    4

struct message_node {
    struct sampler_message message;
    struct message_node *next;
};

/* What the main thread wants; asking twice before it is seen is asking once. */
struct sampler_wish {
    bool stop, sample, walk, turn, agent, has_interval;
    int64_t interval_ns;
    const struct action_ops *action; /* NULL: none */
    struct action_arguments arguments;
    size_t plugin;          /* 1 + its index; 0: none */
    char *handed;           /* the newest sample as JSON, for sinks; NULL: none */
    uint64_t n_unseen;      /* samples that it took the place of */
    uint64_t arena;         /* to be looked at closely; 0: none */
    struct inquiry inquiry; /* its topic NULL: none */
};

struct sampler_source {
    const struct source_ops *ops;
    void *state;
    bool is_open;
    bool had_turn;        /* delivered or failed once */
    char last_error[320]; /* the sentence that was reported last; "" after success */
};

/* A copy of the target, which is walked instead of it in one round. */
struct sampler_exact {
    struct target *copy; /* NULL: none */
    struct sampler_source source;
    int64_t stopped_ns, began_mono_ns;
};

/* One round: each slow source in turn. */
struct sampler_walk {
    struct sampler_source sources[SAMPLER_WALKS_MAX];
    size_t n_sources; /* 0: nothing walks */
    size_t at;        /* the one that has its turn */
    size_t again;     /* the one that wants another after all others; 0: none */
    bool is_again;    /* that one has it */
    bool has_failed;  /* the first one in this round */
    bool is_running;
    bool is_wanted;    /* on request: begin as soon as possible */
    bool is_requested; /* the running walk was on request: show its end at once */
    bool is_in_turn;   /* so was this, but what has not changed need not be read again */
    bool has_run;
    bool is_trouble_told; /* that the walks are not complete */
    int64_t began_mono_ns, cpu_ns;
    int64_t own_cpu_ns;              /* besides, of what keeps a budget of its own */
    int64_t price_cpu_ns, period_ns; /* of the last one that ended */
    int64_t next_mono_ns;            /* not before this, unless wanted */
    int64_t shown_until_mono_ns;     /* of an exact result */
    struct sampler_exact exact;
    const struct objects_section *latest; /* a reference: the last walk's result */
    const struct snapshot *account;       /* a reference: has the last account */
    const struct pins_section *pins;      /* a reference: what was found last */
};

struct sampler_agent {
    struct session *session;
    enum agent_state state;
    bool is_at_gil;   /* in, and waiting for the interpreter */
    bool is_settled;  /* ready, failed, or not wanted */
    bool is_given_up; /* too slow to be waited for; it may still arrive */
    bool is_asked;    /* AGENT_SAMPLE is under way */
    bool has_counted; /* its counters came in once */
    uint32_t n_again; /* attached again by itself, since it was ordered */
    int64_t opened_mono_ns;
    uint32_t pauses_seen;
    struct err err; /* why there is none */
};

/* The inquiry that was asked last, from the wish to its answer. */
struct sampler_inquiry {
    const struct inquiry_ops *ops; /* NULL: none */
    struct inquiry asked;
    bool is_begun;
    void *state;
};

/* What a plugin asked in the target, and the last answers: by enum heaptop_probe. */
#define SAMPLER_PROBES (HEAPTOP_NATIVE_STACKS + 1)
struct sampler_probed {
    struct plugin_probe asked;
    int64_t whole;
    struct strbuf text;
};

struct sampler_probe {
    bool is_wanted;
    int64_t wanted_mono_ns;
    int64_t credit_ns, credited_mono_ns; /* what it may take of the target's time */
    struct plugin_probe asked;
    struct sampler_probed answers[SAMPLER_PROBES];
};

/* What the agent was asked last for a plugin; it may have stopped waiting. */
struct sampler_probing {
    bool is_under_way;
    size_t plugin;
    struct plugin_probe asked;
    struct layout_gil gil;
    bool is_gil_sought;
    int64_t gil_holder; /* just before; as layout_gil_holder() */
};

/* The look at threads that is under way for a plugin, and what the action saw last. */
struct sampler_stacks {
    struct witness_call *call; /* NULL: none */
    size_t plugin;
    int64_t began_mono_ns;
    char *seen; /* as witness.h; NULL: nothing yet */
    uint64_t n_seen;
    int64_t seen_mono_ns;
};

/* A plugin that was found; an instance when it is used. */
struct sampler_plugin {
    struct sampler_probe probe;
    struct plugin_instance *instance; /* NULL: not used, or it has failed */
    struct plugin_view view;          /* with a reference of its table */
};

struct sampler_plugins {
    struct sampler_plugin all[PLUGINS_MAX];
    size_t count;
};

struct sampler_action {
    const struct action_ops *ops; /* NULL: none */
    struct action_arguments arguments;
    bool is_started;
    int64_t started_mono_ns, lost_mono_ns; /* 0 while the agent is there */
    void *state;
    struct action_result result;
};

struct sampler {
    pthread_t thread;
    struct sampler_options options;
    struct target *target;

    pthread_mutex_t lock;
    struct sampler_wish wish;          /* under lock */
    struct message_node *first, *last; /* under lock */
    size_t n_messages;                 /* under lock */
    bool is_action_pending;            /* under lock: from wish to result */
    bool holds_actions;                /* under lock: none begins any more */
    int64_t action_began_mono_ns;      /* under lock: 0 until it begins */
    bool is_over;                      /* under lock: ended or failed */
    struct raddr collecting;           /* under lock: 0 = not known */
    int wish_fd, message_fd;           /* eventfds */
    struct err close_err;              /* written before the thread ends */
    atomic_uint turn;                  /* odd while the thread is at work */
    unsigned seen_turn, n_seen;        /* the main thread's: sampler_is_stuck() */
    int64_t seen_mono_ns, seen_cpu_ns;
    atomic_int state_fd; /* of the thread: thread_is_blocked(); -1 until it is open */

    struct layout layout;
    bool has_layout, is_layout_tried;
    struct err layout_err;
    int64_t layout_retry_ns, layout_pause_ns;

    struct children children;
    struct sampler_source *cheap;
    size_t n_cheap;
    struct sampler_walk walk;
    struct sampler_agent agent;
    struct sampler_action action;
    struct sampler_inquiry inquiry;
    struct sampler_plugins plugins;
    struct sampler_probing probing;
    struct sampler_stacks stacks;
    struct object_sets object_sets; /* by marks */

    uint64_t seq;
    int64_t next_tick_ns;
    bool is_sample_due;     /* before its time */
    bool is_complete_shown; /* a complete snapshot was sent */
    bool is_stopping, is_failed, is_ended;
    enum target_state state;
    int64_t ended_wall_ns;
    const struct snapshot *latest; /* a reference, for the last words */
    struct event events[SAMPLER_EVENTS_MAX];
    size_t n_events;
};

/* sampler.c */
void sampler_send(struct sampler *sampler, const struct sampler_message *message);
struct sampler_wish sampler_take_wish(struct sampler *sampler);
void sampler_fail(struct sampler *sampler, const struct err *err);
/* The thread looks at its wishes. */
void sampler_wake(struct sampler *sampler);

/* sampler_plugins.c */
void sampler_plugins_open(struct sampler *sampler);
void sampler_plugins_close(struct sampler *sampler);
/* 1 + its index; 0: none. */
void sampler_plugins_use(struct sampler *sampler, size_t number);
/* A sample for the sinks, or NULL; takes it. */
void sampler_plugins_hand(struct sampler *sampler, char *json, uint64_t n_unseen);
/* Takes what has come. */
void sampler_plugins_step(struct sampler *sampler);
/* Puts the answers in, and asks anew. */
void sampler_plugins_sample(struct sampler *sampler, struct snapshot_builder *builder);
bool sampler_plugins_are_complete(const struct sampler *sampler);
/* What to wait for, and until when at most. */
size_t sampler_plugins_poll(const struct sampler *sampler, struct pollfd fds[PLUGINS_MAX],
                            int64_t *next_ns);

/* sampler_probes.c */
void sampler_probe_want(struct sampler *sampler, struct sampler_plugin *plugin,
                        const struct plugin_probe *asked);
void sampler_probes_step(struct sampler *sampler);
/* The agent was asked for a plugin, or is to be. */
bool sampler_probes_wait(const struct sampler *sampler);
void sampler_probes_forget(struct sampler_plugin *plugin);
/* What a plugin waits for: a text, or why there is none. */
void sampler_probe_tell(struct sampler_plugin *plugin, int64_t whole, const char *text,
                        size_t bytes);
void sampler_probe_refuse(struct sampler_plugin *plugin, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* sampler_stacks.c */
bool sampler_stacks_may_be_asked(const char *question);
/* What the action saw, with its number and its age. */
void sampler_stacks_tell_action(struct sampler *sampler, struct sampler_plugin *plugin);
/* Begins a look for the plugin, as soon as none is under way. */
void sampler_stacks_serve(struct sampler *sampler, size_t index);
void sampler_stacks_step(struct sampler *sampler);
/* What the action saw; copied. */
void sampler_stacks_keep(struct sampler *sampler, const char *text);
void sampler_stacks_close(struct sampler *sampler);

/* sampler_inspect.c */
void sampler_inspect_now(struct sampler *sampler, uint64_t arena);

/* sampler_inquiry.c */
void sampler_inquiry_order(struct sampler *sampler, const struct inquiry *asked);
bool sampler_inquiry_is_due(const struct sampler *sampler);
void sampler_inquiry_slice(struct sampler *sampler);
/* Begins again when it is due next: an action moves what it looks at. */
void sampler_inquiry_yield(struct sampler *sampler);
void sampler_inquiry_drop(struct sampler *sampler);

/* sampler_loop.c: the thread's function. */
void *sampler_thread(void *sampler);

/* sampler_sample.c */
void sampler_event(struct sampler *sampler, enum event_type type, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sampler_sources_open(struct sampler *sampler);
void sampler_sources_close(struct sampler *sampler);
/* Remembers and reports a failed source, once per distinct sentence. */
void sampler_source_failed(struct sampler *sampler, struct sampler_source *source,
                           const struct err *err);
void sampler_sample(struct sampler *sampler);
/* The snapshot of the end: the last numbers, with the state and the time. */
void sampler_sample_end(struct sampler *sampler);
bool sampler_is_complete(const struct sampler *sampler);
struct source_context sampler_context(struct sampler *sampler,
                                      struct snapshot_builder *builder);

/* sampler_layout.c */
void sampler_find_layout(struct sampler *sampler);
void sampler_check_layout(struct sampler *sampler);

/* sampler_walk.c */
bool sampler_walk_is_due(const struct sampler *sampler, int64_t now_mono_ns);
void sampler_walk_begin(struct sampler *sampler);
void sampler_walk_slice(struct sampler *sampler);
/* True when no walk is in the way of an action: what follows the objects is given up. */
bool sampler_walk_yield(struct sampler *sampler);
/* Since when nothing but waiting is to be done for the walk; INT64_MAX: never. */
int64_t sampler_walk_next_ns(const struct sampler *sampler);
/* The least pause between two walks, from the price of the last one. */
int64_t sampler_walk_pause_ns(int64_t interval_ns, int64_t wall_ns, int64_t cpu_ns);

/* sampler_agent.c */
void sampler_agent_open(struct sampler *sampler);
void sampler_agent_again(struct sampler *sampler);
void sampler_agent_step(struct sampler *sampler);
/* Orders a publication and waits a few milliseconds for it. */
void sampler_agent_sample(struct sampler *sampler);
/* Full collections of the target's own become events. */
void sampler_agent_pauses(struct sampler *sampler, bool is_silent);
void sampler_agent_close(struct sampler *sampler);
/* Are the objects read from outside? Else the agent counts them, when there is one. */
bool sampler_reads_objects(const struct sampler *sampler);
void sampler_access_facts(const struct sampler *sampler, struct access_facts *access);

/* sampler_exact.c: opens the copy that an action's result names, and begins its walk. */
int sampler_exact_begin(struct sampler *sampler, const struct action_result *result,
                        struct err *err);
/* Is it the copy's turn in this round? */
bool sampler_exact_is_due(const struct sampler_walk *walk);
enum source_result sampler_exact_slice(struct sampler *sampler,
                                       struct source_context *context, struct err *err);
/* The copy had its turn: what it cost is told, and it is let go. */
void sampler_exact_end(struct sampler *sampler, bool is_good);
void sampler_exact_drop(struct sampler *sampler);

/* sampler_action.c */
void sampler_action_begin(struct sampler *sampler, const struct action_ops *action,
                          const struct action_arguments *arguments);
void sampler_action_step(struct sampler *sampler);
void sampler_action_drop(struct sampler *sampler);

#endif
