#include "action/gc_words.h"

#include <stdio.h>

#include "action/ask_agent.h"
#include "heaptop/units.h"

struct reading gc_words_enabled(const struct snapshot *snapshot)
{
    return snapshot && snapshot->gc ? snapshot->gc->enabled : reading_unknown();
}

struct reading gc_words_frozen(const struct snapshot *snapshot)
{
    return snapshot && snapshot->gc ? snapshot->gc->frozen : reading_unknown();
}

static void say_undo(struct action_result *result, const char *undo)
{
    if (!reading_is_known(result->after[0]) || !reading_is_known(result->before[0]) ||
        result->after[0].value != result->before[0].value)
        snprintf(result->undo, sizeof(result->undo), "%s", undo);
}

static const char *switch_word(struct reading enabled)
{
    if (!reading_is_known(enabled))
        return "not known";
    return enabled.value ? "on" : "off";
}

enum action_progress gc_words_poll_enabled(void *state, struct action_result *result,
                                           const char *undo)
{
    enum action_progress progress = ask_agent_poll(state, result);

    if (progress != ACTION_OVER)
        return progress;
    snprintf(result->words, sizeof(result->words),
             "%s: automatic collection is %s, it was %s", ask_agent_call(state),
             switch_word(result->after[0]), switch_word(result->before[0]));
    say_undo(result, undo);
    return progress;
}

enum action_progress gc_words_poll_frozen(void *state, struct action_result *result,
                                          const char *undo)
{
    enum action_progress progress = ask_agent_poll(state, result);
    char after[UNITS_MAX], before[UNITS_MAX], took[UNITS_MAX];

    if (progress != ACTION_OVER)
        return progress;
    units_duration(took, result->pause_ns);
    if (reading_is_known(result->before[0]))
        snprintf(result->words, sizeof(result->words),
                 "%s: %s objects are frozen, %s were, %s", ask_agent_call(state),
                 units_count(after, result->after[0]),
                 units_count(before, result->before[0]), took);
    else
        snprintf(result->words, sizeof(result->words),
                 "%s: done in %s; too many objects to count those that are frozen",
                 ask_agent_call(state), took);
    say_undo(result, undo);
    return progress;
}
