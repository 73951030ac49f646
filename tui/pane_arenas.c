/*
 * Arenas: why memory is not given back. Many arenas are folded by how full they are;
 * Enter opens a group, an arena, a pool. Another view says what keeps them.
 */
#include "tui/pane.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "tui/arenas_table.h"
#include "tui/glyphs.h"
#include "tui/heaps_view.h"
#include "tui/kinds_table.h"
#include "tui/line.h"
#include "tui/pins_view.h"
#include "tui/pool_blocks.h"
#include "tui/shades_legend.h"
#include "util/xalloc.h"

#define FOLD_FROM 100 /* arenas: more are folded until F is pressed */

enum level {
    LEVEL_LIST = 0, /* groups, or all arenas */
    LEVEL_GROUP,
    LEVEL_ARENA,
    LEVEL_POOL,
};

enum view {
    VIEW_ARENAS = 0,
    VIEW_PINS,  /* what keeps them */
    VIEW_HEAPS, /* malloc's */
    VIEWS,
};

static const char *const views[VIEWS] = {"arenas", "pins", "heaps"};

struct pane_arenas {
    struct view_input input;
    enum view view;
    struct table *pins;
    struct arenas_table heaps;
    uint64_t heap; /* that is open; 0 = none */
    struct arenas_table groups, arenas, pools;
    enum level level;
    bool is_chosen, is_folded; /* chosen: by key, else by the number of arenas */
    bool was_in_group;         /* the arena was opened from a group */
    uint64_t group, arena;
    size_t pool;
    char breadcrumb[96];
};

static void *arenas_create(void)
{
    struct pane_arenas *pane = xcalloc(1, sizeof(*pane));

    groups_table_init(&pane->groups);
    arenas_table_init(&pane->arenas);
    pools_table_init(&pane->pools);
    pane->pins = pins_table_new();
    heaps_table_init(&pane->heaps);
    return pane;
}

static void arenas_destroy(void *opaque)
{
    struct pane_arenas *pane = opaque;

    arenas_table_release(&pane->groups);
    arenas_table_release(&pane->arenas);
    arenas_table_release(&pane->pools);
    table_free(pane->pins);
    arenas_table_release(&pane->heaps);
    free(pane);
}

static const struct arenas_section *section_of(const struct pane_arenas *pane)
{
    return pane->input.snapshot ? pane->input.snapshot->arenas : NULL;
}

static const struct pins_section *pins_of(const struct pane_arenas *pane)
{
    return pane->input.snapshot ? pane->input.snapshot->pins : NULL;
}

static const struct malloc_section *malloc_of(const struct pane_arenas *pane)
{
    return pane->input.snapshot ? pane->input.snapshot->malloc : NULL;
}

/* The close look at the arena that is open, when it has come. */
static const struct inspection *inspection_of(const struct pane_arenas *pane)
{
    const struct inspection *inspection = pane->input.inspection;

    return inspection && inspection->arena == pane->arena ? inspection : NULL;
}

static bool is_folded(const struct pane_arenas *pane)
{
    const struct arenas_section *section = section_of(pane);

    if (pane->is_chosen)
        return pane->is_folded;
    return section && section->n_arenas > FOLD_FROM;
}

static struct table *current_table(struct pane_arenas *pane)
{
    if (pane->view == VIEW_PINS)
        return pane->pins;
    if (pane->view == VIEW_HEAPS)
        return pane->heaps.table;
    if (pane->level >= LEVEL_ARENA)
        return pane->pools.table;
    if (pane->level == LEVEL_LIST && is_folded(pane))
        return pane->groups.table;
    return pane->arenas.table;
}

