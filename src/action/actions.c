#include "heaptop/action.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTION(name) extern const struct action_ops action_##name;
#include "action/actions.def"
#undef ACTION

const struct action_ops *const actions[] = {
#define ACTION(name) &action_##name,
#include "action/actions.def"
#undef ACTION
    NULL,
};

const struct action_ops *action_find(const char *name)
{
    for (const struct action_ops *const *action = actions; *action; action++)
        if (!strcmp((*action)->name, name))
            return *action;
    return NULL;
}

int action_check(const struct action_ops *action,
                 const struct action_arguments *arguments, struct err *err)
{
    for (size_t i = 0; i < action->n_parameters; i++) {
        const struct action_parameter *parameter = &action->parameters[i];
        int64_t value = arguments->values[i];

        if (value == ACTION_NOT_GIVEN && !parameter->is_needed)
            continue;
        if (value >= parameter->least && value <= parameter->most)
            continue;
        err_set(err, ERR_USAGE, "%s is a number from %lld to %lld", parameter->name,
                (long long)parameter->least, (long long)parameter->most);
        return err_remedy(err, "%s takes %s", action->call, action->takes);
    }
    return 0;
}

/* Numbers separated by commas, at most as many as there are parameters. */
static bool read_numbers(const struct action_ops *action, const char *text,
                         struct action_arguments *arguments)
{
    for (size_t i = 0; i < action->n_parameters; i++) {
        char *end;

        errno = 0;
        if (*text < '0' || *text > '9')
            return false;
        arguments->values[i] = strtoll(text, &end, 10);
        if (errno || (*end && *end != ','))
            return false;
        if (!*end)
            return true;
        text = end + 1;
    }
    return false;
}

int action_parse(const struct action_ops *action, const char *text,
                 struct action_arguments *arguments, struct err *err)
{
    struct err ignored = ERR_INIT;

    for (size_t i = 0; i < ACTION_ARGUMENTS; i++)
        arguments->values[i] =
            i < action->n_parameters ? action->parameters[i].standard : ACTION_NOT_GIVEN;
    if (!text || (read_numbers(action, text, arguments) &&
                  !action_check(action, arguments, &ignored)))
        return 0;
    err_set(err, ERR_USAGE, "--%s takes %s, not \"%.60s\"", action->name, action->takes,
            text);
    return err_remedy(err, "heaptop --help lists the options");
}

const char *action_call(char text[ACTION_CALL_MAX], const struct action_ops *action,
                        const struct action_arguments *arguments)
{
    size_t used = (size_t)snprintf(text, ACTION_CALL_MAX, "%s", action->call);

    for (size_t i = 0; i < action->n_parameters; i++)
        if (arguments->values[i] != ACTION_NOT_GIVEN)
            used += (size_t)snprintf(text + used, ACTION_CALL_MAX - used, "%s%lld",
                                     i ? ", " : "(", (long long)arguments->values[i]);
    if (action->n_parameters)
        snprintf(text + used, ACTION_CALL_MAX - used, ")");
    return text;
}
