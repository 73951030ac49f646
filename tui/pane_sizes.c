/* Sizes: pymalloc's size classes; Enter opens one class. */
#include "tui/pane.h"

#include <stdio.h>
#include <stdlib.h>

#include "heaptop/units.h"
#include "tui/classes_table.h"
#include "tui/detail.h"
#include "tui/kinds_table.h"
#include "util/xalloc.h"

struct pane_sizes {
    struct classes_table classes;
    struct view_input input;
    uint64_t open; /* block size of the class that is open, 0 = none */
    char open_name[40];
};

static void *sizes_create(void)
{
    struct pane_sizes *sizes = xcalloc(1, sizeof(*sizes));

    classes_table_init(&sizes->classes, false);
    return sizes;
}

static void sizes_destroy(void *pane)
{
    struct pane_sizes *sizes = pane;

    classes_table_release(&sizes->classes);
    free(sizes);
}

static void sizes_update(void *pane, const struct view_input *input)
{
    struct pane_sizes *sizes = pane;

    sizes->input = *input;
    classes_table_update(&sizes->classes, input);
}

static const struct pymalloc_section *section_of(const struct snapshot *snapshot)
{
    return snapshot ? snapshot->pymalloc : NULL;
}

static char *count(char buffer[UNITS_MAX], uint64_t value)
{
    return units_count(buffer, reading_exact((int64_t)value));
}

static char *bytes(char buffer[UNITS_MAX], uint64_t value)
{
    return units_bytes(buffer, reading_exact((int64_t)value));
}

static void draw_class(struct detail *detail, const struct pymalloc_section *pymalloc,
                       const struct size_class_row *row)
{
    char a[UNITS_MAX], b[UNITS_MAX];
    uint64_t blocks = row->blocks_used + row->blocks_free;
    uint64_t per_pool = row->pools ? blocks / row->pools : 0;
    uint64_t least = per_pool ? (row->blocks_used + per_pool - 1) / per_pool : 0;
    uint64_t pool_bytes = pymalloc->pool_bytes_each;

    detail_line(detail, "blocks", "of %u bytes: for requests of %u to %u bytes",
                (unsigned)row->block_bytes,
                (unsigned)(row->block_bytes > 15 ? row->block_bytes - 15 : 1),
                (unsigned)row->block_bytes);
    detail_line(detail, "pools", "%s of %s each = %s", count(a, row->pools),
                bytes(b, pool_bytes),
                bytes((char[UNITS_MAX]){0}, row->pools * pool_bytes));
    detail_line(detail, "in use", "%s of %s blocks = %s", count(a, row->blocks_used),
                count(b, blocks),
                bytes((char[UNITS_MAX]){0}, row->blocks_used * row->block_bytes));
    detail_line(detail, "free", "%s blocks = %s: only this class can use them",
                count(a, row->blocks_free),
                bytes(b, row->blocks_free * row->block_bytes));
    if (!per_pool || row->pools < least)
        return;
    detail_line(detail, "packed tight", "%s pools would do; %s pools (%s) more are held",
                count(a, least), count(b, row->pools - least),
                bytes((char[UNITS_MAX]){0}, (row->pools - least) * pool_bytes));
    detail_line(detail, "average", "%.1f of %llu blocks in use in a pool",
                (double)row->blocks_used / (double)row->pools,
                (unsigned long long)per_pool);
}

static void draw_class_changes(struct detail *detail, const struct pane_sizes *sizes,
                               const struct size_class_row *row)
{
    const struct size_class_row *older =
        classes_find(section_of(sizes->input.older_sample), sizes->open);
    char used[UNITS_MAX], pools[UNITS_MAX], ago[UNITS_MAX];

    if (!older)
        return;
    units_count_delta(
        used, reading_exact((int64_t)row->blocks_used - (int64_t)older->blocks_used));
    units_count_delta(pools, reading_exact((int64_t)row->pools - (int64_t)older->pools));
    units_duration(ago, reading_exact(sizes->input.snapshot->mono_ns -
                                      sizes->input.older_sample->mono_ns));
    detail_line(detail, sizes->input.delta == DELTA_MARK ? "since the mark" : "change",
                "%s blocks in use, %s pools, in %s", used, pools, ago);
}

static void sizes_draw(void *pane, struct canvas *canvas, struct rect rect,
                       bool has_focus)
{
    struct pane_sizes *sizes = pane;
    const struct pymalloc_section *pymalloc = section_of(sizes->input.snapshot);
    const struct size_class_row *row = classes_find(pymalloc, sizes->open);
    struct detail detail;

    if (!sizes->open) {
        table_draw(sizes->classes.table, canvas, rect, has_focus);
        if (!pymalloc)
            pane_draw_nothing(canvas, rect, "pymalloc's pools are not known here");
        return;
    }
    if (!row) {
        pane_draw_nothing(canvas, rect, "this size class is not known here");
        return;
    }
    detail_init(&detail, canvas, rect);
    draw_class(&detail, pymalloc, row);
    draw_class_changes(&detail, sizes, row);
}

static enum pane_result sizes_command(void *pane, enum command_id command)
{
    struct pane_sizes *sizes = pane;
    const struct table_row *row = table_selected(sizes->classes.table);

    if (command == COMMAND_ENTER) {
        if (row && !sizes->open) {
            sizes->open = row->identity;
            snprintf(sizes->open_name, sizeof(sizes->open_name), "%llu B",
                     (unsigned long long)sizes->open);
        }
        return PANE_HANDLED;
    }
    if (command == COMMAND_BACK && sizes->open) {
        sizes->open = 0;
        return PANE_HANDLED;
    }
    return table_command(sizes->classes.table, command) ? PANE_HANDLED : PANE_IGNORED;
}

static struct table *sizes_table(void *pane)
{
    struct pane_sizes *sizes = pane;

    return sizes->classes.table;
}

static void sizes_describe(void *pane, struct strbuf *out)
{
    struct pane_sizes *sizes = pane;
    const struct table_row *row = table_selected(sizes->classes.table);

    if (row && !sizes->open)
        classes_describe(row, out);
}

static const char *sizes_breadcrumb(void *pane)
{
    struct pane_sizes *sizes = pane;

    return sizes->open ? sizes->open_name : NULL;
}

const struct pane_ops pane_sizes = {
    .name = "sizes",
    .title = "Sizes",
    .create = sizes_create,
    .destroy = sizes_destroy,
    .update = sizes_update,
    .draw = sizes_draw,
    .command = sizes_command,
    .table = sizes_table,
    .describe = sizes_describe,
    .breadcrumb = sizes_breadcrumb,
};
