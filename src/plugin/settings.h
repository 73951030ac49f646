/*
 * settings.h - what the configuration file says to plugins: plugin.NAME.KEY = VALUE.
 * Filled before any process is forked, then only read.
 */
#ifndef HEAPTOP_PLUGIN_SETTINGS_H
#define HEAPTOP_PLUGIN_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "heaptop/plugins.h"

#define PLUGIN_SETTINGS_MAX 64

struct plugin_setting {
    const char *name, *key, *value; /* borrowed from the configuration */
};

struct plugin_settings {
    const char *folder; /* --plugin-dir, or NULL */
    struct plugin_setting settings[PLUGIN_SETTINGS_MAX];
    size_t n_settings;
    const char *used[PLUGINS_MAX]; /* by name: --plugin */
    size_t n_used;
};

/* The value, or NULL. */
const char *plugin_setting(const struct plugin_settings *settings, const char *name,
                           const char *key);
bool plugin_is_used(const struct plugin_settings *settings, const char *name);

#endif
