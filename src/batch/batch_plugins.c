/* --list-plugins: which there are, from where, and what is wrong with the others. */
#include <stdio.h>

#include "batch/batch.h"
#include "plugin/instance.h"
#include "sink/json_plugins.h"
#include "sink/json_value.h"

static const char *path_of(const void *context, size_t index)
{
    const struct plugin_files *files = context;

    return files->files[index].path;
}

/* Which actions it offers is known only when it was asked. */
static const char *what_it_is(const struct plugin_view *view)
{
    return !view->is_sink ? "a pane" : view->is_source ? "a pane and a sink" : "a sink";
}

static void print_view(const struct plugin_view *view, const char *path)
{
    if (view->why[0]) {
        printf("%-16s %s\n%-16s is not used: %s\n", view->name, path, "", view->why);
        return;
    }
    printf("%-16s %s\n", view->name, view->summary);
    printf("%-16s %s, version %s, %s, %s\n", "", what_it_is(view), view->version,
           view->license, path);
}

int batch_plugins(struct keeper *keeper, bool is_json, struct err *err)
{
    const struct plugin_files *files = keeper_files(keeper);
    struct plugin_view views[PLUGINS_MAX];
    size_t count = plugin_look_all(keeper, views);

    if (is_json)
        return json_write_line(stdout, json_plugin_list(views, count, path_of, files),
                               err);
    for (size_t i = 0; i < count; i++)
        print_view(&views[i], files->files[i].path);
    if (!count)
        printf("there are no plugins in %s\n", plugin_folder_installed);
    if (fflush(stdout))
        return err_set(err, ERR_FAILED, "cannot write the list");
    return 0;
}
