/* Types: the partition by kind; Enter opens one kind, a key the equal values. */
#include "tui/pane.h"

#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/duplicates.h"
#include "tui/detail.h"
#include "tui/kind_tables.h"
#include "tui/kind_view.h"
#include "tui/kinds_table.h"
#include "util/xalloc.h"

enum types_level {
    LEVEL_KINDS = 0,
    LEVEL_KIND,       /* one is open */
    LEVEL_DUPLICATES, /* equal values */
};

struct pane_types {
    enum types_level level;
    struct table *table;
    struct kinds_seen seen;
    struct kind_view *kind;
    struct table *duplicates;
    struct kind_texts texts;
    struct view_input input; /* of the last update; its pointers stay valid until then */
    bool has_objects;
};

static void *types_create(void)
{
    struct pane_types *types = xcalloc(1, sizeof(*types));

    types->table = kinds_table_new(false);
    types->seen.has_parts_row = true;
    types->kind = kind_view_new();
    types->duplicates = duplicates_table_new();
    return types;
}

static void types_destroy(void *pane)
{
    struct pane_types *types = pane;

    table_free(types->table);
    table_free(types->duplicates);
    kind_view_free(types->kind);
    free(types);
}

static void types_update(void *pane, const struct view_input *input)
{
    struct pane_types *types = pane;

    types->input = *input;
    types->has_objects = input->snapshot && input->snapshot->objects;
    kinds_table_update(types->table, &types->seen, input);
    kind_view_update(types->kind, input);
    duplicates_update(types->duplicates, &types->texts, duplicates_of(input->answer));
}

static void draw_duplicates(struct pane_types *types, struct canvas *canvas,
                            struct rect rect, bool has_focus)
{
    const struct duplicates *duplicates = duplicates_of(types->input.answer);
    char of[UNITS_MAX], count[UNITS_MAX], bytes[UNITS_MAX];
    struct strbuf age = STRBUF_INIT;
    struct detail detail;

    detail_init(&detail, canvas, rect);
    for (size_t i = 0; duplicates && i < duplicates->n_kinds; i++) {
        const struct duplicate_kind *kind = &duplicates->kinds[i];

        detail_line(&detail, kind->kind->name,
                    "%s wasted: %s of %s objects are duplicates",
                    units_bytes(bytes, reading_exact((int64_t)kind->wasted_bytes)),
                    units_count(count, reading_exact((int64_t)kind->duplicates)),
                    units_count(of, reading_exact((int64_t)kind->objects)));
    }
    answer_describe(types->input.answer, types->input.answer_why, &age);
    detail_line(&detail, "looked at", "%s", strbuf_text(&age));
    strbuf_release(&age);
    rect = detail_rest(&detail);
    table_draw(types->duplicates, canvas, rect, has_focus);
}

static void types_draw(void *pane, struct canvas *canvas, struct rect rect,
                       bool has_focus)
{
    struct pane_types *types = pane;

    switch (types->level) {
    case LEVEL_KIND:
        kind_view_draw(types->kind, canvas, rect, has_focus);
        break;
    case LEVEL_DUPLICATES:
        draw_duplicates(types, canvas, rect, has_focus);
        break;
    case LEVEL_KINDS:
        table_draw(types->table, canvas, rect, has_focus);
        if (!types->has_objects)
            pane_draw_nothing(canvas, rect, "no walk of the objects yet");
        break;
    }
}

static enum pane_result kinds_command(struct pane_types *types, enum command_id command)
{
    const struct table_row *row = table_selected(types->table);

    if (command != COMMAND_ENTER)
        return table_command(types->table, command) ? PANE_HANDLED : PANE_IGNORED;
    if (row && !row->is_fixed) {
        types->level = LEVEL_KIND;
        kind_view_open(types->kind, row->identity, row->values[0].text);
    }
    return PANE_HANDLED;
}

static enum pane_result types_command(void *pane, enum command_id command)
{
    struct pane_types *types = pane;

    if (command == COMMAND_BACK && types->level != LEVEL_KINDS) {
        types->level = LEVEL_KINDS;
        return PANE_HANDLED;
    }
    if (command == COMMAND_DUPLICATES) {
        types->level = LEVEL_DUPLICATES;
        table_set_rows(types->duplicates, NULL, 0);
        return PANE_HANDLED;
    }
    if (types->level == LEVEL_KINDS)
        return kinds_command(types, command);
    if (types->level == LEVEL_KIND)
        return kind_view_command(types->kind, command);
    if (command == COMMAND_ENTER)
        return PANE_HANDLED;
    return table_command(types->duplicates, command) ? PANE_HANDLED : PANE_IGNORED;
}

static struct table *types_table(void *pane)
{
    struct pane_types *types = pane;

    if (types->level == LEVEL_KIND)
        return kind_view_table(types->kind);
    return types->level == LEVEL_DUPLICATES ? types->duplicates : types->table;
}

static void types_describe(void *pane, struct strbuf *out)
{
    struct pane_types *types = pane;
    const struct table_row *row = table_selected(types->table);
    char count[UNITS_MAX], bytes[UNITS_MAX];

    if (row && types->level == LEVEL_KINDS)
        strbuf_addf(out, "%s: %s objects, %s", row->values[0].text,
                    units_count(count, row->values[1].number),
                    units_bytes(bytes, row->values[4].number));
}

static const char *types_breadcrumb(void *pane)
{
    struct pane_types *types = pane;

    if (types->level == LEVEL_KIND)
        return kind_view_name(types->kind);
    return types->level == LEVEL_DUPLICATES ? "equal values" : NULL;
}

static void types_wants(void *pane, struct inquiry *inquiry)
{
    struct pane_types *types = pane;

    if (types->level == LEVEL_KIND)
        kind_view_wants(types->kind, inquiry);
    else if (types->level == LEVEL_DUPLICATES)
        *inquiry = (struct inquiry){.topic = INQUIRY_DUPLICATES};
}

static const struct kind *types_kind(void *pane)
{
    struct pane_types *types = pane;
    const struct table_row *row = table_selected(types->table);
    const struct snapshot *snapshot = types->input.snapshot;
    const struct kind_row *kind =
        row && snapshot ? kinds_find(snapshot->objects, row->identity) : NULL;

    return kind ? kind->kind : NULL;
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
    .opens_row = true,
    .wants = types_wants,
    .kind = types_kind,
};
