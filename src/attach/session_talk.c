/* What is asked of the agent that is in, and what of its page is believed. */
#include "attach/session_private.h"

#include <string.h>

#include "target/reader.h"
#include "util/clock.h"
#include "util/utf8.h"

#define SEQUENCE_TRIES     100
#define SESSION_TEXT_BYTES 256
/* What no honest agent says; small enough that sums and rates of it do not overflow. */
#define COUNTER_END  (INT64_C(1) << 53)
#define CLOCK_END    (INT64_C(1) << 61)
#define PAUSE_MAX_NS (86400 * NS_PER_S)

static bool is_answered(struct session *session)
{
    uint32_t answered = session->asked - 1;

    channel_get(&session->channel, MEMBER(answered), &answered);
    return answered == session->asked;
}

void session_send(struct session *session, enum agent_command command,
                  const int64_t *arguments)
{
    static const int64_t none[AGENT_ARGUMENTS] = {-1, -1, -1};
    uint32_t number = (uint32_t)command;

    channel_put(&session->channel, MEMBER(command), &number, sizeof(number));
    channel_put(&session->channel, MEMBER(arguments), arguments ? arguments : none,
                sizeof(none));
    session->asked++;
    channel_publish(&session->channel, MEMBER(asked), session->asked);
}

int session_ask(struct session *session, enum agent_command command,
                const int64_t *arguments, struct err *err)
{
    if (session_step(session) != SESSION_READY)
        return err_set(err, ERR_FAILED, "the agent is not ready");
    if (session->is_due)
        return err_set(err, ERR_FAILED, "the agent is busy with another command");
    session_send(session, command, arguments);
    session->is_due = true;
    return 0;
}

int session_ask_text(struct session *session, enum agent_command command,
                     const int64_t *arguments, const char *question, struct err *err)
{
    char text[AGENT_QUESTION_BYTES] = "";

    if (question && strlen(question) >= sizeof(text))
        return err_set(err, ERR_USAGE, "it is longer than %zu bytes", sizeof(text) - 1);
    if (question)
        memcpy(text, question, strlen(question));
    if (session_step(session) == SESSION_READY && !session->is_due)
        channel_put(&session->channel, MEMBER(question), text, sizeof(text));
    return session_ask(session, command, arguments, err);
}

int64_t session_text(struct session *session, const struct agent_answer *answer,
                     char *text, size_t bytes)
{
    int64_t length = answer->before[0];

    if (length < 0 || length > AGENT_TEXT_BYTES || answer->value <= 0 ||
        !session->target->reader)
        return -1;
    if ((uint64_t)length < bytes)
        bytes = (size_t)length;
    if (bytes && reader_read(session->target->reader, raddr_of((uint64_t)answer->value),
                             text, bytes))
        return -1;
    return length;
}

static void bound(int64_t *value)
{
    if (*value < 0 || *value >= COUNTER_END)
        *value = -1;
}

static void bound_answer(struct agent_answer *answer)
{
    int64_t *plain[] = {&answer->value, &answer->uncollectable, &answer->elapsed_ns,
                        &answer->gil_wait_ns, &answer->gil_held_ns};

    if (answer->status < 0 || answer->status > AGENT_STATUS_REFUSED)
        answer->status = AGENT_STATUS_PYTHON_ERROR;
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        bound(plain[i]);
    for (int i = 0; i < AGENT_ARGUMENTS; i++) {
        bound(&answer->before[i]);
        bound(&answer->after[i]);
    }
}

bool session_answer(struct session *session, int64_t wait_ns, struct agent_answer *answer)
{
    int64_t deadline = clock_monotonic_ns() + wait_ns;

    if (!session->is_connected || !session->asked)
        return false;
    while (!is_answered(session)) {
        int64_t left = deadline - clock_monotonic_ns();

        if (left <= 0 || session_step(session) == SESSION_LOST)
            return false;
        channel_wait(&session->channel, MEMBER(answered), session->asked - 1,
                     left < 100 * NS_PER_MS ? left : 100 * NS_PER_MS);
    }
    if (!channel_copy(&session->channel, MEMBER(answer), answer, sizeof(*answer)) ||
        answer->number != session->asked)
        return false;
    bound_answer(answer);
    session->is_due = false;
    return true;
}

