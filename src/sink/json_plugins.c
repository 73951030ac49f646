#include "sink/json_plugins.h"

#include "sink/json_value.h"

static json_t *row_object(const struct plugin_table *table, size_t row)
{
    const struct plugin_cell *cells = &table->cells[row * table->n_columns];
    json_t *object = json_object();

    if (table->is_tree)
        json_add_count(object, "depth", table->depths[row]);
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct plugin_column *column = &table->columns[i];

        if (column->unit == HEAPTOP_TEXT)
            json_add(object, column->name,
                     cells[i].text ? json_string(cells[i].text) : json_null());
        else
            json_add_reading(object, column->name, cells[i].number);
    }
    return object;
}

static json_t *rows_array(const struct plugin_table *table, int rows)
{
    json_t *array = json_array();

    for (size_t i = 0; i < table->n_rows && (rows <= 0 || i < (size_t)rows); i++)
        json_array_append_new(array, row_object(table, i));
    return array;
}

static json_t *lines_array(const struct plugin_table *table)
{
    json_t *array = json_array();

    for (size_t i = 0; table && i < table->n_lines; i++)
        json_array_append_new(array, json_string(table->lines[i]));
    return array;
}

static json_t *actions_array(const struct plugin_table *table)
{
    json_t *array = json_array();

    for (size_t i = 0; table && i < table->n_offers; i++) {
        json_t *action = json_object();

        json_add_text(action, "name", table->offers[i].name);
        json_add_text(action, "call", table->offers[i].call);
        json_add_text(action, "words", table->offers[i].words);
        json_array_append_new(array, action);
    }
    return array;
}

static json_t *view_object(const struct plugin_view *view, int64_t now_mono_ns, int rows)
{
    const struct plugin_table *table = view->table;
    json_t *object = json_object();

    json_add_text(object, "state", plugin_state_name(view->state));
    json_add_text(object, "why", view->why);
    json_add_seconds(object, "age_s",
                     view->table ? reading_exact(now_mono_ns - view->answered_mono_ns)
                                 : reading_unknown());
    json_add_seconds(object, "seconds",
                     view->table ? reading_exact(view->took_wall_ns) : reading_unknown());
    json_add(object, "title",
             table && table->title[0] ? json_string(table->title) : json_null());
    json_add(object, "lines", lines_array(table));
    json_add(object, "actions", actions_array(table));
    json_add(object, "received",
             view->is_sink ? json_integer((json_int_t)view->n_received) : json_null());
    json_add(object, "skipped",
             view->is_sink ? json_integer((json_int_t)view->n_skipped) : json_null());
    json_add(object, "rows", view->table ? rows_array(view->table, rows) : json_null());
    return object;
}

json_t *json_plugins(const struct plugins_section *section, int64_t now_mono_ns, int rows)
{
    json_t *object = NULL;

    for (size_t i = 0; section && i < section->n_views; i++) {
        const struct plugin_view *view = &section->views[i];

        if (view->state == PLUGIN_FOUND)
            continue;
        if (!object)
            object = json_object();
        json_add(object, view->name, view_object(view, now_mono_ns, rows));
    }
    return object ? object : json_null();
}

json_t *json_plugin_list(const struct plugin_view *views, size_t count,
                         const char *(*path_of)(const void *context, size_t index),
                         const void *context)
{
    json_t *object = json_object(), *array = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *plugin = json_object();

        json_add_text(plugin, "name", views[i].name);
        json_add_text(plugin, "file", path_of(context, i));
        json_add(plugin, "pane", json_boolean(views[i].is_source));
        json_add(plugin, "sink", json_boolean(views[i].is_sink));
        json_add_text(plugin, "version", views[i].version);
        json_add_text(plugin, "license", views[i].license);
        json_add_text(plugin, "summary", views[i].summary);
        json_add_text(plugin, "why", views[i].why);
        json_array_append_new(array, plugin);
    }
    json_add_text(object, "schema", "heaptop.plugins/1");
    json_add(object, "plugins", array);
    return object;
}