static void fill(struct pane_arenas *pane)
{
    const struct arenas_section *section = section_of(pane);

    if (pane->view == VIEW_PINS)
        pins_table_update(pane->pins, pins_of(pane));
    else if (pane->view == VIEW_HEAPS)
        heaps_table_update(&pane->heaps, malloc_of(pane));
    else if (pane->level >= LEVEL_ARENA)
        pools_table_update(&pane->pools, section, arena_find(section, pane->arena),
                           inspection_of(pane));
    else if (pane->level == LEVEL_LIST && is_folded(pane))
        groups_table_update(&pane->groups, section);
    else
        arenas_table_update(&pane->arenas, section,
                            pane->level == LEVEL_GROUP ? pane->group : 0);
}

static void arenas_update(void *opaque, const struct view_input *input)
{
    struct pane_arenas *pane = opaque;

    pane->input = *input;
    table_set_filter(pane->arenas.table, input->filter);
    fill(pane);
}

static void draw_summary(const struct pane_arenas *pane, struct canvas *canvas, int y,
                         int x, int width)
{
    const struct arenas_section *section = section_of(pane);
    size_t usable = 0, next = section->n_arenas;
    char all[UNITS_MAX], some[UNITS_MAX], age[UNITS_MAX];
    struct line line;

    for (size_t i = 0; i < section->n_arenas; i++) {
        usable += section->arenas[i].order != 0;
        if (section->arenas[i].order == 1)
            next = i;
    }
    line_init(&line);
    part_add(line_part(&line, 0), ROLE_VALUE, "%s arenas",
             units_count(all, reading_exact((int64_t)section->n_arenas)));
    part_add(line_part(&line, 1), ROLE_NORMAL, "%s with a free pool%s",
             units_count(some, reading_exact((int64_t)usable)),
             section->is_order_exact ? "" : " (their list was changing)");
    if (next < section->n_arenas)
        part_add(line_part(&line, 2), ROLE_NORMAL, "the next pool comes from %" PRIx64,
                 section->arenas[next].address);
    if (pane->input.snapshot->mono_ns - section->taken_mono_ns >
        pane->input.snapshot->interval_ns)
        part_add(line_part(&line, 3), ROLE_DIM, "unchanged for %s",
                 units_duration(age, reading_exact(pane->input.snapshot->mono_ns -
                                                   section->taken_mono_ns)));
    line_draw(&line, canvas, y, x + 1, width - 1);
}

static const char *const shades[SHADES] = {
    [SHADE_FULL] = "full",         [SHADE_MOST] = "over 2/3",
    [SHADE_HALF] = "over 1/3",     [SHADE_LOW] = "less",
    [SHADE_FREE] = "free pool",    [SHADE_UNTOUCHED] = "never carved",
    [SHADE_TORN] = "was changing",
};

static const char *nothing(const struct pane_arenas *pane)
{
    const struct snapshot *snapshot = pane->input.snapshot;

    if (pane->view == VIEW_PINS)
        return pins_of(pane) ? "no arena is less than half in use"
                             : "what keeps arenas was not looked at yet";
    if (pane->view == VIEW_HEAPS)
        return "glibc's heaps are not known here, or not yet";
    if (pane->level >= LEVEL_ARENA)
        return "this arena is gone: its memory was given back";
    if (!snapshot || !snapshot->pymalloc)
        return "pymalloc's arenas are not known here";
    return "there is no arena";
}

static int64_t now_mono_ns(const struct pane_arenas *pane)
{
    return pane->input.snapshot ? pane->input.snapshot->mono_ns : 0;
}

static void draw_top(const struct pane_arenas *pane, struct canvas *canvas,
                     struct rect *rect)
{
    if (pane->view == VIEW_PINS) {
        pins_draw_top(pins_of(pane), now_mono_ns(pane), canvas, rect);
        return;
    }
    if (pane->view == VIEW_HEAPS) {
        heaps_draw_top(malloc_of(pane), canvas, rect);
        return;
    }
    if (!section_of(pane) || rect->height < 8 || pane->level >= LEVEL_ARENA)
        return;
    draw_summary(pane, canvas, rect->y, rect->x, rect->width);
    shades_legend_draw(shades, canvas, rect->y + 1, rect->x, rect->width);
    rect->y += 2;
    rect->height -= 2;
}

