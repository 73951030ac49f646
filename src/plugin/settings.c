#include "plugin/settings.h"

#include <string.h>

const char *plugin_setting(const struct plugin_settings *settings, const char *name,
                           const char *key)
{
    const char *value = NULL;

    for (size_t i = 0; i < settings->n_settings; i++)
        if (!strcmp(settings->settings[i].name, name) &&
            !strcmp(settings->settings[i].key, key))
            value = settings->settings[i].value;
    return value;
}

bool plugin_is_used(const struct plugin_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->n_used; i++)
        if (!strcmp(settings->used[i], name))
            return true;
    return false;
}
