#include "heaptop/action.h"

#include <stddef.h>
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