void session_clean(char *text, size_t size)
{
    char raw[SESSION_TEXT_BYTES];
    size_t length = strnlen(text, size < sizeof(raw) ? size : sizeof(raw));

    memcpy(raw, text, length);
    utf8_clean_copy(text, size, raw, length);
}

static void validate(struct agent_counters *counters)
{
    int64_t *plain[] = {&counters->published_ns, &counters->gil_wait_ns,
                        &counters->gil_held_ns,  &counters->allocated_blocks,
                        &counters->gc_enabled,   &counters->gc_frozen,
                        &counters->gc_debug};

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        bound(plain[i]);
    if (counters->gc_enabled > 1)
        counters->gc_enabled = 1;
    for (int i = 0; i < AGENT_GENERATIONS; i++) {
        bound(&counters->generations[i].count);
        bound(&counters->generations[i].threshold);
        bound(&counters->generations[i].collections);
        bound(&counters->generations[i].collected);
        bound(&counters->generations[i].uncollectable);
    }
    session_clean(counters->allocator, sizeof(counters->allocator));
    session_clean(counters->version, sizeof(counters->version));
}

bool session_counters(struct session *session, struct agent_counters *counters)
{
    if (!session->is_connected)
        return false;
    for (int i = 0; i < SEQUENCE_TRIES; i++) {
        uint32_t before = 0, after = 1;

        if (!channel_get(&session->channel, MEMBER(sequence), &before) || before == 0)
            return false;
        if (before % 2 == 0 &&
            channel_copy(&session->channel, MEMBER(counters), counters,
                         sizeof(*counters)) &&
            channel_get(&session->channel, MEMBER(sequence), &after) && before == after) {
            validate(counters);
            return true;
        }
    }
    return false;
}

static bool pause_makes_sense(const struct agent_pause *pause)
{
    return pause->began_ns >= 0 && pause->ended_ns >= pause->began_ns &&
           pause->ended_ns < CLOCK_END &&
           pause->ended_ns - pause->began_ns <= PAUSE_MAX_NS && pause->generation >= 0 &&
           pause->generation < AGENT_GENERATIONS;
}

uint32_t session_pauses(struct session *session, uint32_t *seen,
                        struct agent_pause *pauses, uint32_t max)
{
    uint32_t newest = 0, again, n = 0;

    if (!session->is_connected ||
        !channel_get(&session->channel, MEMBER(pauses_written), &newest))
        return 0;
    if (newest - *seen > AGENT_PAUSES)
        *seen = newest - AGENT_PAUSES;
    for (; *seen != newest && n < max; (*seen)++) {
        struct agent_pause *pause = &pauses[n];
        size_t offset = MEMBER(pauses) + *seen % AGENT_PAUSES * sizeof(*pause);

        if (!channel_copy(&session->channel, offset, pause, sizeof(*pause)) ||
            !channel_get(&session->channel, MEMBER(pauses_written), &again))
            return n;
        if (again - *seen >= AGENT_PAUSES || !pause_makes_sense(pause))
            continue; /* overwritten while it was copied, or nonsense */
        bound(&pause->collected);
        bound(&pause->uncollectable);
        n++;
    }
    return n;
}

bool session_kinds(struct session *session, struct agent_kind *kinds, size_t count)
{
    if (!session->is_connected || count > AGENT_KINDS ||
        !channel_copy(&session->channel, MEMBER(kinds), kinds, count * sizeof(*kinds)))
        return false;
    for (size_t i = 0; i < count; i++) {
        kinds[i].name[AGENT_KIND_BYTES - 1] = '\0';
        bound(&kinds[i].count);
        bound(&kinds[i].size_bytes);
    }
    return true;
}

bool session_is_shared(const struct session *session)
{
    return session->is_connected && session->channel.shared;
}

void session_end_copy(struct session *session)
{
    if (session->is_connected)
        channel_publish(&session->channel, MEMBER(copy), 0);
}
