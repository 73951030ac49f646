/*
 * Verdict: what the counters say together, with the remedy, what it would gain, what
 * helps in the long run, and the counters that led to it. Up and Down choose the one on
 * top.
 */
#include "tui/pane.h"

#include <stdio.h>
#include <stdlib.h>

#include "heaptop/units.h"
#include "model/verdict.h"
#include "tui/detail.h"
#include "tui/history_graph.h"
#include "tui/kinds_table.h"
#include "util/xalloc.h"

struct pane_verdict {
    struct verdicts verdicts;
    bool is_known;
    size_t top; /* the first that is drawn */
};

static void *verdict_create(void)
{
    return xcalloc(1, sizeof(struct pane_verdict));
}

static void verdict_destroy(void *opaque)
{
    free(opaque);
}

/* Of the sample that is shown, with what was known then. */
static void verdict_update(void *opaque, const struct view_input *input)
{
    struct pane_verdict *pane = opaque;

    pane->is_known = verdict_judge(input->history, &pane->verdicts);
    if (pane->top >= pane->verdicts.count)
        pane->top = pane->verdicts.count ? pane->verdicts.count - 1 : 0;
}

/* Two counters a line, where there is room. */
static void draw_counters(struct detail *detail, const struct verdict *verdict)
{
    char text[UNITS_MAX];

    for (size_t i = 0; i < verdict->n_counters; i++) {
        const struct verdict_counter *counter = &verdict->counters[i];

        detail_line(detail, i ? "" : "counters", "%s  %s",
                    history_value(text, counter->unit, counter->value), counter->name);
    }
}

static void draw_one(struct detail *detail, const struct verdict *verdict)
{
    bool is_gain_known = reading_is_known(verdict->gain_bytes);
    char gain[UNITS_MAX], remedy[256];

    detail_heading(detail, "%s  %s", verdict->rule, verdict_rule_name(verdict->rule));
    detail_paragraph(detail, verdict->words);
    snprintf(remedy, sizeof(remedy), "%s%s%s", verdict->remedy, is_gain_known ? ": " : "",
             is_gain_known ? units_bytes(gain, verdict->gain_bytes) : "");
    detail_text(detail, "remedy", remedy);
    for (size_t i = 0; i < verdict->n_advice; i++)
        detail_text(detail, i ? "" : "advice", verdict->advice[i]);
    draw_counters(detail, verdict);
    detail_gap(detail);
}

static void verdict_draw(void *opaque, struct canvas *canvas, struct rect rect,
                         bool has_focus)
{
    struct pane_verdict *pane = opaque;
    const struct verdicts *verdicts = &pane->verdicts;
    struct detail detail;

    (void)has_focus;
    if (!pane->is_known) {
        pane_draw_nothing(canvas, rect, "no sample yet");
        return;
    }
    detail_init(&detail, canvas, rect);
    for (size_t i = pane->top; i < verdicts->count; i++)
        draw_one(&detail, &verdicts->items[i]);
    if (verdicts->n_gaps)
        detail_heading(&detail, "NOT JUDGED, AS A COUNTER IS MISSING");
    for (size_t i = 0; i < verdicts->n_gaps; i++)
        detail_line(&detail, verdicts->gaps[i].rule, "%s", verdicts->gaps[i].counter);
}

static enum pane_result verdict_command(void *opaque, enum command_id command)
{
    struct pane_verdict *pane = opaque;
    size_t last = pane->verdicts.count ? pane->verdicts.count - 1 : 0;

    if (command == COMMAND_DOWN || command == COMMAND_PAGE_DOWN)
        pane->top += pane->top < last;
    else if (command == COMMAND_UP || command == COMMAND_PAGE_UP)
        pane->top -= pane->top > 0;
    else if (command == COMMAND_TOP)
        pane->top = 0;
    else if (command == COMMAND_BOTTOM)
        pane->top = last;
    else
        return PANE_IGNORED;
    return PANE_HANDLED;
}

static void verdict_describe(void *opaque, struct strbuf *out)
{
    struct pane_verdict *pane = opaque;

    if (pane->verdicts.count > 1)
        strbuf_addf(out, "verdict %zu of %zu; Down: the next", pane->top + 1,
                    pane->verdicts.count);
    else
        strbuf_add_text(out, "the only verdict; the manual explains the rules");
}

const struct pane_ops pane_verdict = {
    .name = "verdict",
    .title = "Verdict",
    .create = verdict_create,
    .destroy = verdict_destroy,
    .update = verdict_update,
    .draw = verdict_draw,
    .command = verdict_command,
    .describe = verdict_describe,
};
