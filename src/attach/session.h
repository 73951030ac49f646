/*
 * session.h - the agent's stay in one target, seen from heaptop.
 *
 * session_open() begins the attach in a forked injector child and returns at
 * once; session_step() moves it along without ever blocking for more than a
 * millisecond. After session_close() (or heaptop's death, however it comes) the
 * agent undoes everything and leaves. All that is read from the agent's page is
 * copied out and validated here; what leaves this header can be trusted to be
 * in range.
 *
 * Belongs to the sampler's thread.
 */
#ifndef HEAPTOP_ATTACH_SESSION_H
#define HEAPTOP_ATTACH_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/protocol.h"
#include "heaptop/err.h"
#include "target/target.h"

struct session;
struct launch;

enum session_state {
    SESSION_ATTACHING,       /* the injector is at work */
    SESSION_WAITING_FOR_GIL, /* the agent is in and waits for the interpreter */
    SESSION_READY,
    SESSION_FAILED, /* did not get in; session_err() says why; target untouched */
    SESSION_LOST,   /* was in, and is gone: exec, exit, or left by itself */
};

/* Begins the attach. Borrows the target, which must outlive the session. */
int session_open(struct target *target, struct session **session, struct err *err);

/* Meets the agent that came with a program that heaptop has started; -1 without a
 * sentence (ERR_NONE) when none came with this process. Borrows the target. */
int session_open_launched(struct target *target, struct launch *launch,
                          struct session **session, struct err *err);

/* Moves the attach along, beats the heart, notices the end. Call it often. */
enum session_state session_step(struct session *session);
/* Readable when a step has something to do; -1: only time tells. */
int session_fd(const struct session *session);
const struct err *session_err(const struct session *session);

/* Asks for a command; one at a time. 0, or -1 when not ready or one is running.
 * `arguments` are AGENT_ARGUMENTS numbers, or NULL for none. */
int session_ask(struct session *session, enum agent_command command,
                const int64_t *arguments, struct err *err);

/* The same with a text of less than AGENT_QUESTION_BYTES, or NULL. */
int session_ask_text(struct session *session, enum agent_command command,
                     const int64_t *arguments, const char *question, struct err *err);
/* The text that the last answer names: hostile bytes. -1 when it cannot be read, else its
 * length, of which at most `bytes` stand in `text`. */
int64_t session_text(struct session *session, const struct agent_answer *answer,
                     char *text, size_t bytes);

/* True when the last asked command was answered; waits up to `wait_ns` for it. */
bool session_answer(struct session *session, int64_t wait_ns,
                    struct agent_answer *answer);

/* The newest counters; false when none were published yet. */
bool session_counters(struct session *session, struct agent_counters *counters);

/* Copies pauses number *seen .. newest (at most `max`), advances *seen. */
uint32_t session_pauses(struct session *session, uint32_t *seen,
                        struct agent_pause *pauses, uint32_t max);

/* Is the page that is talked through shared memory? */
bool session_is_shared(const struct session *session);
/* The sleeping copy that AGENT_COPY made (copy.h) is to end; the agent clears up. */
void session_end_copy(struct session *session);

/* Lost because heaptop was too slow (stopped, or starved): worth another attach. */
bool session_was_late(const struct session *session);

/* The library whose malloc the target uses in place of glibc's; "" = glibc's. */
const char *session_other_malloc(const struct session *session);

/* How the agent got in, as a word: "ptrace", "remote", "launch". */
const char *session_way(const struct session *session);
/* Why not by ptrace; "" when remote execution was asked for, or not used. */
const char *session_why_remote(const struct session *session);

/* The first `count` kinds of the slice that was asked for last; the names are as the
 * target wrote them. Numbers are -1 where they make no sense. */
bool session_kinds(struct session *session, struct agent_kind *kinds, size_t count);

/* Price: how long a thread of the target was diverted by the attach. */
int64_t session_diverted_ns(const struct session *session);

/* Lets the agent leave and waits for it (at most 2 s). 0 when it is gone; -1
 * with a sentence when it is still leaving (it waits for the GIL). Frees all. */
int session_close(struct session *session, struct err *err);

#endif
