/* Types: the partition by kind; Enter opens one kind. */
#include "tui/pane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/kind_detail.h"
#include "tui/detail.h"
#include "tui/kinds_table.h"
#include "tui/series.h"
#include "util/clock.h"
#include "util/xalloc.h"

struct pane_types {
    struct table *table;
    struct kinds_seen seen;
    uint64_t open; /* identity of the kind that is open, 0 = none */
    char open_name[512];
    struct view_input input; /* of the last update; its pointers stay valid until then */
    bool has_objects;
    struct table *walks; /* the open kind in the walks so far */
    char walk_clocks[HISTORY_RECENT][UNITS_MAX];
    int64_t counts[HISTORY_RECENT]; /* the newest at the end */
    int n_counts;
};

static const struct column walk_columns[] = {
    {.name = "walk",
     .heading = "WALK AT",
     .help = "when the walk ended",
     .type = VALUE_LABEL,
     .width = 10,
     .ascending_first = false},
    {.name = "count",
     .heading = "COUNT",
     .help = "objects",
     .type = VALUE_COUNT,
     .width = 11},
    {.name = "count-change",
     .heading = "CHANGE",
     .help = "since the walk before",
     .type = VALUE_COUNT_DELTA,
     .width = 10,
     .weight = 2},
    {.name = "memory",
     .heading = "BYTES",
     .help = "memory",
     .type = VALUE_BYTES,
     .width = 9,
     .weight = 3},
    {.name = "memory-change",
     .heading = "CHANGE",
     .help = "since the walk before",
     .type = VALUE_BYTES_DELTA,
     .width = 9,
     .weight = 1},
};

static void *types_create(void)
{
    struct pane_types *types = xcalloc(1, sizeof(*types));

    types->table = kinds_table_new(false);
    types->seen.has_parts_row = true;
    types->walks =
        table_new(walk_columns, sizeof(walk_columns) / sizeof(walk_columns[0]), 0);
    return types;
}

static void types_destroy(void *pane)
{
    struct pane_types *types = pane;

    table_free(types->table);
    table_free(types->walks);
    free(types);
}

static void walk_row(struct table_row *row, const struct snapshot *snapshot,
                     const struct kind_row *now, const struct kind_row *before)
{
    int64_t count = now ? (int64_t)now->count : 0;
    int64_t memory = now ? (int64_t)now->memory_bytes : 0;

    memset(row, 0, sizeof(*row));
    row->identity = snapshot->seq;
    row->values[0].number = reading_exact(snapshot->objects->walk.ended_mono_ns);
    row->values[1].number = reading_exact(count);
    row->values[3].number = reading_exact(memory);
    if (!before)
        return;
    row->values[2].number = reading_exact(count - (int64_t)before->count);
    row->values[4].number = reading_exact(memory - (int64_t)before->memory_bytes);
}

/* One row for each walk that the history still holds whole. */
static void update_walks(struct pane_types *types, const struct view_input *input)
{
    const struct snapshot *snapshot = input->snapshot, *previous;

    types->n_counts = 0;
    table_begin_rows(types->walks, HISTORY_RECENT);
    for (int i = 0; i < HISTORY_RECENT && snapshot && snapshot->objects; i++) {
        struct table_row row;

        previous = history_previous_walk(input->history, snapshot);
        walk_row(&row, snapshot, kinds_find(snapshot->objects, types->open),
                 previous ? kinds_find(previous->objects, types->open) : NULL);
        units_clock(types->walk_clocks[i], snapshot->objects->walk.ended_wall_ns);
        row.values[0].text = types->walk_clocks[i];
        table_add_row(types->walks, &row);
        types->counts[HISTORY_RECENT - ++types->n_counts] = row.values[1].number.value;
        snapshot = previous;
    }
    table_end_rows(types->walks);
}

static void types_update(void *pane, const struct view_input *input)
{
    struct pane_types *types = pane;

    types->input = *input;
    types->has_objects = input->snapshot && input->snapshot->objects;
    kinds_table_update(types->table, &types->seen, input);
    if (types->open)
        update_walks(types, input);
}

static void draw_change(struct detail *detail, const struct pane_types *types,
                        const struct kind_row *now, const struct snapshot *older,
                        const char *name)
{
    const struct kind_row *before =
        older ? kinds_find(older->objects, types->open) : NULL;
    char count[UNITS_MAX], memory[UNITS_MAX], ago[UNITS_MAX];

    if (!older || !older->objects)
        return;
    units_count_delta(count, reading_exact((int64_t)now->count -
                                           (before ? (int64_t)before->count : 0)));
    units_bytes_delta(memory,
                      reading_exact((int64_t)now->memory_bytes -
                                    (before ? (int64_t)before->memory_bytes : 0)));
    units_duration(ago, reading_exact(types->input.snapshot->objects->walk.ended_mono_ns -
                                      older->objects->walk.ended_mono_ns));
    detail_line(detail, name, "%s objects, %s, in %s", count, memory, ago);
}

