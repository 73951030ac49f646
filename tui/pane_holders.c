/*
 * Who holds: the ways in which the objects of a kind are held, one level up. Enter climbs
 * to who holds the one that holds most, Esc goes back. Opened by a key on a kind.
 */
#include "tui/pane.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/holders.h"
#include "tui/kinds_table.h"
#include "tui/line.h"
#include "util/plural.h"
#include "util/xalloc.h"

#define STEPS_MAX 32

enum {
    COLUMN_HELD_BY,
    COLUMN_REFERENCES,
    COLUMN_HOLDERS,
    COLUMN_WAY,
};

static const struct column columns[] = {
    {.name = "held-by",
     .heading = "HELD BY",
     .help = "kinds and named fields that refer to the objects",
     .type = VALUE_TEXT,
     .width = 40,
     .grow = 1,
     .ascending_first = true,
     .is_name = true},
    {.name = "references",
     .heading = "REFERENCES",
     .help = "to the objects that were asked for",
     .type = VALUE_COUNT,
     .width = 11,
     .sort_key = 'O'},
    {.name = "holders",
     .heading = "HOLDERS",
     .help = "objects that hold them in this way",
     .type = VALUE_COUNT,
     .width = 9,
     .weight = 2},
    {.name = "way",
     .heading = "",
     .help = "a module or a class: here the way ends",
     .type = VALUE_LABEL,
     .width = 5,
     .weight = 1},
};

/* One object on the way up; the first step is the kind itself. */
struct step {
    uint64_t address; /* 0: the kind */
    char label[HOLDER_LABEL_MAX];
};

struct pane_holders {
    struct table *table;
    const struct kind *kind; /* NULL: none was chosen */
    struct step steps[STEPS_MAX];
    size_t n_steps;
    const struct holders *answer; /* of the last update, or NULL */
    const char *why;
    char breadcrumb[400];
};

static void *holders_create(void)
{
    struct pane_holders *pane = xcalloc(1, sizeof(*pane));

    pane->table =
        table_new(columns, sizeof(columns) / sizeof(columns[0]), COLUMN_REFERENCES);
    pane->why = "";
    return pane;
}

static void holders_destroy(void *opaque)
{
    struct pane_holders *pane = opaque;

    table_free(pane->table);
    free(pane);
}

static const struct step *last_step(const struct pane_holders *pane)
{
    return &pane->steps[pane->n_steps - 1];
}

static void holders_update(void *opaque, const struct view_input *input)
{
    struct pane_holders *pane = opaque;
    const struct answer *answer = input->answer;
    bool is_ours = answer && !strcmp(answer->inquiry.topic, INQUIRY_HOLDERS);
    size_t count;

    pane->answer = is_ours ? (const struct holders *)answer : NULL;
    pane->why = input->answer_why ? input->answer_why : "";
    count = pane->answer ? pane->answer->n_rows : 0;
    table_begin_rows(pane->table, count);
    for (size_t i = 0; i < count; i++) {
        const struct holder_row *holder = &pane->answer->rows[i];
        struct table_row row;

        memset(&row, 0, sizeof(row));
        row.identity = i + 1;
        row.values[COLUMN_HELD_BY].text = holder->label;
        row.values[COLUMN_REFERENCES].number = reading_exact((int64_t)holder->references);
        row.values[COLUMN_HOLDERS].number = reading_exact((int64_t)holder->holders);
        row.values[COLUMN_WAY].text = holder->is_root ? "end" : "";
        row.values[COLUMN_WAY].number = reading_exact(holder->is_root);
        table_add_row(pane->table, &row);
    }
    table_end_rows(pane->table);
}

static void draw_facts(const struct pane_holders *pane, struct canvas *canvas, int y,
                       int x, int width)
{
    const struct walk_facts *walk = &pane->answer->answer.walk;
    char objects[UNITS_MAX], held[UNITS_MAX], seconds[UNITS_MAX];
    struct line line;

    line_init(&line);
    part_add(line_part(&line, 0), ROLE_VALUE, "%s object%s, %s held by objects",
             units_count(objects, reading_exact((int64_t)pane->answer->objects)),
             plural((int64_t)pane->answer->objects),
             units_count(held, reading_exact((int64_t)pane->answer->held)));
    part_add(line_part(&line, 2), ROLE_DIM, "found out in %s%s",
             units_duration(seconds, reading_exact(walk->wall_ns)),
             walk->complete ? "" : ", not complete");
    part_add(line_part(&line, 1), ROLE_DIM, "what frames and C code hold is not seen");
    line_draw(&line, canvas, y, x + 1, width - 1);
}

