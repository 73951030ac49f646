#include "tui/kinds_table.h"

#include <string.h>

#include "model/partition.h"
#include "util/clock.h"

enum {
    COLUMN_KIND,
    COLUMN_COUNT,
    COLUMN_COUNT_DELTA,
    COLUMN_SIZE,
    COLUMN_MEMORY,
    COLUMN_MEMORY_DELTA,
    COLUMN_GROWTH,
    COLUMN_PERCENT,
    COLUMN_CUMULATED,
    COLUMN_TRACKED,
};

static const struct column columns[] = {
    {.name = "kind",
     .heading = "KIND",
     .help = "the type's full name; a dict by what it belongs to",
     .type = VALUE_TEXT,
     .width = 22,
     .grow = 1,
     .cuts_middle = true,
     .ascending_first = true,
     .sort_key = 'A'},
    {.name = "count",
     .heading = "COUNT",
     .help = "live objects of the kind",
     .type = VALUE_COUNT,
     .width = 9,
     .weight = 7,
     .sort_key = 'O',
     .is_summed = true},
    {.name = "count-delta",
     .heading = "D COUNT",
     .help = "change of the count",
     .type = VALUE_COUNT_DELTA,
     .width = 8,
     .weight = 6,
     .is_delta = true,
     .is_summed = true},
    {.name = "size",
     .heading = "SIZE",
     .help = "sum of sys.getsizeof: tables and items are in it",
     .type = VALUE_BYTES,
     .width = 8,
     .weight = 2,
     .is_summed = true},
    {.name = "memory",
     .heading = "BYTES",
     .help = "memory of the objects themselves, without tables and items",
     .type = VALUE_BYTES,
     .width = 9,
     .sort_key = 'B',
     .is_summed = true},
    {.name = "memory-delta",
     .heading = "D BYTES",
     .help = "change of the memory",
     .type = VALUE_BYTES_DELTA,
     .width = 9,
     .weight = 8,
     .sort_key = 'D',
     .is_delta = true,
     .is_summed = true},
    {.name = "growth",
     .heading = "PER MIN",
     .help = "growth of the memory a minute, when it is sure that there is one",
     .type = VALUE_BYTES_DELTA,
     .width = 8,
     .weight = 3},
    {.name = "percent",
     .heading = "%",
     .help = "share of the memory of all objects",
     .type = VALUE_PERCENT,
     .width = 5,
     .weight = 5,
     .is_summed = true},
    {.name = "cumulated",
     .heading = "CUM%",
     .help = "share of this row and all above it",
     .type = VALUE_PERCENT,
     .width = 6,
     .weight = 4,
     .cumulates = COLUMN_MEMORY + 1},
    {.name = "tracked",
     .heading = "TRACKED",
     .help = "objects that the garbage collector tracks",
     .type = VALUE_COUNT,
     .width = 9,
     .weight = 1,
     .is_summed = true},
};

struct table *kinds_table_new(bool is_short)
{
    struct table *table =
        table_new(columns, sizeof(columns) / sizeof(columns[0]), COLUMN_MEMORY);

    table_show_rest(table, true);
    table_show_counts(table, true);
    if (is_short) {
        table_show_column(table, COLUMN_SIZE, false);
        table_show_column(table, COLUMN_GROWTH, false);
        table_show_column(table, COLUMN_TRACKED, false);
    }
    return table;
}

static uint64_t kinds_identity(const struct kind *kind)
{
    return (uint64_t)kind->id + 1;
}

const struct kind_row *kinds_find(const struct objects_section *objects, uint64_t id)
{
    for (size_t i = 0; objects && i < objects->n_kinds; i++)
        if (kinds_identity(objects->kinds[i].kind) == id)
            return &objects->kinds[i];
    return NULL;
}

bool delta_is_shown(const struct view_input *input)
{
    return input->delta != DELTA_OFF;
}

static const char *delta_heading(const struct view_input *input)
{
    if (input->delta == DELTA_RATE)
        return "D /S";
    return input->delta == DELTA_MARK ? "D MARK" : "D PREV";
}

void delta_show(struct table *table, const struct view_input *input)
{
    table_show_deltas(table, delta_is_shown(input), delta_heading(input));
    table_show_rates(table, input->delta == DELTA_RATE);
}

struct reading delta_value(const struct view_input *input, int64_t change,
                           int64_t elapsed_ns)
{
    if (input->delta != DELTA_RATE)
        return reading_exact(change);
    if (elapsed_ns <= 0)
        return reading_unknown();

    /* In thousandths, as table_show_rates() wants them. */
    double rate = (double)change * 1000 * (double)NS_PER_S / (double)elapsed_ns;
    return reading_exact((int64_t)(rate + (rate < 0 ? -0.5 : 0.5)));
}

