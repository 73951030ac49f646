/*
 * agent.h - inside the agent.
 *
 * The agent is import-free: no libc, no data but its own image, no dynamic
 * relocations but relative ones. Its functions run in one thread of the target,
 * except the gc callback, which runs in whatever thread collects, with the GIL.
 */
#ifndef HEAPTOP_AGENT_AGENT_H
#define HEAPTOP_AGENT_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/protocol.h"
#include "agent/region.h"

struct object; /* PyObject */

/* PyMethodDef (methodobject.h), the same in 3.8 - 3.15. */
struct method {
    const char *name;
    struct object *(*function)(struct object *self, struct object *arguments);
    int flags;
    const char *doc;
};

/* The functions of CPython, each with its own type; filled from agent_place. */
struct python {
#define AGENT_FUNCTION(need, result, name, arguments) result(*name) arguments;
#include "agent/python.def"
#undef AGENT_FUNCTION
};

/* What the kernel walks when a thread ends: struct robust_head_head of linux/futex.h. */
struct robust_head {
    void *next;
    long futex_offset;
    void *pending;
};

struct agent {
    struct python python;
    struct agent_region *region;
    struct agent_page *page;
    bool page_is_shared, is_restricted;
    uint32_t last_beat;
    int64_t last_beat_ns;
    struct robust_head robust, *old_robust;
    size_t old_robust_bytes;

    /* Owned by the thread that holds the GIL. */
    void *thread_state;
    struct object *gc, *callback, *callbacks;
    struct object *blocks, *count, *threshold, *stats, *is_enabled, *freeze_count;
    struct object *debug;
    struct object *collect;
    int pid;              /* where the callback was made; a forked child has another */
    bool frozen_are_many; /* counting them costs too much for each sample */
    bool collects;        /* gc.collect() of our own is running */
    int64_t pause_began_ns, collect_uncollectable;
    bool python_is_lost; /* the interpreter went down and took our callback */
    bool is_inert;       /* the callback does nothing any more */
};

extern struct agent agent;
extern struct agent_place agent_place __attribute__((visibility("default")));

/* arch_*.c: raw system calls; negative errno on failure. */
long agent_system_call(long number, long a, long b, long c, long d, long e, long f);
int agent_entry(struct agent_region *region); /* arch_*.S: never returns into the image */

/* kernel.c */
int64_t agent_now_ns(void);
void agent_wait(uint32_t *word, uint32_t value, int64_t limit_ns, bool shared);
void agent_wake(uint32_t *word);
int agent_channel_open(void);
void agent_channel_close(bool unmap);
void agent_region_close(void);
bool agent_client_is_gone(void);
void agent_guard_open(void);
bool agent_is_original(void);

/* python.c */
bool agent_python_may_be_used(void);
bool agent_gil_take(int64_t *wait_ns);
void agent_gil_drop(void);
int agent_python_open(void);
bool agent_python_close(void);
int64_t agent_number(struct object *owned);
/* A new reference; NULL with the exception cleared. */
struct object *agent_gc_function(const char *name);
/* What the function of no arguments returns: one number, or a tuple of them. */
void agent_numbers(struct object *function, int64_t values[AGENT_ARGUMENTS]);

/* python.c and actions.c: the commands */
#define AGENT_COMMAND(name, function) \
    void function(const int64_t *arguments, struct agent_answer *answer);
#include "agent/commands.def"
#undef AGENT_COMMAND

/* callback.c */
struct object *agent_callback_new(void);
int agent_callback_install(void);
bool agent_callback_remove(void);

/* agent.c: 0 = unmap the image and go, 1 = the image stays. */
int agent_main(struct agent_region *region);

#endif
