/* Verdict: what the counters say together, with the remedy and what it would gain. */
#include "tui/pane.h"

#include <stdlib.h>

#include "heaptop/units.h"
#include "model/verdict.h"
#include "tui/detail.h"
#include "tui/kinds_table.h"
#include "util/xalloc.h"

struct pane_verdict {
    struct verdicts verdicts;
    bool is_known;
};

static void *verdict_create(void)
{
    return xcalloc(1, sizeof(struct pane_verdict));
}

static void verdict_destroy(void *opaque)
{
    free(opaque);
}

/* Always of the newest sample: it looks back by itself. */
static void verdict_update(void *opaque, const struct view_input *input)
{
    struct pane_verdict *pane = opaque;

    pane->is_known = verdict_judge(input->history, &pane->verdicts);
}

static void draw_one(struct detail *detail, const struct verdict *verdict)
{
    char gain[UNITS_MAX];

    detail_heading(detail, "%s", verdict->rule);
    detail_paragraph(detail, verdict->words);
    if (reading_is_known(verdict->gain_bytes))
        detail_line(detail, "remedy", "%s: %s", verdict->remedy,
                    units_bytes(gain, verdict->gain_bytes));
    else
        detail_line(detail, "remedy", "%s", verdict->remedy);
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
    for (size_t i = 0; i < verdicts->count; i++)
        draw_one(&detail, &verdicts->items[i]);
    if (verdicts->n_gaps)
        detail_heading(&detail, "NOT JUDGED, AS A COUNTER IS MISSING");
    for (size_t i = 0; i < verdicts->n_gaps; i++)
        detail_line(&detail, verdicts->gaps[i].rule, "%s", verdicts->gaps[i].counter);
}

static enum pane_result verdict_command(void *opaque, enum command_id command)
{
    (void)opaque;
    (void)command;
    return PANE_IGNORED;
}

const struct pane_ops pane_verdict = {
    .name = "verdict",
    .title = "Verdict",
    .create = verdict_create,
    .destroy = verdict_destroy,
    .update = verdict_update,
    .draw = verdict_draw,
    .command = verdict_command,
};
