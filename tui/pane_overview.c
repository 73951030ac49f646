/* Overview: top kinds and size classes; when wide also the graph, GC, where RES goes. */
#include "tui/pane.h"

#include <stdlib.h>

#include "heaptop/units.h"
#include "tui/classes_table.h"
#include "tui/gc_table.h"
#include "tui/kinds_table.h"
#include "tui/overview_blocks.h"
#include "util/xalloc.h"

#define WIDE_COLUMNS 120
#define BOTTOM_LINES 11
#define TALL_LINES   26 /* enough for the bottom blocks */

struct pane_overview {
    struct table *kinds, *gc;
    struct kinds_seen seen;
    struct classes_table classes;
    struct view_input input;
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
}

static void draw_kinds(struct pane_overview *overview, struct canvas *canvas,
                       struct rect rect, bool has_focus)
{
    table_draw(overview->kinds, canvas, rect, has_focus);
    if (!overview->input.snapshot || !overview->input.snapshot->objects)
        pane_draw_nothing(canvas, rect, "no walk of the objects yet");
}

static void draw_classes(struct pane_overview *overview, struct canvas *canvas,
                         struct rect rect)
{
    table_draw(overview->classes.table, canvas, rect, false);
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
    draw_frame(canvas, rect, right.x - 1, bottom ? rect.y + left.height : -1);
    draw_kinds(overview, canvas, left, has_focus);
    draw_classes(overview, canvas, right);
    if (!bottom)
        return;
    left.y = right.y = rect.y + left.height + 1;
    left.height = right.height = bottom;
    draw_bottom(overview, canvas, left, right);
}

static void overview_draw(void *pane, struct canvas *canvas, struct rect rect,
                          bool has_focus)
{
    struct pane_overview *overview = pane;
    struct rect kinds = rect, classes = rect;

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
    draw_kinds(overview, canvas, kinds, has_focus);
    if (classes.height)
        draw_classes(overview, canvas, classes);
}

static enum pane_result overview_command(void *pane, enum command_id command)
{
    struct pane_overview *overview = pane;

    return table_command(overview->kinds, command) ? PANE_HANDLED : PANE_IGNORED;
}

static struct table *overview_table(void *pane)
{
    struct pane_overview *overview = pane;

    return overview->kinds;
}

static void overview_describe(void *pane, struct strbuf *out)
{
    struct pane_overview *overview = pane;
    const struct table_row *row = table_selected(overview->kinds);
    char count[UNITS_MAX], bytes[UNITS_MAX];

    if (row)
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
};
