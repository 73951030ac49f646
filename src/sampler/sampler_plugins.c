/* Plugins: each is asked at a sample, and its answer is in the next. */
#include "sampler/sampler_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/builder.h"
#include "util/clock.h"

#define WRITE_LOOK_MS 50

static void fail(struct sampler *sampler, struct sampler_plugin *plugin, const char *why)
{
    struct plugin_view *view = &plugin->view;

    plugin_instance_free(plugin->instance);
    plugin->instance = NULL;
    sampler_probes_forget(plugin);
    plugin_table_unref(view->table);
    view->table = NULL;
    view->state = PLUGIN_FAILED;
    snprintf(view->why, sizeof(view->why), "%s", why);
    sampler_event(sampler, EVENT_ERROR, "plugin %s: %s", view->name, why);
}

static void start(struct sampler *sampler, size_t index)
{
    struct sampler_plugin *plugin = &sampler->plugins.all[index];
    const struct target *target = sampler->target;
    struct keeper_wish wish = {
        .index = index,
        .pid = target->pid,
        .mem_fd = target->fds.mem,
        .maps_fd = target->fds.maps,
    };
    struct err err = ERR_INIT;

    plugin->view.why[0] = '\0';
    plugin->view.state = PLUGIN_STARTING;
    plugin->instance = plugin_instance_new(sampler->options.keeper, &wish, &err);
    if (!plugin->instance)
        fail(sampler, plugin, err.text);
}

void sampler_plugins_open(struct sampler *sampler)
{
    struct keeper *keeper = sampler->options.keeper;
    const struct plugin_files *files = keeper ? keeper_files(keeper) : NULL;

    sampler->plugins.count = files ? files->count : 0;
    for (size_t i = 0; i < sampler->plugins.count; i++) {
        struct plugin_view *view = &sampler->plugins.all[i].view;

        memcpy(view->name, files->files[i].name, sizeof(view->name));
        if (plugin_is_used(keeper_settings(keeper), view->name))
            start(sampler, i);
    }
}

void sampler_plugins_use(struct sampler *sampler, size_t number)
{
    if (number && number <= sampler->plugins.count &&
        !sampler->plugins.all[number - 1].instance)
        start(sampler, number - 1);
}

/* What is not known is not shown: the table before is gone. */
static void take_answer(struct sampler *sampler, struct sampler_plugin *plugin,
                        const struct plugin_event *event)
{
    const struct plugin_answer *answer = &event->answer;
    struct plugin_view *view = &plugin->view;
    char why[sizeof(view->why)] = "";

    if (answer->result)
        snprintf(why, sizeof(why), "%s",
                 answer->n_words ? answer->words[0] : "it failed and does not say why");
    for (size_t i = answer->result != 0; i < answer->n_words; i++)
        sampler_event(sampler, EVENT_NOTE, "plugin %s: %s", view->name, answer->words[i]);
    if (*why && strcmp(why, view->why) != 0)
        sampler_event(sampler, EVENT_ERROR, "plugin %s: %s", view->name, why);
    if (answer->result)
        plugin_table_unref(answer->table);
    plugin_table_unref(view->table);
    view->table = answer->result ? NULL : answer->table;
    memcpy(view->why, why, sizeof(view->why));
    sampler->is_sample_due |= view->state != PLUGIN_READY;
    view->state = PLUGIN_READY;
    view->answered_mono_ns = clock_monotonic_ns();
    view->took_wall_ns = event->took_ns;
}

void sampler_plugins_hand(struct sampler *sampler, char *json, uint64_t n_unseen)
{
    for (size_t i = 0; json && i < sampler->plugins.count; i++) {
        struct sampler_plugin *plugin = &sampler->plugins.all[i];
        struct plugin_view *view = &plugin->view;

        if (!plugin->instance || !view->is_sink || view->state != PLUGIN_READY)
            continue;
        view->n_skipped +=
            n_unseen + plugin_instance_hand(plugin->instance, json, strlen(json));
    }
    free(json);
}

/* Of a sample that it was handed. */
static void take_receipt(struct sampler *sampler, struct sampler_plugin *plugin,
                         const struct plugin_event *event)
{
    const struct plugin_answer *answer = &event->answer;
    struct plugin_view *view = &plugin->view;
    const char *why = answer->n_words ? answer->words[0] : "it does not say why";

    view->n_received++;
    plugin_table_unref(answer->table);
    if (answer->result && strcmp(why, view->why) != 0) {
        snprintf(view->why, sizeof(view->why), "%s", why);
        sampler_event(sampler, EVENT_ERROR, "plugin %s: %s", view->name, why);
    }
}

