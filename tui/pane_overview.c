/* Overview: top kinds and size classes; when wide also the graph, GC, where RES goes. */
#include "tui/pane.h"

#include <stdlib.h>

#include "heaptop/units.h"
#include "model/verdict.h"
#include "tui/classes_table.h"
#include "tui/gc_table.h"
#include "tui/kinds_table.h"
#include "tui/overview_blocks.h"
#include "util/xalloc.h"

#define WIDE_COLUMNS        120
#define BOTTOM_LINES        11
#define VERDICT_LEAST_LINES 11 /* the verdict takes one of them */
#define VERDICT_TWO_LINES   13 /* and its remedy another one */
#define TALL_LINES          26 /* enough for the bottom blocks */

struct pane_overview {
    struct table *kinds, *gc;
    struct kinds_seen seen;
    struct classes_table classes;
    struct view_input input;
    bool is_on_classes; /* the focus, while they are drawn */
    struct verdicts verdicts;
    bool has_verdict;
    struct rect at_classes; /* where they were drawn last; height 0: not at all */
};

static void *overview_create(void)
{
    struct pane_overview *overview = xcalloc(1, sizeof(*overview));

    overview->kinds = kinds_table_new(true);
    overview->gc = gc_table_new();
    classes_table_init(&overview->classes, true);
    return overview;
}

static void overview_destroy(void *pane)
{
    struct pane_overview *overview = pane;

    table_free(overview->kinds);
    table_free(overview->gc);
    classes_table_release(&overview->classes);
    free(overview);
}

static void overview_update(void *pane, const struct view_input *input)
{
    struct pane_overview *overview = pane;

    overview->input = *input;
    kinds_table_update(overview->kinds, &overview->seen, input);
    classes_table_update(&overview->classes, input);
    gc_table_update(overview->gc, input->snapshot ? input->snapshot->gc : NULL);
    overview->has_verdict = verdict_judge(input->history, &overview->verdicts);
}

static bool has_classes_focus(const struct pane_overview *overview)
{
    return overview->is_on_classes && overview->at_classes.height > 0;
}

static void draw_kinds(struct pane_overview *overview, struct canvas *canvas,
                       struct rect rect, bool has_focus)
{
    table_draw(overview->kinds, canvas, rect, has_focus && !overview->is_on_classes);
    if (!overview->input.snapshot || !overview->input.snapshot->objects)
        pane_draw_nothing(canvas, rect, "no walk of the objects yet");
}

static void draw_classes(struct pane_overview *overview, struct canvas *canvas,
                         struct rect rect, bool has_focus)
{
    table_draw(overview->classes.table, canvas, rect,
               has_focus && overview->is_on_classes);
    if (!overview->input.snapshot || !overview->input.snapshot->pymalloc)
        pane_draw_nothing(canvas, rect, "pymalloc's pools are not known here");
}

static void draw_bottom(struct pane_overview *overview, struct canvas *canvas,
                        struct rect left, struct rect right)
{
    const struct snapshot *snapshot = overview->input.snapshot;
    struct rect gc = right, where = right;

    overview_draw_graph(canvas, left, overview->input.history);
    gc.height = 4;
    table_draw(overview->gc, canvas, gc, false);
    if (!snapshot || !snapshot->gc)
        pane_draw_nothing(canvas, gc, "the garbage collector's counters are not known");
    where.y += 5;
    where.height -= 5;
    overview_draw_where(canvas, where, snapshot);
}

static void draw_frame(struct canvas *canvas, struct rect rect, int x, int y)
{
    for (int i = 0; i < rect.height; i++)
        canvas_text(canvas, rect.y + i, x, 1, ROLE_DIM, "|");
    for (int i = 0; y >= 0 && i < rect.width; i++)
        canvas_text(canvas, y, rect.x + i, 1, ROLE_DIM, rect.x + i == x ? "+" : "-");
}

static void draw_wide(struct pane_overview *overview, struct canvas *canvas,
                      struct rect rect, bool has_focus)
{
    int bottom = rect.height >= TALL_LINES ? BOTTOM_LINES : 0;
    struct rect left = rect, right = rect;

    left.width = rect.width * 3 / 5 - 1;
    right.x += left.width + 2; /* a blank and the bar */
    right.width -= left.width + 2;
    left.height = right.height = rect.height - (bottom ? bottom + 1 : 0);
    overview->at_classes = right;
    draw_frame(canvas, rect, right.x - 1, bottom ? rect.y + left.height : -1);
    draw_kinds(overview, canvas, left, has_focus);
    draw_classes(overview, canvas, right, has_focus);
    if (!bottom)
        return;
    left.y = right.y = rect.y + left.height + 1;
    left.height = right.height = bottom;
    draw_bottom(overview, canvas, left, right);
}

