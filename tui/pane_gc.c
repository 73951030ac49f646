/* GC: generations, pauses, the last collections. Kept plain: copy it for a new pane. */
#include "tui/pane.h"

#include <stdlib.h>

#include "heaptop/units.h"
#include "model/account.h"
#include "model/gc_debug.h"
#include "tui/detail.h"
#include "tui/free_lists_table.h"
#include "tui/gc_table.h"
#include "tui/kinds_table.h"
#include "util/xalloc.h"

struct pane_gc {
    struct table *table, *free_lists;
    bool is_open; /* the free lists are, in place of the collector */
    struct view_input input;
};

static void *gc_create(void)
{
    struct pane_gc *gc = xcalloc(1, sizeof(*gc));

    gc->table = gc_table_new();
    gc->free_lists = free_lists_table_new();
    return gc;
}

static void gc_destroy(void *pane)
{
    struct pane_gc *gc = pane;

    table_free(gc->table);
    table_free(gc->free_lists);
    free(gc);
}

static void gc_update(void *pane, const struct view_input *input)
{
    struct pane_gc *gc = pane;

    gc->input = *input;
    gc_table_update(gc->table, input->snapshot ? input->snapshot->gc : NULL);
    free_lists_table_update(gc->free_lists,
                            input->snapshot ? input->snapshot->free_lists : NULL);
}

static void draw_state(struct detail *detail, const struct gc_section *section)
{
    char text[UNITS_MAX], names[GC_DEBUG_NAMES_MAX];
    const char *state = "-";

    if (reading_is_known(section->enabled))
        state = section->enabled.value ? "on" : "OFF: gc.disable() was called";
    detail_line(detail, "automatic", "%s", state);
    detail_line(detail, "frozen", "%s objects (gc.freeze)",
                units_count(text, section->frozen));
    detail_line(detail, "debug flags", "%s%s", gc_debug_names(names, section->debug),
                section->debug.value & GC_DEBUG_SAVEALL ? ": what is found is not freed"
                                                        : "");
}

static void draw_garbage(struct detail *detail, const struct snapshot *snapshot)
{
    const struct account_section *account = snapshot->account;
    char count[UNITS_MAX], bytes[UNITS_MAX], age[UNITS_MAX];

    if (!account)
        detail_text(detail, "garbage",
                    snapshot->access.method == METHOD_OUTSIDE
                        ? "not known yet: a walk finds out, after the objects"
                        : "not known: the memory cannot be read from outside. c runs "
                          "gc.collect() and tells what it found");
    else if (!reading_is_known(account->garbage_objects))
        detail_text(detail, "garbage", account_garbage_why_text(account->garbage_why));
    else
        detail_line(detail, "garbage", "%s objects, %s (looked at %s ago)",
                    units_count(count, account->garbage_objects),
                    units_bytes(bytes, account->garbage_bytes),
                    units_duration(age, reading_exact(snapshot->mono_ns -
                                                      account->garbage_mono_ns)));
}

static void draw_free_lists(struct detail *detail,
                            const struct free_lists_section *section)
{
    char entries[UNITS_MAX], bytes[UNITS_MAX], arenas[UNITS_MAX];

    if (!section)
        return;
    detail_line(detail, "free lists", "%s entries, %s; alone they keep %s arenas",
                units_count(entries, reading_exact((int64_t)section->count)),
                units_bytes(bytes, reading_exact((int64_t)section->bytes)),
                units_count(arenas, reading_exact((int64_t)section->arenas)));
}

