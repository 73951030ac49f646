/*
 * agent.h - inside the agent.
 *
 * The agent is import-free: no libc, no data but its own image, no dynamic
 * relocations but relative ones. Its functions run in one thread of the target,
 * except the gc callback, which runs in whatever thread collects, with the GIL.
 * (In a free-threaded build "with the GIL" means attached to the interpreter.)
 */
#ifndef HEAPTOP_AGENT_AGENT_H
#define HEAPTOP_AGENT_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/protocol.h"
#include "agent/region.h"

#define AGENT_PAGE_BYTES   4096
#define AGENT_SHARED_BYTES ((sizeof(struct agent_page) + 4095) & ~(size_t)4095)

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

/* kept_*.S: a page of code and these two pages stay in a forked child. */
struct agent_guard { /* wiped by a fork; 0 = the callback does nothing */
    struct object *(*on_collection)(struct object *self, struct object *arguments);
    void (*on_death)(struct object *capsule);
};

struct agent_kept {
    void (*inc_ref)(struct object *object); /* first two: used by the entry */
    struct object *none;
    uint64_t magic;
    const struct agent_guard *guard;
    uint64_t code;
    struct method method;
    char name[8];
};

#pragma GCC visibility push(hidden) /* reached without a table that is relocated */
extern struct agent_kept agent_kept;
extern struct agent_guard agent_guard;
extern const char agent_kept_code[AGENT_PAGE_BYTES];
#pragma GCC visibility pop
struct object *agent_callback_entry(struct object *self, struct object *arguments);
void agent_death_entry(struct object *capsule);

/* What stays of the image when the agent goes. */
enum agent_rest {
    AGENT_REST_NOTHING,
    AGENT_REST_ENTRY, /* the kept pages: somebody has a reference to the callback */
    AGENT_REST_IMAGE, /* all: the interpreter goes down, or a thread may be inside */
};

/* What agent_entry unmaps last, with the function that does it; 0 bytes: nothing. */
struct agent_farewell {
    uint64_t address, bytes, unmap;
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
    bool hides_from_forks; /* a forked child has the kept pages only */
    int pid;               /* before Linux 4.14: a forked child has another */
    int copy_pid;          /* the sleeping copy, not yet waited for; 0 = none */

    /* Owned by the thread that holds the GIL. */
    int minor; /* of the interpreter's version */
    bool is_free_threaded;
    void *thread_state;
    struct object *gc, *callback, *callbacks;
    struct object *blocks, *count, *threshold, *stats, *is_enabled, *freeze_count;
    struct object *debug, *collect, *disable, *enable, *reference_count;
    struct object *import_lock, *import_unlock; /* without a GIL only */
    bool holds_gil;
    bool frozen_are_many;     /* counting them costs too much for each sample */
    uint32_t n_many_blocks;   /* how often there were too many to count them again */
    int64_t references_alone; /* what the callback has when only the agent knows it */
    bool collects;            /* gc.collect() of our own is running */
    int64_t pause_began_ns, collect_uncollectable;
    char question[AGENT_QUESTION_BYTES]; /* of the command that runs, a copy */
    struct object *info;                 /* what the callback was last called with */
    bool python_is_lost; /* the interpreter went down and took our callback */
};

#pragma GCC visibility push(hidden)
extern struct agent agent;
extern struct agent_place agent_place;
#pragma GCC visibility pop

/* arch_*.c: raw system calls; negative errno on failure. */
long agent_system_call(long number, long a, long b, long c, long d, long e, long f);
int agent_entry(struct agent_region *region); /* arch_*.S: never returns into the image */
/* apart_*.S: clone(2) of a thread that runs this on its own stack and ends. The word is 0
 * when it has ended. */
long agent_thread_start(unsigned long flags, void *stack_end, uint32_t *lives,
                        void (*run)(void *with), void *with);

/* kernel.c */
void agent_hear_of_credentials(void);
int64_t agent_now_ns(void);
void agent_wait(uint32_t *word, uint32_t value, int64_t limit_ns, bool shared);
void agent_wake(uint32_t *word);
int agent_channel_open(void);
void agent_channel_close(bool unmap);
bool agent_client_is_gone(void);
/* Whether a child that is made now gets the shared page, too. */
void agent_channel_share(bool with_child);

/* offer.c: a page that heaptop has mapped, too. */
enum agent_offer {
    AGENT_OFFER_IMPOSSIBLE, /* no file can be made */
    AGENT_OFFER_REFUSED,    /* heaptop did not take it */
    AGENT_OFFER_TAKEN,
};
enum agent_offer agent_offer(void **page);

/* memory.c: what the agent has mapped, in this process and in forked children. */
void agent_unmap(uint64_t address, uint64_t bytes);
void *agent_map(uint64_t bytes); /* zeroed; NULL when there is no room */
void agent_region_close(void);
void agent_farewell_say(struct agent_farewell *farewell, enum agent_rest rest);
void agent_fork_prepare(void);
/* Before and after code of the target's own runs in the agent's thread, for it may
 * fork: then the child needs the code that it returns to. It ends in the second. */
void agent_fork_allow(void);
void agent_fork_forbid(void);
bool agent_is_original(void);

/* python.c */
bool agent_python_may_be_used(void);
bool agent_gil_take(int64_t *wait_ns);
void agent_gil_drop(void);
int64_t agent_number(struct object *owned);
struct object *agent_call(struct object *function);
struct object *agent_call_one(struct object *function, struct object *argument);
/* Between these two nothing that the agent allocates begins a collection. */
bool agent_gc_hold(void);
void agent_gc_let_go(bool was_enabled);
/* Between these two no thread of a build without a GIL forks. */
void agent_forks_hold(void);
void agent_forks_let_go(void);

/* life.c: into Python and out of it. */
int agent_python_open(void);
enum agent_rest agent_python_close(void);
/* A new reference; NULL with the exception cleared. */
struct object *agent_gc_function(const char *name);
struct object *agent_module(const char *text); /* likewise; one that was imported */

/* partition.c: what it keeps between commands. */
void agent_partition_forget(void); /* with the GIL */
void agent_partition_close(void);

/* text.c: the answers that are texts. False when there is no room. */
bool agent_text_begin(void);
void agent_text_add(const char *more, size_t length);
void agent_text_words(const char *words); /* NULL is allowed */
void agent_text_number(uint64_t number);
void agent_text_end(struct agent_answer *answer);
void agent_text_close(void);

/* actions.c: calls it with the numbers up to the first that was not given, with the GIL;
 * the function is borrowed, NULL: it is not there. */
void agent_call_numbers(struct object *function, const int64_t *values,
                        struct agent_answer *answer);

/* sample.c, partition.c, actions.c, call.c, allocator.c, stacks.c, copy.c: commands */
#define AGENT_COMMAND(name, function) \
    void function(const int64_t *arguments, struct agent_answer *answer);
#include "agent/commands.def"
#undef AGENT_COMMAND
/* So many blocks are in use that counting the frozen objects may take too long. */
bool agent_frozen_may_be_many(void);
/* What the function of no arguments returns: one number, or a tuple of them. */
void agent_numbers(struct object *function, int64_t values[AGENT_ARGUMENTS]);

/* copy.c: a copy that has ended is waited for; one that has not is ended first. */
void agent_copy_look(void);
void agent_copy_end(void);

/* callback.c */
int agent_callback_install(void);
enum agent_rest agent_callback_remove(void);

/* agent.c */
void agent_main(struct agent_region *region, struct agent_farewell *farewell);

#endif