static void draw_numbers(struct detail *detail, const struct pane_types *types,
                         const struct kind_row *now)
{
    const struct objects_section *objects = types->input.snapshot->objects;
    char text[UNITS_MAX], other[UNITS_MAX];
    uint64_t count = now->count ? now->count : 1;

    detail_line(detail, "kind", "%s", types->open_name);
    detail_line(detail, "objects", "%s  (%.1f%% of all objects)",
                units_count(text, reading_exact((int64_t)now->count)),
                objects->count ? (double)now->count * 100 / (double)objects->count : 0.0);
    detail_line(detail, "bytes", "%s  (%.1f%% of the memory of all objects)",
                units_bytes(text, reading_exact((int64_t)now->memory_bytes)),
                objects->memory_bytes
                    ? (double)now->memory_bytes * 100 / (double)objects->memory_bytes
                    : 0.0);
    detail_line(detail, "size", "%s  as sys.getsizeof counts",
                units_bytes(text, reading_exact((int64_t)now->size_bytes)));
    detail_line(detail, "average", "%s bytes of memory, size %s, for one object",
                units_count(text, reading_exact((int64_t)(now->memory_bytes / count))),
                units_count(other, reading_exact((int64_t)(now->size_bytes / count))));
    detail_line(detail, "tracked", "%s  (%.0f%%) by the garbage collector",
                units_count(text, reading_exact((int64_t)now->tracked)),
                (double)now->tracked * 100 / (double)count);
}

/* What an inquiry found; until it is answered a line says so. */
static void draw_answer(struct detail *detail, const struct pane_types *types)
{
    const struct kind_detail *answer = kind_detail_of(types->input.answer);
    char count[UNITS_MAX], bytes[UNITS_MAX];

    if (!answer) {
        detail_line(detail, "looked at", "%s",
                    *types->input.answer_why ? types->input.answer_why
                                             : "not yet: a pass is on its way");
        return;
    }
    detail_line(detail, "largest", "%s of %s",
                answer->n_instances
                    ? units_bytes(bytes, reading_exact(
                                             (int64_t)answer->instances[0].memory_bytes))
                    : "-",
                units_count(count, reading_exact((int64_t)answer->count)));
}

static void draw_spark(struct detail *detail, const struct pane_types *types)
{
    int y = detail->y, room = detail->rect.width - 21, count = types->n_counts;

    if (count < 2)
        return;
    detail_line(detail, "count", "%s", "");
    if (detail->y > y && room > 0)
        canvas_spark(detail->canvas, y, detail->rect.x + 20, count < room ? count : room,
                     ROLE_GRAPH, types->counts + HISTORY_RECENT - count, count);
}

static void draw_detail(struct pane_types *types, struct canvas *canvas, struct rect rect,
                        bool has_focus)
{
    const struct snapshot *snapshot = types->input.snapshot;
    const struct kind_row *found =
        snapshot ? kinds_find(snapshot->objects, types->open) : NULL;
    struct kind_row now = {0};
    struct detail detail;

    if (!snapshot || !snapshot->objects)
        return;
    if (found)
        now = *found;
    detail_init(&detail, canvas, rect);
    draw_numbers(&detail, types, &now);
    if (types->input.delta == DELTA_MARK)
        draw_change(&detail, types, &now, types->input.older, "since the mark");
    draw_change(&detail, types, &now,
                history_previous_walk(types->input.history, snapshot), "since last walk");
    draw_answer(&detail, types);
    draw_spark(&detail, types);
    detail_gap(&detail);
    table_draw(types->walks, canvas, detail_rest(&detail), has_focus);
}

static void types_draw(void *pane, struct canvas *canvas, struct rect rect,
                       bool has_focus)
{
    struct pane_types *types = pane;

    if (types->open) {
        draw_detail(types, canvas, rect, has_focus);
        return;
    }
    table_draw(types->table, canvas, rect, has_focus);
    if (!types->has_objects)
        pane_draw_nothing(canvas, rect, "no walk of the objects yet");
}

static enum pane_result types_command(void *pane, enum command_id command)
{
    struct pane_types *types = pane;
    const struct table_row *row = table_selected(types->table);

    if (command == COMMAND_ENTER && !types->open && row) {
        types->open = row->identity;
        snprintf(types->open_name, sizeof(types->open_name), "%s", row->values[0].text);
        update_walks(types, &types->input);
        return PANE_HANDLED;
    }
    if (command == COMMAND_BACK && types->open) {
        types->open = 0;
        return PANE_HANDLED;
    }
    if (command == COMMAND_ENTER)
        return PANE_HANDLED;
    return table_command(types->open ? types->walks : types->table, command)
               ? PANE_HANDLED
               : PANE_IGNORED;
}

static struct table *types_table(void *pane)
{
    struct pane_types *types = pane;

    return types->open ? types->walks : types->table;
}

static void types_describe(void *pane, struct strbuf *out)
{
    struct pane_types *types = pane;
    const struct table_row *row = table_selected(types->table);
    char count[UNITS_MAX], bytes[UNITS_MAX];

    if (!row || types->open)
        return;
    strbuf_addf(out, "%s: %s objects, %s", row->values[0].text,
                units_count(count, row->values[1].number),
                units_bytes(bytes, row->values[4].number));
}

static const char *types_breadcrumb(void *pane)
{
    struct pane_types *types = pane;

    return types->open ? types->open_name : NULL;
}

static void types_wants(void *pane, struct inquiry *inquiry)
{
    struct pane_types *types = pane;
    const struct snapshot *snapshot = types->input.snapshot;
    const struct kind_row *row =
        types->open && snapshot ? kinds_find(snapshot->objects, types->open) : NULL;

    if (row)
        *inquiry = (struct inquiry){.topic = INQUIRY_KIND, .kind = row->kind};
}

const struct pane_ops pane_types = {
    .name = "types",
    .title = "Types",
    .create = types_create,
    .destroy = types_destroy,
    .update = types_update,
    .draw = types_draw,
    .command = types_command,
    .table = types_table,
    .describe = types_describe,
    .breadcrumb = types_breadcrumb,
    .wants = types_wants,
};
