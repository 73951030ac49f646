/* Tables of plugins: shared, and dying with the last snapshot that has them. */
#include "model/plugin_table.h"

#include <ctype.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "model/builder.h"
#include "util/arena.h"
#include "util/utf8.h"

#define TABLE_MAX_BYTES ((size_t)16 << 20)

struct plugin_table *plugin_table_new(void)
{
    struct arena *memory = arena_new(TABLE_MAX_BYTES);
    struct plugin_table *table = memory ? arena_alloc(memory, 1, sizeof(*table)) : NULL;

    if (!table) {
        arena_free(memory);
        return NULL;
    }
    table->memory = memory;
    table->references = 1;
    return table;
}

const char *plugin_table_text(struct plugin_table *table, const char *text, size_t most)
{
    size_t room = 4 * strlen(text) < most ? 4 * strlen(text) : most;
    char *clean = arena_alloc(table->memory, 1, room + 1);

    if (clean)
        utf8_clean_copy(clean, room + 1, text, strlen(text));
    return clean;
}

bool plugin_column_is_name(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return length && !name[length] && length < sizeof(((struct plugin_column *)0)->name);
}

static bool has_column(const struct plugin_table *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (!strcmp(table->columns[i].name, name))
            return true;
    return false;
}

struct plugin_column *plugin_table_add_column(struct plugin_table *table,
                                              const char *name)
{
    struct plugin_column *column = &table->columns[table->n_columns];

    if (table->n_columns == PLUGIN_COLUMNS_MAX || !plugin_column_is_name(name) ||
        has_column(table, name))
        return NULL;
    for (size_t i = 0; name[i]; i++) {
        column->name[i] = name[i];
        column->heading[i] = name[i] == '_' ? ' ' : (char)toupper((unsigned char)name[i]);
    }
    table->n_columns++;
    return column;
}

bool plugin_table_fill(struct plugin_table *table, const struct plugin_cell *cells,
                       const uint8_t *depths, size_t n_rows)
{
    size_t n_cells = n_rows * table->n_columns;
    struct plugin_cell *kept = arena_alloc(table->memory, n_cells, sizeof(*kept));
    uint8_t *kept_depths = arena_alloc(table->memory, n_rows, 1);

    if (!kept || !kept_depths)
        return false;
    if (n_cells)
        memcpy(kept, cells, n_cells * sizeof(*kept));
    if (n_rows)
        memcpy(kept_depths, depths, n_rows);
    table->cells = kept;
    table->depths = kept_depths;
    table->n_rows = n_rows;
    return true;
}

bool plugin_table_has_something(const struct plugin_table *table)
{
    return table->n_columns || table->n_lines || table->n_offers;
}

static atomic_int *reference_count(const struct plugin_table *table)
{
    return (atomic_int *)(uintptr_t)&table->references;
}

const struct plugin_table *plugin_table_ref(const struct plugin_table *table)
{
    atomic_fetch_add(reference_count(table), 1);
    return table;
}

void plugin_table_unref(const struct plugin_table *table)
{
    if (table && atomic_fetch_sub(reference_count(table), 1) == 1)
        arena_free(table->memory);
}

const char *plugin_state_name(enum plugin_state state)
{
    static const char *const names[] = {"found", "starting", "ready", "failed"};

    return names[state];
}

/* "12, 3)" and nothing behind it. */
static bool read_numbers(const char *text, struct plugin_call *call)
{
    if (!strcmp(text, ")"))
        return true;
    for (size_t i = 0; i < PLUGIN_CALL_NUMBERS; i++) {
        char *end;

        errno = 0;
        if (*text < '0' || *text > '9')
            return false;
        call->numbers[i] = strtoll(text, &end, 10);
        if (errno)
            return false;
        if (*end == ')')
            return !end[1];
        if (*end != ',')
            return false;
        text = end + 1 + strspn(end + 1, " ");
    }
    return false;
}

bool plugin_call_read(const char *text, struct plugin_call *call)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789_.");

    for (size_t i = 0; i < PLUGIN_CALL_NUMBERS; i++)
        call->numbers[i] = -1;
    if (!length || length >= sizeof(call->name) || text[length] != '(')
        return false;
    memcpy(call->name, text, length);
    call->name[length] = '\0';
    return read_numbers(text + length + 1, call);
}

void builder_plugins(struct snapshot_builder *builder, const struct plugin_view *views,
                     size_t count)
{
    struct arena *memory = builder->snapshot->memory;
    struct plugins_section *section = arena_alloc(memory, 1, sizeof(*section));
    struct plugin_view *copy = arena_alloc(memory, count, sizeof(*copy));

    if (!section || !copy)
        return;
    for (size_t i = 0; i < count; i++) {
        copy[i] = views[i];
        if (copy[i].table)
            plugin_table_ref(copy[i].table);
    }
    section->views = copy;
    section->n_views = count;
    builder->snapshot->plugins = section;
}

void plugins_release(const struct plugins_section *section)
{
    for (size_t i = 0; section && i < section->n_views; i++)
        plugin_table_unref(section->views[i].table);
}