/* In the line below: what would help, and by how much. */
static void draw_remedy(const struct verdict *verdict, struct canvas *canvas,
                        const struct rect *rect)
{
    char gain[UNITS_MAX];
    bool has_gain = reading_is_known(verdict->gain_bytes);

    canvas_textf(canvas, rect->y + rect->height, rect->x + 1, rect->width - 2, ROLE_DIM,
                 "%s %s%s%s", verdict->rule, verdict->remedy, has_gain ? ": " : "",
                 has_gain ? units_bytes(gain, verdict->gain_bytes) : "");
}

/* The weightiest verdict in one line, or two, where there is room for them. */
static void draw_verdict(const struct pane_overview *overview, struct canvas *canvas,
                         struct rect *rect)
{
    const struct verdict *first = &overview->verdicts.items[0];

    if (!overview->has_verdict || rect->height < VERDICT_LEAST_LINES)
        return;
    if (!verdict_is_calm(first) && rect->height > VERDICT_TWO_LINES) {
        rect->height--;
        draw_remedy(first, canvas, rect);
    }
    rect->height--;
    canvas_textf(canvas, rect->y + rect->height, rect->x + 1, rect->width - 2,
                 verdict_is_calm(first) ? ROLE_DIM : ROLE_WARNING, "%s", first->words);
}

static void overview_draw(void *pane, struct canvas *canvas, struct rect rect,
                          bool has_focus)
{
    struct pane_overview *overview = pane;
    struct rect kinds, classes;

    draw_verdict(overview, canvas, &rect);
    kinds = classes = rect;
    if (rect.width >= WIDE_COLUMNS) {
        draw_wide(overview, canvas, rect, has_focus);
        return;
    }
    classes.height = rect.height >= 11 ? rect.height * 3 / 8 : 0;
    int needed = (int)table_row_count(overview->classes.table, NULL) + 1;
    if (classes.height > needed)
        classes.height = needed > 2 ? needed : 2;
    kinds.height -= classes.height;
    classes.y += kinds.height;
    overview->at_classes = classes;
    if (!classes.height)
        overview->is_on_classes = false;
    draw_kinds(overview, canvas, kinds, has_focus);
    if (classes.height)
        draw_classes(overview, canvas, classes, has_focus);
}

static struct table *overview_table(void *pane)
{
    struct pane_overview *overview = pane;

    return has_classes_focus(overview) ? overview->classes.table : overview->kinds;
}

static enum pane_result overview_command(void *pane, enum command_id command)
{
    struct pane_overview *overview = pane;
    struct table *table = overview_table(pane);

    /* Left and right scroll columns, and where there are no more, go across. */
    if (command == COMMAND_RIGHT && !overview->is_on_classes &&
        overview->at_classes.height > 0 && !table_can_scroll(table, 1)) {
        overview->is_on_classes = true;
        return PANE_HANDLED;
    }
    if (command == COMMAND_LEFT && !table_can_scroll(table, -1)) {
        overview->is_on_classes = false;
        return PANE_HANDLED;
    }
    return table_command(table, command) ? PANE_HANDLED : PANE_IGNORED;
}

static const char *overview_opens(void *pane)
{
    return has_classes_focus(pane) ? "sizes" : "types";
}

static void overview_focus_at(void *pane, int y, int x)
{
    struct pane_overview *overview = pane;
    const struct rect *at = &overview->at_classes;

    overview->is_on_classes = y >= at->y && y < at->y + at->height && x >= at->x;
}

static void overview_describe(void *pane, struct strbuf *out)
{
    struct pane_overview *overview = pane;
    const struct table_row *row = table_selected(overview_table(pane));
    char count[UNITS_MAX], bytes[UNITS_MAX];

    if (row && has_classes_focus(overview))
        classes_describe(row, out);
    else if (row)
        strbuf_addf(out, "%s: %s objects, %s", row->values[0].text,
                    units_count(count, row->values[1].number),
                    units_bytes(bytes, row->values[4].number));
}

const struct pane_ops pane_overview = {
    .name = "overview",
    .title = "Overview",
    .create = overview_create,
    .destroy = overview_destroy,
    .update = overview_update,
    .draw = overview_draw,
    .command = overview_command,
    .table = overview_table,
    .describe = overview_describe,
    .opens = overview_opens,
    .focus_at = overview_focus_at,
};