static void holders_draw(void *opaque, struct canvas *canvas, struct rect rect,
                         bool has_focus)
{
    struct pane_holders *pane = opaque;

    if (!pane->kind) {
        pane_draw_nothing(canvas, rect, "choose a kind on the tab Types and press H");
        return;
    }
    if (pane->answer && rect.height > 4) {
        draw_facts(pane, canvas, rect.y, rect.x, rect.width);
        rect.y++;
        rect.height--;
    }
    table_draw(pane->table, canvas, rect, has_focus);
    if (!pane->answer)
        pane_draw_nothing(canvas, rect,
                          *pane->why ? pane->why
                                     : "passes over all objects are on their way");
    else if (!pane->answer->n_rows)
        pane_draw_nothing(canvas, rect, "no object refers to it: a frame or C code does");
}

static void name_way(struct pane_holders *pane)
{
    size_t length = 0;

    for (size_t i = 0; i < pane->n_steps && length < sizeof(pane->breadcrumb); i++)
        length +=
            (size_t)snprintf(pane->breadcrumb + length, sizeof(pane->breadcrumb) - length,
                             "%s%s", i ? " < " : "", pane->steps[i].label);
}

static void climb(struct pane_holders *pane)
{
    const struct table_row *row = table_selected(pane->table);
    const struct holder_row *holder;
    struct step *step;

    if (!row || !pane->answer || row->identity > pane->answer->n_rows ||
        pane->n_steps == STEPS_MAX)
        return;
    holder = &pane->answer->rows[row->identity - 1];
    if (!holder->address)
        return;
    step = &pane->steps[pane->n_steps++];
    step->address = holder->address;
    memcpy(step->label, holder->label, sizeof(step->label));
    name_way(pane);
}

static enum pane_result holders_command(void *opaque, enum command_id command)
{
    struct pane_holders *pane = opaque;

    if (command == COMMAND_ENTER) {
        climb(pane);
        return PANE_HANDLED;
    }
    if (command == COMMAND_BACK && pane->n_steps > 1) {
        pane->n_steps--;
        name_way(pane);
        return PANE_HANDLED;
    }
    return table_command(pane->table, command) ? PANE_HANDLED : PANE_IGNORED;
}

static struct table *holders_table(void *opaque)
{
    return ((struct pane_holders *)opaque)->table;
}

static void holders_describe(void *opaque, struct strbuf *out)
{
    struct pane_holders *pane = opaque;
    const struct table_row *row = table_selected(pane->table);

    if (row && pane->answer && row->identity <= pane->answer->n_rows)
        strbuf_addf(out, "%#" PRIx64 " holds most of them; Enter: who holds that",
                    pane->answer->rows[row->identity - 1].address);
}

static const char *holders_breadcrumb(void *opaque)
{
    struct pane_holders *pane = opaque;

    return pane->kind ? pane->breadcrumb : "";
}

static void holders_wants(void *opaque, struct inquiry *inquiry)
{
    struct pane_holders *pane = opaque;

    if (!pane->kind)
        return;
    inquiry->topic = INQUIRY_HOLDERS;
    inquiry->address = last_step(pane)->address;
    inquiry->kind = inquiry->address ? NULL : pane->kind;
}

static void holders_look_at(void *opaque, const struct kind *kind)
{
    struct pane_holders *pane = opaque;

    pane->kind = kind;
    pane->n_steps = 1;
    pane->steps[0].address = 0;
    snprintf(pane->steps[0].label, sizeof(pane->steps[0].label), "%s", kind->name);
    name_way(pane);
}

const struct pane_ops pane_holders = {
    .name = "holders",
    .title = "Who holds",
    .create = holders_create,
    .destroy = holders_destroy,
    .update = holders_update,
    .draw = holders_draw,
    .command = holders_command,
    .table = holders_table,
    .describe = holders_describe,
    .breadcrumb = holders_breadcrumb,
    .wants = holders_wants,
    .look_at = holders_look_at,
    .is_hidden = true,
};
