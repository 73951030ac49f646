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

/* A call that is given whole, with its numbers. */
static int parse_call(const char *text, struct action_arguments *arguments)
{
    struct plugin_call call;

    if (!text || strlen(text) >= sizeof(arguments->call) ||
        !plugin_call_read(text, &call) || !strchr(call.name, '.'))
        return -1;
    memcpy(arguments->call, text, strlen(text) + 1);
    memcpy(arguments->values, call.numbers, sizeof(arguments->values));
    return 0;
}

int action_of_call(const char *text, struct action_offer *offer)
{
    struct action_arguments *arguments = &offer->arguments;
    struct err ignored = ERR_INIT;
    struct plugin_call call;

    if (!plugin_call_read(text, &call))
        return -1;
    for (size_t i = 0; actions[i]; i++) {
        const struct action_ops *action = actions[i];
        bool is_this = !strcmp(action->call, text) ||
                       (action->n_parameters && !strcmp(action->call, call.name));

        if (!is_this || action_parse(action, NULL, arguments, &ignored))
            continue;
        for (size_t k = 0; k < action->n_parameters; k++)
            if (call.numbers[k] >= 0)
                arguments->values[k] = call.numbers[k];
        offer->action = action;
        return action_check(action, arguments, &ignored);
    }
    memset(arguments, 0, sizeof(*arguments));
    offer->action = action_find("call");
    return parse_call(text, arguments);
}

static int parse_failed(const struct action_ops *action, const char *text,
                        struct err *err)
{
    err_set(err, ERR_USAGE, "--%s takes %s, not \"%.60s\"", action->name, action->takes,
            text);
    return err_remedy(err, "heaptop --help lists the options");
}

int action_parse(const struct action_ops *action, const char *text,
                 struct action_arguments *arguments, struct err *err)
{
    struct err ignored = ERR_INIT;

    arguments->call[0] = '\0';
    if (action->flags & ACTION_CALLS)
        return parse_call(text, arguments) ? parse_failed(action, text ? text : "", err)
                                           : 0;
    for (size_t i = 0; i < ACTION_ARGUMENTS; i++)
        arguments->values[i] =
            i < action->n_parameters ? action->parameters[i].standard : ACTION_NOT_GIVEN;
    if (!text || (read_numbers(action, text, arguments) &&
                  !action_check(action, arguments, &ignored)))
        return 0;
    return parse_failed(action, text, err);
}

const char *action_call(char text[ACTION_CALL_MAX], const struct action_ops *action,
                        const struct action_arguments *arguments)
{
    size_t used = (size_t)snprintf(text, ACTION_CALL_MAX, "%s",
                                   arguments->call[0] ? arguments->call : action->call);

    for (size_t i = 0; i < action->n_parameters; i++)
        if (arguments->values[i] != ACTION_NOT_GIVEN)
            used += (size_t)snprintf(text + used, ACTION_CALL_MAX - used, "%s%lld",
                                     i ? ", " : "(", (long long)arguments->values[i]);
    if (action->n_parameters)
        snprintf(text + used, ACTION_CALL_MAX - used, ")");
    return text;
}
