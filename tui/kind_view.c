#include "tui/kind_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "tui/detail.h"
#include "tui/kind_tables.h"
#include "tui/kinds_table.h"
#include "tui/series.h"
#include "util/xalloc.h"

#define LABEL_COLUMNS 20 /* of a detail's line, before its words */

enum kind_table {
    KIND_WALKS = 0,
    KIND_SIZES,
    KIND_REFCOUNTS,
    KIND_LARGEST,
    KIND_TABLES,
};

static const char *const table_words[KIND_TABLES] = {"walks", "sizes", "refcounts",
                                                     "the largest"};

struct kind_view {
    uint64_t identity;
    char name[512];
    struct view_input input; /* of the last update; its pointers stay valid until then */
    enum kind_table shown;
    struct table *tables[KIND_TABLES];
    struct kind_texts texts[KIND_TABLES];
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

struct kind_view *kind_view_new(void)
{
    struct kind_view *view = xcalloc(1, sizeof(*view));

    view->tables[KIND_WALKS] =
        table_new(walk_columns, sizeof(walk_columns) / sizeof(walk_columns[0]), 0);
    view->tables[KIND_SIZES] = sizes_of_kind_new();
    view->tables[KIND_REFCOUNTS] = refcounts_new();
    view->tables[KIND_LARGEST] = largest_new();
    return view;
}

void kind_view_free(struct kind_view *view)
{
    for (int i = 0; i < KIND_TABLES; i++)
        table_free(view->tables[i]);
    free(view);
}

/* ---- the walks ---- */

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
static void update_walks(struct kind_view *view)
{
    const struct view_input *input = &view->input;
    const struct snapshot *snapshot = input->snapshot, *previous;
    struct table *walks = view->tables[KIND_WALKS];

    view->n_counts = 0;
    table_begin_rows(walks, HISTORY_RECENT);
    for (int i = 0; i < HISTORY_RECENT && snapshot && snapshot->objects; i++) {
        struct table_row row;

        previous = history_previous_walk(input->history, snapshot);
        walk_row(&row, snapshot, kinds_find(snapshot->objects, view->identity),
                 previous ? kinds_find(previous->objects, view->identity) : NULL);
        units_clock(view->walk_clocks[i], snapshot->objects->walk.ended_wall_ns);
        row.values[0].text = view->walk_clocks[i];
        table_add_row(walks, &row);
        view->counts[HISTORY_RECENT - ++view->n_counts] = row.values[1].number.value;
        snapshot = previous;
    }
    table_end_rows(walks);
}

void kind_view_update(struct kind_view *view, const struct view_input *input)
{
    const struct kind_detail *detail = kind_detail_of(input->answer);

    view->input = *input;
    update_walks(view);
    sizes_of_kind_update(view->tables[KIND_SIZES], &view->texts[KIND_SIZES], detail);
    refcounts_update(view->tables[KIND_REFCOUNTS], &view->texts[KIND_REFCOUNTS], detail);
    largest_update(view->tables[KIND_LARGEST], &view->texts[KIND_LARGEST], detail);
}

void kind_view_open(struct kind_view *view, uint64_t identity, const char *name)
{
    struct view_input input = view->input;

    view->identity = identity;
    snprintf(view->name, sizeof(view->name), "%s", name);
    view->shown = KIND_WALKS;
    input.answer = NULL; /* it is of another kind */
    input.answer_why = "";
    kind_view_update(view, &input);
}

/* ---- the numbers ---- */

static void draw_change(struct detail *detail, const struct kind_view *view,
                        const struct kind_row *now, const struct snapshot *older,
                        const char *name)
{
    const struct kind_row *before =
        older ? kinds_find(older->objects, view->identity) : NULL;
    char count[UNITS_MAX], memory[UNITS_MAX], ago[UNITS_MAX];

    if (!older || !older->objects)
        return;
    units_count_delta(count, reading_exact((int64_t)now->count -
                                           (before ? (int64_t)before->count : 0)));
    units_bytes_delta(memory,
                      reading_exact((int64_t)now->memory_bytes -
                                    (before ? (int64_t)before->memory_bytes : 0)));
    units_duration(ago, reading_exact(view->input.snapshot->objects->walk.ended_mono_ns -
                                      older->objects->walk.ended_mono_ns));
    detail_line(detail, name, "%s objects, %s, in %s", count, memory, ago);
}

static void draw_numbers(struct detail *detail, const struct kind_view *view,
                         const struct kind_row *now)
{
    const struct objects_section *objects = view->input.snapshot->objects;
    char text[UNITS_MAX], memory[UNITS_MAX], size[UNITS_MAX];
    uint64_t count = now->count ? now->count : 1;

    detail_line(detail, "objects", "%s  (%.1f%% of all objects)",
                units_count(text, reading_exact((int64_t)now->count)),
                objects->count ? (double)now->count * 100 / (double)objects->count : 0.0);
    detail_line(detail, "bytes", "%s  (%.1f%% of the memory of all objects)",
                units_bytes(text, reading_exact((int64_t)now->memory_bytes)),
                objects->memory_bytes
                    ? (double)now->memory_bytes * 100 / (double)objects->memory_bytes
                    : 0.0);
    detail_line(detail, "size", "%s  as sys.getsizeof counts; one object: %s, memory %s",
                units_bytes(text, reading_exact((int64_t)now->size_bytes)),
                units_count(size, reading_exact((int64_t)(now->size_bytes / count))),
                units_count(memory, reading_exact((int64_t)(now->memory_bytes / count))));
}

/* Where the answer says more, it does. */
static void draw_tracked(struct detail *detail, const struct kind_row *now,
                         const struct kind_detail *answer)
{
    struct strbuf words = STRBUF_INIT;
    char text[UNITS_MAX];

    if (answer)
        detail_tracked_words(answer, &words);
    else
        strbuf_addf(&words, "%s",
                    units_count(text, reading_exact((int64_t)now->tracked)));
    detail_line(detail, "tracked", "%s", strbuf_text(&words));
    strbuf_release(&words);
}

static void draw_class(struct detail *detail, const struct kind_detail *answer)
{
    struct strbuf words = STRBUF_INIT;

    if (answer && detail_class_words(answer, &words))
        detail_line(detail, "attributes", "%s", strbuf_text(&words));
    strbuf_reset(&words);
    if (answer && detail_slots_words(answer, &words))
        detail_line(detail, "__slots__", "%s", strbuf_text(&words));
    strbuf_release(&words);
}

static void draw_spark(struct detail *detail, const struct kind_view *view)
{
    int y = detail->y, room = detail->rect.width - LABEL_COLUMNS - 1;
    int count = view->n_counts;

    if (count < 2)
        return;
    detail_line(detail, "count", "%s", "");
    if (detail->y > y && room > 0)
        canvas_spark(detail->canvas, y, detail->rect.x + LABEL_COLUMNS,
                     count < room ? count : room, ROLE_GRAPH,
                     view->counts + HISTORY_RECENT - count, count);
}

void answer_describe(const struct answer *answer, const char *why, struct strbuf *out)
{
    char clock[UNITS_MAX], took[UNITS_MAX];

    if (!answer) {
        strbuf_add_text(out,
                        *why ? why : "not yet: a pass over the objects is under way");
        return;
    }
    strbuf_addf(out, "%s in %s%s; Space: again",
                units_clock(clock, answer->walk.ended_wall_ns),
                units_duration(took, reading_exact(answer->walk.wall_ns)),
                answer->walk.complete ? "" : ", not complete");
}

/* In place of a blank line: how old it is, and what else there is. */
static void draw_age(struct detail *detail, const struct kind_view *view)
{
    struct strbuf words = STRBUF_INIT;

    answer_describe(view->input.answer, view->input.answer_why, &words);
    detail_line(detail, "looked at", "%s; v: %s", strbuf_text(&words),
                table_words[(view->shown + 1) % KIND_TABLES]);
    strbuf_release(&words);
}

static void draw_changes(struct detail *detail, const struct kind_view *view,
                         const struct kind_row *now)
{
    if (view->input.delta == DELTA_MARK)
        draw_change(detail, view, now, view->input.older, "since the mark");
    draw_change(detail, view, now,
                history_previous_walk(view->input.history, view->input.snapshot),
                "since last walk");
    draw_spark(detail, view);
}

void kind_view_draw(struct kind_view *view, struct canvas *canvas, struct rect rect,
                    bool has_focus)
{
    const struct snapshot *snapshot = view->input.snapshot;
    const struct kind_detail *answer = kind_detail_of(view->input.answer);
    const struct kind_row *found =
        snapshot ? kinds_find(snapshot->objects, view->identity) : NULL;
    struct kind_row now = {0};
    struct detail detail;

    if (!snapshot || !snapshot->objects)
        return;
    if (found)
        now = *found;
    detail_init(&detail, canvas, rect);
    draw_numbers(&detail, view, &now);
    draw_tracked(&detail, &now, answer);
    draw_class(&detail, answer);
    if (view->shown == KIND_WALKS)
        draw_changes(&detail, view, &now);
    draw_age(&detail, view);
    rect = detail_rest(&detail);
    table_draw(view->tables[view->shown], canvas, rect, has_focus);
}

/* ---- the rest of a pane ---- */

enum pane_result kind_view_command(struct kind_view *view, enum command_id command)
{
    if (command == COMMAND_VIEW) {
        view->shown = (view->shown + 1) % KIND_TABLES;
        return PANE_HANDLED;
    }
    if (command == COMMAND_ENTER)
        return PANE_HANDLED;
    return table_command(view->tables[view->shown], command) ? PANE_HANDLED
                                                             : PANE_IGNORED;
}

struct table *kind_view_table(struct kind_view *view)
{
    return view->tables[view->shown];
}

const char *kind_view_name(const struct kind_view *view)
{
    return view->name;
}

void kind_view_wants(const struct kind_view *view, struct inquiry *inquiry)
{
    const struct snapshot *snapshot = view->input.snapshot;
    const struct kind_row *row =
        snapshot ? kinds_find(snapshot->objects, view->identity) : NULL;

    if (row)
        *inquiry = (struct inquiry){.topic = INQUIRY_KIND, .kind = row->kind};
}