static void arenas_draw(void *opaque, struct canvas *canvas, struct rect rect,
                        bool has_focus)
{
    struct pane_arenas *pane = opaque;
    const struct inspection *inspection = inspection_of(pane);
    struct table *table = current_table(pane);

    if (pane->level == LEVEL_POOL && inspection && pane->pool < inspection->n_pools &&
        inspection->pools[pane->pool].state == INSPECTED_USED) {
        pool_blocks_draw(canvas, rect, inspection, pane->pool);
        return;
    }
    if (pane->view == VIEW_HEAPS && pane->heap) {
        if (!heap_draw(malloc_of(pane), pane->heap, canvas, rect))
            pane_draw_nothing(canvas, rect, "this heap is gone");
        return;
    }
    draw_top(pane, canvas, &rect);
    if (pane->view == VIEW_PINS && has_focus)
        pins_draw_bottom(pins_of(pane), now_mono_ns(pane), pane->pins, canvas, &rect);
    table_draw(table, canvas, rect, has_focus);
    if (!table_row_count(table, NULL))
        pane_draw_nothing(canvas, rect, nothing(pane));
}

static void name_level(struct pane_arenas *pane)
{
    char group[40] = "";

    if (pane->level == LEVEL_GROUP)
        arena_group_name(pane->group, group, sizeof(group));
    if (pane->level == LEVEL_GROUP)
        snprintf(pane->breadcrumb, sizeof(pane->breadcrumb), "%s", group);
    else if (pane->level == LEVEL_ARENA)
        snprintf(pane->breadcrumb, sizeof(pane->breadcrumb), "arena %" PRIx64,
                 pane->arena);
    else
        snprintf(pane->breadcrumb, sizeof(pane->breadcrumb),
                 "arena %" PRIx64 ", pool %zu", pane->arena, pane->pool + 1);
}

static void go(struct pane_arenas *pane, enum level level)
{
    pane->level = level;
    name_level(pane);
    fill(pane);
}

static void open_row(struct pane_arenas *pane)
{
    const struct table_row *row = table_selected(current_table(pane));

    if (!row || pane->level == LEVEL_POOL)
        return;
    if (pane->level == LEVEL_ARENA) {
        const struct inspection *inspection = inspection_of(pane);
        size_t pool = (size_t)row->identity - 1;

        if (!inspection || pool >= inspection->n_pools ||
            inspection->pools[pool].state != INSPECTED_USED)
            return;
        pane->pool = pool;
        go(pane, LEVEL_POOL);
    } else if (pane->level == LEVEL_LIST && is_folded(pane)) {
        pane->group = row->identity;
        go(pane, LEVEL_GROUP);
    } else {
        pane->arena = row->identity;
        pane->was_in_group = pane->level == LEVEL_GROUP;
        go(pane, LEVEL_ARENA);
    }
}

static enum pane_result go_back(struct pane_arenas *pane)
{
    if (pane->level == LEVEL_LIST)
        return PANE_IGNORED;
    if (pane->level == LEVEL_POOL)
        go(pane, LEVEL_ARENA);
    else if (pane->level == LEVEL_ARENA && pane->was_in_group)
        go(pane, LEVEL_GROUP);
    else
        go(pane, LEVEL_LIST);
    return PANE_HANDLED;
}

static void show_view(struct pane_arenas *pane, enum view view)
{
    pane->view = view;
    pane->level = LEVEL_LIST;
    pane->heap = 0;
    fill(pane);
}

/* The views besides that of the arenas: Enter opens a heap, Esc leaves it, then the view.
 */
static enum pane_result view_command(struct pane_arenas *pane, enum command_id command)
{
    const struct table_row *row = table_selected(current_table(pane));

