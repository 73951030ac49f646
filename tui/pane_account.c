/*
 * Account: where RES goes, part by part to the last page; what a trim, a collection, a
 * restart would return; below, or with Enter, the mappings.
 */
#include "tui/pane.h"

#include <stdlib.h>

#include "heaptop/units.h"
#include "model/account.h"
#include "tui/account_table.h"
#include "tui/detail.h"
#include "tui/kinds_table.h"
#include "util/xalloc.h"

#define PREDICTION_LINES 3
#define REASON_LINES     3 /* with which the garbage is not known */
#define MALLOC_LINES     3 /* a gap, a heading, and at least one line */
#define LEAST_LINES      9 /* with fewer, only the table is drawn */

struct pane_account {
    struct table *parts, *mappings;
    struct view_input input;
    bool is_open; /* the mappings are, in place of the parts */
};

static void *account_create(void)
{
    struct pane_account *pane = xcalloc(1, sizeof(*pane));

    pane->parts = account_table_new();
    pane->mappings = mappings_table_new();
    return pane;
}

static void account_destroy(void *opaque)
{
    struct pane_account *pane = opaque;

    table_free(pane->parts);
    table_free(pane->mappings);
    free(pane);
}

static void account_update(void *opaque, const struct view_input *input)
{
    struct pane_account *pane = opaque;

    pane->input = *input;
    account_table_update(pane->parts, input);
    mappings_table_update(pane->mappings, input);
}

static void draw_collect(struct detail *detail, const struct account_section *account)
{
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
    struct reading least = account->collect_trim_bytes;
    struct reading most = account->collect_trim_most_bytes;

    if (!reading_is_known(least))
        detail_text(detail, "gc, then trim",
                    account_garbage_why_text(account->garbage_why));
    else if (reading_is_known(most) && most.value != least.value)
        detail_line(detail, "gc, then trim",
                    "would return %s to %s (garbage: %s objects)", units_bytes(a, least),
                    units_bytes(b, most), units_count(c, account->garbage_objects));
    else
        detail_line(detail, "gc, then trim", "would return %s (garbage: %s objects)",
                    units_bytes(a, least), units_count(b, account->garbage_objects));
}

static void draw_predictions(struct detail *detail, const struct snapshot *snapshot)
{
    const struct account_section *account = snapshot->account;
    const char *allocator = snapshot->malloc ? snapshot->malloc->allocator : "";
    char a[UNITS_MAX], b[UNITS_MAX];

    if (reading_is_known(account->trim_bytes))
        detail_line(
            detail, "trim now", "would return %s   (looked at %s ago)",
            units_bytes(a, account->trim_bytes),
            units_duration(b, reading_exact(snapshot->mono_ns - account->ended_mono_ns)));
    else
        detail_line(detail, "trim now", "not known: malloc is %s",
                    *allocator ? allocator : "unknown");
    if (snapshot->objects && snapshot->objects->walk.is_exact)
        detail_line(detail, "exact snapshot", "%s",
                    "of the objects: this page is of the process as it is");
    draw_collect(detail, account);
    detail_line(detail, "only a restart", "returns %s more, free in pieces",
                units_bytes(a, account->restart_bytes));
}

static void draw_malloc(struct detail *detail, const struct malloc_section *section)
{
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX], d[UNITS_MAX];

    detail_gap(detail);
    detail_heading(detail, "MALLOC (%s)",
                   section->allocator[0] ? section->allocator : "unknown");
    if (!reading_is_known(section->used_bytes)) {
        detail_line(detail, "not known", "%s",
                    "what of this malloc is free cannot be told from outside");
        return;
    }
    detail_line(detail, "in use", "%s in %s chunks, %s in %s mmapped ones",
                units_bytes(a, section->used_bytes), units_count(b, section->used_chunks),
                units_bytes(c, section->mmapped_bytes),
                units_count(d, section->mmapped_chunks));
    detail_line(
        detail, "free", "%s, and in tcaches %s, in fastbins %s, at the top %s",
        units_bytes(a, section->free_bytes), units_bytes(b, section->tcache_bytes),
        units_bytes(c, section->fastbin_bytes), units_bytes(d, section->top_bytes));
    detail_line(detail, "arenas", "%s, with %s heaps", units_count(a, section->arenas),
                units_count(b, section->heaps));
}

static int parts_height(const struct pane_account *pane, int height)
{
    const struct account_section *account = pane->input.snapshot->account;
    int wanted =
        (int)table_row_count(pane->parts, NULL) + (int)table_fixed_count(pane->parts) + 1;
    int most = height >= LEAST_LINES ? height - PREDICTION_LINES : height;

    if (height >= LEAST_LINES && !reading_is_known(account->collect_trim_bytes))
        most -= REASON_LINES - 1;

    return wanted < most ? wanted : most;
}

static void draw_below(struct pane_account *pane, struct canvas *canvas, struct rect rect)
{
    const struct snapshot *snapshot = pane->input.snapshot;
    struct detail detail;
    struct rect rest;

    detail_init(&detail, canvas, rect);
    draw_predictions(&detail, snapshot);
    if (snapshot->malloc && detail_rest(&detail).height >= MALLOC_LINES)
        draw_malloc(&detail, snapshot->malloc);
    detail_gap(&detail);
    rest = detail_rest(&detail);
    if (rest.height >= 3)
        table_draw(pane->mappings, canvas, rest, false);
}

static void account_draw(void *opaque, struct canvas *canvas, struct rect rect,
                         bool has_focus)
{
    struct pane_account *pane = opaque;
    const struct snapshot *snapshot = pane->input.snapshot;
    struct rect top = rect;

    if (!snapshot || !snapshot->account) {
        table_draw(pane->parts, canvas, rect, has_focus);
        pane_draw_nothing(canvas, rect, "where RES goes is not known yet");
        return;
    }
    if (pane->is_open) {
        table_draw(pane->mappings, canvas, rect, has_focus);
        return;
    }
    top.height = parts_height(pane, rect.height);
    table_draw(pane->parts, canvas, top, has_focus);
    rect.y += top.height;
    rect.height -= top.height;
    if (rect.height > 0)
        draw_below(pane, canvas, rect);
}

static struct table *account_table(void *opaque)
{
    struct pane_account *pane = opaque;

    return pane->is_open ? pane->mappings : pane->parts;
}

static enum pane_result account_command(void *opaque, enum command_id command)
{
    struct pane_account *pane = opaque;

    if (command == COMMAND_ENTER || (command == COMMAND_BACK && pane->is_open)) {
        pane->is_open = command == COMMAND_ENTER;
        return PANE_HANDLED;
    }
    return table_command(account_table(pane), command) ? PANE_HANDLED : PANE_IGNORED;
}

static const char *account_breadcrumb(void *opaque)
{
    struct pane_account *pane = opaque;

    return pane->is_open ? "Mappings" : NULL;
}

const struct pane_ops pane_account = {
    .name = "account",
    .title = "Account",
    .create = account_create,
    .destroy = account_destroy,
    .update = account_update,
    .draw = account_draw,
    .command = account_command,
    .table = account_table,
    .breadcrumb = account_breadcrumb,
};
