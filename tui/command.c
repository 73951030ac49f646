#include "tui/command.h"

#include <string.h>

const struct command commands[COMMAND_COUNT] = {
#define COMMAND(id, name, keys, bar, flags, help) \
    [COMMAND_##id] = {COMMAND_##id, name, keys, bar, flags, help},
#include "tui/commands.def"
#undef COMMAND
};

/* Is `key` one of the words of `keys`? */
static bool has_key(const char *keys, const char *key)
{
    size_t length = strlen(key);

    while (*keys) {
        size_t word = strcspn(keys, " ");

        if (word == length && memcmp(keys, key, length) == 0)
            return true;
        keys += word;
        keys += strspn(keys, " ");
    }
    return false;
}

enum command_id command_of_key(const char *key)
{
    if (*key == '\0')
        return COMMAND_NONE;
    for (size_t i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++)
        if (has_key(commands[i].keys, key))
            return commands[i].id;
    return COMMAND_NONE;
}