static void greeted(struct sampler_plugin *plugin, const struct plugin_hello *hello)
{
    plugin_view_introduce(&plugin->view, hello);
    if (plugin->view.is_source)
        plugin_instance_ask(plugin->instance);
    else
        plugin->view.state = PLUGIN_READY;
}

static void step(struct sampler *sampler, struct sampler_plugin *plugin)
{
    struct plugin_event event;

    switch (plugin_instance_step(plugin->instance, &event)) {
    case PLUGIN_GREETED:
        greeted(plugin, &event.hello);
        break;
    case PLUGIN_ANSWERED:
        if (event.is_receipt)
            take_receipt(sampler, plugin, &event);
        else
            take_answer(sampler, plugin, &event);
        break;
    case PLUGIN_ASKS:
        sampler_probe_want(sampler, plugin, &event.probe);
        break;
    case PLUGIN_ENDED:
        sampler->is_sample_due = true;
        fail(sampler, plugin, event.err.text);
        break;
    case PLUGIN_NOTHING:
        break;
    }
}

void sampler_plugins_step(struct sampler *sampler)
{
    for (size_t i = 0; i < sampler->plugins.count; i++)
        if (sampler->plugins.all[i].instance)
            step(sampler, &sampler->plugins.all[i]);
}

void sampler_plugins_sample(struct sampler *sampler, struct snapshot_builder *builder)
{
    struct plugin_view views[PLUGINS_MAX];

    for (size_t i = 0; i < sampler->plugins.count; i++) {
        struct sampler_plugin *plugin = &sampler->plugins.all[i];

        views[i] = plugin->view;
        if (plugin->instance && plugin->view.is_source)
            plugin_instance_ask(plugin->instance);
    }
    if (sampler->plugins.count)
        builder_plugins(builder, views, sampler->plugins.count);
}

bool sampler_plugins_are_complete(const struct sampler *sampler)
{
    for (size_t i = 0; i < sampler->plugins.count; i++)
        if (sampler->plugins.all[i].view.state == PLUGIN_STARTING)
            return false;
    return true;
}

size_t sampler_plugins_poll(const struct sampler *sampler, struct pollfd fds[PLUGINS_MAX],
                            int64_t *next_ns)
{
    size_t count = 0;

    for (size_t i = 0; i < sampler->plugins.count; i++) {
        const struct plugin_instance *instance = sampler->plugins.all[i].instance;

        if (!instance)
            continue;
        if (plugin_instance_limit_ns(instance) < *next_ns)
            *next_ns = plugin_instance_limit_ns(instance);
        fds[count++] = (struct pollfd){.fd = plugin_instance_fd(instance),
                                       .events = plugin_instance_poll(instance)};
    }
    return count;
}

static bool sinks_write(const struct sampler *sampler)
{
    for (size_t i = 0; i < sampler->plugins.count; i++) {
        const struct sampler_plugin *plugin = &sampler->plugins.all[i];

        if (plugin->instance && plugin->view.is_sink &&
            plugin->view.state == PLUGIN_READY &&
            !plugin_instance_is_idle(plugin->instance))
            return true;
    }
    return false;
}

/* The last samples were handed to sinks just now: they have two seconds to write them. */
static void wait_for_sinks(struct sampler *sampler)
{
    int64_t until_ns = clock_monotonic_ns() + 2 * NS_PER_S, ignored_ns = INT64_MAX;

    while (sinks_write(sampler) && clock_monotonic_ns() < until_ns) {
        struct pollfd fds[PLUGINS_MAX];
        size_t count = sampler_plugins_poll(sampler, fds, &ignored_ns);

        poll(fds, count, WRITE_LOOK_MS);
        sampler_plugins_step(sampler);
    }
}

void sampler_plugins_close(struct sampler *sampler)
{
    wait_for_sinks(sampler);
    for (size_t i = 0; i < sampler->plugins.count; i++) {
        plugin_instance_free(sampler->plugins.all[i].instance);
        sampler_probes_forget(&sampler->plugins.all[i]);
        plugin_table_unref(sampler->plugins.all[i].view.table);
    }
    sampler->plugins.count = 0;
    sampler_stacks_close(sampler);
}
