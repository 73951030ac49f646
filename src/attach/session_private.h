/*
 * session_private.h - what session.c (in and out) and session_talk.c (commands and
 * counters) share. The sampler's thread.
 */
#ifndef HEAPTOP_ATTACH_SESSION_PRIVATE_H
#define HEAPTOP_ATTACH_SESSION_PRIVATE_H

#include <stddef.h>

#include "attach/channel.h"
#include "attach/injector.h"
#include "attach/injector_start.h"
#include "attach/session.h"

#define MEMBER(member) offsetof(struct agent_page, member)

struct session {
    struct target *target;
    enum session_state state;
    struct err err;
    bool is_locked; /* the target's directory in /proc: one heaptop at a time */
    struct injector injector;
    int64_t began_ns;
    struct injector_report report;
    struct channel channel;
    bool is_connected;
    bool was_late;    /* the agent left because heaptop gave no sign of life */
    bool is_launched; /* it came with the program: nothing of it can be unmapped */
    uint32_t beat, asked;
    bool is_due; /* the answer was not taken yet: nobody else may ask */
};

/* Makes text that came from the target clean UTF-8. */
void session_clean(char *text, size_t size);

/* Orders the command without asking whether another one runs. */
void session_send(struct session *session, enum agent_command command,
                  const int64_t *arguments);

#endif