static void draw_pauses(struct detail *detail, const struct snapshot *snapshot)
{
    const struct gc_pauses *pauses = &snapshot->gc->pauses;
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];

    if (!reading_is_known(pauses->count) && !reading_is_known(pauses->last_ns)) {
        detail_heading(detail, "PAUSES");
        detail_line(detail, "not known", "%s", "the agent measures them");
        return;
    }
    detail_heading(detail, "PAUSES %s",
                   pauses->exact ? "(exact, from callbacks)" : "(from sampling)");
    detail_line(detail, "number, total", "%s, %s", units_count(a, pauses->count),
                units_duration(b, pauses->total_ns));
    if (reading_is_known(pauses->last_ns) && pauses->last_generation >= 0)
        detail_line(detail, "last", "%s, generation %d, at %s",
                    units_duration(a, pauses->last_ns), pauses->last_generation,
                    reading_is_known(pauses->last_wall_ns)
                        ? units_clock(b, pauses->last_wall_ns.value)
                        : "-");
    else
        detail_line(detail, "last", "%s", units_duration(a, pauses->last_ns));
    detail_line(detail, "max, p99, p50", "%s, %s, %s", units_duration(a, pauses->max_ns),
                units_duration(b, pauses->p99_ns), units_duration(c, pauses->p50_ns));
}

static bool is_shown(enum event_type type)
{
    return type == EVENT_GC || type == EVENT_COLLECT || type == EVENT_ACTION;
}

/* The newest first, as far as there is room. */
static void draw_events(struct detail *detail, const struct history *history)
{
    const struct event *events;
    size_t count = history_events(history, &events);
    char clock[UNITS_MAX];
    bool is_any = false;

    detail_heading(detail, "LAST COLLECTIONS AND ACTIONS");
    for (size_t i = count; i > 0; i--)
        if (is_shown(events[i - 1].type)) {
            detail_line(detail, units_clock(clock, events[i - 1].wall_ns), "%s",
                        events[i - 1].words);
            is_any = true;
        }
    if (!is_any)
        detail_line(detail, "none", "%s",
                    "full collections and what heaptop did stand here");
}

static void gc_draw(void *pane, struct canvas *canvas, struct rect rect, bool has_focus)
{
    struct pane_gc *gc = pane;
    const struct snapshot *snapshot = gc->input.snapshot;
    struct rect top = rect, below;
    struct detail detail;

    if (gc->is_open) {
        table_draw(gc->free_lists, canvas, rect, has_focus);
        if (!snapshot || !snapshot->free_lists)
            pane_draw_nothing(canvas, rect, "the free lists are not known here");
        return;
    }
    top.height = (int)table_row_count(gc->table, NULL) + 1;
    if (top.height > rect.height)
        top.height = rect.height;
    table_draw(gc->table, canvas, top, has_focus);
    below =
        (struct rect){rect.y + top.height, rect.x, rect.height - top.height, rect.width};
    detail_init(&detail, canvas, below);
    if (!snapshot || !snapshot->gc) {
        pane_draw_nothing(canvas, rect, "the garbage collector's counters are not known");
        detail_gap(&detail);
        if (snapshot && snapshot->account)
            draw_garbage(&detail, snapshot);
        return;
    }
    draw_state(&detail, snapshot->gc);
    draw_garbage(&detail, snapshot);
    draw_free_lists(&detail, snapshot->free_lists);
    detail_gap(&detail);
    draw_pauses(&detail, snapshot);
    detail_gap(&detail);
    draw_events(&detail, gc->input.history);
}

static struct table *gc_table(void *pane)
{
    struct pane_gc *gc = pane;

    return gc->is_open ? gc->free_lists : gc->table;
}

static enum pane_result gc_command(void *pane, enum command_id command)
{
    struct pane_gc *gc = pane;

    if (command == COMMAND_ENTER || (command == COMMAND_BACK && gc->is_open)) {
        gc->is_open = command == COMMAND_ENTER;
        return PANE_HANDLED;
    }
    return table_command(gc_table(pane), command) ? PANE_HANDLED : PANE_IGNORED;
}

static const char *gc_breadcrumb(void *pane)
{
    struct pane_gc *gc = pane;

    return gc->is_open ? "Free lists" : NULL;
}

const struct pane_ops pane_gc = {
    .name = "gc",
    .title = "GC",
    .create = gc_create,
    .destroy = gc_destroy,
    .update = gc_update,
    .draw = gc_draw,
    .command = gc_command,
    .table = gc_table,
    .breadcrumb = gc_breadcrumb,
};
