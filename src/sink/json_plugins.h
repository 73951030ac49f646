/*
 * json_plugins.h - what plugins answered, and which there are, as JSON.
 */
#ifndef HEAPTOP_SINK_JSON_PLUGINS_H
#define HEAPTOP_SINK_JSON_PLUGINS_H

#include <jansson.h>

#include "heaptop/plugins.h"

/* By name, those that were asked; null when none was. */
json_t *json_plugins(const struct plugins_section *section, int64_t now_mono_ns,
                     int rows);
/* For --list-plugins. */
json_t *json_plugin_list(const struct plugin_view *views, size_t count,
                         const char *(*path_of)(const void *context, size_t index),
                         const void *context);

#endif
