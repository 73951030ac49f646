#include "sink/feed.h"

#include <jansson.h>

#include "sink/json.h"

static bool is_wanted(const struct snapshot *snapshot)
{
    const struct plugins_section *plugins = snapshot->plugins;

    for (size_t i = 0; plugins && i < plugins->n_views; i++)
        if (plugins->views[i].is_sink && plugins->views[i].state == PLUGIN_READY)
            return snapshot->is_complete;
    return false;
}

char *feed_text(struct feed *feed, const struct snapshot *snapshot,
                const struct history *history)
{
    const struct sink_options options = {.out = NULL};
    struct err ignored = ERR_INIT;
    json_t *object;
    char *text;

    if (!is_wanted(snapshot) ||
        (!feed->state && sink_json.open(&options, &feed->state, &ignored)))
        return NULL;
    object = json_sample(feed->state, snapshot, history);
    text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(object);
    return text;
}

void feed_release(struct feed *feed)
{
    struct err ignored = ERR_INIT;

    if (feed->state)
        sink_json.close(feed->state, &ignored);
    feed->state = NULL;
}