    if (command == COMMAND_BACK && pane->heap) {
        pane->heap = 0;
        return PANE_HANDLED;
    }
    if (command == COMMAND_BACK) {
        show_view(pane, VIEW_ARENAS);
        return PANE_HANDLED;
    }
    if (command == COMMAND_ENTER && pane->view == VIEW_HEAPS && row) {
        pane->heap = row->identity;
        snprintf(pane->breadcrumb, sizeof(pane->breadcrumb), "malloc's heap %" PRIx64,
                 pane->heap);
        return PANE_HANDLED;
    }
    return table_command(current_table(pane), command) ? PANE_HANDLED : PANE_IGNORED;
}

static bool arenas_show_view(void *opaque, const char *name)
{
    struct pane_arenas *pane = opaque;

    for (int view = 0; view < VIEWS; view++)
        if (!strcmp(views[view], name)) {
            show_view(pane, (enum view)view);
            return true;
        }
    return false;
}

static enum pane_result arenas_command(void *opaque, enum command_id command)
{
    struct pane_arenas *pane = opaque;

    if (command == COMMAND_VIEW) {
        show_view(pane, (pane->view + 1) % VIEWS);
        return PANE_HANDLED;
    }
    if (pane->view != VIEW_ARENAS)
        return view_command(pane, command);
    if (command == COMMAND_ENTER) {
        open_row(pane);
        return PANE_HANDLED;
    }
    if (command == COMMAND_BACK)
        return go_back(pane);
    if (command == COMMAND_FOLD) {
        pane->is_folded = !is_folded(pane);
        pane->is_chosen = true;
        go(pane, LEVEL_LIST);
        return PANE_HANDLED;
    }
    return table_command(current_table(pane), command) ? PANE_HANDLED : PANE_IGNORED;
}

static struct table *arenas_table(void *opaque)
{
    return current_table(opaque);
}

static void arenas_describe(void *opaque, struct strbuf *out)
{
    struct pane_arenas *pane = opaque;
    const struct arenas_section *section = section_of(pane);

    if (pane->view == VIEW_PINS) {
        strbuf_add_text(out, "v: malloc's heaps; H: who holds the kind");
        return;
    }
    if (pane->view == VIEW_HEAPS) {
        strbuf_add_text(out, pane->heap ? "Esc: all heaps"
                                        : "v: the arenas; Enter opens a heap");
        return;
    }
    if (!section || pane->level > LEVEL_GROUP)
        return;
    strbuf_addf(out, "v: what keeps them; Enter opens; F %s",
                is_folded(pane) ? "shows every arena"
                                : "folds them by how full they are");
}

static const char *arenas_breadcrumb(void *opaque)
{
    struct pane_arenas *pane = opaque;

    if (pane->view == VIEW_PINS)
        return "what keeps arenas";
    if (pane->view == VIEW_HEAPS)
        return pane->heap ? pane->breadcrumb : "malloc's heaps";
    return pane->level == LEVEL_LIST ? NULL : pane->breadcrumb;
}

static uint64_t arenas_wants(void *opaque)
{
    struct pane_arenas *pane = opaque;

    return pane->level >= LEVEL_ARENA ? pane->arena : 0;
}

static const struct kind *arenas_kind(void *opaque)
{
    struct pane_arenas *pane = opaque;
    const struct pins_section *pins = pins_of(pane);
    const struct table_row *row =
        pane->view == VIEW_PINS ? table_selected(pane->pins) : NULL;

    for (size_t i = 0; row && pins && i < pins->n_rows; i++)
        if ((uint64_t)pins->rows[i].kind->id + 1 == row->identity)
            return pins->rows[i].kind;
    return NULL;
}

const struct pane_ops pane_arenas = {
    .name = "arenas",
    .title = "Arenas",
    .create = arenas_create,
    .destroy = arenas_destroy,
    .update = arenas_update,
    .draw = arenas_draw,
    .command = arenas_command,
    .table = arenas_table,
    .describe = arenas_describe,
    .breadcrumb = arenas_breadcrumb,
    .wants_arena = arenas_wants,
    .show_view = arenas_show_view,
    .kind = arenas_kind,
};