struct reading growth_per_minute(struct growth *growth, uint64_t key)
{
    struct trend trend;

    if (!growth_trend(growth, key, GROWTH_WINDOW_NS, &trend) || !trend.is_claimed)
        return reading_unknown();
    return reading_exact(
        (int64_t)(trend.bytes_per_minute + (trend.bytes_per_minute < 0 ? -0.5 : 0.5)));
}

static struct value number(uint64_t value)
{
    return (struct value){.number = reading_exact((int64_t)value)};
}

static void row_fill(struct table_row *row, const struct partition_row *from,
                     const struct view_input *input, int64_t elapsed_ns)
{
    memset(row, 0, sizeof(*row));
    row->identity = kinds_identity(from->now.kind);
    row->values[COLUMN_KIND].text = from->now.kind->name;
    row->values[COLUMN_COUNT] = number(from->now.count);
    row->values[COLUMN_SIZE] = number(from->now.size_bytes);
    row->values[COLUMN_MEMORY] = number(from->now.memory_bytes);
    row->values[COLUMN_PERCENT].number = reading_exact(from->share_milli_percent);
    row->values[COLUMN_TRACKED] = number(from->now.tracked);
    row->values[COLUMN_GROWTH].number = growth_per_minute(
        history_kinds_growth(input->history), history_kind_key(from->now.kind));
    if (!delta_is_shown(input) || !input->older || !input->older->objects)
        return;
    row->values[COLUMN_COUNT_DELTA].number =
        delta_value(input, from->count_delta, elapsed_ns);
    row->values[COLUMN_MEMORY_DELTA].number =
        delta_value(input, from->memory_delta_bytes, elapsed_ns);
}

static void add_blocks(struct table *table, const char *name, uint64_t blocks,
                       uint64_t bytes)
{
    struct table_row row;

    if (!blocks)
        return;
    memset(&row, 0, sizeof(row));
    row.is_fixed = true;
    row.role = ROLE_VALUE;
    row.values[COLUMN_KIND].text = name;
    row.values[COLUMN_MEMORY] = number(bytes);
    table_add_row(table, &row);
}

/* Blocks in use that no object is known to have: the rows above do not hold them. */
static void add_parts(struct table *table, const struct objects_section *now)
{
    add_blocks(table, "(held by statics)", now->statics_blocks, now->statics_bytes);
    add_blocks(table, "(unowned parts)", now->unowned_blocks, now->unowned_bytes);
}

/* True when the rows shown are made of the same walks; remembers the new ones. */
static bool is_same(struct kinds_seen *seen, const struct objects_section *now,
                    const struct objects_section *older, enum delta_mode delta)
{
    struct kinds_seen was = *seen;

    *seen = (struct kinds_seen){
        .now = now, .older = older, .delta = delta, .has_parts_row = was.has_parts_row};
    seen->has_rows = now != NULL;
    seen->now_ns = now ? now->walk.ended_mono_ns : 0;
    seen->older_ns = older ? older->walk.ended_mono_ns : 0;
    return was.has_rows && seen->has_rows && was.now == now && was.older == older &&
           was.delta == delta && was.now_ns == seen->now_ns &&
           was.older_ns == seen->older_ns;
}

void kinds_table_update(struct table *table, struct kinds_seen *seen,
                        const struct view_input *input)
{
    const struct objects_section *now = input->snapshot ? input->snapshot->objects : NULL;
    const struct objects_section *older =
        delta_is_shown(input) && input->older ? input->older->objects : NULL;
    struct partition_options options = {.sort = PARTITION_BY_MEMORY};
    struct partition partition;
    struct table_row row;
    int64_t elapsed_ns =
        now && older ? now->walk.ended_mono_ns - older->walk.ended_mono_ns : 0;

    delta_show(table, input);
    table_set_filter(table, input->filter);
    if (is_same(seen, now, older, input->delta))
        return;
    if (!now || partition_make(&partition, now, older, &options)) {
        seen->has_rows = false;
        table_set_rows(table, NULL, 0);
        return;
    }
    table_begin_rows(table, partition.count + 2);
    for (size_t i = 0; i < partition.count; i++) {
        row_fill(&row, &partition.rows[i], input, elapsed_ns);
        table_add_row(table, &row);
    }
    if (seen->has_parts_row)
        add_parts(table, now);
    table_end_rows(table);
    partition_release(&partition);
}

void pane_draw_nothing(struct canvas *canvas, struct rect rect, const char *words)
{
    if (rect.height > 1) /* below the headings */
        canvas_text(canvas, rect.y + 1, rect.x + 1, rect.width - 1, ROLE_DIM, words);
}
