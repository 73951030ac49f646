/* A stand-in until the injector lands: every attach is refused with a sentence. */
#include "attach/session.h"

#include <stddef.h>

int session_open(struct target *target, struct session **session, struct err *err)
{
    (void)target;
    *session = NULL;
    return err_set(err, ERR_UNSUPPORTED, "the agent is not part of this build");
}

enum session_state session_step(struct session *session)
{
    (void)session;
    return SESSION_FAILED;
}

const struct err *session_err(const struct session *session)
{
    static const struct err none = ERR_INIT;

    (void)session;
    return &none;
}

int session_ask(struct session *session, enum agent_command command, int64_t argument,
                struct err *err)
{
    (void)session;
    (void)command;
    (void)argument;
    return err_set(err, ERR_UNSUPPORTED, "the agent is not part of this build");
}

bool session_answer(struct session *session, int64_t wait_ns, struct agent_answer *answer)
{
    (void)session;
    (void)wait_ns;
    (void)answer;
    return false;
}

bool session_counters(struct session *session, struct agent_counters *counters)
{
    (void)session;
    (void)counters;
    return false;
}

uint32_t session_pauses(struct session *session, uint32_t *seen,
                        struct agent_pause *pauses, uint32_t max)
{
    (void)session;
    (void)seen;
    (void)pauses;
    (void)max;
    return 0;
}

int64_t session_diverted_ns(const struct session *session)
{
    (void)session;
    return 0;
}

int session_close(struct session *session, struct err *err)
{
    (void)session;
    (void)err;
    return 0;
}
